"""One size of call in a tight loop, in an interpreter of its own: a bare write, the least log, and ours."""

from __future__ import annotations

import os

import log_path
from figures import median, quantile

ROUNDS, CALLS = 24, 200


def report(count: int) -> None:
    """Print p50 and p99 of each way, in nanoseconds; the ways take turns."""
    from outrider import core

    core.init(project="bench", mode="offline")
    values = {f"train/metric_{index}": 0.1234567 * (index + 1) for index in range(count)}
    ways = log_path.variants(values, ".")
    times: dict[str, list[int]] = {name: [] for name in ways}
    clock = log_path.empty()
    for turn in range(ROUNDS):
        for name, way in ways.items():
            found: list[int] = []
            for _ in range(CALLS):
                log_path.timed(way, values, found)
            if turn:  # the first turn warms up
                times[name] += found
    for name, each in times.items():
        print(name, median(each) - clock, quantile(each, 0.99) - clock)
    os._exit(0)  # no finish: waiting for delivery is not what is measured
