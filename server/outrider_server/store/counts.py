"""What is known of each metric of a run without reading its values: count, extremes, mean, last.

Columns, one place a metric, so that a batch of 40 metrics costs a few array operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf, isfinite, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from outrider.journal.line import word
from outrider_server.buckets import COUNT, HIGH, HIGH_AT, LAST, LOW, LOW_AT, MEAN

if TYPE_CHECKING:
    from outrider_server.store.codec import Block, Floats, Ints

Row = tuple[Any, ...]

COLUMNS = (
    "points shown nonfinite low high mean low_step high_step "
    "last last_word last_attempt last_t last_step"
).split()
"""The columns of the ``metric`` table that ``Counts`` keeps, in the order of its rows."""

LAST_VALUE, LAST_WORD = COLUMNS.index("last"), COLUMNS.index("last_word")

_FLOATS = {"low": inf, "high": -inf, "mean": 0.0, "last": nan, "last_t": -inf}
_INTS = {
    "points": 0,
    "shown": 0,
    "nonfinite": 0,
    "low_step": 0,
    "high_step": 0,
    "last_attempt": -1,
    "last_step": 0,
}


class Counts:
    """The counts of one run's metrics, by their number (kid)."""

    def __init__(self) -> None:
        self._made = 0
        self._of: dict[str, np.ndarray[Any, Any]] = {
            **{name: np.empty(0, np.float64) for name in _FLOATS},
            **{name: np.empty(0, np.int64) for name in _INTS},
        }
        self._last_exact: dict[int, int] = {}
        self.touched: set[int] = set()

    def make_room(self, count: int) -> None:
        """Have places for ``count`` metrics."""
        if count <= self._made:
            return
        size = max(16, count, 2 * self._made)
        for name, empty in (_FLOATS | _INTS).items():
            old = self._of[name]
            grown = np.full(size, empty, old.dtype)
            grown[: self._made] = old[: self._made]
            self._of[name] = grown
        self._made = size

    def clear(self, kids: Iterable[int]) -> None:
        """Forget what is known of some metrics."""
        at = list(kids)
        for name, empty in (_FLOATS | _INTS).items():
            self._of[name][at] = empty
        for kid in at:
            self._last_exact.pop(kid, None)
        self.touched.update(at)

    def add(self, block: Block, attempt: int, limit: int | None) -> None:
        """Count a block; points with a step behind ``limit`` are hidden and count as points only."""
        kids, steps, times, values = block.kids, block.steps, block.times, block.values
        of = self._of
        self.touched.update(kids.tolist())
        of["points"][kids] += len(steps)
        places = np.arange(len(steps))
        if limit is not None and len(steps) and int(steps.max()) > limit:
            places = np.nonzero(steps <= limit)[0]
            steps, times, values = steps[places], times[places], values[places]
        if not len(steps):
            return
        self._spread(kids, steps, values)
        at = len(times) - 1
        if times[at] < times.max():
            at -= int(np.argmax(times[::-1]))
        before = of["last_attempt"][kids]
        newer = (before < attempt) | ((before == attempt) & (of["last_t"][kids] <= times[at]))
        which = kids[newer]
        of["last"][which] = values[at][newer]
        of["last_attempt"][which] = attempt
        of["last_t"][which] = times[at]
        of["last_step"][which] = steps[at]
        if self._last_exact or block.exact:
            row = int(places[at])
            for column in np.nonzero(newer)[0].tolist():
                number = block.exact.get((row, column))
                kid = int(kids[column])
                if number is None:
                    self._last_exact.pop(kid, None)
                else:
                    self._last_exact[kid] = number

    def _spread(self, kids: Any, steps: Any, values: Any) -> None:
        """Extremes and mean, over finite values."""
        of = self._of
        # of numbers that lie together the least is found soon
        lines = np.ascontiguousarray(values.T)
        finite = np.isfinite(lines)
        if finite.all():
            number = np.full(len(kids), len(steps))
            low_values = high_values = lines
            mean = _mean(lines, len(steps))
        else:
            number = finite.sum(axis=1)
            low_values = np.where(finite, lines, inf)
            high_values = np.where(finite, lines, -inf)
            mean = _mean(np.where(finite, lines, 0.0), np.maximum(number, 1))
        metrics = np.arange(len(kids))
        for name, best in (
            ("low", low_values.argmin(axis=1)),
            ("high", high_values.argmax(axis=1)),
        ):
            found = lines[metrics, best]
            better = found < of[name][kids] if name == "low" else found > of[name][kids]
            better &= number > 0
            of[name][kids[better]] = found[better]
            of[f"{name}_step"][kids[better]] = steps[best[better]]
        known = of["shown"][kids] - of["nonfinite"][kids]
        total = np.maximum(known + number, 1)
        with np.errstate(over="ignore"):
            of["mean"][kids] += (mean - of["mean"][kids]) * (number / total)
        of["shown"][kids] += len(steps)
        of["nonfinite"][kids] += len(steps) - number

    def add_whole(self, kid: int, attempt: int, seen: Floats, steps: Ints, last_t: float) -> None:
        """Count a chunk by its bucket ``seen``; all of it shows, is finite and in order of time."""
        of, count = self._of, int(seen[COUNT])
        of["points"][kid] += count
        for name, value, at in (
            ("low", seen[LOW], seen[LOW_AT]),
            ("high", seen[HIGH], seen[HIGH_AT]),
        ):
            if value < of[name][kid] if name == "low" else value > of[name][kid]:
                of[name][kid] = value
                of[f"{name}_step"][kid] = steps[int(at)]
        known = of["shown"][kid] - of["nonfinite"][kid]
        of["mean"][kid] += (seen[MEAN] - of["mean"][kid]) * (count / (known + count))
        of["shown"][kid] += count
        if (of["last_attempt"][kid], of["last_t"][kid]) <= (attempt, last_t):
            of["last"][kid], of["last_attempt"][kid] = seen[LAST], attempt
            of["last_t"][kid], of["last_step"][kid] = last_t, steps[-1]
            self._last_exact.pop(kid, None)

    def rows(self, kids: Sequence[int]) -> list[Row]:
        """The rows of some metrics, in the order of ``COLUMNS``; column by column where all have
        a finite last value, which is a fifth of the work."""
        of, at = self._of, np.array(kids, np.int64)
        is_plain = (of["shown"][at] > of["nonfinite"][at]) & np.isfinite(of["last"][at])
        if self._last_exact or not is_plain.all():
            return [self.row(kid) for kid in kids]
        columns = [
            [None] * len(kids) if name == "last_word" else of[name][at].tolist() for name in COLUMNS
        ]
        return list(zip(*columns, strict=True))

    def row(self, kid: int) -> Row:
        """The metric's row, in the order of ``COLUMNS``."""
        of = self._of
        shown, nonfinite = int(of["shown"][kid]), int(of["nonfinite"][kid])
        finite = shown > nonfinite
        last, beside = self.last(kid)
        return (
            int(of["points"][kid]),
            shown,
            nonfinite,
            float(of["low"][kid]) if finite else None,
            float(of["high"][kid]) if finite else None,
            float(of["mean"][kid]) if finite else None,
            int(of["low_step"][kid]) if finite else None,
            int(of["high_step"][kid]) if finite else None,
            last,
            beside,
            int(of["last_attempt"][kid]) if shown else None,
            float(of["last_t"][kid]) if shown else None,
            int(of["last_step"][kid]) if shown else None,
        )

    def last(self, kid: int) -> tuple[float | None, str | None]:
        """The last value as a float, and in words where a float in SQL cannot say it."""
        if not self._of["shown"][kid]:
            return None, None
        if kid in self._last_exact:
            return float(self._last_exact[kid]), str(self._last_exact[kid])
        value = float(self._of["last"][kid])
        return (value, None) if isfinite(value) else (None, word(value))

    def load(self, kid: int, row: Row) -> None:
        """Take back what ``row`` gave."""
        self.make_room(kid + 1)
        for name, value in zip(COLUMNS, row, strict=True):
            if name != "last_word" and value is not None:
                self._of[name][kid] = value
        said = row[LAST_WORD]
        if said is not None:
            self._of["last"][kid] = float(said)
            if said.lstrip("-").isdigit():
                self._last_exact[kid] = int(said)

    def value(self, kid: int, how: str | None, goal: str | None) -> int | float | None:
        """The metric's value in the summary: see ``outrider.reading.summary`` for the rules."""
        of = self._of
        shown = int(of["shown"][kid])
        if not shown or how == "none":
            return None
        if how == "best":
            how = "max" if goal == "maximize" else "min"
        if how in ("min", "max", "mean") and shown > of["nonfinite"][kid]:
            return float(of[{"min": "low", "max": "high", "mean": "mean"}[how]][kid])
        if kid in self._last_exact:
            return self._last_exact[kid]
        return float(of["last"][kid])


def _mean(lines: Floats, number: Any) -> Floats:
    """The mean of each line; divides first only where the sum is too large."""
    with np.errstate(over="ignore"):
        mean: Floats = lines.sum(axis=1) / number
    if not np.isfinite(mean).all():
        mean = (lines / np.broadcast_to(number, len(lines))[:, None]).sum(axis=1)
    return mean
