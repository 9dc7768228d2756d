"""Lays lines on the pixels of a chart, as many as there are at once: one bucket a pixel, no extreme lost.

Pure: takes buckets and points, returns what the page draws. To begin with an array costs NumPy more than
to go through the few thousand numbers of a line, so lines lie in one table, one behind the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from outrider_server import buckets

if TYPE_CHECKING:
    from outrider_server.buckets import Floats, Ints
    from outrider_server.query import Frame, Points

_WORDS = ("NaN", "Infinity", "-Infinity")
"""What the lines ``buckets.ODD`` count."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Buckets of lines: where each begins (rising within a line), its last step and time; of their table
    the lines ``buckets.DRAWN`` and, where not all is finite, ``buckets.ODD``.

    Those of line n are from ``bounds[n]`` to ``bounds[n + 1]``.
    """

    x: Floats
    steps: Floats
    times: Floats
    drawn: Floats
    odd: Floats | None
    bounds: Ints


_NONE = np.empty(0)
NOTHING = Seen(
    _NONE, _NONE, _NONE, np.zeros((buckets.HEIGHT, 0))[buckets.DRAWN], None, np.zeros(1, np.int64)
)
"""No bucket of no line."""


def as_seen(lines: Sequence[Points], frame: Frame) -> Seen:
    """Points as one bucket a pixel."""
    bounds = np.cumsum([0, *(len(points.x) for points in lines)])
    if not bounds[-1]:
        return replace(NOTHING, bounds=bounds)
    x = np.concatenate([points.x for points in lines])
    starts, ends = _stretches(frame.pixel_of(x), bounds)
    values = np.concatenate([points.values for points in lines])
    drawn, odd = buckets.build_drawn(values, starts)
    return Seen(
        x[starts],
        np.concatenate([points.steps for points in lines])[ends].astype(np.float64),
        np.concatenate([points.times for points in lines])[ends],
        drawn,
        odd,
        np.searchsorted(starts, bounds),
    )


def together(kinds: Sequence[Seen], order: Sequence[Sequence[tuple[int, int]]]) -> Seen:
    """Lines whose stretches lie in several tables: of each line the (table, place there), by rising x.

    The stretches of a table come in the order in which they lie there.
    """
    first = np.cumsum([0, *(len(one.x) for one in kinds)]).tolist()
    at = [(first[kind] + one.bounds).tolist() for kind, one in enumerate(kinds)]
    begins = [[(at[kind][nth], at[kind][nth + 1]) for kind, nth in line] for line in order]
    bounds = np.cumsum([0, *(sum(end - begin for begin, end in line) for line in begins)])
    used = [one for one in kinds if len(one.x)]
    if len(used) < 2:
        return replace(used[0] if used else NOTHING, bounds=bounds)
    where = [np.arange(0), *(np.arange(*place) for line in begins for place in line)]
    to = np.concatenate(where)
    return Seen(
        np.concatenate([one.x for one in kinds])[to],
        np.concatenate([one.steps for one in kinds])[to],
        np.concatenate([one.times for one in kinds])[to],
        np.concatenate([one.drawn for one in kinds], axis=1)[:, to],
        None
        if all(one.odd is None for one in kinds)
        else np.concatenate([_odd(one) for one in kinds], axis=1)[:, to],
        bounds,
    )


def _odd(seen: Seen) -> Floats:
    return np.zeros((len(_WORDS), len(seen.x))) if seen.odd is None else seen.odd


def bucket_lines(
    seen: Seen, frame: Frame, smooth: Sequence[Points | None] | None = None
) -> list[dict[str, Any]]:
    """The answers for lines with more points than pixels; ``smooth`` are a line's points where
    smoothing was asked for."""
    pixels = frame.pixel_of(seen.x)
    starts, ends = _stretches(pixels, seen.bounds)
    drawn, odd = seen.drawn, seen.odd
    if len(starts) < len(pixels):
        drawn = buckets.merge_drawn(drawn, starts)
        odd = None if odd is None else np.add.reduceat(odd, starts, axis=1)
    last, low, high, mean, count = drawn
    full = count > 0
    points = np.cumsum(np.append(0.0, count if odd is None else count + odd.sum(axis=0)))
    columns = {
        "x": frame.middle(pixels[starts]),
        "step": seen.steps[ends].astype(np.int64),
        "time": seen.times[ends],
        "last": last,
        "min": low,
        "max": high,
        "mean": mean,
        "count": count.astype(np.int64),
    }
    kept = None if full.all() else full
    bounds = np.searchsorted(starts, seen.bounds).tolist()
    lines = []
    for number, (begin, end) in enumerate(pairwise(bounds)):
        line: dict[str, Any] = {"exact": False, "total": int(points[end] - points[begin])}
        for name, column in columns.items():
            line[name] = column[begin:end] if kept is None else column[begin:end][kept[begin:end]]
        line["marks"] = []
        if odd is not None:
            place = columns["x"][begin:end], columns["step"][begin:end]
            line["marks"] = _marks(odd[:, begin:end], *place)
        own = None if smooth is None else smooth[number]
        if own is not None and own.smooth is not None:
            at, _ = _stretches(frame.pixel_of(own.x), np.zeros(1, np.int64))
            smoothed, _ = buckets.build_drawn(own.smooth, at)
            line["smooth"] = smoothed[0][full[begin:end]]
        lines.append(line)
    return lines


def _stretches(pixels: Ints, bounds: Ints) -> tuple[Ints, Ints]:
    """Where a pixel of a line begins and where it ends; a line begins at each of ``bounds``."""
    is_new = np.ones(len(pixels) + 1, bool)
    np.not_equal(pixels[1:], pixels[:-1], out=is_new[1:-1])
    is_new[bounds] = True
    starts = is_new.nonzero()[0]
    return starts[:-1], starts[1:] - 1


def _marks(odd: Floats, x: Floats, steps: Ints) -> list[dict[str, Any]]:
    return [
        {"x": float(x[at]), "step": int(steps[at]), "value": said, "count": int(line[at])}
        for line, said in zip(odd, _WORDS, strict=True)
        for at in np.nonzero(line)[0].tolist()
    ]
