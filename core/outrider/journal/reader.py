"""Reads a run's folder: what it is, who wrote in it, and every record, without a server.

Nothing here writes, locks or changes a folder; a folder may be live, killed or copied.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from errno import ELOOP, ENOENT
from typing import Any, NamedTuple

import orjson

from outrider.errors import JournalError, NotFound
from outrider.journal.record import Damaged, Record, decode, lines
from outrider.journal.segment import parse_segment_name, segment_name

_CHUNK = 1 << 20
_TAIL = 1 << 16
_LONGEST = 64 << 20  # no writer makes a longer line; a damaged file may hold one without end


class Piece(NamedTuple):
    """Whole lines of one segment: ``data`` stands at ``offset`` and ends at ``end``;
    ``torn_tail`` bytes behind it have no newline yet."""

    data: bytes
    offset: int
    end: int
    torn_tail: int


class RunFolder:
    """One run's folder. ``path`` is the folder that holds run.json."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.abspath(os.fspath(path))
        self.journal = os.path.join(self.path, "journal")

    def __repr__(self) -> str:
        return f"RunFolder({self.path!r})"

    def meta(self) -> dict[str, Any]:
        """What run.json says. Raises ``JournalError`` where it is missing or unreadable."""
        path = os.path.join(self.path, "run.json")
        try:
            with open(path, "rb") as file:
                meta = orjson.loads(file.read())
        except FileNotFoundError:
            raise JournalError(
                f"{self.path} is not a run's folder: it has no run.json",
                hint="name a folder below .outrider/runs",
            ) from None
        except (OSError, orjson.JSONDecodeError) as error:
            raise JournalError(f"cannot read {path}: {error}") from error
        if not isinstance(meta, dict) or not isinstance(meta.get("id"), str):
            raise JournalError(f"{path} does not describe a run: it has no id")
        return meta

    def _names(self) -> list[tuple[str, int]]:
        try:
            names = os.listdir(self.journal)
        except FileNotFoundError:
            return []
        return sorted(parsed for name in names if (parsed := parse_segment_name(name)))

    def writers(self) -> list[str]:
        """The ids of all writers that have a segment here, sorted."""
        return sorted({writer for writer, _ in self._names()})

    def segments(self, writer: str) -> list[int]:
        """The numbers of a writer's segments that are here, in order."""
        return [number for name, number in self._names() if name == writer]

    def all_segments(self) -> dict[str, list[int]]:
        """Every writer's segments, from one look at the folder."""
        found: dict[str, list[int]] = {}
        for writer, number in self._names():
            found.setdefault(writer, []).append(number)
        return found

    def segment_path(self, writer: str, number: int) -> str:
        """Where a segment lies, whether it is there or not."""
        return os.path.join(self.journal, segment_name(writer, number))

    def size(self, writer: str, number: int) -> int:
        """A segment's length in bytes; 0 where it is gone, or no file of the folder's own."""
        try:
            found = os.lstat(self.segment_path(writer, number))
        except FileNotFoundError:
            return 0
        return found.st_size if stat.S_ISREG(found.st_mode) else 0

    def read(self, writer: str, number: int, offset: int, limit: int = _CHUNK) -> Piece:
        """Whole lines from ``offset``: about ``limit`` bytes, but one line at least if there is one."""
        with open(self.segment_path(writer, number), "rb", 0, opener=_plain) as file:
            return read_piece(file.fileno(), offset, limit)

    def whole_size(self, writer: str, number: int) -> int:
        """A segment's length in bytes up to and with its last newline: without a torn tail."""
        end = self.size(writer, number)
        try:
            with open(self.segment_path(writer, number), "rb", 0, opener=_plain) as file:
                while end > 0:
                    start = max(0, end - _TAIL)
                    cut = os.pread(file.fileno(), end - start, start).rfind(b"\n")
                    if cut >= 0:
                        return start + cut + 1
                    end = start
        except FileNotFoundError:
            pass
        return 0

    def head(self, writer: str) -> dict[str, Any] | None:
        """The head record of a writer's first segment here, or None where it cannot be read."""
        numbers = self.segments(writer)
        if not numbers:
            return None
        try:
            piece = self.read(writer, numbers[0], 0, 4096)
            record = decode(piece.data.partition(b"\n")[0])
        except (OSError, Damaged):
            return None
        return record.body if record.kind == "head" else None

    def records(
        self, writer: str | None = None
    ) -> Iterator[tuple[str, int, int, Record | Damaged]]:
        """Every record as (writer, segment, byte offset, record); a line that cannot be read is
        given as ``Damaged``. A torn tail is not a record and is left out."""
        for name, number in self._names():
            if writer is not None and name != writer:
                continue
            offset = 0
            while True:
                try:
                    piece = self.read(name, number, offset)
                except FileNotFoundError:
                    break
                if not piece.data:
                    break
                at = offset
                for line in piece.data.split(b"\n")[:-1]:
                    if line:
                        try:
                            yield name, number, at, decode(line)
                        except Damaged as damage:
                            yield name, number, at, damage
                    at += len(line) + 1
                offset = piece.end


def _plain(path: str, flags: int) -> int:
    # A segment is never a link: one that was planted would send another file of this user away.
    try:
        fd = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != ELOOP:
            raise
        raise FileNotFoundError(ENOENT, "a link is no segment", path) from None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise FileNotFoundError(ENOENT, "this is no segment", path)
    return fd


def read_piece(fd: int, offset: int, limit: int = _CHUNK) -> Piece:
    """Whole lines of an open segment from ``offset``, see ``RunFolder.read``."""
    data = os.pread(fd, limit, offset)
    cut = data.rfind(b"\n") + 1
    if not cut and len(data) == limit:  # one line longer than the limit: read on to its end
        parts = [data]
        at = offset + len(data)
        while at - offset < _LONGEST and (more := os.pread(fd, _CHUNK, at)):
            parts.append(more)
            at += len(more)
            if b"\n" in more:
                break
        data = b"".join(parts)
        cut = data.find(b"\n") + 1
        return Piece(data[:cut], offset, offset + cut, 0 if cut else len(data))
    return Piece(data[:cut], offset, offset + cut, len(data) - cut if len(data) < limit else 0)


def find_folders(root: str | os.PathLike[str]) -> list[RunFolder]:
    """All run folders below a training folder, its ``.outrider`` or its ``runs``; oldest first."""
    root = os.fspath(root)
    if os.path.isfile(os.path.join(root, "run.json")):
        return [RunFolder(root)]
    for below in (os.path.join(root, ".outrider", "runs"), os.path.join(root, "runs"), root):
        try:
            names = sorted(os.listdir(below))
        except (FileNotFoundError, NotADirectoryError):
            continue
        found = [
            RunFolder(os.path.join(below, name))
            for name in names
            if name != "by-id" and os.path.isfile(os.path.join(below, name, "run.json"))
        ]
        if found or below != root:
            return found
    return []


def locate(run: str, root: str | os.PathLike[str]) -> RunFolder:
    """The folder of a run that is named by path, id, ``project/id`` or name below ``root``.

    Raises ``NotFound`` where there is none, or more than one of that name.
    """
    if os.path.isfile(os.path.join(run, "run.json")):
        return RunFolder(run)
    matches = []
    for folder in find_folders(root):
        try:
            meta = folder.meta()
        except JournalError:
            continue
        if run in (meta["id"], f"{meta.get('project')}/{meta['id']}"):
            return folder
        if run == meta.get("name"):
            matches.append(folder)
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise NotFound(
            f"{len(matches)} runs are called {run!r}",
            hint="use the id: " + ", ".join(folder.meta()["id"] for folder in matches[:5]),
        )
    raise NotFound(
        f"there is no run {run!r} below {os.fspath(root)}", hint="outrider runs lists them"
    )


__all__ = ["Damaged", "Piece", "RunFolder", "find_folders", "lines", "locate", "read_piece"]
