"""What stands in the place of the disk: it fails when told to, or remembers all that was done to it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from typing import Any

from outrider.journal.files import Files
from outrider.journal.writer import Clock

Act = Callable[[str, int], "int | None"]
"""Is given a call's name and number; raises, or returns how many bytes a write may take."""


class Ticking(Clock):
    """A clock that goes on a tenth of a second whenever it is looked at: the same in every run."""

    __slots__ = ("at",)

    def __init__(self) -> None:
        super().__init__()
        self.at = 0.0

    def now(self) -> float:
        self.at += 0.1
        return 1_763_860_000.0 + self.at


class Faulty(Files):
    """The disk, which does what ``act`` says at each call."""

    def __init__(self, act: Act = lambda name, number: None) -> None:
        self.calls: list[str] = []
        self.act = act

    def _count(self, name: str) -> int | None:
        self.calls.append(name)
        return self.act(name, len(self.calls))

    def open(self, path: str, flags: int, mode: int) -> int:  # type: ignore[override]
        self._count("open")
        return os.open(path, flags, mode)

    def write(self, fd: int, data: bytes) -> int:  # type: ignore[override]
        room = self._count("write")
        return os.write(fd, data if room is None else data[:room])

    def fstat(self, fd: int) -> os.stat_result:  # type: ignore[override]
        self._count("fstat")
        return os.fstat(fd)

    def fchmod(self, fd: int, mode: int) -> None:  # type: ignore[override]
        self._count("fchmod")
        os.fchmod(fd, mode)

    def close(self, fd: int) -> None:  # type: ignore[override]
        self._count("close")
        os.close(fd)

    def unlink(self, path: str) -> None:  # type: ignore[override]
        self._count("unlink")
        os.unlink(path)

    def dup2(self, fd: int, fd2: int, inheritable: bool = True) -> int:  # type: ignore[override]
        self._count("dup2")
        return os.dup2(fd, fd2, inheritable)


def failing(first: int, count: int, number: int = errno.EIO) -> Act:
    """Calls ``first`` to ``first + count - 1`` fail with an error."""

    def act(name: str, at: int) -> int | None:
        if first <= at < first + count:
            raise OSError(number, os.strerror(number))
        return None

    return act


def short(first: int, take: int) -> Act:
    """Call ``first``, where it writes, takes ``take`` bytes only, as the last room of a disk does."""
    return lambda name, at: take if at == first and name == "write" else None


class Recorded(Faulty):
    """The disk, and a list of all that was done to it.

    A step is ("make", path, b""), ("write", path, data), ("remove", path, b""), ("mode", path, b"")
    or, noted by the test itself, anything else.
    """

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[tuple[str, str, bytes]] = []
        self._paths: dict[int, str] = {}

    def note(self, what: str, path: str = "", data: bytes = b"") -> None:
        self.steps.append((what, path, data))

    def open(self, path: str, flags: int, mode: int) -> int:  # type: ignore[override]
        fd = super().open(path, flags, mode)
        self._paths[fd] = path
        self.note("make", path)
        return fd

    def write(self, fd: int, data: bytes) -> int:  # type: ignore[override]
        written = super().write(fd, data)
        self.note("write", self._paths[fd], data[:written])
        return written

    def fchmod(self, fd: int, mode: int) -> None:  # type: ignore[override]
        super().fchmod(fd, mode)
        self.note("mode", self._paths[fd])

    def unlink(self, path: str) -> None:  # type: ignore[override]
        super().unlink(path)
        self.note("remove", path)

    def dup2(self, fd: int, fd2: int, inheritable: bool = True) -> int:  # type: ignore[override]
        self._paths[fd2] = self._paths[fd]
        return super().dup2(fd, fd2, inheritable)

    def lift(self, fd: int) -> int:
        lifted = super().lift(fd)
        self._paths[lifted] = self._paths[fd]
        return lifted


def states(steps: list[tuple[str, str, bytes]]) -> Iterator[tuple[int, dict[str, bytes]]]:
    """What lies on the disk after each number of steps, from none to all."""
    files: dict[str, bytes] = {}
    yield 0, {}
    for number, (what, path, data) in enumerate(steps, 1):
        if what == "make":
            files[path] = b""
        elif what == "write":
            files[path] += data
        elif what == "remove":
            del files[path]
        yield number, dict(files)


def gaps(records: Any) -> int:
    """How many records the gap records of a journal say are lost."""
    return sum(record.body["n"] for record in records if getattr(record, "kind", "") == "gap")
