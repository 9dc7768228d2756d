"""The files that a run keeps: content-addressed in its folder, told in the journal, waiting to be sent.

A content lies at ``files/<first two letters>/<sha256>`` of the run's folder, once, whatever it is
called; a ``file`` record in the streamer's own journal says under which path it is known. What is
still being made lies in ``files/spool``. The order is: content, record, then the spool is cleared,
so that a streamer that is killed anywhere leaves nothing untold and tells nothing twice.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from outrider import contents
from outrider.contents import Stored, content_path
from outrider.folder import make_folder
from outrider.journal.record import Damaged, decode, lines
from outrider.streamer.process import is_of_this_host
from outrider.streamer.shelf import Shelf

if TYPE_CHECKING:
    from outrider.journal.reader import RunFolder
    from outrider.streamer.own import OwnJournal

SPOOL = os.path.join("files", "spool")

_SPOOL_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}")
_MARK = re.compile(rb'"k"\s*:\s*"file"')


class Source(NamedTuple):
    """The record that asked for a file: its writer, its segment and its byte offset."""

    writer: str
    segment: int
    offset: int


class Files:
    """The files of one run on this host; every method may be called from any thread."""

    def __init__(
        self,
        folder: RunFolder,
        own: OwnJournal,
        *,
        server: str | None = None,
        everywhere: bool = False,
    ) -> None:
        """With ``everywhere`` what streamers of other machines told is known, too."""
        self.folder = folder
        self._everywhere = everywhere
        self.shelf = Shelf(folder.path, server)
        self._own = own
        self._lock = threading.RLock()
        self._spools: dict[str, Stored] = {}
        self._sources: set[Source] = set()
        self._latest: dict[tuple[str, str], str | None] = {}
        self._meant: dict[str, Stored] = {}
        self._is_loaded = False

    # --- places ---------------------------------------------------------------------------

    def place(self, sha256: str) -> str:
        """Where a content lies in the run's folder, whether it is there or not."""
        return content_path(self.folder.path, sha256)

    def spool(self, name: str) -> str:
        """Where a file of the spool lies. Raises ``ValueError`` for what cannot be its name."""
        if not _SPOOL_NAME.fullmatch(name):
            raise ValueError(f"{name!r:.80} cannot be the name of a file in the spool")
        return os.path.join(self.folder.path, SPOOL, name)

    def make_spool(self) -> str:
        """The spool's folder, made where it is not there yet."""
        make_folder(os.path.join(self.folder.path, "files"))
        path = os.path.join(self.folder.path, SPOOL)
        make_folder(path)
        return path

    # --- what is known --------------------------------------------------------------------

    def has_spool(self, name: str) -> bool:
        """Whether a ``file`` record tells of this file of the spool already."""
        self.load()
        return name in self._spools

    def has_source(self, source: Source) -> bool:
        """Whether a ``file`` record answers this record already."""
        self.load()
        return source in self._sources

    def latest(self, path: str, role: str = "save") -> str | None:
        """The content that this path has now, or None."""
        self.load()
        return self._latest.get((role, path))

    def contents(self) -> dict[str, Stored]:
        """Every content that is meant for the server, sent or not."""
        self.load()
        with self._lock:
            return dict(self._meant)

    def is_busy(self) -> bool:
        """Whether a content still waits to be sent to the run's server."""
        self.load()
        return self.shelf.is_waiting()

    # --- keeping --------------------------------------------------------------------------

    def add(
        self,
        local: str,
        *,
        path: str,
        role: str,
        type: str | None = None,  # noqa: A002 - the record's word
        spool: str | None = None,
        meta: dict[str, Any] | None = None,
        upload: bool = True,
        state: str = "ok",
        why: str | None = None,
        known: Stored | None = None,
        source: Source | None = None,
    ) -> Stored:
        """Keep ``local``, a file inside the run's folder that nobody changes any more.

        It is linked (else copied) to its content's place and told in the journal; where it lies in
        the spool, it is taken away there. With ``upload=False`` it never leaves this machine and
        its state is ``local``. ``known`` spares hashing it again. A second call for the same
        ``spool`` name does nothing and returns the same. Raises ``OSError``.
        """
        self.load()
        with self._lock:
            before = self._spools.get(spool) if spool is not None else None
            if before is not None:
                self._clear(local)
                return before
        import mimetypes  # 2 ms that a start need not wait for

        stored = known or contents.hash_file(local)
        self._put(local, stored)
        record: dict[str, Any] = {
            "k": "file",
            "path": path,
            "sha256": stored.sha256,
            "size": stored.size,
            "type": type or mimetypes.guess_type(path)[0],
            "role": role,
            "state": state if upload else "local",
        }
        self._tell(record, why, spool, meta, source)
        self._clear(local)
        return stored

    def tell(
        self,
        *,
        path: str,
        role: str,
        state: str,
        why: str,
        spool: str | None = None,
        meta: dict[str, Any] | None = None,
        source: Source | None = None,
    ) -> None:
        """Record that a file could not be kept: ``vanished`` or ``unreadable``, and why."""
        self.load()
        record = {
            "k": "file", "path": path, "sha256": None, "size": None, "type": None,
            "role": role, "state": state,
        }  # fmt: skip
        self._tell(record, why, spool, meta, source)

    def _tell(
        self,
        record: dict[str, Any],
        why: str | None,
        spool: str | None,
        meta: dict[str, Any] | None,
        source: Source | None,
    ) -> None:
        more = {
            "why": why,
            "spool": spool,
            "m": meta,
            "of": list(source) if source is not None else None,
        }
        record.update({key: value for key, value in more.items() if value is not None})
        with self._lock:
            if not self._own.append(record):
                raise OSError("the journal takes no record")
            self._note(record)

    def _put(self, local: str, stored: Stored) -> None:
        """Link or copy a file to the place of its content, and bring it to the disk."""
        target = self.place(stored.sha256)
        with contextlib.suppress(OSError):
            if os.stat(target).st_size == stored.size:
                return
        make_folder(os.path.join(self.folder.path, "files"))
        make_folder(os.path.dirname(target))
        fd = os.open(local, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            if self._in_spool(local):
                os.fchmod(fd, 0o600)
                contents.sync(fd)
                try:
                    os.link(local, target, follow_symlinks=False)
                    return
                except FileExistsError:
                    pass  # of another length: damaged, replaced below
                except OSError:
                    pass  # a file system without links
            self._copy(fd, target)
        finally:
            os.close(fd)

    def _copy(self, fd: int, target: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        temporary = f"{target}.{threading.get_ident()}.tmp"
        new = os.open(temporary, flags, 0o600)
        try:
            if not contents.clone(fd, new):
                contents.copy(fd, new)
            contents.sync(new)
        finally:
            os.close(new)
        os.replace(temporary, target)

    def _in_spool(self, local: str) -> bool:
        spool = os.path.join(self.folder.path, SPOOL)
        return os.path.dirname(os.path.abspath(local)) == spool

    def _clear(self, local: str) -> None:
        if self._in_spool(local):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(local)

    # --- what earlier streamers told --------------------------------------------------------

    def load(self) -> None:
        """Learn what earlier streamers told, and what of it waits to be sent; once."""
        with self._lock:
            if self._is_loaded:
                return
            self._is_loaded = True
            for record in told_files(self.folder, everywhere=self._everywhere):
                self._note(record)

    def _note(self, record: dict[str, Any]) -> None:
        sha256, size, spool, of = (record.get(key) for key in ("sha256", "size", "spool", "of"))
        stored = None
        if isinstance(sha256, str) and isinstance(size, int):
            stored = Stored(sha256, size)
            if record.get("state") != "local":
                self._meant[sha256] = stored
                self.shelf.want(stored)
        if isinstance(spool, str):
            self._spools[spool] = stored or Stored("", 0)
        if isinstance(of, list) and len(of) == 3:
            self._sources.add(Source(*of))
        self._latest[str(record.get("role")), str(record.get("path"))] = stored and stored.sha256


def told_files(folder: RunFolder, *, everywhere: bool = False) -> Iterator[dict[str, Any]]:
    """The ``file`` records of this host's streamers, in order; with ``everywhere`` all of them."""
    for writer in folder.writers():
        head = folder.head(writer) or {}
        if not everywhere and (head.get("role") != "streamer" or not is_of_this_host(head)):
            continue
        for segment in folder.segments(writer):
            offset = 0
            while (piece := folder.read(writer, segment, offset)).data:
                if _MARK.search(piece.data):
                    for line in lines(piece.data):
                        if _MARK.search(line):
                            with contextlib.suppress(Damaged):
                                record = decode(line)
                                if record.kind == "file":
                                    yield record.body
                offset = piece.end


__all__ = ["SPOOL", "Files", "Source", "Stored", "content_path", "told_files"]
