"""Threads and forks that log at once: no deadlock, and every record once, under a writer of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from harness import KILLS, LONG

from outrider.journal.reader import RunFolder, find_folders
from outrider.journal.record import Record

pytestmark = [pytest.mark.reliability, pytest.mark.timeout(180 + KILLS)]

# No streamer: what is looked at is the training process. `outcome` is what a log() returned from.
BEGIN = """
import json, os, sys, threading
import outrider.start, outrider.training
outrider.training.start_streamer = outrider.start.start_streamer = lambda folder, settings: False
from outrider import core
sys.setswitchinterval(1e-5)
run = core.init(project="forks", dir=sys.argv[1], mode="offline", settings={"segment_bytes": 16384})
"""

TREE = (
    BEGIN
    + """
def work(process, rows):
    def log(thread):
        for row in range(rows):
            run.log({"n": (process * 16 + thread) * 10_000 + row})
    threads = [threading.Thread(target=log, args=(thread,)) for thread in range(16)]
    for one in threads:
        one.start()
    return threads

rows, children = int(sys.argv[2]), []
threads = work(0, rows)
for process in range(1, 9):  # while sixteen threads are at it
    child = os.fork()
    if child == 0:
        for one in work(process, rows):
            one.join()
        os._exit(0)
    children.append(child)
for one in threads:
    one.join()
print(json.dumps([os.waitpid(child, 0)[1] for child in children]))
"""
)

LOADERS = (
    BEGIN
    + """
over, counts = threading.Event(), [0] * 4
def log(thread):
    while not over.is_set():
        run.log({"n": thread * 10_000_000 + counts[thread]})
        counts[thread] += 1
        over.wait(0.0005)  # a training step; else the children get no processor
threads = [threading.Thread(target=log, args=(thread,)) for thread in range(4)]
for one in threads:
    one.start()
ends = []
for batch in range(int(sys.argv[2]) // 4):
    children = []
    for worker in range(4):
        child = os.fork()
        if child == 0:
            first = 50_000_000 + (batch * 4 + worker) * 100
            for row in range(5):
                run.log({"n": first + row})
            print(f"worker {worker} of {batch}", file=sys.stderr)
            os._exit(0)
        children.append(child)
    ends += [os.waitpid(child, 0)[1] for child in children]
over.set()
for one in threads:
    one.join()
print(json.dumps([ends, counts]))
"""
)


def logged(folder: RunFolder) -> Counter[int]:
    """Every value that is in the journal; no line may be damaged."""
    found: Counter[int] = Counter()
    for *_, record in folder.records():
        assert isinstance(record, Record)
        if record.kind == "points":
            found[int(record.body["p"]["n"])] += 1
    return found


def run(script: str, folder: Path, count: int) -> object:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(folder), str(count)],
        capture_output=True, text=True, timeout=150 + KILLS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_sixteen_threads_in_each_of_nine_forked_processes_lose_nothing(tmp_path: Path) -> None:
    """The forks happen while all threads of the parent are inside log(), also inside a roll."""
    rows = 200 if LONG else 25
    assert run(TREE, tmp_path, rows) == [0] * 8
    (folder,) = find_folders(tmp_path)
    assert len(folder.writers()) == 9
    expected = {worker * 10_000 + row for worker in range(9 * 16) for row in range(rows)}
    assert logged(folder) == Counter(expected)


def test_forks_like_those_of_a_data_loader_never_hang(tmp_path: Path) -> None:
    """200 in the long form, each while four threads of the parent log."""
    forks = 200 if LONG else 24
    told = run(LOADERS, tmp_path, forks)
    assert isinstance(told, list)
    ends, counts = told
    assert ends == [0] * forks
    (folder,) = find_folders(tmp_path)
    expected = {50_000_000 + fork * 100 + row for fork in range(forks) for row in range(5)}
    for thread, count in enumerate(counts):
        expected |= set(range(thread * 10_000_000, thread * 10_000_000 + count))
    assert logged(folder) == Counter(expected)
