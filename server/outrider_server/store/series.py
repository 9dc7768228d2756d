"""Answers the questions for charts: series in buckets or exact, system series, points as logged."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from outrider.errors import NotFound, UsageError
from outrider.journal.line import word
from outrider_server.query import (
    EXACT_PER_PIXEL,
    Frame,
    Points,
    SeriesQuery,
    against,
    exact_line,
)
from outrider_server.store.lines import Metric
from outrider_server.store.looks import lay_out
from outrider_server.store.parts import Chunks, read_chunks, read_tail
from outrider_server.store.track import limits_of

if TYPE_CHECKING:
    from outrider_server.expressions import Expression
    from outrider_server.store.cache import Cache

POINTS_PAGE = 200_000


@dataclass(frozen=True, slots=True)
class Run:
    """What the reader of series knows of a run."""

    run: int
    id: str
    created: float


def find_run(db: sqlite3.Connection, project: str, run_id: str) -> Run | None:
    """A run's number and beginning."""
    row = db.execute(
        "SELECT r.run, r.id, r.created FROM run r JOIN project p ON p.project = r.project"
        " WHERE p.name = ? AND r.id = ?",
        (project, run_id),
    ).fetchone()
    return Run(*row) if row else None


def read_limits(db: sqlite3.Connection, run: int) -> dict[int, int]:
    """The last step that still shows, for each attempt that a later one rewound."""
    rewinds = db.execute(
        "SELECT attempt, rewind FROM attempt WHERE run = ? AND rewind IS NOT NULL", (run,)
    ).fetchall()
    if not rewinds:
        return {}
    known = [1] + [
        number
        for table in ("attempt", "writer")
        for (number,) in db.execute(f"SELECT attempt FROM {table} WHERE run = ?", (run,))  # noqa: S608
    ]
    return limits_of(rewinds, known)


def _kid(db: sqlite3.Connection, run: int, key: str, *, system: bool) -> int | None:
    row = db.execute(
        "SELECT kid FROM metric WHERE run = ? AND key = ? AND system = ?", (run, key, int(system))
    ).fetchone()
    return int(row[0]) if row else None


def _open(db: sqlite3.Connection, cache: Cache, run: Run, key: str, x: str) -> Metric | None:
    kid = _kid(db, run.run, key, system=False)
    if kid is None:
        return None
    metric = Metric(
        db,
        cache,
        run.run,
        kid,
        read_limits(db, run.run),
        read_chunks(db, cache, run.run, kid),
        read_tail(db, cache, run.run).parts(kid),
    )
    metric.by_time = x in ("relative", "wall")
    metric.origin = run.created if x == "relative" else None
    return metric


def open_line(db: sqlite3.Connection, cache: Cache, run: Run, query: SeriesQuery) -> Metric | None:
    """What a question asks of one run, ready to be laid out; None where the run lacks it.

    All values are read only where the question needs them: for an expression, for smoothing, or
    with another metric as x.
    """
    if query.expression is not None:
        metric = _evaluated(db, cache, run, query.expression, query.x)
    else:
        metric = _open(db, cache, run, query.key, query.x)
    if metric is None:
        return None
    if query.smooth is None and not query.x.startswith("metric:"):
        if not metric.is_regular():
            metric.everything()
        return metric
    points = metric.everything()
    if query.smooth is not None:
        points = replace(points, smooth=query.smooth.of(points.values))
    if query.x.startswith("metric:"):
        other = _open(db, cache, run, query.x.removeprefix("metric:"), "step")
        none = Points(np.empty(0), np.empty(0, np.int64), np.empty(0), np.empty(0))
        points = against(points, other.everything() if other else none)
    metric.show(points)
    return metric


def _evaluated(
    db: sqlite3.Connection, cache: Cache, run: Run, expression: Expression, x: str
) -> Metric | None:
    """An expression's values as if they had been logged; None where a metric of it was not."""
    series: dict[str, Points] = {}
    for name in expression.names:
        one = _open(db, cache, run, name, "step")
        if one is None:
            return None
        series[name] = one.everything()
    points = expression.of(series)
    if x in ("relative", "wall"):
        order = np.argsort(points.times, kind="stable")
        times = points.times[order]
        origin = run.created if x == "relative" else 0.0
        points = Points(times - origin, points.steps[order], times, points.values[order])
    metric = Metric(db, cache, run.run, -1, {}, Chunks(()))
    metric.show(points)
    return metric


def unknown_names(
    db: sqlite3.Connection, runs: Sequence[Run], expression: Expression
) -> list[dict[str, Any]]:
    """The metrics of an expression that none of the runs has, and where they are named."""
    return [
        {"name": name, "at": at}
        for name, at in expression.names.items()
        if not any(_kid(db, run.run, name, system=False) is not None for run in runs)
    ]


def read_series(
    db: sqlite3.Connection, cache: Cache, project: str, query: SeriesQuery
) -> dict[str, Any]:
    """The answer for one metric, or one expression, of several runs."""
    missing: list[str] = []
    known: list[Run] = []
    for run_id in dict.fromkeys(query.runs):
        run = find_run(db, project, run_id)
        if run is None:
            missing.append(run_id)
        else:
            known.append(run)
    opened = [
        (run.id, metric)
        for run in known
        if (metric := open_line(db, cache, run, query)) is not None
    ]
    lines = _lay_out(opened, query)
    answer: dict[str, Any] = {
        "key": query.key,
        "x": query.x,
        "series": [{"run": name, **line} for name, line in lines],
    }
    if missing:
        answer["missing"] = missing
    if query.expression is not None and known and not lines:
        answer["unknown"] = unknown_names(db, known, query.expression)
    return answer


def read_many(
    db: sqlite3.Connection, cache: Cache, project: str, keys: Sequence[str], query: SeriesQuery
) -> list[dict[str, Any]]:
    """The answer for each metric, in their order."""
    return [read_series(db, cache, project, replace(query, key=key)) for key in keys]


def _lay_out(
    opened: Sequence[tuple[str, Metric]], query: SeriesQuery
) -> list[tuple[str, dict[str, Any]]]:
    """All lines over one window, so that their pixels are the same."""
    spans = [span for _, metric in opened if (span := metric.span()) is not None]
    if not spans:
        return []
    low = min(span[0] for span in spans) if query.low is None else query.low
    high = max(span[1] for span in spans) if query.high is None else query.high
    frame = Frame(low, high, query.width)
    lines: dict[int, dict[str, Any]] = {}
    long: list[int] = []
    for nth, (_, metric) in enumerate(opened):
        points = metric.window(low, high, EXACT_PER_PIXEL * query.width)
        if points is not None:
            lines[nth] = exact_line(points, whole_x=query.x == "step")
        else:
            long.append(nth)
    lines.update(zip(long, lay_out([opened[nth][1] for nth in long], frame), strict=True))
    return [(name, lines[nth]) for nth, (name, _) in enumerate(opened)]


def read_system(
    db: sqlite3.Connection, cache: Cache, run: Run, query: SeriesQuery
) -> dict[str, Any]:
    """All system series of a run by wall time; ``query.key`` picks one, "" means all."""
    found = db.execute(
        "SELECT kid, key FROM metric WHERE run = ? AND system = 1 ORDER BY key", (run.run,)
    ).fetchall()
    tail = read_tail(db, cache, run.run)
    opened = []
    for kid, key in found:
        if query.key in ("", key):
            chunks = read_chunks(db, cache, run.run, kid)
            metric = Metric(db, cache, run.run, kid, {}, chunks, tail.parts(kid))
            metric.by_time = True
            if not metric.is_regular():
                metric.everything()
            opened.append((key, metric))
    series = []
    for key, line in _lay_out(opened, query):
        del line["step"]  # a sample of the machine has none
        series.append({"key": key, **line})
    return {"series": series}


def read_points(
    db: sqlite3.Connection,
    cache: Cache,
    run: Run,
    key: str,
    *,
    window: tuple[int | None, int | None] = (None, None),
    cursor: str | None = None,
    system: bool = False,
    most: int = POINTS_PAGE,
) -> dict[str, Any]:
    """Points exactly as they were logged, in the order of their arrival, all attempts."""
    kid = _kid(db, run.run, key, system=system)
    if kid is None:
        raise NotFound(f"run {run.id!r} has no metric {key!r}")
    try:
        skip = int(cursor) if cursor else 0
    except ValueError:
        raise UsageError(f"cursor {cursor!r} is not one of ours") from None
    tail = read_tail(db, cache, run.run)
    chunks = read_chunks(db, cache, run.run, kid)
    metric = Metric(db, cache, run.run, kid, {}, chunks, tail.parts(kid))
    parts, at, first = [], 0, None
    for part in metric.parts:
        if at + part.points > skip and at < skip + most:
            parts.append(part)
            first = at if first is None else first
        at += part.points
    raw = metric.raw(parts)
    begin = skip - (first or 0)
    cut = slice(begin, begin + most)
    attempts, steps, times, values = (
        column[cut] for column in (raw.attempts, raw.steps, raw.times, raw.values)
    )
    exact = {place - begin: n for place, n in raw.exact.items() if begin <= place < begin + most}
    said = _as_json(values, exact)
    low, high = window
    if low is not None or high is not None:
        keep = np.ones(len(steps), bool)
        if low is not None:
            keep &= steps >= low
        if high is not None:
            keep &= steps <= high
        attempts, steps, times = attempts[keep], steps[keep], times[keep]
        said = (
            said[keep]
            if isinstance(said, np.ndarray)
            else [value for value, kept in zip(said, keep, strict=True) if kept]
        )
    more = skip + most < at
    return {
        "key": key,
        "attempt": attempts,
        "steps": [None] * len(steps) if system else steps,
        "times": times,
        "values": said,
        "next": str(skip + most) if more else None,
    }


def _as_json(values: np.ndarray[Any, Any], exact: Mapping[int, int]) -> Any:
    """Values as JSON can say them: the words for what is not finite, whole integers as such."""
    odd = np.nonzero(~np.isfinite(values))[0]
    if not len(odd) and not exact:
        return np.ascontiguousarray(values)
    said: list[Any] = values.tolist()
    for place in odd.tolist():
        said[place] = word(said[place])
    for place, number in exact.items():
        said[place] = number
    return said
