"""Buckets: what a stretch of a series looks like from afar, without its values.

A table of buckets is float64 with one line for each of the names below and one column a bucket; of
several metrics at once it has such a line of each of them.
First, last, extremes and mean are over finite values, NaN where a bucket has none; the places of
the extremes count from the beginning of the chunk.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FIRST, LAST, LOW, HIGH, MEAN, COUNT, NANS, ABOVE, BELOW, LOW_AT, HIGH_AT = range(11)
"""The lines of a table of buckets. COUNT is of finite values; ABOVE and BELOW count infinities."""

HEIGHT = 11
DRAWN = slice(LAST, NANS)
"""The lines that a chart draws where all is finite."""

ODD = slice(NANS, LOW_AT)
"""The lines that count what is not finite."""

FINE = 32
"""How many points make a stored bucket; each chunk has one more bucket over all of its points."""

STEP_FROM, STEP_TO, TIME_FROM, TIME_TO = range(4)
"""The lines of a table of places: where a bucket begins and ends."""

PLACES = 4


def edges(count: int, size: int) -> Ints:
    """Where buckets of ``size`` points begin, for ``count`` points."""
    return np.arange(0, count, size, dtype=np.int64)


def build(values: Floats, starts: Ints) -> Floats:
    """The buckets of a series whose buckets begin at ``starts`` (rising, the first 0).

    ``values`` may have several lines, one a metric; the result is (HEIGHT × metrics × buckets)
    then, else (HEIGHT × buckets). See ``build_drawn`` for what costs half the time.
    """
    *shape, count = values.shape
    table = np.zeros((HEIGHT, *shape, len(starts) if count else 0))
    if not count:
        return table
    sizes = np.diff(np.append(starts, count))
    finite = np.isfinite(values)
    if finite.all():
        size = int(sizes[0])
        even = len(starts) - 1 if (sizes[:-1] == size).all() and sizes[-1] <= size else 0
        even += bool(even) and sizes[-1] == size
        if even:
            _evenly(table[..., :even], values[..., : even * size], size)
        if even < len(starts):
            _unevenly(table[..., even:], values, starts[even:], sizes[even:])
    else:
        _with_holes(table, values, finite, starts, sizes)
        _extremes(table, values, starts, sizes)
    return table


def _evenly(table: Floats, values: Floats, size: int) -> None:
    """Buckets of one size over finite values: a table with a line for each, five times as fast."""
    shaped = values.reshape(*values.shape[:-1], -1, size)
    first = np.arange(shaped.shape[-2]) * size
    table[FIRST], table[LAST], table[COUNT] = shaped[..., 0], shaped[..., -1], size
    for line, place, found in (
        (LOW, LOW_AT, shaped.argmin(axis=-1)),
        (HIGH, HIGH_AT, shaped.argmax(axis=-1)),
    ):
        at = found + first
        table[place] = at
        table[line] = _at(values, at)
    with np.errstate(over="ignore"):
        mean = shaped.sum(axis=-1) / size
    # a sum that is too large is divided first
    table[MEAN] = mean if np.isfinite(mean).all() else (shaped / size).sum(axis=-1)


def _at(values: Floats, places: Ints) -> Floats:
    """The values at these places, of each metric its own (NumPy's ``take_along_axis`` takes four
    times as long)."""
    if values.ndim == 1:
        return values[places]
    found: Floats = values[np.arange(len(values))[:, None], places]
    return found


def _unevenly(table: Floats, values: Floats, starts: Ints, sizes: Ints) -> None:
    """The buckets from ``starts`` to the end, over finite values."""
    begin = int(starts[0])
    table[FIRST] = values[..., starts]
    table[DRAWN] = _finite(values[..., begin:], starts - begin, sizes)
    _extremes(table, values, starts, sizes)


def build_drawn(values: Floats, starts: Ints) -> tuple[Floats, Floats | None]:
    """Of the buckets of one metric, of which there is one at least, the lines ``DRAWN`` and, where not
    all is finite, ``ODD``."""
    sizes = np.diff(np.append(starts, len(values)))
    finite = np.isfinite(values)
    if finite.all():
        return _finite(values, starts, sizes), None
    table = np.zeros((HEIGHT, len(starts)))
    _with_holes(table, values, finite, starts, sizes)
    return table[DRAWN], table[ODD]


def _finite(values: Floats, starts: Ints, sizes: Ints) -> Floats:
    """The lines ``DRAWN`` of buckets over finite values."""
    drawn = np.empty((COUNT, *values.shape[:-1], len(starts)))
    last, low, high, mean, count = drawn
    last[:] = values[..., starts + sizes - 1]
    np.minimum.reduceat(values, starts, axis=-1, out=low)
    np.maximum.reduceat(values, starts, axis=-1, out=high)
    count[:] = sizes
    np.add.reduceat(values / np.repeat(sizes, sizes), starts, axis=-1, out=mean)
    return drawn


def _with_holes(
    table: Floats, values: Floats, finite: NDArray[np.bool_], starts: Ints, sizes: Ints
) -> None:
    def counted(which: NDArray[np.bool_]) -> Floats:
        return np.add.reduceat(which.astype(np.float64), starts, axis=-1)

    number = counted(finite)
    none = number == 0
    table[COUNT] = number
    table[NANS] = counted(np.isnan(values))
    table[ABOVE] = counted(np.isposinf(values))
    table[BELOW] = counted(np.isneginf(values))
    table[LOW] = np.minimum.reduceat(np.where(finite, values, np.inf), starts, axis=-1)
    table[HIGH] = np.maximum.reduceat(np.where(finite, values, -np.inf), starts, axis=-1)
    share = np.repeat(np.maximum(number, 1), sizes, axis=-1)
    table[MEAN] = np.add.reduceat(np.where(finite, values, 0.0) / share, starts, axis=-1)
    past = values.shape[-1]
    place = np.arange(past)
    first = np.minimum.reduceat(np.where(finite, place, past), starts, axis=-1)
    last = np.maximum.reduceat(np.where(finite, place, -1), starts, axis=-1)
    table[FIRST] = _at(values, np.minimum(first, past - 1))
    table[LAST] = _at(values, np.maximum(last, 0))
    for line in (FIRST, LAST, LOW, HIGH, MEAN):
        table[line][none] = np.nan


def _extremes(table: Floats, values: Floats, starts: Ints, sizes: Ints) -> None:
    """The place of the first lowest and the first highest value of each bucket to the end."""
    begin, past = int(starts[0]), values.shape[-1]
    rest = values[..., begin:]
    place = np.arange(begin, past)
    for line, extreme in ((LOW_AT, table[LOW]), (HIGH_AT, table[HIGH])):
        hit = rest == np.repeat(extreme, sizes, axis=-1)
        at = np.minimum.reduceat(np.where(hit, place, past), starts - begin, axis=-1)
        table[line] = np.where(at == past, -1, at)


def places(steps: Ints, times: Floats, starts: Ints) -> Floats:
    """Where buckets begin and end: the first and last step and time of each."""
    ends = np.append(starts[1:], len(steps)) - 1
    return np.stack([steps[starts], steps[ends], times[starts], times[ends]]).astype(np.float64)


def merge(table: Floats, starts: Ints) -> Floats:
    """Join neighbouring buckets: those from each of ``starts`` up to the next become one."""
    length = table.shape[-1]
    merged = np.zeros((*table.shape[:-1], len(starts)))
    if not len(starts):
        return merged
    sizes = np.diff(np.append(starts, length))
    merged[DRAWN] = merge_drawn(table[DRAWN], starts)
    for line in (NANS, ABOVE, BELOW):
        if table[line].any():
            merged[line] = np.add.reduceat(table[line], starts, axis=-1)
    full, low, high = table[COUNT] > 0, table[LOW], table[HIGH]
    if full.all():
        merged[FIRST] = table[FIRST][..., starts]
    else:
        first = np.minimum.reduceat(np.where(full, np.arange(length), length), starts, axis=-1)
        merged[FIRST] = _at(table[FIRST], np.minimum(first, length - 1))
        low, high = np.where(full, low, np.inf), np.where(full, high, -np.inf)
    for line, at, value in ((LOW, LOW_AT, low), (HIGH, HIGH_AT, high)):
        hit = value == np.repeat(merged[line], sizes, axis=-1)
        merged[at] = np.minimum.reduceat(np.where(hit, table[at], np.inf), starts, axis=-1)
    none = merged[COUNT] == 0
    if none.any():
        merged[FIRST][none] = np.nan
        for line in (LOW_AT, HIGH_AT):
            merged[line][none] = -1
    return merged


def merge_drawn(table: Floats, starts: Ints) -> Floats:
    """The same for the lines that charts draw alone; there is at least one bucket."""
    last, low, high, mean, count = table
    length = table.shape[-1]
    sizes = np.diff(np.append(starts, length))
    merged = np.empty((*table.shape[:-1], len(starts)))
    total = np.add.reduceat(count, starts, axis=-1, out=merged[COUNT - LAST])
    full = count > 0
    if full.all():
        merged[0] = last[..., starts + sizes - 1]
    else:
        at = np.maximum.reduceat(np.where(full, np.arange(length), -1), starts, axis=-1)
        merged[0] = _at(last, np.maximum(at, 0))
        low = np.where(full, low, np.inf)
        high = np.where(full, high, -np.inf)
        mean = np.where(full, mean, 0.0)
    np.minimum.reduceat(low, starts, axis=-1, out=merged[LOW - LAST])
    np.maximum.reduceat(high, starts, axis=-1, out=merged[HIGH - LAST])
    share = count / np.repeat(np.maximum(total, 1), sizes, axis=-1)
    np.add.reduceat(mean * share, starts, axis=-1, out=merged[MEAN - LAST])
    none = total == 0
    if none.any():
        merged[: COUNT - LAST][:, none] = np.nan
    return merged
