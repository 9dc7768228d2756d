"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "alert",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("t", sa.Float(), nullable=False),
        sa.Column("received", sa.Float(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("condition", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run", "n"),
        sqlite_with_rowid=False,
    )
    op.create_index("alert_number", "alert", ["project", "number"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("run", "n"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rule",
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "watch",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("moved", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("run", "rule", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "attempt",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rewind", sa.BigInteger(), nullable=True),
        sa.Column("t", sa.Float(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("run", "attempt"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "attribute",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("number", sa.Float(), nullable=True),
        sa.Column("head", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run", "name"),
        sqlite_with_rowid=False,
    )
    op.create_index("attribute_type", "attribute", ["name", "type"], unique=False)
    op.create_index("attribute_value", "attribute", ["name", "number", "head", "run"], unique=False)
    op.create_table(
        "attribute_name",
        sa.Column("name", sa.Integer(), nullable=False),
        sa.Column("project", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("attribute_name_key", "attribute_name", ["project", "kind", "key"], unique=True)
    op.create_table(
        "axis",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("axis", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("steps_rise", sa.SmallInteger(), nullable=False),
        sa.Column("times_rise", sa.SmallInteger(), nullable=False),
        sa.Column("step_low", sa.BigInteger(), nullable=False),
        sa.Column("step_high", sa.BigInteger(), nullable=False),
        sa.Column("time_low", sa.Float(), nullable=False),
        sa.Column("time_high", sa.Float(), nullable=False),
        sa.Column("fine", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run", "axis"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "axis_values",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("axis", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("steps", sa.LargeBinary(), nullable=False),
        sa.Column("times", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run", "axis"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "chunk",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kid", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("axis", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("whole", sa.LargeBinary(), nullable=False),
        sa.Column("fine", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run", "kid", "axis"),
    )
    op.create_table(
        "chunk_values",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kid", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("axis", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stored_as", sa.SmallInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run", "kid", "axis"),
    )
    op.create_table(
        "document",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run", "kind"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "media",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_index("media_key", "media", ["run", "key", "step", "seq", "type"], unique=False)
    op.create_index("media_step", "media", ["run", "step", "seq"], unique=False)
    op.create_table(
        "metric",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kid", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("shown", sa.BigInteger(), nullable=False),
        sa.Column("nonfinite", sa.BigInteger(), nullable=False),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("mean", sa.Float(), nullable=True),
        sa.Column("low_step", sa.BigInteger(), nullable=True),
        sa.Column("high_step", sa.BigInteger(), nullable=True),
        sa.Column("last", sa.Float(), nullable=True),
        sa.Column("last_word", sa.Text(), nullable=True),
        sa.Column("last_attempt", sa.Integer(), nullable=True),
        sa.Column("last_t", sa.Float(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("run", "kid"),
        sqlite_with_rowid=False,
    )
    op.create_index("metric_key", "metric", ["run", "key", "system"], unique=True)
    op.create_table(
        "project",
        sa.Column("project", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "console_line",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("t", sa.Float(), nullable=False),
        sa.Column("stream", sa.SmallInteger(), nullable=False),
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("styles", sa.Text(), nullable=True),
        sa.Column("gap", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run", "n"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "console_chunk",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("texts", sa.LargeBinary(), nullable=False),
        sa.Column("rest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run", "first"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "console_screen",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("stream", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run", "writer", "stream"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "record",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("t", sa.Float(), nullable=False),
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_index("record_kind", "record", ["run", "kind", "seq"], unique=False)
    op.create_table(
        "run",
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("project", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("ended", sa.Float(), nullable=True),
        sa.Column("updated", sa.Float(), nullable=False),
        sa.Column("group_name", sa.Text(), nullable=True),
        sa.Column("job_type", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("writer", sa.Text(), nullable=True),
        sa.Column("gaps", sa.Integer(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.Column("archived", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "run_archived",
        "run",
        ["project"],
        unique=False,
        sqlite_where=sa.text("archived = 1"),
    )
    op.create_index("run_created", "run", ["project", "created"], unique=False)
    op.create_index("run_id", "run", ["project", "id"], unique=True)
    op.create_table(
        "segment",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("segment", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run", "writer", "segment"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "blob",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("project", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run", "sha256"),
        sqlite_with_rowid=False,
    )
    op.create_index("blob_content", "blob", ["project", "sha256"], unique=False)
    op.create_table(
        "file",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("t", sa.Float(), nullable=False),
        sa.Column("meta", sa.Text(), nullable=True),
        sa.Column("spool", sa.Text(), nullable=True),
        sa.Column("latest", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run", "n"),
        sqlite_with_rowid=False,
    )
    op.create_index("file_path", "file", ["run", "path", "n"], unique=False)
    op.create_index("file_sha256", "file", ["run", "sha256"], unique=False)
    op.create_index("file_spool", "file", ["run", "spool"], unique=False)
    op.create_table(
        "tag",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run", "tag"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tail",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run", "seq"),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sha256"),
    )
    op.create_table(
        "view",
        sa.Column("project", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("updated", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("project", "name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "writer",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("head", sa.Text(), nullable=True),
        sa.Column("own_end", sa.Text(), nullable=True),
        sa.Column("other_end", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run", "writer"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """There is nothing before the first schema."""
    raise NotImplementedError
