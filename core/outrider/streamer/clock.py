"""The clock as a seam: tests put another in its place and time stands still."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """``now`` is unix seconds, ``tick`` never goes back, ``chance`` is random in [0, 1)."""

    now: Callable[[], float] = time.time
    tick: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
