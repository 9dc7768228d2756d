"""What a recorded ``print()`` costs beside a bare one, in a process of its own that prints to a file."""

from __future__ import annotations

import subprocess
import sys

from figures import Figure
from place import environment, own_place

_SCRIPT = """
import os, sys, time
def cost(count=20000):
    best = []
    for _ in range(5):
        start = time.perf_counter_ns()
        for step in range(count):
            print("step 17 loss 0.12345")
        best.append((time.perf_counter_ns() - start) / count / 1000)
    return min(best)
bare = cost()
import outrider.printed
outrider.printed.RATE = outrider.printed.BURST = 1 << 40
from outrider import core
core.init("bench", mode="offline", settings={"quiet": True})
recorded = cost()
core.finish()
print(bare, recorded, cost(), file=sys.stderr)
"""


def costs() -> list[Figure]:
    """Microseconds a line: recorded, and once the run has ended; beside a bare print."""
    with own_place() as place:
        with open(f"{place}/printed.txt", "wb") as file:
            done = subprocess.run(
                [sys.executable, "-c", _SCRIPT], cwd=place, env=environment(place),
                stdout=file, stderr=subprocess.PIPE, text=True, check=True, timeout=300,
            )  # fmt: skip
        bare, recorded, after = map(float, done.stderr.split()[-3:])
    beside = f"{bare:.1f} µs bare"
    return [
        Figure("a recorded print() of one line", recorded, "µs", None, beside),
        Figure("a print() after finish()", after, "µs", None, beside),
    ]


if __name__ == "__main__":
    for figure in costs():
        print(f"{figure.what}: {figure.value:.1f} {figure.unit} ({figure.detail})")
