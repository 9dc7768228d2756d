"""Appends records to one writer's journal: one ``os.write`` each, no lock, no buffer, no thread.

The descriptor number is taken once and never closed while the process lives. A roll puts the next
segment under the same number with ``dup2``, so that a thread that is inside ``os.write`` can never
write into a file that somebody else has just opened. A fork notices itself and becomes its own
writer, under the same number in its own table of descriptors.
"""

from __future__ import annotations

import _thread
import errno
import os
import time
import weakref
from collections.abc import Mapping
from itertools import count
from typing import Any

from outrider.folder import make_folder
from outrider.ids import new_writer_id
from outrider.journal.files import Files
from outrider.journal.line import FORMAT, MAX_RECORD, encode
from outrider.journal.segment import segment_name
from outrider.notice import say_once

SEGMENT_BYTES = 64 << 20
TEND_SECONDS = 0.25
"""How often, at most, a writer looks whether its file is still its own."""

_writers: weakref.WeakSet[JournalWriter] = weakref.WeakSet()


class Clock:
    """Wall time at start plus monotonic time since: a clock step never reorders records."""

    __slots__ = ("base",)

    def __init__(self) -> None:
        self.base = time.time() - time.monotonic()

    def now(self) -> float:
        """Unix seconds."""
        return self.base + time.monotonic()


def start_ticks(pid: int) -> int | None:
    """When a process started (field 22 of /proc/<pid>/stat, clock ticks since boot), or None."""
    try:
        return int(_small(f"/proc/{pid}/stat").rpartition(b")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return None


def boot_id() -> str | None:
    """The kernel's id of this boot, or None where it has none."""
    try:
        return _small("/proc/sys/kernel/random/boot_id").decode().strip()
    except OSError:
        return None


def _small(path: str) -> bytes:
    """A file of the kernel's, in a third of the system calls that a file object makes for it."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, 4096)
    finally:
        os.close(fd)


class AtHand:
    """What each ``log()`` touches, side by side: slots are laid out by name, so that among all the
    others of a writer these would be fetched from three places."""

    __slots__ = ("due", "fd", "room", "steps")

    due: float
    fd: int
    room: int
    steps: count[int]


class JournalWriter(AtHand):
    """One writer's journal in a run's folder; ``append`` never raises and never waits for long.

    ``lost`` counts the records that could not be written since the last gap record; the next
    write that succeeds is preceded by a gap record that says how many and why.
    """

    __slots__ = (
        "__weakref__", "_astray", "_guard", "_identity", "_torn", "attempt", "clock", "files", "folder",
        "lost", "number", "pid", "primary", "role", "run_id", "segment_bytes", "why", "writer",
    )  # fmt: skip

    def __init__(
        self,
        folder: str,
        run_id: str,
        *,
        attempt: int = 1,
        role: str = "trainer",
        primary: bool = False,
        writer: str | None = None,
        segment_bytes: int = SEGMENT_BYTES,
        clock: Clock | None = None,
        files: Files | None = None,
    ) -> None:
        self.folder = folder
        self.files = files or Files()
        self.run_id = run_id
        self.attempt = attempt
        self.role = role
        self.primary = primary
        self.writer = writer or new_writer_id()
        self.segment_bytes = segment_bytes
        self.clock = clock or Clock()
        self.pid = os.getpid()
        self.number = 1
        self.lost = 0
        self.why = ""
        self._torn = False
        self._guard = _thread.allocate_lock()
        fd = self._open(self.number)
        self.fd = self.files.lift(fd)
        self.due = 0.0
        _writers.add(self)

    def path(self, number: int | None = None) -> str:
        """Where a segment of this writer lies; the active one without a number."""
        name = segment_name(self.writer, self.number if number is None else number)
        return os.path.join(self.folder, "journal", name)

    def _open(self, number: int) -> int:
        """Open a new segment and write its head; raises ``OSError``."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = self.files.open(self.path(number), flags, 0o600)
        try:
            self.files.fchmod(fd, 0o600)
            head = encode(
                {
                    "t": self.clock.now(),
                    "k": "head",
                    "v": FORMAT,
                    "run": self.run_id,
                    "w": self.writer,
                    "n": number,
                    "a": self.attempt,
                    "host": os.uname().nodename,
                    "pid": self.pid,
                    "start": start_ticks(self.pid),
                    "boot": boot_id(),
                    "role": self.role,
                    "primary": self.primary,
                }
            )
            if self.files.write(fd, head) != len(head):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except BaseException:
            self.files.close(fd)
            self.files.unlink(self.path(number))
            raise
        self.room = self.segment_bytes - len(head)
        self._astray: int | None = None
        self._identity = self.files.identity(fd)
        return fd

    def append(self, record: Mapping[str, Any]) -> bool:
        """Write one record; False where it could not be kept (it is then counted in a gap).

        ``t`` is filled in where it is missing. Never raises for anything but a signal's exception.
        """
        try:
            line = encode(record if "t" in record else {"t": self.clock.now(), **record})
        except (TypeError, ValueError) as error:
            self._lose(f"not JSON: {error}")
            return False
        return self.write(line)

    def write(self, line: bytes) -> bool:
        """Write one encoded line, newline included, by a single ``os.write``."""
        if len(line) > MAX_RECORD:
            self._lose(f"a record of {len(line)} bytes is longer than 16 MiB")
            return False
        now = self.clock.now()
        if now > self.due:
            self.tend(now)
        if self._torn:
            line = b"\n" + line
        try:
            written = self.files.write(self.fd, line)
        except OSError as error:
            self.failed(error)
            return False
        return self.wrote(written, len(line))

    def wrote(self, written: int, wanted: int) -> bool:
        """Account for a write that returned: roll a full segment, mend a torn line, tell a gap.

        Returns whether the record was kept; one that lacks its newline only is whole.
        """
        if written != wanted:
            piece = written - self._torn  # without the line break that ends an earlier piece
            self._torn = True
            self.due = 0.0  # the fast path goes through here again before its next write
            if written == wanted - 1:  # whole, but a reader wants to see its end
                self._end_line()
                return True
            if piece <= 0:  # else a reader finds the piece, and counts it
                self._lose("disk full")
            return False
        self._torn = False
        self.room -= written
        if self.lost:
            self._tell_gap()
        if self.room < 0:
            self.roll()
        return True

    def _end_line(self) -> None:
        """Write the newline that a write had no room for; where there is none still, the next does."""
        try:
            self._torn = self.files.write(self.fd, b"\n") != 1
        except OSError:
            return

    def failed(self, error: OSError) -> None:
        """Account for a write that failed: the record is counted in the next gap."""
        self._lose(errno.errorcode.get(error.errno or 0, "OSError"))

    @property
    def is_torn(self) -> bool:
        """Whether the last write was cut short, so that the next must begin with a newline."""
        return self._torn

    def _lose(self, why: str) -> None:
        """Count a record that could not be kept; the next one takes the careful path."""
        self.lost += 1
        self.why = why
        self.due = 0.0

    def _tell_gap(self) -> None:
        lost, why = self.lost, self.why
        self.lost = 0
        line = encode({"t": self.clock.now(), "k": "gap", "n": lost, "why": why})
        try:
            written = self.files.write(self.fd, line)
        except OSError:
            self.lost += lost
            return
        self.room -= written
        if written != len(line):
            self._torn = True
            self.due = 0.0
            if written < len(line) - 1:
                self.lost += lost - (written > 0)  # whoever reads the piece counts one

    def roll(self) -> None:
        """Seal the active segment and go on in the next, under the same descriptor number.

        A thread that finds another one rolling just goes on: the guard is tried, never waited for.
        """
        if not self._guard.acquire(False):
            return
        try:
            if self.room >= 0:
                return
            self._replace(self.number + 1)
        except OSError as error:
            self.room = self.segment_bytes >> 6  # no room for a new file: go on here, try later
            self.why = self.why or errno.errorcode.get(error.errno or 0, "OSError")
        finally:
            self._guard.release()

    def _replace(self, number: int) -> None:
        """Go on in a new segment, under the same descriptor number if it is still ours."""
        mine = self._identity
        try:
            fd = self._open(number)
        except FileExistsError:  # an earlier try made it, failed, and could not take it away again
            number += 1
            fd = self._open(number)
        self.number = number
        self._torn = False
        if self.files.identity(self.fd) == mine:
            try:
                self.files.dup2(fd, self.fd, inheritable=False)
            finally:
                self.files.close(fd)
        else:  # the number is somebody else's by now: leave it alone and take another
            self.fd = self.files.lift(fd)

    def tend(self, now: float) -> None:
        """Look after the descriptor: after a fork, after somebody closed it, after the file went.

        Called by the log path at most every ``TEND_SECONDS``, and at once after a fork.
        """
        if not self._guard.acquire(False):
            return
        try:
            self.due = 0.0 if self._torn or self.lost else now + TEND_SECONDS
            if self.pid != os.getpid():
                self._become_own_writer()
            elif not self._is_ours():
                self._replace_lost_file()
        except OSError as error:
            self.why = errno.errorcode.get(error.errno or 0, "OSError")
            self.due = now + 1.0
        finally:
            self._guard.release()

    def _become_own_writer(self) -> None:
        self.pid = os.getpid()
        self.writer = new_writer_id()
        self.primary = False
        self.lost = 0
        self._torn = False
        self.number = 0  # its segments begin at 1, also where the first try to make one fails
        try:
            self._replace(1)
        except OSError:
            # Not into the parent's segment, and not to nowhere in silence: a write that fails is
            # counted, and told by the first that succeeds.
            self.fd = -1
            raise

    def _is_ours(self) -> bool:
        written = self.segment_bytes - self.room  # before the look: other threads go on meanwhile
        try:
            there = self.files.fstat(self.fd)
        except OSError:
            return False
        # Shorter than what we wrote: somebody cut it. The streamer goes on behind what was sent, so
        # that lines at places that were sent before would never be looked at.
        missing = written - there.st_size
        if self._astray is None:  # behind a roll, threads count here what they wrote in the old one
            self._astray = max(0, missing)
        is_whole = missing <= self._astray
        return (there.st_dev, there.st_ino) == self._identity and there.st_nlink > 0 and is_whole

    def _replace_lost_file(self) -> None:
        """The segment was deleted or cut, or the descriptor closed: go on in a new segment."""
        if not os.path.isdir(self.folder):
            self.why = "the run's folder is gone"  # deleted on purpose: do not bring it back
            say_once(self.folder, f"the run's folder is gone, nothing is recorded: {self.folder}")
            return
        make_folder(os.path.join(self.folder, "journal"))
        self._replace(self.number + 1)

    def position(self) -> tuple[str, int, int]:
        """(writer, segment, byte offset) just behind everything that was written so far."""
        try:
            size = self.files.fstat(self.fd).st_size
        except OSError:
            size = 0
        return self.writer, self.number, size


def _after_fork_in_child() -> None:
    for writer in list(_writers):
        writer._guard = _thread.allocate_lock()
        writer.due = 0.0


os.register_at_fork(after_in_child=_after_fork_in_child)
