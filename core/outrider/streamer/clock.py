"""The clock as a seam: tests put another in its place and time stands still."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass


def _chance() -> float:
    return int.from_bytes(os.urandom(4), "big") / 2**32  # importing random costs 6 ms at the start


@dataclass(frozen=True, slots=True)
class Clock:
    """``now`` is unix seconds, ``tick`` never goes back, ``chance`` is random in [0, 1)."""

    now: Callable[[], float] = time.time
    tick: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = _chance
