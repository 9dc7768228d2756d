"""Keeps named views: what a page was set to show, as the query of its address."""

from __future__ import annotations

import sqlite3
from time import time
from typing import TYPE_CHECKING, Any

from outrider.errors import NotFound, UsageError

if TYPE_CHECKING:
    from outrider_server.store.writing import Writing

MOST_VIEWS = 500
"""Views that a project can have."""

_FIND = (
    "SELECT v.name, v.updated, v.by, v.state FROM view v"
    " JOIN project p ON p.project = v.project WHERE p.name = ?"
)


def keep(to: Writing, project: str, name: str, state: str, by: str) -> None:
    """Keep a view under a name, or replace the one that has it."""
    row = to.db.execute("SELECT project FROM project WHERE name = ?", (project,)).fetchone()
    if row is None:
        raise NotFound(f"no project {project!r}")
    names = {one for (one,) in to.db.execute("SELECT name FROM view WHERE project = ?", row)}
    if name not in names and len(names) >= MOST_VIEWS:
        raise UsageError(f"a project has at most {MOST_VIEWS} views", hint="delete one first")
    to.db.execute(
        "INSERT INTO view (project, name, state, by, updated) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (project, name) DO UPDATE SET state = excluded.state, by = excluded.by,"
        " updated = excluded.updated",
        (row[0], name, state, by, time()),
    )


def delete(to: Writing, project: str, name: str) -> bool:
    """Delete a view; False where there was none."""
    sql = (
        "DELETE FROM view WHERE name = ? AND project = (SELECT project FROM project WHERE name = ?)"
    )
    return to.db.execute(sql, (name, project)).rowcount > 0


def read_all(db: sqlite3.Connection, project: str) -> dict[str, Any]:
    """The project's views by name; none for a project that is not there."""
    rows = db.execute(_FIND + " ORDER BY v.name", (project,))
    return {"views": [{"name": name, "updated": t, "by": by} for name, t, by, _ in rows]}


def read_one(db: sqlite3.Connection, project: str, name: str) -> dict[str, Any]:
    """One view, with the query of its address as ``state``."""
    row = db.execute(_FIND + " AND v.name = ?", (project, name)).fetchone()
    if row is None:
        raise NotFound(f"no view {name!r} in project {project!r}")
    return dict(zip(("name", "updated", "by", "state"), row, strict=True))
