"""Asks which runs of a project a filter lets through, and how they stand by what they are sorted by.

Each field is a column over all runs of the project, kept in memory (see ``per_run``); a condition is
a look at one column, and conditions are joined run by run. What a column does not hold, texts that
are longer than its index has them, is asked of the store for those runs alone.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from outrider_server.filters import (
    RUN_FIELDS,
    Both,
    Compare,
    Either,
    Field,
    Node,
    Not,
)
from outrider_server.store import aggregates
from outrider_server.store.columns import COMPARE, Column, ranks
from outrider_server.store.database import matches
from outrider_server.store.per_run import TOGETHER, among
from outrider_server.store.values import EXACT, HEAD

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Hashable, Iterable, Sequence

    from outrider.reading.summary import Definition
    from outrider_server.buckets import Ints
    from outrider_server.store.columns import Bools
    from outrider_server.store.per_run import Listed, Moment, PerRun, Read

FIELDS = {
    "id": "id",
    "name": "name",
    "state": "state",
    "group": "group_name",
    "job_type": "job_type",
    "notes": "notes",
    "host": "host",
    "attempt": "attempt",
    "created": "created",
    "started": "created",
    "ended": "ended",
    "updated": "updated",
    "duration": "(coalesce(ended, updated) - created)",
    "gaps": "gaps",
    "archived": "archived",
}


class Asking:
    """The runs of one project, as a snapshot of the store shows them. A condition is an answer for
    each of ``runs``."""

    def __init__(
        self, db: sqlite3.Connection, project: int, per_run: PerRun, moment: Moment
    ) -> None:
        self.db = db
        self.project = project
        self.moment = moment
        self._per_run = per_run
        self._names: dict[Field, int | None] = {}

    @property
    def runs(self) -> Ints:
        """The numbers of the runs, rising."""
        return self._listed.runs

    @cached_property
    def _listed(self) -> Listed:
        return self._per_run.listed(self.project, self.moment.change, self._read_newest)

    def _read_newest(self) -> Ints:
        rows = self.db.execute(
            "SELECT run FROM run WHERE project = ? ORDER BY created DESC, run DESC",
            (self.project,),
        ).fetchall()
        return np.array([run for (run,) in rows], np.int64)

    def kept(self, name: Hashable, read: Read, width: int = 1) -> Column:
        """A column over all runs of the project: see ``PerRun.read``."""
        return self._per_run.read(name, self.moment.change, self.runs, read, width)

    def definitions(self) -> list[Definition]:
        """What the project's runs defined of their metrics; the newest run's word last."""
        column = self.kept(("definitions", self.project), self._read_definitions)
        return column.made(aggregates.all_definitions)

    def _read_definitions(self, some: Sequence[int] | None) -> list[Any]:
        return aggregates.read_definitions(self.db, self.project, some)

    def name(self, field: Field) -> int | None:
        """The number of a config or summary key, or None if no run has it."""
        if field not in self._names:
            row = self.db.execute(
                "SELECT name FROM attribute_name WHERE project = ? AND kind = ? AND key = ?",
                (self.project, field.kind, field.key),
            ).fetchone()
            self._names[field] = row[0] if row else None
        return self._names[field]

    # -- filter

    def found(self, node: Node | None) -> Ints:
        """The numbers of the runs that a filter lets through, the newest first."""
        return self.runs[self.places(node)]

    def places(self, node: Node | None) -> Ints:
        """The same as places in ``runs``."""
        newest = self._listed.newest
        return newest if node is None else newest[self._holds(node)[newest]]

    def _holds(self, node: Node) -> Bools:
        """For which runs a condition holds."""
        if isinstance(node, (Both, Either)):
            join = np.logical_and if isinstance(node, Both) else np.logical_or
            found: Bools = join.reduce([self._holds(part) for part in node.parts])
            return found
        if isinstance(node, Not):
            return ~self._holds(node.part)
        return self._compared(node)

    def _compared(self, node: Compare) -> Bools:
        field, sign, value = node.field, node.operator, node.value
        if field.kind == "tags":
            tags = self.kept(("tags", self.project), self._read_tags)
            return tags.said(lambda text: value in orjson.loads(text))
        if field.kind == "metric":
            assert isinstance(value, float)  # the parser refuses anything else
            column, line = aggregates.column_of(self, field)
            return column.compared(sign, value, line)
        if field.kind == "run":
            return self._field_compared(field, sign, value)
        return self._cells_compared(field, sign, value)

    def _read_tags(self, some: Sequence[int] | None) -> list[Any]:
        found: dict[int, list[str]] = {}
        which, runs = among("t.run", some)
        for run, tag in self.db.execute(
            "SELECT t.run, t.tag FROM tag t JOIN run r ON r.run = t.run"  # noqa: S608 - the names are ours
            f" WHERE r.project = ?{which} ORDER BY t.run, t.tag",
            (self.project, *runs),
        ):
            found.setdefault(run, []).append(tag)
        return [(run, None, orjson.dumps(tags).decode()) for run, tags in found.items()]

    def _field_compared(self, field: Field, sign: str, value: Any) -> Bools:
        if sign == "~" and RUN_FIELDS[field.key] != "text":
            sql = f"SELECT run FROM run WHERE project = ? AND matches(?, {FIELDS[field.key]})"  # noqa: S608 - the names are ours
            return self._are(self.db.execute(sql, (self.project, value)))
        column = self._field(field)
        return column.is_bare() if value is None else _text_or_number(column, sign, value)

    def _are(self, rows: Iterable[tuple[int]]) -> Bools:
        """Which of the runs are among those of a question's answer."""
        found: Bools = np.isin(self.runs, np.array([run for (run,) in rows], np.int64))
        return found

    def _field(self, field: Field) -> Column:
        """A run's own field: a text or a number."""
        name = FIELDS[field.key]
        what = f"{name}, NULL" if RUN_FIELDS[field.key] != "text" else f"NULL, {name}"

        def read(some: Sequence[int] | None) -> list[Any]:
            which, runs = among("run", some)
            sql = f"SELECT run, {what} FROM run WHERE project = ?{which}"  # noqa: S608 - the names are ours
            return self.db.execute(sql, (self.project, *runs)).fetchall()

        return self.kept(("run", self.project, name), read)

    def _cells_compared(self, field: Field, sign: str, value: Any) -> Bools:
        """For which runs a config or summary value compares so."""
        number = self.name(field)
        if number is None:
            return np.full(len(self.runs), value is None)
        column = self._cells(number)
        if value is None:
            sql = "SELECT run FROM attribute WHERE name = ? AND type = 'null'"
            return ~column.has | self._are(self.db.execute(sql, (number,)))
        if sign == "~":
            # what may have more text than the index: its runs are looked at one by one
            holds = column.said(lambda text: len(text) < HEAD and matches(value, text))
            unclear = column.said(lambda text: len(text) >= HEAD)
            unclear |= column.is_bare() | (np.abs(column.numbers[0]) >= EXACT)
            return holds | self._bodies(number, unclear, "matches(?, coalesce(body, head))", value)
        holds = _text_or_number(column, sign, value)
        if not isinstance(value, str) or len(value) < HEAD:
            return holds
        same = column.said(lambda text: text == value[:HEAD])
        whole = self._bodies(number, same, f"coalesce(body, head) {sign} ?", value)
        return np.where(same, whole, holds)

    def _cells(self, number: int) -> Column:
        """The values of a config or summary key, as its index has them."""

        def read(some: Sequence[int] | None) -> list[Any]:
            which, runs = among("run", some)
            sql = f"SELECT run, number, head FROM attribute WHERE name = ?{which}"  # noqa: S608 - the names are ours
            return self.db.execute(sql, (number, *runs)).fetchall()

        return self.kept(("cells", number), read)

    def _bodies(self, number: int, asked: Bools, where: str, value: str) -> Bools:
        """For which of the runs asked a condition on the whole text holds."""
        runs, found = self.runs[asked].tolist(), []
        for at in range(0, len(runs), TOGETHER):
            which, some = among("run", runs[at : at + TOGETHER])
            sql = f"SELECT run FROM attribute WHERE name = ?{which} AND {where}"  # noqa: S608 - the names are ours
            found += self.db.execute(sql, (number, *some, value)).fetchall()
        return self._are(found)

    # -- sort

    def ordered(self, places: Ints, sort: Sequence[tuple[Field, bool]]) -> Ints:
        """Places of runs, given newest first, by (field, falls) pairs.

        Runs that lack a value come last, whichever way; equal ones stay newest first.
        """
        if list(sort) == [(Field("run", "created"), True)]:
            return places
        keys: list[Any] = []
        for field, falls in sort:
            own = self._ranks(field)[places]
            keys += (own < 0, -own if falls else own)
        found: Ints = places[np.lexsort(keys[::-1])] if keys else places
        return found

    def _ranks(self, field: Field) -> Ints:
        """The rank of each run by a field, equal values equal; -1 where it has none."""
        if field.kind == "metric":
            column, line = aggregates.column_of(self, field)
            return np.where(np.isnan(column.numbers[line]), -1, ranks(column, line))
        if field.kind == "run":
            return self._field(field).made(_known_ranks)
        number = self.name(field)
        return np.full(len(self.runs), -1) if number is None else self._cells(number).made(ranks)


def _text_or_number(column: Column, sign: str, value: Any) -> Bools:
    if not isinstance(value, str):
        return column.compared(sign, float(value))
    if sign == "~":
        return column.said(partial(matches, value))
    compare = COMPARE[sign]
    return column.said(lambda text: compare(text, value))


def _known_ranks(column: Column) -> Ints:
    return np.where(column.is_bare(), -1, ranks(column))
