"""Threads that log through a hundred rolls while other threads open, write and close files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from outrider import api
from outrider.journal.reader import find_folders

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.reliability

THREADS, EACH, OPENERS, ROLLS = 4, 8000, 4, 100

SCRIPT = f"""
import json, os, sys, threading
from outrider import core

folder = sys.argv[1]
sys.setswitchinterval(1e-5)
run = core.init(project="threads", dir=folder, mode="offline", settings={{"segment_bytes": 4096}})
over = threading.Event()

def log(name):
    number = 0  # threads race through a roll, so that a segment takes more than it should
    while number < {EACH} or run._writer.number <= {ROLLS}:
        run.log({{f"t{{name}}": number}}, step=number)
        number += 1
    logged[name] = number

def touch(name):
    number = 0
    while not over.is_set():
        path = os.path.join(folder, f"foreign-{{name}}-{{number}}")
        text = f"{{name}} {{number}}".encode()
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(fd, text)
        os.lseek(fd, 0, os.SEEK_SET)
        found = os.read(fd, 4096)
        os.close(fd)
        with open(path, "ab") as file:
            file.write(b"!")
        with open(path, "rb") as file:
            found_again = file.read()
        if found != text or found_again != text + b"!":
            print("touched:", path, found, found_again, flush=True)
        os.unlink(path)
        number += 1
    counts.append(number)

counts, logged = [], {{}}
loggers = [threading.Thread(target=log, args=(name,)) for name in range({THREADS})]
openers = [threading.Thread(target=touch, args=(name,)) for name in range({OPENERS})]
for thread in (*openers, *loggers):
    thread.start()
for thread in loggers:
    thread.join()
over.set()
for thread in openers:
    thread.join()
run.finish()
print(json.dumps({{"files": sum(counts), "logged": [logged[name] for name in range({THREADS})]}}))
"""


def test_rolls_under_threads_lose_nothing_and_touch_no_foreign_file(tmp_path: Path) -> None:
    """Every record is there once, and no line of ours is in a file that somebody just opened."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "touched:" not in done.stdout
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["files"] > 100
    (folder,) = find_folders(tmp_path)
    assert max(len(folder.segments(writer)) for writer in folder.writers()) > ROLLS
    run = api.open(folder.path)
    for name, count in enumerate(told["logged"]):
        stored = Counter(int(value) for value in run.points(f"t{name}").values)
        assert stored == Counter(range(count))
    assert run.gaps == 0
