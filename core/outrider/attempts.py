"""Joining and resuming: is a run still being written, where does it go on, who begins the attempt.

Plain looks at a run's folder; nothing here waits but ``await_writer``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from outrider.errors import JournalError
from outrider.journal.record import Damaged, decode
from outrider.journal.writer import boot_id, start_ticks

if TYPE_CHECKING:
    from outrider.journal.reader import RunFolder

JOIN_SECONDS = 300.0
"""On another machine a writer's process cannot be seen: for so long after an attempt began, a
process that calls ``init`` with its id is taken for one of its ranks, later for a new attempt."""

RUN_DIR = "OUTRIDER_RUN_DIR"
"""What ``outrider run`` tells the command and its children: the folder of their run."""

RUN_ID = "OUTRIDER_RUN_ID"
"""The same for the run's id, which a program in another language writes into its head."""

_FIRST_LOOK = 1 << 16

_joined_in = 0


def given_folder(run_id: str | None) -> RunFolder | None:
    """The run that this process was started for, if ``outrider run`` started it and the script does
    not name another. Only the first ``init()`` of a process joins it; later runs are its own."""
    global _joined_in
    path = os.environ.get(RUN_DIR)
    if not path or _joined_in == os.getpid():
        return None
    from outrider.journal.reader import RunFolder

    folder = RunFolder(path)
    try:
        meta = folder.meta()
    except (JournalError, OSError):
        return None
    if run_id is not None and run_id != meta.get("id"):
        return None
    _joined_in = os.getpid()
    return folder


def is_being_written(folder: RunFolder, meta: Mapping[str, Any]) -> bool:
    """Whether a training process of the present attempt lives, as far as can be seen from here."""
    creator = {**meta, "start": meta.get("start_ticks"), "boot": meta.get("boot_id")}
    creator["t"] = meta.get("created")
    heads = [(str(meta.get("writer")), creator)] if meta.get("attempt", 1) == 1 else []
    for writer in folder.writers():
        head = folder.head(writer)
        if head and head.get("role") == "trainer" and head.get("a") == meta.get("attempt", 1):
            heads.append((writer, head))
    if meta.get("writer") not in [writer for writer, _ in heads]:
        heads.append((str(meta.get("writer")), creator))  # it has not written its first line yet
    return any(_is_alive(head) and last_of(folder, writer, "end") is None for writer, head in heads)


def _is_alive(head: Mapping[str, Any]) -> bool:
    pid = head.get("pid")
    if head.get("host") != os.uname().nodename:
        began = head.get("t")
        return isinstance(began, (int, float)) and abs(time.time() - began) < JOIN_SECONDS
    if head.get("boot") != boot_id() or not isinstance(pid, int):
        return False
    ticks = start_ticks(pid)
    return ticks is not None and ticks == head.get("start")


def await_writer(folder: RunFolder, seconds: float) -> dict[str, Any]:
    """run.json, as soon as the process that asks the server about this run knows its attempt."""
    until = time.monotonic() + seconds
    while True:
        meta = folder.meta()
        if meta.get("writer") is not None or time.monotonic() > until or not _asks(meta):
            return meta
        time.sleep(0.02)


def _asks(meta: Mapping[str, Any]) -> bool:
    return _is_alive({**meta, "start": meta.get("start_ticks"), "boot": meta.get("boot_id")})


def claim(folder: str, attempt: int) -> bool:
    """Begin an attempt; False where another process has begun it."""
    path = os.path.join(folder, f"attempt-{attempt}.claim")
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return False
    return True


def await_attempt(folder: RunFolder, attempt: int, seconds: float) -> dict[str, Any] | None:
    """run.json of an attempt that another process has just begun, or None if it never comes."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        meta = folder.meta()
        if int(meta.get("attempt", 1)) >= attempt:
            return meta
        time.sleep(0.01)
    return None


def described(folder: RunFolder) -> dict[str, Any]:
    """What run.json says; where it was damaged (a power loss), what the journal's heads say."""
    try:
        return folder.meta()
    except JournalError:
        heads = [(w, head) for w in folder.writers() if (head := folder.head(w))]
        primary = [(int(h.get("a", 1)), w) for w, h in heads if h.get("primary")]
        attempt, writer = max(primary, default=(1, "unknown"))
        run_id = next((h.get("run") for _, h in heads), None)
        return {"id": run_id, "attempt": attempt, "writer": writer}


def next_step(folder: RunFolder) -> int:
    """The step behind everything that the newest attempt with any points has logged."""
    attempts: dict[int, list[str]] = {}
    for writer in folder.writers():
        head = folder.head(writer)
        if head and head.get("role") == "trainer" and isinstance(head.get("a"), int):
            attempts.setdefault(head["a"], []).append(writer)
    for attempt in sorted(attempts, reverse=True):
        points = [last_of(folder, writer, "points", whole=True) for writer in attempts[attempt]]
        steps = [int(point["s"]) for point in points if point is not None]
        if steps:
            return max(steps) + 1
        for writer in attempts[attempt]:
            begun = last_of(folder, writer, "attempt", whole=True)
            if begun is not None and isinstance(begun.get("rewind"), int):
                return int(begun["rewind"]) + 1
    return 0


def last_of(
    folder: RunFolder, writer: str, kind: str, *, whole: bool = False
) -> dict[str, Any] | None:
    """The newest record of a kind of a writer: in its last 64 KiB, or with ``whole`` anywhere."""
    for number in reversed(folder.segments(writer)):
        size = folder.size(writer, number)
        look = _FIRST_LOOK
        while True:
            start = max(0, size - look)
            found = _last_in(folder.segment_path(writer, number), start, kind)
            if found is not None or not whole:
                return found
            if start == 0:
                break
            look *= 8
    return None


def _last_in(path: str, start: int, kind: str) -> dict[str, Any] | None:
    try:
        with open(path, "rb") as file:
            file.seek(start)
            found = file.read().split(b"\n")
    except OSError:
        return None
    for line in reversed(found[1:] if start else found):
        if line:
            try:
                record = decode(line)
            except Damaged:
                continue
            if record.kind == kind:
                return record.body
    return None


def await_word(path: str, seconds: float) -> dict[str, Any] | None:
    """The server's word on a run that is resumed, as soon as the streamer's file with it is there."""
    import orjson

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with open(path, "rb") as file:
                found = orjson.loads(file.read())
            return found if isinstance(found, dict) else None
        except FileNotFoundError:
            time.sleep(0.01)
        except (OSError, orjson.JSONDecodeError):
            return None
    return None
