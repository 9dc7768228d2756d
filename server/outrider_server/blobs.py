"""The contents of files on the server's disk, each once a project, under its SHA-256.

    <files>/<project's number>/<first two letters>/<sha256>    whole, hash compared, synced
    <files>/incoming/<run's number>-<sha256>                   what has arrived so far

Numbers and hexadecimal digits are all that a path is made of: no word of a client ever stands in
one. A content is appended to as it arrives, synced and compared when the last byte is there, and
only then renamed to its place.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from errno import EEXIST, ENOENT
from itertools import count
from pathlib import Path
from typing import Any

from outrider.folder import make_folder

PIECE_BYTES = 1 << 18
"""How much of a body is in memory before it is written: little enough to lie in a core's own cache
until it is hashed, so that an upload sweeps less of what the cores share, a training's data too."""

STALE_SECONDS = 14 * 86400.0
"""How long an upload may rest before what has arrived is thrown away."""

_REMEMBERED = 64
_TOGETHER = 64
_SHA256 = re.compile(r"[0-9a-f]{64}")


class WrongOffset(Exception):
    """A chunk does not begin where the content ends so far, at ``offset``."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"the server has {offset} bytes of this content")
        self.offset = offset


class WrongContent(Exception):
    """All bytes arrived and their hash, or their number, is another; they were thrown away."""


class InUse(Exception):
    """The same content of the same run is being received over another connection."""


def is_sha256(text: str) -> bool:
    """Whether a text is a SHA-256 as it is written here."""
    return _SHA256.fullmatch(text) is not None


@dataclass(slots=True)
class _Incoming:
    """What is remembered of a content that arrives; the file is the truth."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    digest: Any = field(default_factory=hashlib.sha256)
    hashed: int = 0


class Blobs:
    """The folder of contents. What touches the disk runs in threads of its own."""

    def __init__(self, root: str | Path) -> None:
        self.root = str(root)
        self._incoming: OrderedDict[tuple[int, str], _Incoming] = OrderedDict()
        self._numbers = count()
        self._threads = ThreadPoolExecutor(4, "blobs")

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(cancel_futures=True)

    # --- what is there --------------------------------------------------------------------

    def place(self, project: int, sha256: str) -> str:
        """Where a content lies, whether it is there or not."""
        if not is_sha256(sha256):
            raise ValueError(f"{sha256!r:.80} is no SHA-256")
        return os.path.join(self.root, str(int(project)), sha256[:2], sha256)

    def has(self, project: int, sha256: str, size: int | None = None) -> bool:
        """Whether a content is there, whole."""
        try:
            there = os.stat(self.place(project, sha256)).st_size
        except (OSError, ValueError):
            return False
        return size is None or there == size

    def received(self, run: int, sha256: str) -> int:
        """How many bytes of a content that is not whole yet have arrived for a run."""
        try:
            return os.stat(self._part(run, sha256)).st_size
        except OSError:
            return 0

    def _part(self, run: int, sha256: str) -> str:
        return os.path.join(self.root, "incoming", f"{int(run)}-{sha256}")

    def share(self, project: int, target: int, contents: Iterable[str]) -> None:
        """Give another project what lies in a project, under a second name of the same file.

        Synced, so that a claim which is committed afterwards never stands for nothing. A content
        that is not there is left out. Raises ``OSError``.
        """
        folders: set[str] = set()
        for sha256 in contents:
            source, there = self.place(project, sha256), self.place(target, sha256)
            below = os.path.dirname(there)
            if below not in folders:
                for folder in (os.path.dirname(below), below):
                    make_folder(folder)
                folders.add(below)
            with suppress(FileExistsError, FileNotFoundError):
                _link(source, there)
        for folder in folders:
            _sync_folder(folder)

    # --- receiving ------------------------------------------------------------------------

    async def receive(
        self,
        where: tuple[int, int, str],
        offset: int,
        total: int,
        pieces: AsyncIterator[bytes],
    ) -> int:
        """Append a chunk to the content (project, run, sha256); how much has arrived now.

        With the last byte the hash is compared and the content moved to its place. What arrives
        of a chunk before its connection breaks stays. Raises ``WrongOffset``, ``WrongContent``,
        ``InUse`` or ``OSError``.
        """
        project, run, sha256 = where
        incoming = self._meet(run, sha256)
        if incoming.lock.locked():
            raise InUse
        async with incoming.lock:
            loop = asyncio.get_running_loop()
            path = self._part(run, sha256)
            fd = await loop.run_in_executor(self._threads, self._open, path)
            try:
                there = os.fstat(fd).st_size
                if offset != there:
                    raise WrongOffset(there)
                if incoming.hashed > there:  # somebody else cut the file short
                    incoming.digest, incoming.hashed = hashlib.sha256(), 0
                buffer = bytearray()
                async for piece in pieces:
                    there += len(piece)
                    if there > total:
                        self._throw_away(path, run, sha256)
                        raise WrongContent(f"more than the {total} bytes that were announced")
                    buffer += piece
                    if len(buffer) >= PIECE_BYTES:
                        await loop.run_in_executor(self._threads, _append, fd, incoming, buffer)
                        buffer = bytearray()
                if buffer:
                    await loop.run_in_executor(self._threads, _append, fd, incoming, buffer)
                if there == total:
                    target = self.place(project, sha256)
                    is_right = await loop.run_in_executor(
                        self._threads, _complete, fd, incoming, path, target
                    )
                    if not is_right:
                        self._throw_away(path, run, sha256)
                        raise WrongContent("the hash of what arrived is another")
                    self._incoming.pop((run, sha256), None)
                else:
                    await loop.run_in_executor(self._threads, _catch_up, fd, incoming)
                return there
            finally:
                os.close(fd)

    def keep(self, project: int, run: int, some: Sequence[tuple[str, bytes]]) -> list[str]:
        """Put small contents to their places, whole; the names of those whose hash is another.

        A few are written before the first is synced: the disk then takes them together. Raises
        ``OSError``; what was put to its place by then is whole and stays.
        """
        right = {name: data for name, data in some if hashlib.sha256(data).hexdigest() == name}
        new = [one for one in right.items() if not self.has(project, one[0], len(one[1]))]
        folders: set[str] = set()
        for at in range(0, len(new), _TOGETHER):
            folders |= self._put(project, run, new[at : at + _TOGETHER])
        for folder in folders:
            _sync_folder(folder)
        return [name for name, _ in some if name not in right]

    def _put(self, project: int, run: int, some: Sequence[tuple[str, bytes]]) -> set[str]:
        make_folder(self.root)
        make_folder(os.path.join(self.root, "incoming"))
        written: list[tuple[int, str, str]] = []
        folders: set[str] = set()
        done = 0
        try:
            for sha256, data in some:
                path = f"{self._part(run, sha256)}.{next(self._numbers)}"
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
                written.append((os.open(path, flags, 0o600), path, self.place(project, sha256)))
                _write(written[-1][0], data)
            for number, (fd, path, target) in enumerate(written):
                os.fsync(fd)
                if os.path.dirname(target) not in folders:
                    folders.add(_make_place(target))
                os.rename(path, target)
                done = number + 1
        finally:
            for fd, _, _ in written:
                os.close(fd)
            for _, path, _ in written[done:]:  # it went wrong
                with suppress(OSError):
                    os.unlink(path)
        return folders

    def _meet(self, run: int, sha256: str) -> _Incoming:
        found = self._incoming.get((run, sha256))
        if found is None:
            for key, old in list(self._incoming.items())[:-_REMEMBERED]:
                if not old.lock.locked():
                    del self._incoming[key]
            found = self._incoming[run, sha256] = _Incoming()
        self._incoming.move_to_end((run, sha256))
        return found

    def _open(self, path: str) -> int:
        make_folder(self.root)
        make_folder(os.path.dirname(path))
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(path, flags, 0o600)

    def _throw_away(self, path: str, run: int, sha256: str) -> None:
        self._incoming.pop((run, sha256), None)
        with suppress(OSError):
            os.unlink(path)

    # --- throwing away --------------------------------------------------------------------

    def drop(self, project: int, sha256: str) -> None:
        """Remove a content that nobody refers to."""
        with suppress(OSError, ValueError):
            os.unlink(self.place(project, sha256))

    def drop_run(self, run: int) -> None:
        """Remove what had arrived for a run that is gone."""
        for name in self._parts():
            if name.startswith(f"{int(run)}-"):
                with suppress(OSError):
                    os.unlink(os.path.join(self.root, "incoming", name))

    def before(self, moment: float) -> Iterator[tuple[int, str]]:
        """The contents that have lain there since before a moment, as (project, sha256)."""
        for project in _names(self.root):
            if project.isascii() and project.isdigit():
                for two in _names(os.path.join(self.root, project)):
                    below = os.path.join(self.root, project, two)
                    for name in _names(below):
                        with suppress(OSError):
                            is_old = os.stat(os.path.join(below, name)).st_mtime < moment
                            if is_sha256(name) and is_old:
                                yield int(project), name

    def drop_stale(self, now: float) -> int:
        """Throw away what arrived of uploads that rest for weeks; how many."""
        dropped = 0
        for name in self._parts():
            path = os.path.join(self.root, "incoming", name)
            with suppress(OSError):
                if now - os.stat(path).st_mtime > STALE_SECONDS:
                    os.unlink(path)
                    dropped += 1
        return dropped

    def _parts(self) -> list[str]:
        try:
            return os.listdir(os.path.join(self.root, "incoming"))
        except OSError:
            return []


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _make_place(target: str) -> str:
    """Make the folders of a content's place; the inner one."""
    below = os.path.dirname(target)
    for folder in (os.path.dirname(below), below):
        make_folder(folder)
    return below


def _write(fd: int, data: bytes | bytearray) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _append(fd: int, incoming: _Incoming, data: bytearray) -> None:
    """Write the next bytes, and hash them while they are at hand, where all before them is hashed."""
    at = os.fstat(fd).st_size
    _write(fd, data)
    if incoming.hashed == at:
        incoming.digest.update(data)
        incoming.hashed += len(data)


def _complete(fd: int, incoming: _Incoming, path: str, target: str) -> bool:
    """Move what has arrived whole to its place; False where its hash is another."""
    _catch_up(fd, incoming)
    if incoming.digest.hexdigest() != os.path.basename(target):
        return False
    os.fsync(fd)
    below = _make_place(target)
    os.rename(path, target)
    _sync_folder(below)
    return True


def _catch_up(fd: int, incoming: _Incoming) -> None:
    """Hash what has arrived since the last time; after a restart, all of it."""
    while data := os.pread(fd, PIECE_BYTES, incoming.hashed):
        incoming.digest.update(data)
        incoming.hashed += len(data)


def _link(source: str, target: str) -> None:
    """Link a file, or copy it where the file system has no links. Raises ``OSError``."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno in (ENOENT, EEXIST):
            raise
        part = f"{target}.part"
        with open(source, "rb") as whole, open(part, "wb") as copy:
            shutil.copyfileobj(whole, copy, PIECE_BYTES)
            copy.flush()
            os.fsync(copy.fileno())
        os.rename(part, target)


def _sync_folder(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
