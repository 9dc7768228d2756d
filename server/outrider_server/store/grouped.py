"""Reads groups: every run that a filter lets through, by a value, and the line of each group."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from outrider_server.filters import fields_in, parse
from outrider_server.groups import (
    MOST_GROUPS,
    MOST_MEMBERS,
    Curve,
    GroupQuery,
    common_grid,
    curve,
    group_line,
)
from outrider_server.pixels import as_seen, bucket_lines
from outrider_server.query import EXACT_PER_PIXEL, Frame, exact_line
from outrider_server.store.asking import FIELDS, Asking
from outrider_server.store.looks import lay_out
from outrider_server.store.series import Run, open_line
from outrider_server.store.values import Cell, order, value_of

if TYPE_CHECKING:
    from outrider_server.filters import Field
    from outrider_server.store.cache import Cache
    from outrider_server.store.lines import Metric

_TOLD = {"id", "name", "state", "group", "job_type", "notes", "host", "created", "archived"}

Member = tuple[Run, str | None]
Members = list[tuple[Any, list[Member]]]


def read_groups(asking: Asking, cache: Cache, query: GroupQuery) -> dict[str, Any]:
    """The answer for one metric of all runs that the filter lets through, by group."""
    db = asking.db
    number, found = _grouped(asking, cache, query)
    shown, left = found[:MOST_GROUPS], found[MOST_GROUPS:]
    opened: dict[int, Metric] = {}
    for _, members in shown:
        for run, _ in members:
            metric = None if run.run in opened else open_line(db, cache, run, query.lines)
            if metric is not None:
                opened[run.run] = metric
    curves = _curves(opened, query)
    grid = common_grid(list(curves.values()))
    groups = []
    for value, members in shown:
        own = [(run, name) for run, name in members if run.run in curves]
        line = group_line([curves[run.run] for run, _ in own], grid, query)
        groups.append(
            {
                "value": value,
                "runs": len(own),
                "of": len(members),
                "members": [run.id for run, _ in own[:MOST_MEMBERS]],
                "names": [name for _, name in own[:MOST_MEMBERS]],
                **line,
            }
        )
    return {
        "key": query.lines.key,
        "x": query.lines.x,
        "runs": number,
        "groups": groups,
        "left_out": len(left),
    }


def _grouped(asking: Asking, cache: Cache, query: GroupQuery) -> tuple[int, Members]:
    """How many runs there are, and the groups: worked out once for all charts of a page.

    While runs only grow the groups stay, unless a field is asked about that grows with them.
    """
    node = parse(query.filter or "")

    def work_out() -> tuple[int, Members]:
        runs = asking.found(node).tolist()
        return len(runs), _members(asking.db, asking, query.by, runs)

    is_told = all(_is_told(field) for field in (query.by, *fields_in(node)))
    until = asking.moment.telling if is_told else asking.moment.commit
    name = (asking.project, query.by, query.filter)
    found: tuple[int, Members] = cache.groups.read(name, until, work_out)
    return found


def _is_told(field: Field) -> bool:
    """Whether what a run logs leaves it alone."""
    return field.kind in ("config", "tags") or (field.kind == "run" and field.key in _TOLD)


def _members(db: sqlite3.Connection, asking: Asking, by: Field, runs: list[int]) -> Members:
    """(value, runs) by rising value: numbers, then texts, then what has none.

    A run with several tags is in the group of each.
    """
    values = _values(db, asking, by, set(runs))
    known = {
        number: (Run(number, run_id, created), name)
        for number, run_id, created, name in db.execute(
            "SELECT run, id, created, name FROM run WHERE project = ?", (asking.project,)
        )
    }
    groups: dict[bytes, tuple[Any, list[Member]]] = {}
    for number in runs:
        for value in values.get(number, [None]):
            key = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
            groups.setdefault(key, (value, []))[1].append(known[number])
    return sorted(groups.values(), key=lambda group: order(group[0]))


def _values(
    db: sqlite3.Connection, asking: Asking, by: Field, runs: set[int]
) -> dict[int, list[Any]]:
    """What each run is grouped by; a run that lacks it is not in the answer."""
    found: dict[int, list[Any]] = {}
    if by.kind == "tags":
        for run, tag in db.execute(
            "SELECT t.run, t.tag FROM tag t JOIN run r ON r.run = t.run WHERE r.project = ?",
            (asking.project,),
        ):
            if run in runs:
                found.setdefault(run, []).append(tag)
        return found
    if by.kind == "run":
        column = FIELDS[by.key]
        rows = db.execute(
            f"SELECT run, {column} FROM run WHERE project = ? AND {column} IS NOT NULL",  # noqa: S608 - the names are ours
            (asking.project,),
        )
        return {run: [value] for run, value in rows if run in runs}
    number = asking.name(by)
    if number is None:
        return found
    cells = db.execute(
        "SELECT run, type, number, head, body FROM attribute WHERE name = ?", (number,)
    )
    return {run: [value_of(Cell(*cell))] for run, *cell in cells if run in runs}


def _curves(opened: dict[int, Metric], query: GroupQuery) -> dict[int, Curve]:
    """Each run's curve over one frame: all point by point where that is little, else all in pixels."""
    asked = query.lines
    spans = [span for metric in opened.values() if (span := metric.span()) is not None]
    if not spans:
        return {}
    low = min(span[0] for span in spans) if asked.low is None else asked.low
    high = max(span[1] for span in spans) if asked.high is None else asked.high
    frame, most = Frame(low, high, asked.width), EXACT_PER_PIXEL * asked.width
    windows = {run: metric.window(low, high, most) for run, metric in opened.items()}
    places = [points.x for points in windows.values() if points is not None]
    are_few = len(places) == len(windows) and len(np.unique(np.concatenate(places))) <= most
    lines: dict[int, dict[str, Any]] = {}
    long: list[int] = []
    for run, points in windows.items():
        if points is None:
            long.append(run)
        elif are_few:
            lines[run] = exact_line(points, whole_x=False)
        else:
            (lines[run],) = bucket_lines(as_seen([points], frame), frame, [points])
    lines.update(zip(long, lay_out([opened[run] for run in long], frame), strict=True))
    curves = {run: curve(lines[run]) for run in opened}
    return {run: found for run, found in curves.items() if len(found.x) or found.marks}
