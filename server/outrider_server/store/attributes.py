"""Writes the attribute table: one typed cell for each config or summary value of a run."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outrider_server.store.values import Cell


class Names:
    """The numbers of config and summary keys; asks the store once for each."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str, str], int] = {}

    def number(self, db: sqlite3.Connection, project: int, kind: str, key: str) -> int:
        """The number of a key, made when it is new."""
        at = (project, kind, key)
        found = self._known.get(at)
        if found is None:
            row = db.execute(
                "SELECT name FROM attribute_name WHERE project = ? AND kind = ? AND key = ?", at
            ).fetchone()
            if row is None:
                made = db.execute(
                    "INSERT INTO attribute_name (project, kind, key) VALUES (?, ?, ?)", at
                )
                row = (made.lastrowid,)
            if len(self._known) > 200_000:
                self._known.clear()
            found = self._known[at] = int(row[0])
        return found

    def forget(self) -> None:
        """Ask again: what was made may have been rolled back."""
        self._known.clear()


def write_cells(
    db: sqlite3.Connection,
    names: Names,
    run: tuple[int, int],
    kind: str,
    cells: Iterable[tuple[str, Cell]],
) -> None:
    """Set cells of a run, given as (run, project) numbers; each key once.

    Values that change and keep their type are the rule, and leave the index of types alone.
    """
    number, project = run
    rows = [(names.number(db, project, kind, key), *cell) for key, cell in cells]
    changed = db.executemany(
        "UPDATE attribute SET number = ?, head = ?, body = ? WHERE run = ? AND name = ?"
        " AND type = ?",
        [(value, head, body, number, name, type_) for name, type_, value, head, body in rows],
    )
    if changed.rowcount == len(rows):
        return
    db.executemany(
        "INSERT INTO attribute (run, name, type, number, head, body) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (run, name) DO UPDATE SET type = excluded.type, number = excluded.number,"
        " head = excluded.head, body = excluded.body",
        [(number, *row) for row in rows],
    )


def drop_cells(
    db: sqlite3.Connection, names: Names, run: tuple[int, int], kind: str, keys: Iterable[str]
) -> None:
    """Remove cells of a run."""
    number, project = run
    db.executemany(
        "DELETE FROM attribute WHERE run = ? AND name = ?",
        [(number, names.number(db, project, kind, key)) for key in keys],
    )
