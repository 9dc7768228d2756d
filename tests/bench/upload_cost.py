"""What sending a large file costs the training beside it: log() before, during and after.

    python tests/bench/upload_cost.py [--gib 2] [--json]

The trainer has the first core for itself, as trainings have where nothing else is at work; streamer
and server share the last one. The streamer is killed five times on the way. Each step of a few
milliseconds writes the same bytes once by a bare `os.write`, whose own rise says what the disk and
the caches do to any write at that time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from figures import Figure, main
from place import environment, own_place
from streamer_cost import server

CHUNK = 1 << 20
KILLS = 5

TRAINER = """
import json, os, random, signal, sys, time
from pathlib import Path
import numpy as np
from outrider import core
from outrider.streamer.lock import holder_of

path, kills = sys.argv[1], int(sys.argv[2])
cores = sorted(os.sched_getaffinity(0))
run = core.init("bench", id="upload")
bare = os.open("bare", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
values = {f"metric_{i}": 0.123456789 * i for i in range(10)}
line = json.dumps({"t": 1763860000.1234, "s": 17, "p": values}).encode() + b"\\n"
matrix = np.random.default_rng(0).random((180, 180))
clock = time.perf_counter_ns

def pinned(pid, core):
    for task in os.listdir(f"/proc/{pid}/task"):
        try: os.sched_setaffinity(int(task), {core})
        except OSError: pass

def step(turn, taken):
    for _ in range(4): matrix @ matrix
    first = clock()
    if turn % 2: os.write(bare, line)
    else: core.log(values)
    second = clock()
    if turn % 2: core.log(values)
    else: os.write(bare, line)
    third = clock()
    one, other = second - first, third - second
    taken.append((one, other) if turn % 2 else (other, one))

def phase(seconds, look=lambda: False):
    taken, until, next_look = [], time.monotonic() + seconds, 0.0
    while time.monotonic() < until:
        step(len(taken), taken)
        if time.monotonic() > next_look:
            next_look = time.monotonic() + 0.5
            if (pid := holder_of(run.folder)): pinned(pid, cores[-1])
            if look(): break
    writes, logs = (sorted(column) for column in zip(*taken))
    return {"write": writes[len(writes) // 2], "log": logs[len(logs) // 2], "steps": len(taken)}

pinned(os.getpid(), cores[0])
peak, done, began = 0, False, 0.0
moments = [2.0 + 3.0 * number for number in range(kills)]

def look():
    global peak, done
    pid = holder_of(run.folder)
    if pid:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            peak = max(peak, int(status.split("VmHWM:")[1].split()[0]))
            if moments and time.monotonic() - began > moments[0]:
                moments.pop(0)
                os.kill(pid, signal.SIGKILL)
        except (OSError, IndexError):
            pass
    told = "".join(file.read_text() for file in Path(run.folder).glob("uploads-*.jsonl"))
    done = not moments and f'"size":{os.path.getsize(path)}' in told.replace(" ", "")
    return done

before = phase(10)
core.save(path)
began = time.monotonic()
during = phase(420, look)
took = time.monotonic() - began
after = phase(10)
print(json.dumps({"before": before, "during": during, "after": after, "peak": peak / 1e3,
                  "done": done, "killed": kills - len(moments), "seconds": took}), flush=True)
core.finish()
"""


def measure() -> Iterator[Figure]:
    """A file is sent while the training logs."""
    from outrider import api

    size = int(float(os.environ.get("OUTRIDER_TEST_GIB", "2")) * 1024) * CHUNK
    with own_place() as home, server(home) as running:
        for task in os.listdir(f"/proc/{running.process.pid}/task"):
            os.sched_setaffinity(int(task), {max(os.sched_getaffinity(0))})
        path = Path(home, "large")
        wanted = _made(path, size)
        there = environment(
            home, OUTRIDER_URL=running.url, OUTRIDER_API_KEY=running.token,
            OUTRIDER_CONSOLE="false", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1",
        )  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", TRAINER, str(path), str(KILLS)],
            cwd=home, env=there, capture_output=True, text=True, check=True,
        )  # fmt: skip
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        (stored,) = api.Client(running.url, token=running.token).run("bench/upload").files("save")
        if not found["done"] or stored.sha256 != wanted:
            raise RuntimeError(f"the file has not arrived: {found}")
        yield from _figures(found, size)


def _figures(found: dict[str, Any], size: int) -> Iterator[Figure]:
    before, during, after = found["before"], found["during"], found["after"]
    rise = {kind: 2 * during[kind] / (before[kind] + after[kind]) for kind in ("log", "write")}
    name = f"log() of 10 while {size / CHUNK / 1024:.3g} GiB are sent"
    detail = (
        f"median {before['log'] / 1e3:.1f}, {during['log'] / 1e3:.1f}, {after['log'] / 1e3:.1f} µs"
    )
    detail += f"; a bare write rises to {rise['write']:.2f}×"
    yield Figure(f"{name}, ÷ before and after", rise["log"], "×", 1.1, detail)
    detail = f"{found['killed']} kills of the streamer, {found['seconds']:.0f} s"
    yield Figure("streamer's most memory on the way", found["peak"], " MB", 100.0, detail)


def _made(path: Path, size: int) -> str:
    """A file no two chunks of which are the same; its SHA-256."""
    block, told = os.urandom(CHUNK), hashlib.sha256()
    with path.open("wb") as file:
        for number in range(size // CHUNK):
            chunk = number.to_bytes(8, "little") + block[8:]
            told.update(chunk)
            file.write(chunk)
    os.sync()
    return told.hexdigest()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--gib", help="size of the file")
    known, sys.argv[1:] = parser.parse_known_args()
    if known.gib:
        os.environ["OUTRIDER_TEST_GIB"] = known.gib
    main(measure)
