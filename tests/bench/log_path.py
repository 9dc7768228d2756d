"""What a log() call costs: in a tight loop, inside a training step, and in system calls.

    python tests/bench/log_path.py [--json]

Everything is compared with a bare `os.write` of the same bytes and with the least that a lossless
log could do (time + orjson + os.write), each measured in turn in the same loop, on the same disk,
so that what else the machine does hits all three.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from figures import Figure, main, median, quantile
from place import environment, own_place

ROUNDS, CALLS = 60, 500
STEPS = 240
VALUES = {f"train/metric_{index}": 0.1234567 * (index + 1) for index in range(10)}
SIZES = (1, 10)


def in_process(code: str, *arguments: str, **env: str) -> str:
    """Run a function of this module in a fresh interpreter, with a home and a folder of its own."""
    with own_place() as home:
        # One thread of BLAS: the step must not take the core on which the streamer runs.
        there = environment(home, OPENBLAS_NUM_THREADS="1", PYTHONPATH=HERE, **env)
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, cwd=home, env=there, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout


HERE = str(Path(__file__).parent)


Way = Callable[[dict[str, float]], None]


def variants(values: dict[str, float], folder: str) -> dict[str, Way]:
    """The three ways to keep one record: bare write, the least possible, and log() itself."""
    import orjson

    from outrider import core

    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    fd = os.open(os.path.join(folder, "bare"), flags, 0o600)
    other = os.open(os.path.join(folder, "least"), flags, 0o600)
    write, dumps, now, newline = os.write, orjson.dumps, time.time, orjson.OPT_APPEND_NEWLINE
    line = dumps({"t": now(), "s": 10_000, "p": values}, option=newline)
    steps = iter(range(1 << 60))

    def bare(values: dict[str, float]) -> None:
        write(fd, line)

    def least(values: dict[str, float]) -> None:
        write(other, dumps({"t": now(), "s": next(steps), "p": values}, None, newline))

    return {"bare": bare, "least": least, "ours": core.log}


def timed(call: Way, values: dict[str, float], times: list[int]) -> None:
    """Append how many nanoseconds one call took."""
    clock = time.perf_counter_ns
    began = clock()
    call(values)
    times.append(clock() - began)


def tight(count: int) -> dict[str, list[int]]:
    """Nanoseconds of each call in a bare loop, in turns of some hundreds."""
    values = dict(list(VALUES.items())[:count])
    calls = _calls(values)
    times: dict[str, list[int]] = {name: [] for name in calls}
    for turn in range(ROUNDS):
        for name, call in calls.items():
            found: list[int] = []
            for _ in range(CALLS):
                timed(call, values, found)
            if turn:  # the first turn warms up
                times[name] += found
    return times


def in_step(count: int) -> dict[str, list[int]]:
    """Nanoseconds of each call that follows a real step of ~5 ms, one variant a step in turn."""
    import numpy as np

    values = dict(list(VALUES.items())[:count])
    calls = _calls(values)
    times: dict[str, list[int]] = {name: [] for name in calls}
    random = np.random.default_rng(0)
    batch, weights = random.random((64, 1024)), random.random((1024, 1024))
    passed = random.random(1_000_000)
    for step in range(STEPS):
        for name, call in calls.items():
            # A layer forward and backward, and an optimiser that walks through 8 MB of state.
            hidden = np.tanh(batch @ weights)
            gradient = batch.T @ (1.0 - hidden * hidden)
            weights -= 1e-9 * gradient
            passed *= 0.999
            if step >= STEPS // 10:
                timed(call, values, times[name])
            else:
                call(values)
    return times


def empty() -> float:
    """What the clock itself costs, which is no part of any call."""
    times: list[int] = []
    for _ in range(20_000):
        timed(_nothing, {}, times)
    return median(times)


def _nothing(values: dict[str, float]) -> None:
    pass


def _calls(values: dict[str, float]) -> dict[str, Way]:
    from outrider import core

    core.init(project="bench", mode="offline")
    time.sleep(0.5)  # let the streamer start: its first moment is measured elsewhere
    return variants(values, ".")


def report(loop: str, count: int) -> None:
    """Measure one loop and print what `measure` reads: p50, p99 and mean in nanoseconds."""
    clock = empty()
    times = tight(count) if loop == "tight" else in_step(count)
    for name, found in times.items():
        p50, p99 = median(found) - clock, quantile(found, 0.99) - clock
        print(name, p50, p99, sum(found) / len(found) - clock)
    os._exit(0)  # no finish: waiting for delivery is not what is measured


def measured(loop: str, count: int) -> dict[str, tuple[float, float, float]]:
    """p50, p99 and mean of each variant, in microseconds, from a fresh interpreter."""
    code = f"import log_path, sys; log_path.report({loop!r}, {count})"
    rows = [line.split() for line in in_process(code).splitlines() if line]
    table = {row[0]: row[1:] for row in rows if row[0] in ("bare", "least", "ours")}
    return {
        name: (float(p50) / 1e3, float(p99) / 1e3, float(mean) / 1e3)
        for name, (p50, p99, mean) in table.items()
    }


def costs() -> Iterator[Figure]:
    """log() against the bare write and the least possible log."""
    for count, budget in zip(SIZES, (2.5, 3.0), strict=True):
        times = measured("tight", count)
        bare, least, ours = times["bare"], times["least"], times["ours"]
        what = f"log() of {count}, tight loop"
        detail = f"{ours[0]:.2f} µs; bare {bare[0]:.2f}, least {least[0]:.2f} = "
        detail += f"{least[0] / bare[0]:.2f}×"
        yield Figure(f"{what}, p50 over a bare write", ours[0] / bare[0], "×", budget, detail)
        detail = f"{ours[1]:.2f} µs; bare {bare[1]:.2f}, least {least[1]:.2f} = "
        detail += f"{least[1] / bare[1]:.2f}×"
        yield Figure(f"{what}, p99 over a bare write's", ours[1] / bare[1], "×", 3.0, detail)
    for count in SIZES:
        times = measured("step", count)
        bare, least, ours = times["bare"], times["least"], times["ours"]
        detail = f"{ours[0]:.1f} µs; bare {bare[0]:.1f}, least {least[0]:.1f}; "
        detail += f"means {ours[2]:.1f}, {bare[2]:.1f}, {least[2]:.1f}"
        what = f"log() of {count} in a ~5 ms step, p50 over the least"
        yield Figure(what, ours[0] / least[0], "×", 1.3, detail)


CALLS_TRACED = 1000
TRACED = f"""
import os
from outrider import core
core.init(project="bench", mode="offline")
core.log({{"loss": 0.5}})
os.write(1, b"BEGIN")
for index in range({CALLS_TRACED}):
    core.log({{"loss": 0.5}})
os.write(1, b"END")
os._exit(0)
"""


def system_calls() -> Iterator[Figure]:
    """What 1,000 calls of log() ask of the kernel, counted by strace in the trainer alone."""
    if not shutil.which("strace"):
        return
    with own_place() as home:
        out = Path(home, "trace")
        command = ["strace", "-qq", "-o", str(out), sys.executable, "-c", TRACED]
        there = environment(home)
        subprocess.run(command, cwd=home, env=there, capture_output=True, check=True)
        trace = out.read_text(errors="replace")
    lines = trace.partition('"BEGIN"')[2].partition('"END"')[0].splitlines()[1:-1]
    names = [line.partition("(")[0] for line in lines if "(" in line]
    writes = names.count("write")
    others = {name: names.count(name) for name in sorted(set(names)) if name != "write"}
    detail = "others: " + (", ".join(f"{n} {name}" for name, n in others.items()) or "none")
    yield Figure(f"system calls in {CALLS_TRACED:,} log(): writes", writes, "", CALLS_TRACED + 1)
    yield Figure(
        f"system calls in {CALLS_TRACED:,} log(): others", len(names) - writes, "", 20, detail
    )


if __name__ == "__main__":
    main(costs, system_calls)
