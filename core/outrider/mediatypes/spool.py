"""Puts what is too large for a record into ``files/spool`` of the run's folder, as it is.

Nothing is encoded here: arrays are written raw, and the streamer makes files that people can open
of them. A file is complete before the record that names it is written.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from outrider.folder import make_folder
from outrider.mediatypes.base import MediaError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 2 << 30
"""The largest file that one call of ``log()`` copies."""

_FICLONE = 0x40049409  # linux/fs.h: share the blocks of one file with another, copy on write


class Spool:
    """What one record puts into the spool of its run. ``writer`` and ``numbers``, which all records
    of a writer share, make the names unique within the run."""

    def __init__(self, folder: str, writer: str, numbers: Iterator[int]) -> None:
        self._files = os.path.join(folder, "files")
        self._folder = os.path.join(self._files, "spool")
        self._writer = writer
        self._numbers = numbers
        self._names: list[str] = []

    def mark(self) -> int:
        """Where ``discard`` can go back to."""
        return len(self._names)

    def discard(self, mark: int) -> None:
        """Remove what was written since a mark: no record will name it."""
        while len(self._names) > mark:
            os.unlink(os.path.join(self._folder, self._names.pop()))

    def array(self, array: Any) -> dict[str, Any]:
        """Write a NumPy array as it lies in memory."""
        from numpy.lib import format as npy

        _check(array.nbytes)
        with self._file("npy") as (name, file):
            npy.write_array(file, array, allow_pickle=False)
        return {"spool": name, "encoding": "npy"}

    def data(self, data: bytes | memoryview, ending: str) -> dict[str, Any]:
        """Write bytes."""
        _check(len(data))
        with self._file(ending) as (name, file):
            file.write(data)
        return {"spool": name, "encoding": ending}

    def file(self, path: str, ending: str) -> dict[str, Any]:
        """Take a snapshot of a file: of its blocks where the file system can, else of its bytes."""
        source = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(source, "rb") as original:
            status = os.fstat(source)
            if not stat.S_ISREG(status.st_mode):
                raise MediaError(f"{path} is not a file")
            _check(status.st_size)
            with self._file(ending) as (name, copy):
                try:
                    fcntl.ioctl(copy.fileno(), _FICLONE, source)
                except OSError:
                    shutil.copyfileobj(original, copy, 1 << 20)
        return {"spool": name, "encoding": ending}

    @contextmanager
    def _file(self, ending: str) -> Iterator[tuple[str, BinaryIO]]:
        """A new file of the spool; gone again where writing it fails."""
        name = f"{self._writer}-{next(self._numbers)}.{ending}"
        path = os.path.join(self._folder, name)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            fd = os.open(path, flags, 0o600)
        except FileNotFoundError:
            make_folder(self._files)
            make_folder(self._folder)
            fd = os.open(path, flags, 0o600)
        try:
            with os.fdopen(fd, "wb") as file:
                os.fchmod(fd, 0o600)
                yield name, file
            self._names.append(name)
        except BaseException:
            os.unlink(path)
            raise


def _check(size: int) -> None:
    if size > MAX_BYTES:
        raise MediaError(
            f"{size / (1 << 30):.1f} GiB are more than the {MAX_BYTES >> 30} GiB that can be logged"
            " at once; save() keeps files of any size"
        )
