"""Disks as they are: full and full again, cut and taken away, without descriptors, locks or inotify."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from faulty import Faulty, failing, gaps
from harness import Trainer, check, eventually, folder_of, send_all, stop, streamer_of
from streamer_ingest import Ingest
from test_nth_fault import QUICK, make

from outrider import api
from outrider.journal.reader import RunFolder, find_folders
from outrider.journal.record import Damaged, Record
from outrider.journal.writer import Clock, JournalWriter
from outrider.streamer import clock as streamer_clock
from outrider.streamer.loop import deliver
from outrider.transport import HttpTransport

if TYPE_CHECKING:
    from conftest import Server

pytestmark = pytest.mark.reliability

ALONE = """
import json, os, resource, signal, sys, time
import outrider.start, outrider.training
outrider.training.start_streamer = outrider.start.start_streamer = lambda folder, settings: False
from outrider import core
def rows(first, count):
    for row in range(first, first + count):
        run.log({"n": row}, step=row)
        time.sleep(0.002)  # so that the writer looks at its file now and then
"""

LIMITED = (
    ALONE
    + """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
run = core.init(project="p", dir=sys.argv[1], mode="offline")
def full(more):
    size = os.path.getsize(run._writer.path())
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + more, resource.RLIM_INFINITY))
def room():
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
rows(0, 20); full(333); rows(20, 20); room(); rows(40, 20)
full(77); rows(60, 20); room(); rows(80, 20)
run.finish()
"""
)

SMALL = """
set -e
mkdir -p "$1/small"
mount -t tmpfs -o size=256k,mode=700 none "$1/small"
"$2" -c "$3" "$1/small"
cp -a "$1/small/.outrider" "$1/copy"
"""

FILLED = (
    ALONE
    + """
run = core.init(project="p", dir=sys.argv[1], mode="offline")
filler = os.path.join(sys.argv[1], "filler")
def full():
    with open(filler, "ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                pass
rows(0, 20); full(); rows(20, 400); os.unlink(filler); rows(420, 20)
full(); rows(440, 400); os.unlink(filler); rows(840, 20)
run.finish()
"""
)


def alone(script: str, *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done


def kept(folder: RunFolder) -> tuple[list[int], int, int]:
    """The rows that are there, how many are counted as lost, and how many lines are damaged."""
    records = [record for *_, record in folder.records()]
    steps = [r.body["s"] for r in records if isinstance(r, Record) and r.kind == "points"]
    return steps, gaps(records), sum(isinstance(r, Damaged) for r in records)


def test_a_disk_that_is_full_twice_loses_only_what_it_cannot_take(tmp_path: Path) -> None:
    """Through log(): in between, and after it, everything is kept; each loss is counted."""
    alone(LIMITED, tmp_path)
    (folder,) = find_folders(tmp_path)
    steps, lost, damaged = kept(folder)
    assert {*range(20), *range(40, 60), *range(80, 100)} <= set(steps)
    assert steps == sorted(set(steps))
    assert lost + damaged == 100 - len(steps)
    assert 0 < lost < 40
    assert damaged <= 2


def test_a_small_file_system_that_is_full_twice(tmp_path: Path) -> None:
    """A tmpfs of 256 KiB, filled up by somebody else; freed, and filled again."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare (util-linux) is not installed")
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", SMALL, "sh", str(tmp_path), sys.executable, FILLED],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if done.returncode and ("unshare:" in done.stderr or "mount:" in done.stderr):
        pytest.skip(f"not permitted here: {done.stderr.strip()[:100]}")
    assert done.returncode == 0, done.stderr
    (folder,) = find_folders(tmp_path / "copy")
    steps, lost, damaged = kept(folder)
    assert {*range(20), *range(420, 440), *range(840, 860)} <= set(steps)
    assert steps == sorted(set(steps))
    assert lost + damaged == 860 - len(steps)
    assert lost > 0
    assert damaged <= 2


DELETED = (
    ALONE
    + """
import shutil
run = core.init(project="p", dir=sys.argv[1], mode="offline")
rows(0, 10); shutil.rmtree(os.path.join(sys.argv[1], ".outrider")); rows(10, 300)
run.config.update({"a": 1}); run.finish(); print("trained")
"""
)


def test_a_folder_that_is_deleted_stops_nothing_and_stays_deleted(tmp_path: Path) -> None:
    """It is said, once; nobody brings it back."""
    done = alone(DELETED, tmp_path)
    assert done.stdout.endswith("trained\n")
    assert done.stderr.count("the run's folder is gone") == 1
    assert not (tmp_path / ".outrider").exists()


def test_a_segment_that_is_cut_under_its_writer_is_left_for_a_new_one(tmp_path: Path) -> None:
    """What is logged later lies behind nothing that was sent before: all of it arrives."""
    folder = make(tmp_path)
    ingest = Ingest()
    http = HttpTransport(ingest.url)
    writer = JournalWriter(folder, "r1", writer="main")
    for step in range(100):
        assert writer.append({"s": step, "p": {"n": step}})
    assert deliver(folder, transport=http).delivered
    os.truncate(writer.path(), 700)
    writer.due = 0.0  # as it is a quarter of a second later
    for step in range(100, 200):
        assert writer.append({"s": step, "p": {"n": step}})
    assert writer.number == 2
    assert deliver(folder, transport=http).delivered
    assert ingest.points("r1", "n") == list(range(200))
    http.close()
    ingest.stop()
    os.close(writer.fd)


EXHAUSTED = (
    ALONE
    + """
mode, first = sys.argv[2], None
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
def exhaust():
    held = []
    try:
        while True:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        return held
if mode == "before":
    held = exhaust()
run = core.init(project="p", dir=sys.argv[1], mode="offline", settings={"segment_bytes": 4096})
if mode == "after":
    held = exhaust()
rows(0, 200)
for fd in held:
    os.close(fd)
rows(200, 200); run.finish(); print(run.disabled, "trained")
"""
)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_without_a_descriptor_left_trains_on(when: str, tmp_path: Path) -> None:
    """Where none was left to begin with, it is said that nothing is recorded; later, a segment that
    is full just grows until there is one again."""
    done = alone(EXHAUSTED, tmp_path, when)
    assert done.stdout.endswith("trained\n")
    if when == "before":
        assert "nothing is recorded" in done.stderr
        return
    (folder,) = find_folders(tmp_path)
    steps, lost, damaged = kept(folder)
    assert (steps, lost, damaged) == (list(range(400)), 0, 0)
    assert len(folder.segments(folder.writers()[0])) > 2


def test_an_overflow_of_inotify_is_no_loss(server: Server, train: Callable[..., Trainer]) -> None:
    """30,000 changes while the streamer is stopped; more than the kernel keeps for it."""
    trainer = train(server.url, pause=0.002, segment_bytes="4096")
    eventually(lambda: trainer.has_logged(20), "records")
    folder = RunFolder(folder_of(trainer.folder, str(trainer.notes.run)))
    pid = eventually(lambda: streamer_of(folder.path), "a streamer")
    stop(pid, signal.SIGSTOP)
    for number in range(15_000):
        path = os.path.join(folder.journal, f"other-{number}")
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        os.rename(path, path + "x")
        os.unlink(path + "x")
    before = len(trainer.notes.numbers)
    stop(pid, signal.SIGCONT)
    eventually(lambda: trainer.has_logged(before + 100), "more records")
    trainer.kill()
    send_all(trainer.folder, server.url)
    assert check(server.client, trainer.notes) > before


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    """A sound server."""
    made = Ingest()
    yield made
    made.stop()


def test_two_streamers_that_no_lock_keeps_apart_double_nothing(
    ingest: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network file system without locks, here or in the home: both send, at the same time."""

    def lockf(fd: int, how: int, *more: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", lockf)
    folder = make(tmp_path)
    writer = JournalWriter(folder, "r1", writer="main", segment_bytes=4000)
    done: list[bool] = []
    over = threading.Event()

    def carry() -> None:
        while not over.is_set() or not done:
            http = HttpTransport(ingest.url)
            deliver(folder, transport=http, clock=QUICK)
            http.close()
            if over.is_set():
                done.append(True)

    threads = [threading.Thread(target=carry) for _ in range(2)]
    for thread in threads:
        thread.start()
    for step in range(600):
        assert writer.append({"s": step, "p": {"n": step}})
        if step % 100 == 0:
            time.sleep(0.02)
    over.set()
    for thread in threads:
        thread.join(60)
    http = HttpTransport(ingest.url)
    assert deliver(folder, transport=http).delivered
    http.close()
    assert sorted(ingest.points("r1", "n")) == list(range(600))
    os.close(writer.fd)


class Wrong(Clock):
    """A clock that is wrong by so many seconds."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.base += by


CLOCKS = {"an hour fast": 3600.0, "an hour slow": -3600.0, "in 1970": -time.time() + 5.0}

WRONG = """
import json, os, sys, time
real, jump = time.time, [float(sys.argv[2])]
time.time = lambda: real() + jump[0]
import outrider.start, outrider.training
outrider.training.start_streamer = outrider.start.start_streamer = lambda folder, settings: False
from outrider import core
run = core.init(project="p", dir=sys.argv[1], mode="offline")
for row in range(60):
    if row % 20 == 19:
        jump[0] = -jump[0] / 2  # somebody sets the clock while it trains
    run.log({"n": row})
run.finish()
"""


@pytest.mark.parametrize("how", CLOCKS)
def test_a_wrong_clock_changes_no_order_and_loses_nothing(
    how: str, ingest: Ingest, tmp_path: Path
) -> None:
    """At the training, set again and again while it runs; at the streamer; at both."""
    alone(WRONG, tmp_path, CLOCKS[how])
    (folder,) = find_folders(tmp_path)
    points = api.open(folder.path).points("n")
    assert [int(value) for value in points.values] == list(range(60))
    assert list(points.times) == sorted(points.times)
    made = make(tmp_path / "other")
    writer = JournalWriter(made, "r1", writer="main", clock=Wrong(CLOCKS[how]))
    for step in range(60):
        assert writer.append({"s": step, "p": {"n": step}})
    wrong = streamer_clock.Clock(now=lambda: time.time() - CLOCKS[how], chance=lambda: -0.999)
    first = [True, True]

    def busy(handler: object, path: str, body: bytes) -> bool:
        if not first:
            return False
        first.pop()
        handler.error(503, Retry_After="Thu, 01 Jan 1970 00:00:00 GMT")  # type: ignore[attr-defined]
        return True

    ingest.fault = busy
    http = HttpTransport(ingest.url)
    assert deliver(made, transport=http, clock=wrong).delivered
    http.close()
    assert ingest.points("r1", "n") == list(range(60))
    os.close(writer.fd)


def test_a_disk_that_fails_for_ever_never_raises(tmp_path: Path) -> None:
    """Every call from some moment on: what was written before stays, log() goes on returning."""
    for at in (8, 12, 20, 30):
        folder = make(tmp_path / str(at))
        files = Faulty(failing(at, 1 << 30))
        writer = JournalWriter(folder, "r1", writer="main", segment_bytes=900, files=files)
        done = [writer.append({"s": step, "p": {"n": step}}) for step in range(50)]
        steps, _, damaged = kept(RunFolder(folder))
        assert steps == [step for step, is_kept in enumerate(done) if is_kept]
        assert not damaged
        assert writer.lost == done.count(False)
