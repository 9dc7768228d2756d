"""A metric's points as plain columns, and how they merge into one value a step.

The rule, for a folder and for a server alike: for one step of one metric the value with the
largest (attempt, time, order) stands; points that a later attempt rewound are hidden.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NO_LIMIT = (1 << 63) - 1
"""The largest step there can be: what is not rewound shows all of its steps."""


_EXACT = 1 << 53


class Attempt(NamedTuple):
    """One attempt at a run: its number, when it began (unix seconds), and the step behind which it
    superseded what earlier attempts had logged (None: it kept everything)."""

    number: int
    started: float | None
    rewind_to: int | None


@dataclass(slots=True)
class Series:
    """Points of one metric in the order they were logged; four columns of equal length.

    ``attempts`` and ``steps`` are integers, ``times`` unix seconds. ``values`` are 64-bit floats;
    where integers came that a float cannot hold they are a list, and those integers stand in it.
    """

    attempts: array[int] = field(default_factory=lambda: array("i"))
    steps: array[int] = field(default_factory=lambda: array("q"))
    times: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] | list[float] = field(default_factory=lambda: array("d"))

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[tuple[int, int, float, float]]:
        return zip(self.attempts, self.steps, self.times, self.values, strict=True)

    def append(self, attempt: int, step: int, time: float, value: float) -> None:
        """Add one point at the end."""
        self.attempts.append(attempt)
        self.steps.append(step)
        self.times.append(time)
        if type(value) is not float:
            if not is_large(value):
                value = float(value)
            elif isinstance(self.values, array):
                self.values = self.values.tolist()
        self.values.append(value)

    def extend(
        self,
        attempts: Sequence[int],
        steps: Sequence[int],
        times: Sequence[float],
        values: Sequence[float],
    ) -> None:
        """Add many points at the end."""
        plain = [value if is_large(value) else float(value) for value in values]
        if isinstance(self.values, array) and any(map(is_large, values)):
            self.values = self.values.tolist()
        self.attempts.extend(attempts)
        self.steps.extend(steps)
        self.times.extend(times)
        self.values.extend(plain)

    def chosen(self, order: Sequence[int]) -> Series:
        """The points at these places, in this order."""
        chosen = [self.values[at] for at in order]
        return Series(
            array("i", (self.attempts[at] for at in order)),
            array("q", (self.steps[at] for at in order)),
            array("d", (self.times[at] for at in order)),
            array("d", chosen) if isinstance(self.values, array) else chosen,
        )


def is_large(value: float) -> bool:
    """Whether a value is an integer that a 64-bit float cannot hold for sure."""
    return type(value) is int and not -_EXACT <= value <= _EXACT


def limits(attempts: Sequence[Attempt]) -> dict[int, int]:
    """The last step that still shows, for each attempt that a later one rewound."""
    rewinds = [(item.number, item.rewind_to) for item in attempts if item.rewind_to is not None]
    if not rewinds:
        return {}
    newest = max(number for number, _ in rewinds)
    known = {1, *(item.number for item in attempts)}  # a number may be the clock's seconds
    return {
        number: min(step for later, step in rewinds if later > number)
        for number in known
        if number < newest
    }


def logged(series: Series, limit: Mapping[int, int]) -> Series:
    """The points that show, exactly as logged, ordered by (attempt, time, order)."""
    if limit:
        series = series.chosen(
            [
                at
                for at, (attempt, step, _, _) in enumerate(series)
                if step <= limit.get(attempt, NO_LIMIT)
            ]
        )
    moments = list(zip(series.attempts, series.times, strict=True))
    if all(one <= two for one, two in pairwise(moments)):
        return series
    return series.chosen(sorted(range(len(moments)), key=moments.__getitem__))


def window(series: Series, min_step: int | None, max_step: int | None) -> Series:
    """The points from ``min_step`` to ``max_step``, both included."""
    if min_step is None and max_step is None:
        return series
    low = -NO_LIMIT - 1 if min_step is None else min_step
    high = NO_LIMIT if max_step is None else max_step
    return series.chosen([at for at, step in enumerate(series.steps) if low <= step <= high])


def merged(series: Series) -> Series:
    """One point a step, by rising step: the latest of each; takes what ``logged`` returns."""
    steps = series.steps
    if all(one < two for one, two in pairwise(steps)):
        return series
    latest = {step: at for at, step in enumerate(steps)}
    return series.chosen([latest[step] for step in sorted(latest)])
