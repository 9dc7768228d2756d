"""What sending a large file costs the training beside it: log() while it is sent, and at rest.

    python tests/bench/upload_cost.py [--gib 2] [--json]

The trainer has the first core for itself, as trainings have where nothing else is at work; streamer
and server share the last one. The streamer is killed five times while contents are on their way.
Both are stopped and let go on by turns, a third of a second each, and neighbouring turns are
compared: whatever else the machine does meanwhile, it does to both. Each step of a few milliseconds
writes the same bytes once by a bare `os.write`, whose own rise says what the disk and the caches do
to any write at that time, and calls `log()` once more at once, when all that it touches is at hand.
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
import json, os, signal, sys, time
from pathlib import Path
import numpy as np
from outrider import core
from outrider.streamer import spawn
from outrider.streamer.lock import holder_of

path, kills, server = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
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

def signalled(number, pids):
    for pid in pids:
        try: os.kill(pid, number)
        except OSError: pass

def seconds(pids):
    used = 0
    for pid in pids:
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                used += int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
        except OSError: pass
    return used / 1e9

def median(column): return sorted(column)[len(column) // 2]

def turn():
    taken, until = [], time.monotonic() + 0.33
    while time.monotonic() < until:
        for _ in range(4): matrix @ matrix
        first = clock()
        if len(taken) % 2: os.write(bare, line)
        else: core.log(values)
        second = clock()
        if len(taken) % 2: core.log(values)
        else: os.write(bare, line)
        third = clock()
        core.log(values)
        fourth = clock()
        one, other = second - first, third - second
        taken.append((*((one, other) if len(taken) % 2 else (other, one)), fourth - third))
    return [median(column) for column in zip(*taken)]

def arrived():
    parts = [file for file in Path("data").rglob("*") if "incoming" in file.parts]
    try: return max((file.stat().st_size for file in parts if file.is_file()), default=0)
    except OSError: return 0

pinned(os.getpid(), cores[0])
size, pairs, peak, killed, done = os.path.getsize(path), [], 0, 0, False
core.save(path)
began = time.monotonic()
while not done and time.monotonic() - began < 400:
    core.log(values)
    if not (pid := holder_of(run.folder)):
        time.sleep(0.05)
        continue
    pinned(pid, cores[-1])
    used = seconds([pid, server])
    going = turn()
    is_busy = seconds([pid, server]) - used > 0.1
    signalled(signal.SIGSTOP, [pid, server])
    time.sleep(0.02)
    held = turn()
    signalled(signal.SIGCONT, [pid, server])
    if is_busy: pairs.append((going, held))
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        peak = max(peak, int(status.split("VmHWM:")[1].split()[0]))
    except (OSError, IndexError): pass
    if killed < kills and arrived() > size * (killed + 1) / (kills + 2):
        os.kill(pid, signal.SIGKILL)
        killed += 1
        while spawn.is_running(run.folder): time.sleep(0.01)
        spawn.start(run.folder)
    told = "".join(file.read_text() for file in Path(run.folder).glob("uploads-*.jsonl"))
    done = f'"size":{size}' in told.replace(" ", "")
rises = [median([going[at] / held[at] for going, held in pairs]) for at in (0, 1, 2)]
print(json.dumps({"write": rises[0], "log": rises[1], "again": rises[2], "peak": peak / 1e3, "done": done,
                  "log_going": median([going[1] for going, held in pairs]),
                  "log_held": median([held[1] for going, held in pairs]),
                  "pairs": len(pairs), "killed": killed,
                  "seconds": time.monotonic() - began}), flush=True)
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
            [sys.executable, "-c", TRAINER, str(path), str(KILLS), str(running.process.pid)],
            cwd=home, env=there, capture_output=True, text=True, check=True,
        )  # fmt: skip
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        (stored,) = api.Client(running.url, token=running.token).run("bench/upload").files("save")
        if not found["done"] or stored.sha256 != wanted:
            raise RuntimeError(f"the file has not arrived: {found}")
        yield from _figures(found, size)


def _figures(found: dict[str, Any], size: int) -> Iterator[Figure]:
    name = f"log() of 10 while {size / CHUNK / 1024:.3g} GiB are sent"
    detail = f"median {found['log_going'] / 1e3:.1f} µs, {found['log_held'] / 1e3:.1f} at rest"
    detail += f"; a bare write rises to {found['write']:.2f}×; {found['pairs']} pairs of turns"
    yield Figure(f"{name}, ÷ while that rests", found["log"], "×", 1.1, detail)
    name = "the same called again at once, ÷ while that rests"
    yield Figure(name, found["again"], "×", 1.1, "what it touches lies in the core's own cache")
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
