"""The list of runs as SQL alone gives it, a question for each condition, to compare what is kept with."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from outrider_server.filters import Both, Compare, Either, Field, Node, Not, parse, parse_sort
from outrider_server.store.asking import FIELDS
from outrider_server.store.database import connect

_OWN = "SELECT run, {} FROM run WHERE project = ?"
_CELLS = (
    "SELECT a.run, {} FROM attribute a JOIN attribute_name n ON n.name = a.name"
    " WHERE n.project = ? AND n.kind = ? AND n.key = ?"
)
_METRIC = (
    "SELECT m.run, {} FROM metric m JOIN run r ON r.run = m.run"
    " WHERE r.project = ? AND m.key = ? AND m.system = 0"
)
_REDUCED = {"last": "last", "min": "low", "max": "high", "mean": "mean"}


class Sql:
    """The runs of a project, asked of the store's file."""

    def __init__(self, path: Path, project: str) -> None:
        self.db: sqlite3.Connection = connect(path, reads_only=True)
        row = self.db.execute("SELECT project FROM project WHERE name = ?", (project,)).fetchone()
        self.project = row[0] if row else -1

    def ids(self, text: str | None, sort: str) -> list[str]:
        """The ids of the runs that a filter lets through, in order."""
        newest = "SELECT run, id FROM run WHERE project = ? ORDER BY created DESC, run DESC"
        known = dict(self.db.execute(newest, (self.project,)).fetchall())
        node = parse(text or "")
        runs = [run for run in known if node is None or run in self.chosen(node)]
        for field, falls in reversed(parse_sort(sort)):
            keys = self._keys(field)
            having = sorted((r for r in runs if r in keys), key=keys.__getitem__, reverse=falls)
            runs = having + [run for run in runs if run not in keys]
        return [known[run] for run in runs]

    def chosen(self, node: Node) -> set[int]:
        """The runs for which a condition holds."""
        if isinstance(node, Both):
            return set.intersection(*map(self.chosen, node.parts))
        if isinstance(node, Either):
            return set.union(*map(self.chosen, node.parts))
        everything = self._runs("SELECT run FROM run WHERE project = ?", self.project)
        if isinstance(node, Not):
            return everything - self.chosen(node.part)
        return self._compared(node, everything)

    def _compared(self, node: Compare, everything: set[int]) -> set[int]:
        field, value = node.field, node.value
        holds = "matches(?, {})" if node.operator == "~" else f"{{}} {node.operator} ?"
        if field.kind == "tags":
            sql = "SELECT r.run FROM run r JOIN tag t ON t.run = r.run WHERE r.project = ? AND tag = ?"
            return self._runs(sql, self.project, value)
        if field.kind == "run":
            name = FIELDS[field.key]
            if value is None:
                return self._runs(f"{_OWN.format(1)} AND {name} IS NULL", self.project)
            return self._runs(f"{_OWN.format(1)} AND {holds.format(name)}", self.project, value)
        if field.kind == "metric":
            key, _, how = field.key.rpartition(".")
            sql = f"{_METRIC.format(1)} AND {holds.format(_REDUCED[how])}"
            return self._runs(sql, self.project, key, value)
        which = (self.project, field.kind, field.key)
        if value is None:
            return everything - self._runs(f"{_CELLS.format(1)} AND type != 'null'", *which)
        if isinstance(value, str):
            # NaN, lists and great integers are texts to a regular expression alone
            of_texts = "" if node.operator == "~" else " AND type = 'text'"
            sql = f"{_CELLS.format(1)} AND {holds.format('coalesce(body, head)')}{of_texts}"
            return self._runs(sql, *which, value)
        return self._runs(f"{_CELLS.format(1)} AND {holds.format('number')}", *which, float(value))

    def _runs(self, sql: str, *values: Any) -> set[int]:
        return {row[0] for row in self.db.execute(sql, values)}

    def _keys(self, field: Field) -> dict[int, Any]:
        if field.kind == "run":
            return _there(self.db.execute(_OWN.format(FIELDS[field.key]), (self.project,)))
        if field.kind == "metric":
            key, _, how = field.key.rpartition(".")
            sql = _METRIC.format(_REDUCED[how])
            return _there(self.db.execute(sql, (self.project, key)))
        rows = self.db.execute(
            _CELLS.format("number, head"), (self.project, field.kind, field.key)
        ).fetchall()
        return {
            run: (2, number, "")
            if number is not None
            else (1 if head is not None else 0, 0, head or "")
            for run, number, head in rows
        }


def _there(rows: Iterable[tuple[int, Any]]) -> dict[int, Any]:
    return {run: value for run, value in rows if value is not None}
