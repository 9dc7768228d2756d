"""Tells a data set by one text: the SHA-256 of a file, or of a folder's names and contents.

A file's is what ``sha256sum`` prints. A folder's is the SHA-256 over its files in the order of their
paths' bytes, each as path, a zero byte, and the 32 bytes of its own SHA-256: names and contents
count, times, modes and empty folders do not. Links are followed, so that a folder of links to a cache
is the same data set as a copy of it.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from outrider import contents
from outrider.amounts import size as amount
from outrider.contents import Identity
from outrider.errors import OutriderError
from outrider.notice import say_once, swallow

BAR_AFTER = 1.0
"""Seconds before progress is shown."""

_WIDTH = 24
_LINE_SECONDS = 10.0


class Unreadable(OutriderError):
    """Something of a data set cannot be read, so that it has no fingerprint."""


class _Entry(NamedTuple):
    name: bytes
    path: str
    size: int


def fingerprint(path: Any) -> str | None:
    """The fingerprint of a file or folder; None where something of it cannot be read, which is
    said on stderr. Never raises."""
    try:
        return fingerprint_of(path)
    except Unreadable as error:
        say_once(f"fingerprint {path}", f"fingerprint(): {error}")
    except Exception as error:
        swallow("fingerprint()", error)
    return None


def fingerprint_of(path: Any) -> str:
    """The fingerprint of a file or folder. Raises ``Unreadable``."""
    top = os.fspath(path)
    top = os.fsdecode(top)
    status = _stat(top)
    if not stat.S_ISDIR(status.st_mode):
        entry = _Entry(b"", top, _file_size(top, status))
        progress = _Progress(top, 1, entry.size)
        digest = _digest(entry, progress)
        progress.close()
        return f"sha256:{digest.hex()}"
    entries = sorted(_below(top, b"", [status]))
    progress = _Progress(top, len(entries), sum(entry.size for entry in entries))
    tree = hashlib.sha256()
    for entry in entries:
        tree.update(entry.name + b"\0" + _digest(entry, progress))
    progress.close()
    return f"sha256-tree:{tree.hexdigest()}"


def _stat(path: str) -> os.stat_result:
    try:
        return os.stat(path)
    except OSError as error:
        what = "is a link that leads nowhere" if os.path.islink(path) else None
        raise _unreadable(path, what or f"cannot be read: {error.strerror}") from None


def _file_size(path: str, status: os.stat_result) -> int:
    if not stat.S_ISREG(status.st_mode):
        raise _unreadable(path, "is neither a file nor a folder")
    return status.st_size


def _below(folder: str, name: bytes, parents: list[os.stat_result]) -> Iterator[_Entry]:
    """Every file below a folder; ``parents`` are the folders it lies in, to notice a circle."""
    try:
        found = os.listdir(folder)
    except OSError as error:
        raise _unreadable(folder, f"cannot be listed: {error.strerror}") from None
    for one in found:
        path = os.path.join(folder, one)
        status = _stat(path)
        own = name + b"/" + os.fsencode(one) if name else os.fsencode(one)
        if not stat.S_ISDIR(status.st_mode):
            yield _Entry(own, path, _file_size(path, status))
        elif any(os.path.samestat(status, parent) for parent in parents):
            raise _unreadable(path, "leads back into a folder that it lies in")
        else:
            yield from _below(path, own, [*parents, status])


def _digest(entry: _Entry, progress: _Progress) -> bytes:
    try:
        fd = os.open(entry.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise _unreadable(entry.path, f"cannot be read: {error.strerror}") from None
    try:
        before = Identity.of(os.fstat(fd))
        found = hashlib.sha256()
        for piece in contents.pieces(fd, before.size):
            progress.add(contents.feed(found.update, piece))
        if Identity.of(os.fstat(fd)) != before:
            raise _unreadable(entry.path, "changed while it was read")
    except OSError as error:
        raise _unreadable(entry.path, f"cannot be read: {error.strerror}") from None
    finally:
        os.close(fd)
    progress.count += 1
    return found.digest()


def _unreadable(path: str, what: str) -> Unreadable:
    return Unreadable(
        f"{path!r} {what}; nothing has a fingerprint that is not read whole",
        hint="is the path right, and may this user read it?",
    )


class _Progress:
    """A bar on a terminal, a line now and then elsewhere, after the first second; never raises."""

    def __init__(self, what: str, files: int, size: int) -> None:
        self.count = 0
        self._what = os.path.basename(what.rstrip("/")) or what
        self._files = files
        self._size = size
        self._done = 0
        self._next = time.monotonic() + BAR_AFTER
        self._shown = False
        try:
            self._is_terminal = sys.stderr.isatty()
        except Exception:
            self._is_terminal = False

    def add(self, size: int) -> None:
        """So many bytes were read."""
        self._done += size
        now = time.monotonic()
        if now >= self._next:
            self._next = now + (0.1 if self._is_terminal else _LINE_SECONDS)
            self._show()

    def close(self) -> None:
        """Leave the finished bar behind."""
        if self._shown:
            self._show()
            if self._is_terminal:
                self._write("\n")

    def _show(self) -> None:
        self._shown = True
        part = 1.0 if not self._size else min(1.0, self._done / self._size)
        bar = ("#" * round(_WIDTH * part)).ljust(_WIDTH, ".")
        files = f", {self.count}/{self._files} files" if self._files > 1 else ""
        line = (
            f"outrider: fingerprint of {self._what} [{bar}] {part:4.0%} "
            f"{amount(self._done)}/{amount(self._size)}{files}"
        )
        self._write(f"\r{line}" if self._is_terminal else f"{line}\n")

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except Exception:
            return
