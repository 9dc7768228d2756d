"""Answers ``save`` records: takes a consistent copy of each named file, or says why there is none."""

from __future__ import annotations

import base64
import contextlib
import os
import stat
import threading
import time
from typing import TYPE_CHECKING, Any

from outrider import contents
from outrider.contents import Identity, Stored
from outrider.ids import host_label

if TYPE_CHECKING:
    from outrider.journal.record import Record
    from outrider.streamer.errands import ErrandContext

TRIES = 6
"""How often a file that changes while it is copied is copied again before it is marked."""

SETTLED_NS = 40_000_000
"""How long a file must have been as it is: the clock of its times ticks every 1 to 10 ms."""

FIRST_PAUSE = 0.1
"""Seconds before the second copy; doubled before each further one."""

MIXED = f"it was written to during each of {TRIES} copies: old and new content may be mixed"
LATER = "it changed after save() and before it could be copied: this is the later content"


def keep(record: Record, context: ErrandContext) -> None:
    """Keep the file that a ``save`` record names: now, or as its policy says."""
    body = record.body
    if context.files.has_source(context.source):
        _clear(body, context)
        return
    if body.get("policy") in ("live", "end"):
        context.hold(record)
        if body["policy"] == "end":
            return
    _keep(body, context, first=True)


def follow(record: Record, context: ErrandContext, *, is_last: bool) -> None:
    """Come back to a file that is saved ``live`` (at its changes) or at the run's ``end``."""
    if record.body.get("policy") == "live" or is_last:
        _keep(record.body, context, first=record.body.get("policy") == "end")


def _keep(body: dict[str, Any], context: ErrandContext, *, first: bool) -> None:
    files = context.files
    path = str(body.get("path"))
    meta = body.get("m") if isinstance(body.get("m"), dict) else None
    spool = body.get("spool")
    if first and isinstance(spool, str) and _is_plain(files.spool(spool)):
        files.add(
            files.spool(spool),
            path=path,
            role="save",
            spool=spool,
            meta=meta,
            upload=_may_leave(path, context),
            source=context.source,
        )
        return
    held = _held(body, context) if first else None
    source = held or _source_of(body)
    try:
        taken = _take(source, files.make_spool())
    except OSError as error:
        gone = isinstance(error, (FileNotFoundError, NotADirectoryError))
        if first or not gone:  # a live file that is taken away stays as it was last seen
            _say_missing(context, path, meta, error, gone=gone)
        return
    stored, local, identity, is_mixed = taken
    if not first and stored.sha256 == files.latest(path):
        os.unlink(local)
        return
    asked = body.get("at")
    is_later = first and body.get("policy") == "now" and _differs(identity, asked)
    why = MIXED if is_mixed else LATER if is_later else None
    files.add(
        local,
        path=path,
        role="save",
        meta=meta,
        upload=_may_leave(path, context),
        state="changed" if why else "ok",
        why=why,
        known=stored,
        source=context.source,
    )
    _clear(body, context)


def _may_leave(path: str, context: ErrandContext) -> bool:
    """Whether a file may leave this machine: not where the setting ``ignore_globs`` names it."""
    from outrider.capture.ignoring import is_ignored

    settings = context.meta.get("settings")
    globs = settings.get("ignore_globs") if isinstance(settings, dict) else None
    return not is_ignored(path, [str(glob) for glob in globs or ()])


def _say_missing(
    context: ErrandContext, path: str, meta: dict[str, Any] | None, error: OSError, *, gone: bool
) -> None:
    why = error.strerror or str(error)
    state = "vanished" if gone else "unreadable"
    context.files.tell(
        path=path, role="save", state=state, why=why, meta=meta, source=context.source
    )


def _take(source: str, spool: str) -> tuple[Stored, str, Identity, bool]:
    """A copy in the spool of one state of a file: its content, place, identity, and whether
    it kept changing so that the copy may hold two states. Raises ``OSError``."""
    pause = FIRST_PAUSE
    local = os.path.join(spool, f"copy-{host_label()}-{os.getpid()}-{threading.get_ident()}")
    for left in reversed(range(TRIES)):
        stored, before, is_whole = copy_once(source, local)
        if is_whole or not left:
            return stored, local, before, not is_whole
        threading.Event().wait(pause)
        pause *= 2
    raise AssertionError


def copy_once(source: str, local: str) -> tuple[Stored, Identity, bool]:
    """Copy a file once: its content, its identity before, and whether that was the same
    afterwards, of the open file and of the name. Raises ``OSError``."""
    fd = open_plain(source)
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        target = os.open(local, flags, 0o600)
        try:
            before, is_settled = _settled(fd)
            if contents.clone(fd, target):  # one state, whatever is written meanwhile
                return contents.digest_of(target), before, True
            stored = contents.copy(fd, target)
            after = Identity.of(os.fstat(fd))
        finally:
            os.close(target)
    finally:
        os.close(fd)
    named = _identity(source)
    is_same = before == after and stored.size == before.size and named in (None, before)
    return stored, before, is_same and is_settled


def _settled(fd: int) -> tuple[Identity, bool]:
    """A file's identity, and whether that is some ticks of the kernel's clock older than now: else
    a write that is still to come in the same tick would leave every time as it was."""
    if time.time_ns() - os.fstat(fd).st_ctime_ns < SETTLED_NS:
        time.sleep(1.5 * SETTLED_NS / 1e9)
    status = os.fstat(fd)
    return Identity.of(status), time.time_ns() - status.st_ctime_ns >= SETTLED_NS


def open_plain(path: str) -> int:
    """Open a file to read; one that is no plain file is refused and never waited for."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(22, "not a plain file")
    return fd


def _identity(path: str) -> Identity | None:
    try:
        return Identity.of(os.stat(path))
    except OSError:
        return None


def _differs(identity: Identity, asked: object) -> bool:
    """Whether a file is not any more what it was in ``save()``: size, time and inode."""
    return isinstance(asked, list) and asked != [identity.size, identity.mtime_ns, identity.inode]


def _source_of(body: dict[str, Any]) -> str:
    """The file's absolute path; one that is not UTF-8 is told in base64."""
    raw = body.get("sourcex")
    if isinstance(raw, str):
        return os.fsdecode(base64.b64decode(raw))
    return str(body.get("source"))


def _held(body: dict[str, Any], context: ErrandContext) -> str | None:
    """The second name of the file that ``save()`` gave it in the spool, or None."""
    name = body.get("held")
    path = context.files.spool(name) if isinstance(name, str) else None
    return path if path is not None and _is_plain(path) else None


def _is_plain(path: str) -> bool:
    """Whether a file of the spool is there; a symbolic link was planted and leads out of the folder."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def sweep(spool: str) -> None:
    """Clear what trainers and streamers of this host left in the spool when they were killed; to be
    called when all are gone and all their records are answered."""
    ours = (f"save-{host_label()}-", f"copy-{host_label()}-")
    with contextlib.suppress(OSError):
        for name in os.listdir(spool):
            if name.startswith(ours):
                os.unlink(os.path.join(spool, name))


def clear_copies(spool: str) -> None:
    """Clear what other streamers of this host were copying; to be called by the one that holds the
    run, when the others are gone."""
    copies, own = f"copy-{host_label()}-", f"copy-{host_label()}-{os.getpid()}-"
    with contextlib.suppress(OSError):
        for name in os.listdir(spool):
            if name.startswith(copies) and not name.startswith(own):
                os.unlink(os.path.join(spool, name))


def _clear(body: dict[str, Any], context: ErrandContext) -> None:
    for key in ("spool", "held"):
        name = body.get(key)
        if isinstance(name, str):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(context.files.spool(name))
