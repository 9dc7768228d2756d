"""What can be asked of the store, as plain values, and how a line of few points is laid out.

Pure: takes columns, returns what the page draws. See ``pixels`` for lines of many points, and
``store.series`` for reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outrider.errors import UsageError

if TYPE_CHECKING:
    from outrider_server.buckets import Floats, Ints
    from outrider_server.expressions import Expression
    from outrider_server.smoothing import Smoothing

DEFAULT_WIDTH = 600
MAX_WIDTH = 10_000
EXACT_PER_PIXEL = 2
"""A line with at most this many points a pixel is sent point by point."""


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs of a project, in which order, with which columns.

    ``sort`` is a list of columns, ``-`` before one for falling order. ``columns`` are such as
    ``config.lr``, ``summary.loss`` or ``metric.loss.min``. ``by`` puts runs with one value of it together.
    """

    filter: str | None = None
    sort: str | None = None
    limit: int = 100
    offset: int = 0
    columns: Sequence[str] = ()
    by: str | None = None


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    """One metric of some runs over a window, or an expression of metrics.

    ``x`` is step, relative (seconds since the run began), wall (unix seconds) or metric:NAME;
    ``low`` and ``high`` bound the window in its units, both included; ``width`` is in pixels;
    ``smooth`` is done over the full data.
    """

    key: str
    runs: Sequence[str]
    x: str = "step"
    low: float | None = None
    high: float | None = None
    width: int = DEFAULT_WIDTH
    smooth: Smoothing | None = None
    expression: Expression | None = None

    def __post_init__(self) -> None:
        if self.x not in ("step", "relative", "wall") and not self.x.startswith("metric:"):
            raise UsageError(f"x cannot be {self.x!r}", hint="step, relative, wall or metric:NAME")
        if not 1 <= self.width <= MAX_WIDTH:
            raise UsageError(f"width must be from 1 to {MAX_WIDTH}")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise UsageError("min must not be above max")


@dataclass(frozen=True, slots=True)
class Points:
    """Values by rising x; ``smooth`` is of equal length where it was asked for."""

    x: Floats
    steps: Ints
    times: Floats
    values: Floats
    smooth: Floats | None = None

    def within(self, low: float, high: float) -> Points:
        """Those whose x is from ``low`` to ``high``."""
        first = int(np.searchsorted(self.x, low, side="left"))
        last = int(np.searchsorted(self.x, high, side="right"))
        return Points(
            self.x[first:last],
            self.steps[first:last],
            self.times[first:last],
            self.values[first:last],
            None if self.smooth is None else self.smooth[first:last],
        )


@dataclass(frozen=True, slots=True)
class Frame:
    """The window of a chart, cut into pixels."""

    low: float
    high: float
    width: int

    @property
    def pixel(self) -> float:
        """How much of x one pixel covers."""
        return (self.high - self.low) / self.width or 1.0

    def pixel_of(self, x: Floats) -> Ints:
        """The pixel that each x is in."""
        pixels: Ints = np.clip((x - self.low) / self.pixel, 0, self.width - 1).astype(np.int64)
        return pixels

    def middle(self, pixels: Ints) -> Floats:
        """The x in the middle of pixels."""
        return self.low + np.asarray(pixels + 0.5, np.float64) * self.pixel


def exact_line(points: Points, *, whole_x: bool) -> dict[str, Any]:
    """The answer for a line that is sent point by point; non-finite values become marks."""
    finite = np.isfinite(points.values)
    x = points.x.astype(np.int64) if whole_x else points.x
    marks: list[dict[str, Any]] = []
    for at in np.nonzero(~finite)[0].tolist():
        value = float(points.values[at])
        said = "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
        marks.append({"x": x[at].item(), "step": int(points.steps[at]), "value": said, "count": 1})
    line: dict[str, Any] = {
        "exact": True,
        "total": len(points.x),
        "x": x[finite],
        "step": points.steps[finite],
        "time": points.times[finite],
        "last": points.values[finite],
        "marks": marks,
    }
    if points.smooth is not None:
        line["smooth"] = points.smooth[finite]
    return line


def merged(steps: Ints, times: Floats, values: Floats, attempts: Ints | None) -> Points:
    """One point a step by rising step: of each the value with the largest (attempt, time, order).

    Takes points in the order of their arrival; ``attempts`` is None where there is only one.
    """
    if attempts is not None:
        order = np.lexsort((times, attempts))
    elif len(times) and (times[1:] >= times[:-1]).all():
        order = None
    else:
        order = np.argsort(times, kind="stable")
    if order is not None:
        steps, times, values = steps[order], times[order], values[order]
    if len(steps) and not (steps[1:] > steps[:-1]).all():
        by_step = np.argsort(steps, kind="stable")
        steps, times, values = steps[by_step], times[by_step], values[by_step]
        newest = np.append(steps[1:] != steps[:-1], True)
        steps, times, values = steps[newest], times[newest], values[newest]
    return Points(steps.astype(np.float64), steps, times, values)


def against(points: Points, other: Points) -> Points:
    """``points`` by the value that another metric had at their step, or last before it."""
    at = np.searchsorted(other.steps, points.steps, side="right") - 1
    known = at >= 0
    x = np.full(len(points.x), np.nan)
    x[known] = other.values[at[known]]
    known = np.isfinite(x)
    order = np.nonzero(known)[0][np.argsort(x[known], kind="stable")]
    return Points(
        x[order],
        points.steps[order],
        points.times[order],
        points.values[order],
        None if points.smooth is None else points.smooth[order],
    )
