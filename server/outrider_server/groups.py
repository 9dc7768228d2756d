"""A group of runs as one line with a band: what is drawn for the many seeds of one setting.

Pure: takes the runs' lines, returns the group's. All lines are laid on one grid of x: where all of
them together have few places, exactly those; else the middles of the pixels. Between two of its
points a run counts with the straight line that joins them; before its first and behind its last it
does not count, so a run that ended early bends nothing. Non-finite values are left out and come as
marks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outrider.errors import UsageError
from outrider_server.filters import Field, field_of

if TYPE_CHECKING:
    from outrider_server.buckets import Floats, Ints
    from outrider_server.query import SeriesQuery

CENTRES = ("mean", "median")
BANDS = ("minmax", "std", "stderr", "quantiles", "none")
MOST_GROUPS = 50
"""Groups that one answer holds, by rising value; the others are counted."""
MOST_MEMBERS = 500
"""Ids that a group names; all of its runs are counted and drawn."""


@dataclass(frozen=True, slots=True)
class GroupQuery:
    """Which runs of a project, grouped by what, and what is drawn of each group.

    ``lines`` is what is asked of each run. ``quantile`` is the lower edge of the band of
    quantiles; the upper one is 1 - quantile. Standard deviation and error lie round the centre.
    """

    lines: SeriesQuery
    by: Field
    filter: str | None = None
    centre: str = "mean"
    band: str = "minmax"
    quantile: float = 0.25


def band_of(text: str) -> tuple[str, float]:
    """The band and quantile that ``minmax`` or ``quantiles:0.1`` names. Raises ``UsageError``."""
    kind, _, number = text.partition(":")
    try:
        quantile = float(number) if number else 0.25
    except ValueError:
        quantile = -1.0
    if kind not in BANDS or (number and kind != "quantiles") or not 0 <= quantile < 0.5:
        raise UsageError(
            f"band cannot be {text!r}", hint="minmax, std, stderr, none or quantiles:0.25"
        )
    return kind, quantile


def group_field(text: str) -> Field:
    """What runs are grouped by: config.KEY, summary.KEY, tags, group, job_type or another field."""
    return field_of(text)


@dataclass(frozen=True, slots=True)
class Curve:
    """One run's line over its own places; ``low`` and ``high`` are the extremes behind a place."""

    x: Floats
    value: Floats
    low: Floats
    high: Floats
    smooth: Floats | None
    marks: Sequence[Mapping[str, Any]]


def curve(line: Mapping[str, Any]) -> Curve:
    """A line of the series' answer as a curve."""
    x = np.asarray(line["x"], np.float64)
    value = np.asarray(line["last"] if line["exact"] else line["mean"], np.float64)
    smooth = line.get("smooth")
    return Curve(
        x,
        value,
        value if line["exact"] else np.asarray(line["min"], np.float64),
        value if line["exact"] else np.asarray(line["max"], np.float64),
        None if smooth is None else np.asarray(smooth, np.float64),
        line["marks"],
    )


def common_grid(curves: Sequence[Curve]) -> Floats:
    """Every place at which one of the curves has a value."""
    return np.unique(np.concatenate([one.x for one in curves])) if curves else np.empty(0)


def group_line(curves: Sequence[Curve], grid: Floats, query: GroupQuery) -> dict[str, Any]:
    """The line, the band and the number of runs behind each place of the grid."""
    value, low, high = (
        _laid_out(curves, grid, [getattr(one, name) for one in curves])
        for name in ("value", "low", "high")
    )
    number = np.isfinite(value).sum(axis=0)
    some = number > 0
    value, low, high, number = value[:, some], low[:, some], high[:, some], number[some]
    ordered = np.sort(value, axis=0)
    centre = _centre(value, ordered, number, query.centre)
    lower, upper = _band(value, ordered, number, centre, query)
    if query.band == "minmax":
        lower, upper = (
            np.nanmin(low, axis=0, initial=np.inf),
            np.nanmax(high, axis=0, initial=-np.inf),
        )
    line: dict[str, Any] = {
        "x": grid[some],
        "mid": centre,
        "low": lower,
        "high": upper,
        "n": number,
        "marks": _marks(curves),
    }
    if curves and all(one.smooth is not None for one in curves):
        smooth = _laid_out(curves, grid, [one.smooth for one in curves if one.smooth is not None])
        smooth = smooth[:, some]
        counted = np.isfinite(smooth).sum(axis=0)
        found = _centre(smooth, np.sort(smooth, axis=0), counted, query.centre)
        line["smooth"] = np.where(counted > 0, found, centre)
    return line


def _laid_out(curves: Sequence[Curve], grid: Floats, values: Sequence[Floats]) -> Floats:
    """A row a run and a column a place; NaN where a run does not count."""
    table = np.full((len(curves), len(grid)), np.nan)
    for row, (one, value) in enumerate(zip(curves, values, strict=True)):
        finite = np.isfinite(value)
        if finite.any():
            table[row] = np.interp(grid, one.x[finite], value[finite], left=np.nan, right=np.nan)
    return table


def _centre(value: Floats, ordered: Floats, number: Ints, kind: str) -> Floats:
    if kind == "median":
        return _quantile(ordered, number, 0.5)
    mean: Floats = np.nansum(value, axis=0) / np.maximum(number, 1)
    return mean


def _quantile(ordered: Floats, number: Ints, share: float) -> Floats:
    """The quantile of each column's first ``number`` values, by the straight line between ranks."""
    place = share * np.maximum(number - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(number - 1, 0))
    column = np.arange(ordered.shape[1])
    first, second = ordered[below, column], ordered[above, column]
    found: Floats = first + (place - below) * (second - first)
    return found


def _band(
    value: Floats, ordered: Floats, number: Ints, centre: Floats, query: GroupQuery
) -> tuple[Floats, Floats]:
    if query.band == "quantiles":
        low = _quantile(ordered, number, query.quantile)
        return low, _quantile(ordered, number, 1 - query.quantile)
    if query.band not in ("std", "stderr"):
        return centre, centre
    mean = np.nansum(value, axis=0) / number
    squares = np.nansum((value - mean) ** 2, axis=0)
    spread = np.sqrt(squares / np.maximum(number - 1, 1))
    if query.band == "stderr":
        spread = spread / np.sqrt(number)
    return centre - spread, centre + spread


def _marks(curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """The marks of all runs, those at one place together."""
    found: dict[tuple[float, str], dict[str, Any]] = {}
    for one in curves:
        for mark in one.marks:
            same = found.setdefault((mark["x"], mark["value"]), {**mark, "count": 0})
            same["count"] += mark["count"]
    return [found[place] for place in sorted(found)]
