"""Groups of the rows of the list of runs: which runs stand together, in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from outrider_server.store import aggregates
from outrider_server.store.values import Cell, order, value_of

if TYPE_CHECKING:
    from outrider_server.buckets import Ints
    from outrider_server.filters import Field
    from outrider_server.store.asking import Asking

MOST_GROUPS = 5_000


def group_rows(
    asking: Asking, by: Field, column: str, runs: Ints
) -> tuple[Ints, list[dict[str, Any]]]:
    """The runs with equal values together, else in their order; and each group with its count.

    Groups come by rising value: numbers, then texts, then what has none. Runs with the same set of
    tags are a group. What comes after the first 5,000 values is one group, ``rest``.
    """
    values = _values(asking, by, column)
    members: dict[bytes, list[int]] = {}
    said: dict[bytes, Any] = {}
    for run in runs.tolist():
        value = values.get(run)
        key = orjson.dumps(value)
        if key not in members:
            members[key], said[key] = [], value
        members[key].append(run)
    keys = sorted(members, key=lambda key: order(said[key]))
    groups = [{"value": said[key], "runs": len(members[key])} for key in keys[:MOST_GROUPS]]
    rest = sum(len(members[key]) for key in keys[MOST_GROUPS:])
    if rest:
        groups.append({"value": None, "runs": rest, "rest": True})
    return np.array([run for key in keys for run in members[key]], np.int64), groups


def _values(asking: Asking, by: Field, column: str) -> dict[int, Any]:
    """What each run of the project is grouped by; one that lacks it is not in the answer."""
    if by.kind == "tags":
        tags: dict[int, list[str]] = {}
        for run, tag in asking.db.execute(
            "SELECT t.run, t.tag FROM tag t JOIN run r ON r.run = t.run WHERE r.project = ?"
            " ORDER BY t.run, t.tag",
            (asking.project,),
        ):
            tags.setdefault(run, []).append(tag)
        return tags
    if by.kind == "metric":
        metric, line = aggregates.column_of(asking, by)
        known = ~np.isnan(metric.numbers[line])
        runs, values = metric.runs[known].tolist(), metric.numbers[line, known].tolist()
        return dict(zip(runs, values, strict=True))
    if by.kind == "run":
        rows = asking.db.execute(
            f"SELECT run, {column} FROM run WHERE project = ? AND {column} IS NOT NULL",  # noqa: S608 - the names are ours
            (asking.project,),
        )
        return dict(rows.fetchall())
    number = asking.name(by)
    if number is None:
        return {}
    cells = asking.db.execute(
        "SELECT run, type, number, head, body FROM attribute WHERE name = ?", (number,)
    )
    return {run: value_of(Cell(*cell)) for run, *cell in cells}
