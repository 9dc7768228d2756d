"""What a metric comes down to (last, min, max, mean, best), as columns of the list of runs.

The ``metric`` table holds these numbers ready, so a page of runs reads one row a cell. A sort or a
filter reads one row for each run of the project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from outrider.reading.summary import definition, definition_for

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from outrider_server.filters import Field

_COLUMN = {"last": "last", "min": "low", "max": "high", "mean": "mean"}


def metric_of(field: Field) -> tuple[str, str]:
    """The metric and the reduction that a field names: ``val/acc.max``."""
    key, _, how = field.key.rpartition(".")
    return key, how


def column_of(db: sqlite3.Connection, project: int, field: Field) -> str:
    """The column of the ``metric`` table; ``best`` follows the goal that the project defined."""
    key, how = metric_of(field)
    if how != "best":
        return _COLUMN[how]
    known = definition_for(key, project_definitions(db, project))
    return "high" if known is not None and known.goal == "maximize" else "low"


def project_definitions(db: sqlite3.Connection, project: int) -> list[Any]:
    """What the project's runs defined; the newest run's word last."""
    rows = db.execute(
        "SELECT DISTINCT d.body FROM document d JOIN run r ON r.run = d.run"
        " WHERE r.project = ? AND d.kind = 'definitions' ORDER BY r.created",
        (project,),
    )
    return [definition(body) for (text,) in rows for body in orjson.loads(text)]


def read_all(
    db: sqlite3.Connection, project: int, field: Field, where: str = "", *values: Any
) -> list[tuple[int, float]]:
    """(run, number) of every run that has a finite one; ``where`` compares ``value``."""
    column = column_of(db, project, field)
    condition = f" AND m.{column} {where}" if where else ""
    return db.execute(
        f"SELECT m.run, m.{column} FROM run r JOIN metric m ON m.run = r.run"  # noqa: S608 - the names are ours
        f" WHERE r.project = ? AND m.key = ? AND m.system = 0 AND m.{column} IS NOT NULL{condition}",
        (project, metric_of(field)[0], *values),
    ).fetchall()


def read_some(
    db: sqlite3.Connection, project: int, field: Field, runs: Sequence[int]
) -> list[tuple[int, Any]]:
    """(run, value) of some runs, as the API gives values: the words for what is not finite."""
    column = column_of(db, project, field)
    marks = ",".join("?" * len(runs))
    rows = db.execute(
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
