"""What the streamer costs: until it is ready, at rest, at 1,000 records a second, and as that grows.

    python tests/bench/streamer_cost.py [--json]

A real trainer, a real streamer and a real server, each in its own process; times come from the
kernel's own account of the streamer (/proc/<pid>/schedstat, nanoseconds on a processor).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from figures import Figure, main, median
from place import environment, own_place

STARTS = 7
AT_REST = 30.0
BUSY = 20.0
RATE = 1000
RATES = (0, 100, 1_000, 10_000, 50_000, 200_000)
"""Records a second for the growth of the cost; the last is more than a streamer can carry."""
SETTLED, GROWN = 3.0, 10.0
"""Seconds until a rate is measured, and for how long."""
TRAINER = """
import sys, time
from outrider import core
core.init(project="bench")
print(core.run.folder, time.time(), flush=True)
seconds, rate = float(sys.stdin.readline()), int(sys.stdin.readline())
values = {f"train/metric_{i}": 0.1234567 * i for i in range(10)}
began = time.monotonic()
while (elapsed := time.monotonic() - began) < seconds:
    for _ in range(int(elapsed * rate) - (core.run.step if rate else 0)):
        core.log(values)
    time.sleep(0.005 if rate else 0.1)
print("done", flush=True)
sys.stdin.readline()
"""


class Watched:
    """A process of which only the number is known."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def seconds(self) -> float:
        """Processor seconds used so far by all its threads."""
        total = 0
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            total += int(Path(f"/proc/{self.pid}/task/{thread}/schedstat").read_text().split()[0])
        return total / 1e9

    def memory(self) -> float:
        """Resident megabytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def share(self, seconds: float) -> float:
        """Percent of one core over the next seconds."""
        before, began = self.seconds(), time.monotonic()
        time.sleep(seconds)
        return 100 * (self.seconds() - before) / (time.monotonic() - began)


@contextmanager
def server(home: str) -> Iterator[Any]:
    """A server in another process, with a data folder of its own."""
    from outrider_server.main import start_background

    running = start_background(f"{home}/data", env=environment(home))
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def trainer(home: str, url: str, token: str) -> Iterator[tuple[subprocess.Popen[str], str, float]]:
    """A trainer after init(), its run's folder, and when init() had returned."""
    there = environment(home, OUTRIDER_URL=url, OUTRIDER_API_KEY=token)
    process = subprocess.Popen(
        [sys.executable, "-c", TRAINER], cwd=home, env=there, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout
    folder = ""
    try:
        folder, when = process.stdout.readline().split()
        yield process, folder, float(when)
    finally:
        process.kill()
        process.communicate()
        # Its streamer would go on delivering, into the next measurement.
        os.kill(delivery(folder)["pid"], signal.SIGKILL)


def delivery(folder: str, seconds: float = 20.0) -> dict[str, Any]:
    """The streamer's word on what is delivered, once there is one."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for path in Path(folder).glob("delivery-*.json"):
            found: dict[str, Any] = json.loads(path.read_text())
            return found | {"at": path.stat().st_mtime}
        time.sleep(0.002)
    raise TimeoutError(f"no streamer in {folder}")


def measure() -> Iterator[Figure]:
    """Start, memory, rest, load."""
    with own_place() as home, server(home) as running:
        starts, acked = [], []
        for _ in range(STARTS):
            with trainer(home, running.url, running.token) as (_, folder, when):
                starts.append(delivery(folder)["at"] - when)
                while not (found := delivery(folder))["acked"]:
                    time.sleep(0.002)
                acked.append(found["at"] - when)
        detail = f"least {min(starts):.3f}, most {max(starts):.3f}"
        yield Figure("streamer ready after init()", median(starts), " s", 0.3, detail)
        yield Figure("first bytes acknowledged after init()", median(acked), " s", None)

        with trainer(home, running.url, running.token) as (process, folder, _):
            streamer = Watched(delivery(folder)["pid"])
            time.sleep(5)
            _tell(process, AT_REST + BUSY + 30, 0)
            share = streamer.share(AT_REST)
            detail = f"over {AT_REST:.0f} s, sampling included"
            yield Figure("streamer at rest, share of a core", share, " %", 0.5, detail)
            yield Figure("streamer at rest, resident", streamer.memory(), " MB", 45)

        with trainer(home, running.url, running.token) as (process, folder, _):
            streamer = Watched(delivery(folder)["pid"])
            time.sleep(3)
            _tell(process, BUSY + 30, RATE)
            time.sleep(3)
            at_server = Watched(running.process.pid)
            before = at_server.seconds()
            share = streamer.share(BUSY)
            what = f"streamer at {RATE:,} records/s, share of a core"
            detail = f"server {100 * (at_server.seconds() - before) / BUSY:.1f} %"
            yield Figure(what, share, " %", 5.0, detail)
            yield Figure(f"streamer at {RATE:,} records/s, resident", streamer.memory(), " MB", 45)
            behind = delivery(folder)["behind_bytes"]
            yield Figure("… and behind by", behind / 1e6, " MB", None, "at the last look")


def growth() -> Iterator[Figure]:
    """How cost grows with the records a second: share of a core, memory, and what is not yet sent.

    What it cannot carry it carries later: then the bytes behind grow, and the memory does not.
    """
    with own_place() as home, server(home) as running:
        for rate in RATES:
            with trainer(home, running.url, running.token) as (process, folder, _):
                streamer = Watched(delivery(folder)["pid"])
                time.sleep(SETTLED)
                _tell(process, SETTLED + GROWN + 30, rate)
                time.sleep(SETTLED)
                early = streamer.memory()
                written = _written(folder)
                share = streamer.share(GROWN)
                per_second = (_written(folder) - written) / GROWN
                what = f"streamer at {rate:,} records/s"
                detail = f"{per_second / 1e6:.2f} MB/s written"
                yield Figure(f"{what}, share of a core", share, " %", None, detail)
                detail = f"{early:.1f} MB before"
                yield Figure(f"{what}, resident", streamer.memory(), " MB", 45, detail)
                behind = delivery(folder)["behind_bytes"]
                yield Figure(f"{what}, behind by", behind / 1e6, " MB", None, "at the last look")


def _written(folder: str) -> int:
    return sum(path.stat().st_size for path in Path(folder, "journal").iterdir())


def _tell(process: subprocess.Popen[str], seconds: float, rate: int) -> None:
    assert process.stdin
    process.stdin.write(f"{seconds}\n{rate}\n")
    process.stdin.flush()


if __name__ == "__main__":
    main(measure, growth)
