"""What a metric comes down to (last, min, max, mean, best), as columns of the list of runs.

The ``metric`` table holds these numbers ready, so a page of runs reads one row a cell. A sort or a
filter needs one row of each run of the project: they are kept, see ``per_run``.
"""

from __future__ import annotations

import operator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson

from outrider.reading.summary import Definition, definition, definition_for

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence

    from outrider_server.buckets import Floats, Ints
    from outrider_server.filters import Field
    from outrider_server.store.listing import Asking

_COLUMNS = ("last", "low", "high", "mean")
_COLUMN = {"last": "last", "min": "low", "max": "high", "mean": "mean"}

_COMPARE: dict[str, Callable[[Any, float], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def metric_of(field: Field) -> tuple[str, str]:
    """The metric and the reduction that a field names: ``val/acc.max``."""
    key, _, how = field.key.rpartition(".")
    return key, how


def column_of(asking: Asking, field: Field) -> str:
    """The column of the ``metric`` table; ``best`` follows the goal that the project defined."""
    key, how = metric_of(field)
    if how != "best":
        return _COLUMN[how]
    known = definition_for(key, asking.definitions())
    return "high" if known is not None and known.goal == "maximize" else "low"


def project_definitions(db: sqlite3.Connection, project: int) -> list[Definition]:
    """What the project's runs defined; the newest run's word last."""
    rows = db.execute(
        "SELECT DISTINCT d.body FROM document d JOIN run r ON r.run = d.run"
        " WHERE r.project = ? AND d.kind = 'definitions' ORDER BY r.created",
        (project,),
    )
    return [definition(body) for (text,) in rows for body in orjson.loads(text)]


def read_definitions(db: sqlite3.Connection, runs: Sequence[int]) -> dict[int, tuple[float, str]]:
    """When each of some runs began, and what it defined, as it is stored."""
    marks = ",".join("?" * len(runs))
    rows = db.execute(
        "SELECT r.run, r.created, d.body FROM document d JOIN run r ON r.run = d.run"  # noqa: S608 - the names are ours
        f" WHERE d.run IN ({marks}) AND d.kind = 'definitions'",
        runs,
    )
    return {run: (created, text) for run, created, text in rows}


def all_definitions(rows: Mapping[int, tuple[float, str] | None]) -> list[Definition]:
    """The definitions of all runs, the newest run's word last."""
    texts = dict.fromkeys(text for _, text in sorted(row for row in rows.values() if row))
    return [definition(body) for text in texts for body in orjson.loads(text)]


class Reduced(NamedTuple):
    """A metric over runs: their numbers, and a line for each of last, low, high and mean, NaN where
    a run has none."""

    runs: Ints
    table: Floats


def _reduced(rows: Mapping[int, tuple[float | None, ...] | None]) -> Reduced:
    having = {run: row for run, row in rows.items() if row is not None}
    runs = np.fromiter(having, np.int64, len(having))
    flat = np.array(list(having.values()), np.float64).reshape(-1, len(_COLUMNS))
    return Reduced(runs, flat.T)


def read_all(asking: Asking, field: Field) -> tuple[Ints, Floats]:
    """The runs of the project that have a number there, and their numbers."""
    key, _ = metric_of(field)
    found = asking.kept(("metric", asking.project, key), partial(_read, asking.db, key), _reduced)
    values = found.table[_COLUMNS.index(column_of(asking, field))]
    known = ~np.isnan(values)
    return found.runs[known], values[known]


def _read(
    db: sqlite3.Connection, key: str, runs: Sequence[int]
) -> dict[int, tuple[float | None, ...]]:
    marks = ",".join("?" * len(runs))
    rows = db.execute(
        f"SELECT run, {', '.join(_COLUMNS)} FROM metric"  # noqa: S608 - the names are ours
        f" WHERE run IN ({marks}) AND key = ? AND system = 0",
        (*runs, key),
    )
    return {run: tuple(row) for run, *row in rows}


def compared(asking: Asking, field: Field, sign: str, value: float) -> Ints:
    """The runs whose number compares so with ``value``."""
    runs, values = read_all(asking, field)
    found: Ints = runs[_COMPARE[sign](values, value)]
    return found


def read_some(asking: Asking, field: Field, runs: Sequence[int]) -> list[tuple[int, Any]]:
    """(run, value) of some runs, as the API gives values: the words for what is not finite."""
    column = column_of(asking, field)
    marks = ",".join("?" * len(runs))
    rows = asking.db.execute(
        f"SELECT run, {column}, last_word FROM metric"  # noqa: S608 - the names are ours
        f" WHERE run IN ({marks}) AND key = ? AND system = 0",
        (*runs, metric_of(field)[0]),
    )
    is_last = column == "last"
    return [(run, _said(word, number) if is_last else number) for run, number, word in rows]


def _said(word: str | None, number: float | None) -> Any:
    """The last value: a word for what is not finite, the digits of a great integer."""
    if word is not None and word.lstrip("-").isdigit():
        return int(word)
    return word if word is not None else number
