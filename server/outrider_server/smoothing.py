"""Smooths a series over all of its points, however few of them a chart draws.

Three ways: the exponential moving average that TensorBoard users know, without its bias towards
zero; the mean of a window of points; and a Gaussian window. Non-finite values are passed over and
give NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log
from typing import TYPE_CHECKING

import numpy as np

from outrider.errors import UsageError

if TYPE_CHECKING:
    from outrider_server.buckets import Floats

MOST_POINTS = 100_000
"""The longest window of a running mean, and the widest Gaussian's deviation, in points."""

_REACH = 4.0
"""A Gaussian is cut off at this many deviations: what lies beyond weighs less than 1e-4."""


@dataclass(frozen=True, slots=True)
class Smoothing:
    """How to smooth: ``kind`` is ema, mean or gauss.

    ``amount`` is the weight of what came before for ema (0 to below 1), the number of points in
    the window for mean, the standard deviation in points for gauss.
    """

    kind: str
    amount: float

    def of(self, values: Floats) -> Floats:
        """The smoothed values, as many as there are values."""
        if self.kind == "ema":
            return averaged(values, self.amount)
        out = np.full(len(values), np.nan)
        finite = np.isfinite(values)
        known = values[finite]
        if len(known):
            spread = _windowed if self.kind == "mean" else _gaussian
            out[finite] = spread(known, self.amount)
        return out


def smoothing(text: str | None) -> Smoothing | None:
    """What ``ema:0.9``, ``mean:20`` or ``gauss:5`` names; None for None. Raises ``UsageError``."""
    if text is None or text in ("", "none"):
        return None
    kind, _, number = text.partition(":")
    try:
        amount = float(number)
    except ValueError:
        amount = -1.0
    is_right = {
        "ema": 0 <= amount < 1,
        "mean": 1 <= amount <= MOST_POINTS and amount == int(amount),
        "gauss": 0 < amount <= MOST_POINTS,
    }.get(kind, False)
    if not is_right:
        raise UsageError(
            f"smooth cannot be {text!r}",
            hint="ema:0 to ema:0.999, mean:POINTS or gauss:POINTS, such as ema:0.9",
        )
    return Smoothing(kind, amount)


def averaged(values: Floats, weight: float) -> Floats:
    """The exponential moving average of finite values, without its bias towards zero.

    As in Kingma & Ba, "Adam", section 3: divided by (1 - weight**n). Non-finite values are passed
    over and give NaN. Sums over 1, 2, 4, … neighbours double until older values weigh nothing.
    """
    out = np.full(len(values), np.nan)
    finite = np.isfinite(values)
    total = (1 - weight) * values[finite]
    count = len(total)
    reach, share = 1, weight
    while reach < count and share > 1e-20:
        before = total[:-reach] * share
        total[reach:] += before
        reach, share = 2 * reach, share * share
    # the bias is gone where weight**n is nothing beside 1 (and raising it further is slow)
    early = min(count, int(40 / -log(weight)) + 1 if weight else 1)
    total[:early] /= 1 - weight ** np.arange(1, early + 1)
    out[finite] = total
    return out


def _windowed(values: Floats, points: float) -> Floats:
    """The mean of the ``points`` values round each; fewer of them at the ends, never a shift."""
    half = (int(points) - 1) / 2
    at = np.arange(len(values))
    low = np.maximum(at - int(half), 0)
    high = np.minimum(at + ceil(half), len(values) - 1)
    # summed as distances from the middle value, or small changes on a large level are rounded off
    level = float(np.median(values))
    total = np.concatenate([[0.0], np.cumsum(values - level)])
    smooth: Floats = level + (total[high + 1] - total[low]) / (high - low + 1)
    return smooth


def _gaussian(values: Floats, deviation: float) -> Floats:
    """Each value's neighbours by a normal curve; at the ends only those that there are."""
    reach = min(ceil(_REACH * deviation), len(values) - 1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    level = float(np.median(values))
    total = _convolved(values - level, weights)
    smooth: Floats = level + total / _convolved(np.ones(len(values)), weights)
    return smooth


def _convolved(values: Floats, weights: Floats) -> Floats:
    """The middle part of a full convolution; by Fourier's transform where that is faster."""
    reach = len(weights) // 2
    if len(weights) <= 64:
        return np.convolve(values, weights)[reach : reach + len(values)]
    size = 1 << (len(values) + len(weights) - 2).bit_length()
    spectrum = np.fft.rfft(values, size) * np.fft.rfft(weights, size)
    found: Floats = np.fft.irfft(spectrum, size)[reach : reach + len(values)]
    return found
