"""Runs can be moved to another project."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of old addresses."""
    op.create_table(
        "moved",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run", "project"),
        sqlite_with_rowid=False,
    )
    op.create_index("moved_address", "moved", ["project", "id"], unique=True)
