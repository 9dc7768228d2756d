"""A fault at the n-th call, for every n: of the disk under the writer, and of the way to the server."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from faulty import Act, Faulty, Ticking, failing, gaps, short
from harness import LONG
from inside import Inside, Line

from outrider.folder import make_run_folder, write_meta
from outrider.journal.reader import RunFolder
from outrider.journal.record import Damaged, Record
from outrider.journal.writer import JournalWriter
from outrider.streamer.clock import Clock
from outrider.streamer.loop import deliver
from outrider.transport import Answer

pytestmark = pytest.mark.reliability

ROWS = 24
QUICK = Clock(chance=lambda: -0.999)  # hardly any pause between two tries
ERRORS = (errno.EIO, errno.ENOSPC, errno.EMFILE, errno.EROFS, errno.EDQUOT, errno.ESTALE)


def make(place: Path) -> str:
    folder, _ = make_run_folder(str(place / ".outrider"), "r1", shared_id=False)
    meta = {"format": 1, "id": "r1", "project": "p", "name": "n", "mode": "online", "attempt": 1}
    write_meta(folder, {**meta, "server": Inside.url, "writer": "main", "created": 1763860000.0})
    return folder


def log(folder: str, act: Act, rows: int = ROWS) -> tuple[Faulty, list[bool] | None]:
    """Log rows through several rolls; which were kept, or None where no journal could be begun."""
    files = Faulty(act)
    try:
        writer = JournalWriter(
            folder, "r1", writer="main", segment_bytes=900, clock=Ticking(), files=files
        )
    except OSError:
        return files, None
    kept = [writer.append({"s": step, "p": {"n": step}}) for step in range(rows)]
    os.close(writer.fd)
    return files, kept


def check(folder: str, kept: list[bool] | None, what: object) -> None:
    """All that was kept is there in its order, and all that was not is counted."""
    records = [record for *_, record in RunFolder(folder).records()]
    steps = [r.body["s"] for r in records if isinstance(r, Record) and r.kind == "points"]
    if kept is None:
        assert steps == [], what
        return
    assert steps == [step for step, is_kept in enumerate(kept) if is_kept], what
    damaged = sum(isinstance(record, Damaged) for record in records)
    assert damaged <= 1, what
    if kept[-1]:  # a gap is told by the next write that succeeds
        assert gaps(records) + damaged == kept.count(False), what


def acts(calls: list[str]) -> Iterator[tuple[str, Act]]:
    """Every fault that is tried on a scenario of these calls."""
    for at in range(1, len(calls) + 1):
        for number in ERRORS if LONG else ERRORS[:2]:
            yield f"{calls[at - 1]} {at}: {errno.errorcode[number]}", failing(at, 1, number)
        for count in (2, 5, 1000):
            yield f"{calls[at - 1]} {at}: {count} failures", failing(at, count)
        if calls[at - 1] == "write":
            for take in range(40) if LONG else (0, 13, 26, 38, 39):  # 38: all but the newline
                yield f"write {at}: takes {take} bytes", short(at, take)


def test_whatever_call_of_the_disk_fails_what_could_be_kept_is_kept(tmp_path: Path) -> None:
    """And the rest is counted: one failure, several in a row, for ever, and writes cut short."""
    files, kept = log(make(tmp_path / "whole"), lambda name, number: None)
    assert kept == [True] * ROWS
    assert {"open", "write", "fchmod", "fstat", "dup2", "close"} <= set(files.calls)
    assert len(files.calls) > 40
    for number, (what, act) in enumerate(acts(files.calls)):
        folder = make(tmp_path / str(number))
        _, kept = log(folder, act)
        check(folder, kept, what)


def test_whatever_call_fails_in_a_forked_child_nothing_is_lost_in_silence(tmp_path: Path) -> None:
    """Where it can have no file of its own, its records are counted, not written to nowhere."""
    calls = fork(make(tmp_path / "whole"), lambda name, number: None, tmp_path / "whole.json")[0]
    assert "open" in calls
    for at in range(1, len(calls) + 1):
        for count in (1, 3, 1000):
            folder = make(tmp_path / f"{at}-{count}")
            _, kept = fork(
                folder, failing(at, count, errno.EMFILE), tmp_path / f"{at}-{count}.json"
            )
            found = RunFolder(folder)
            records = [r for w, *_, r in found.records() if w != "main"]
            steps = [r.body["s"] for r in records if isinstance(r, Record) and r.kind == "points"]
            what = f"call {at} ({calls[at - 1]}), {count} failures"
            assert steps == [step for step, is_kept in enumerate(kept) if is_kept], what
            if kept[-1]:
                assert gaps(records) == kept.count(False), what
            of_parent = [
                r.body["s"] for w, *_, r in found.records() if w == "main" and r.kind == "points"
            ]
            assert of_parent == [100], what
            for writer in found.writers():  # a hole in the numbers would be told as a loss
                assert found.segments(writer)[0] == 1, what


def fork(folder: str, act: Act, told: Path) -> tuple[list[str], list[bool]]:
    """Log in a forked child whose disk fails; its calls and what it kept."""
    files = Faulty()
    writer = JournalWriter(folder, "r1", writer="main", clock=Ticking(), files=files)
    assert writer.append({"s": 100, "p": {"n": 100}})
    child = os.fork()
    if child == 0:
        try:
            files.calls.clear()
            files.act = act
            kept = [writer.append({"s": step, "p": {"n": step}}) for step in range(12)]
            told.write_text(json.dumps([files.calls, kept]))
        except BaseException as error:
            told.write_text(f"{type(error).__name__}: {error}")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    os.close(writer.fd)
    calls, kept = json.loads(told.read_text())
    return calls, kept


FAULTS: dict[str, Callable[[int], Any]] = {
    "lost": lambda at: "lost",
    "silent": lambda at: "silent",
    "500": lambda at: Answer(500, {"outrider-server": "x"}, b"{}"),
    "503": lambda at: Answer(503, {"outrider-server": "x", "retry-after": "0"}, b"{}"),
    "garbage": lambda at: Answer(200, {"outrider-server": "x"}, b"\x00<html>"),
    "404": lambda at: Answer(404, {"outrider-server": "x"}, b"{}"),
    "413": lambda at: Answer(413, {"outrider-server": "x"}, b"{}"),
    "409": lambda at: Answer(409, {"outrider-server": "x"}, b'{"offset":0}'),
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Inside]:
    """The real server's application and store."""
    made = Inside(tmp_path / "server")
    yield made
    made.close()


def test_whatever_request_fails_everything_arrives_once(server: Inside, tmp_path: Path) -> None:
    """The n-th request is lost, its reply is, or it is answered wrongly, for every n and fault."""
    folder = make(tmp_path / "whole")
    log(folder, lambda name, number: None, 60)
    whole = Line(server)
    assert deliver(folder, transport=whole, clock=QUICK).delivered
    assert whole.asked >= 5
    assert server.points("p", "r1", "n") == list(range(60))
    for name, fault in FAULTS.items():
        for first in range(1, whole.asked + 1):
            for count in (1, 2, 3) if LONG else (1,):
                folder = make(tmp_path / f"{name}-{first}-{count}")
                log(folder, lambda name, number: None, 60)
                assert server.store.delete_run("p", "r1")
                line = Line(
                    server,
                    lambda at, f=first, c=count, w=fault: w(at) if f <= at < f + c else None,
                )
                outcome = deliver(folder, transport=line, clock=QUICK, patience=30)
                assert outcome.delivered, (name, first, outcome)
                if name != "413":  # a batch that our own server calls too long is a counted gap
                    assert server.points("p", "r1", "n") == list(range(60)), (name, first)
