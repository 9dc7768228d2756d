"""Reads, hashes and copies files in constant memory; holes of sparse files stay holes."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

PIECE_BYTES = 1 << 20
"""How much of a file is in memory at a time."""

STRETCH_BYTES = 1 << 16
"""How much of a file is in memory while it is sent."""

_FICLONE = 0x40049409  # linux/fs.h: share the blocks of one file with another, copy on write
_ZEROS = bytes(PIECE_BYTES)


def content_path(folder: str, sha256: str) -> str:
    """Where a content lies in a run's folder, whether it is there or not."""
    return os.path.join(folder, "files", sha256[:2], sha256)


class Stored(NamedTuple):
    """What a file's content is called, and how long it is."""

    sha256: str
    size: int


class Identity(NamedTuple):
    """What the kernel says of a file; it changes whenever the content does."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, status: os.stat_result) -> Identity:
        """The identity in a ``stat``."""
        return cls(
            status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev
        )


def pieces(fd: int, size: int) -> Iterator[bytes | int]:
    """The content of an open file from its beginning: bytes, and a number for so many zeros that
    lie in a hole. Reads on behind ``size`` where the file has grown meanwhile."""
    at = 0
    while True:
        hole = _hole(fd, at, size)
        if hole:
            yield hole
            at += hole
            continue
        data = os.pread(fd, PIECE_BYTES, at)
        if not data:
            return
        yield data
        at += len(data)


def _hole(fd: int, at: int, size: int) -> int:
    """How many zeros lie in a hole at this place, 0 where there is none worth a jump."""
    if at >= size:
        return 0
    try:
        data = os.lseek(fd, at, os.SEEK_DATA)
    except OSError as error:
        return size - at if error.errno == errno.ENXIO else 0
    except AttributeError:  # a system without holes
        return 0
    return data - at if data - at >= 4096 else 0


def digest_of(fd: int) -> Stored:
    """The hash and the length of an open file, holes included."""
    found = hashlib.sha256()
    size = 0
    for piece in pieces(fd, os.fstat(fd).st_size):
        size += feed(found.update, piece)
    return Stored(found.hexdigest(), size)


def hash_file(path: str) -> Stored:
    """The hash and the length of a file. Raises ``OSError``."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return digest_of(fd)
    finally:
        os.close(fd)


def feed(take: Callable[[bytes], object], piece: bytes | int) -> int:
    """Give a piece to a hash, zeros by the MiB; how many bytes it has."""
    if isinstance(piece, bytes):
        take(piece)
        return len(piece)
    left = piece
    while left > 0:
        take(_ZEROS if left >= PIECE_BYTES else _ZEROS[:left])
        left -= min(left, PIECE_BYTES)
    return piece


def clone(source: int, target: int) -> bool:
    """Let an open file share the blocks of another, in one call; False where that is impossible."""
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def copy(source: int, target: int) -> Stored:
    """Copy one open file into another, empty one, and hash it on the way. Raises ``OSError``."""
    found = hashlib.sha256()
    size = 0
    for piece in pieces(source, os.fstat(source).st_size):
        feed(found.update, piece)
        if isinstance(piece, bytes):
            rest = memoryview(piece)
            at = size
            while rest:
                written = os.pwrite(target, rest, at)
                rest = rest[written:]
                at += written
            size = at
        else:
            size += piece
    os.ftruncate(target, size)  # what ends in a hole
    return Stored(found.hexdigest(), size)


class Stretch:
    """Part of an open file, read while it is sent, 64 KiB at a time: what passes through larger
    pieces of memory sweeps the caches that a training beside it lives on."""

    def __init__(self, fd: int, start: int, size: int) -> None:
        self._fd = fd
        self._start = start
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        """Its bytes. Raises ``OSError`` where the file ends too early."""
        at, end = self._start, self._start + self._size
        while at < end:
            data = os.pread(self._fd, min(STRETCH_BYTES, end - at), at)
            if not data:
                raise OSError(errno.EIO, "the file has become shorter")
            yield data
            at += len(data)


def sync(fd: int) -> None:
    """Bring an open file's content to the disk. Raises ``OSError``."""
    if hasattr(os, "fdatasync"):
        os.fdatasync(fd)
    else:
        os.fsync(fd)
