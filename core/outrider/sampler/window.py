"""Averages readings over a window: plain values in, one row out."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite


class Window:
    """Time-weighted means of all keys, except extremes of those that end in `.max` or `.min`.

    Weighting each reading by the seconds it stands for makes the mean of rates equal to the
    counter's growth over the whole window divided by its length, however late a sample came.
    """

    __slots__ = ("_extremes", "_sums", "_weights", "seconds")

    def __init__(self) -> None:
        self.seconds = 0.0
        self._sums: dict[str, float] = {}
        self._weights: dict[str, float] = {}
        self._extremes: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._sums or self._extremes)

    def add(self, readings: Mapping[str, float], seconds: float) -> None:
        """Take one sample that stands for the last `seconds` (> 0)."""
        self.seconds += seconds
        sums, weights, extremes = self._sums, self._weights, self._extremes
        for key, value in readings.items():
            if not isfinite(value):
                continue
            if key.endswith(".max"):
                extremes[key] = max(value, extremes.get(key, value))
            elif key.endswith(".min"):
                extremes[key] = min(value, extremes.get(key, value))
            else:
                sums[key] = sums.get(key, 0.0) + value * seconds
                weights[key] = weights.get(key, 0.0) + seconds

    def row(self) -> dict[str, float]:
        """The window as one flat row: the means in the order first seen, then the extremes."""
        means = {key: tidy(total / self._weights[key]) for key, total in self._sums.items()}
        return means | {key: tidy(value) for key, value in self._extremes.items()}


def tidy(value: float) -> float:
    """Whole above 10,000 and three decimals below: shorter on disk, still far below the noise."""
    return float(round(value)) if abs(value) >= 10_000 else round(value, 3)
