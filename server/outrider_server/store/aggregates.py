"""What a metric comes down to (last, min, max, mean, best), as columns of the list of runs.

The ``metric`` table holds these numbers ready, so a page of runs reads one row a cell. A sort or a
filter needs one row of each run of the project: they are kept, see ``per_run``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from outrider.reading.summary import Definition, definition, definition_for
from outrider_server.store.per_run import among

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from outrider_server.filters import Field
    from outrider_server.store.asking import Asking
    from outrider_server.store.columns import Column

_COLUMNS = ("last", "low", "high", "mean")
_COLUMN = {"last": "last", "min": "low", "max": "high", "mean": "mean"}


def metric_of(field: Field) -> tuple[str, str]:
    """The metric and the reduction that a field names: ``val/acc.max``."""
    key, _, how = field.key.rpartition(".")
    return key, how


def _name_of(asking: Asking, field: Field) -> str:
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


def read_definitions(db: sqlite3.Connection, project: int, some: Sequence[int] | None) -> list[Any]:
    """(run, when it began, what it defined, as it is stored)."""
    which, runs = among("r.run", some)
    return db.execute(
        "SELECT r.run, r.created, d.body FROM run r JOIN document d ON d.run = r.run"  # noqa: S608 - the names are ours
        f" WHERE r.project = ? AND d.kind = 'definitions'{which}",
        (project, *runs),
    ).fetchall()


def all_definitions(column: Column) -> list[Definition]:
    """The definitions of all runs, the newest run's word last."""
    which = np.flatnonzero(column.codes >= 0)
    codes = column.codes[which]
    order = np.lexsort((column.texts.places()[codes], column.numbers[0, which]))
    texts = [column.texts.all[code] for code in dict.fromkeys(codes[order].tolist())]
    return [definition(body) for text in texts for body in orjson.loads(text)]


def column_of(asking: Asking, field: Field) -> tuple[Column, int]:
    """A metric over all runs of the project, and which of its numbers the field means."""
    key, _ = metric_of(field)

    def read(some: Sequence[int] | None) -> list[Any]:
        which, runs = among("m.run", some)
        return asking.db.execute(
            f"SELECT m.run, {', '.join(_COLUMNS)}, NULL FROM run r JOIN metric m ON m.run = r.run"  # noqa: S608 - the names are ours
            f" WHERE r.project = ? AND m.key = ? AND m.system = 0{which}",
            (asking.project, key, *runs),
        ).fetchall()

    column = asking.kept(("metric", asking.project, key), read, len(_COLUMNS))
    return column, _COLUMNS.index(_name_of(asking, field))


def read_some(asking: Asking, field: Field, runs: Sequence[int]) -> list[tuple[int, Any]]:
    """(run, value) of some runs, as the API gives values: the words for what is not finite."""
    column = _name_of(asking, field)
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
