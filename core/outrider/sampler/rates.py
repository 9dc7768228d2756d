"""Turns counters that only grow into rates."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


class Counters:
    """Remembers counters and answers how fast each grew since the last look."""

    __slots__ = ("_clock", "_then", "_values")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._then = clock()
        self._values: dict[str, float] = {}

    def rates(self, values: Mapping[str, float]) -> dict[str, float]:
        """Growth per second since the last call, for each counter that was there then.

        A counter that went back (a device was replaced, a cgroup made anew) has no rate this
        time rather than a negative or a huge one.
        """
        now = self._clock()
        elapsed, before = now - self._then, self._values
        self._then, self._values = now, dict(values)
        if elapsed <= 0:
            return {}
        return {
            key: (value - before[key]) / elapsed
            for key, value in values.items()
            if key in before and value >= before[key]
        }
