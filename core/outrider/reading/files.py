"""The files of a run, the same whether its folder or a server gives them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from outrider import contents
from outrider.contents import content_path
from outrider.errors import JournalError, NotFound, Refused, ServerError
from outrider.reading.target import make_way, replacing

if TYPE_CHECKING:
    from outrider.transport import Transport

CHUNK_BYTES = 8 << 20
"""How much of a file is in memory while it is downloaded."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ODD = re.compile(r"[\x00-\x1f\x7f]")


class Reader(Protocol):
    """Where a file's content is read from."""

    def present(self, sha256: str) -> bool:
        """Whether it is there."""
        ...

    def chunks(self, sha256: str, size: int) -> Iterator[bytes]:
        """Its bytes, piece by piece. Raises ``NotFound`` where they are not there."""
        ...


@dataclass(frozen=True, slots=True)
class File:
    """One version of a file of a run.

    ``path`` is its name in the run, with ``/``. ``state`` is ok, changed (``why`` says how), local
    (kept where it was recorded, never sent), vanished or unreadable (there is no content then).
    ``present`` says whether the content can be read here.
    """

    path: str
    sha256: str | None
    size: int | None
    type: str | None
    role: str
    state: str
    meta: dict[str, Any]
    time: float
    why: str | None = None
    present: bool = False
    reader: Reader | None = field(default=None, repr=False, compare=False)

    def chunks(self) -> Iterator[bytes]:
        """The content, piece by piece; its hash is compared at the end.

        Raises ``NotFound`` where there is none, or the server does not have it (any more), and
        ``JournalError`` where what was read is not what was kept.
        """
        if self.sha256 is None or self.size is None or self.reader is None:
            raise NotFound(f"{self.path!r} was not kept: {absence(self)}")
        digest = hashlib.sha256()
        for piece in self.reader.chunks(self.sha256, self.size):
            digest.update(piece)
            yield piece
        if digest.hexdigest() != self.sha256:
            raise JournalError(
                f"what was read of {self.path!r} is damaged: its hash is another",
                hint="read it again; where that fails too, the copy itself is damaged",
            )

    def read(self) -> bytes:
        """The whole content; see ``chunks`` for a large one."""
        return b"".join(self.chunks())

    def download(self, to: str | os.PathLike[str] = ".") -> str:
        """Write the file below the folder ``to``, under its own path; returns where it lies.

        It is there whole or not at all; one that is there already with this content is left, and
        a link that leads out of ``to`` is not followed.
        """
        target = os.path.join(os.fspath(to), safe_path(self.path))
        if self.sha256 is not None and _is_there(target, self.sha256, self.size):
            return target
        make_way(os.fspath(to), target)
        with replacing(target) as file:
            file.writelines(self.chunks())
        return target


def absence(file: File) -> str:
    """Why a file's content cannot be read here."""
    if file.sha256 is None:
        return f"it was {file.state} ({file.why or 'no reason told'})"
    if file.state == "local":
        return "it is kept where it was recorded, and was never sent"
    return "its content has not been sent yet, or is lost"


def safe_path(path: str) -> str:
    """A file's path as it may be used below a folder of the reader's: it never leads out of it."""
    parts = [part for part in path.split("/") if part not in ("", ".", "..")]
    found = os.path.join(*parts) if parts else "unnamed"
    return _ODD.sub("_", found)


def _is_there(path: str, sha256: str, size: int | None) -> bool:
    try:
        if os.path.islink(path) or os.stat(path).st_size != size:
            return False
        return contents.hash_file(path).sha256 == sha256
    except OSError:
        return False


def file_of(body: Mapping[str, Any], reader: Reader, *, present: bool | None = None) -> File | None:
    """The file that a record (or a row of the server's list) tells of; None where it tells none."""
    path, sha256, size, meta = (body.get(key) for key in ("path", "sha256", "size", "m"))
    if not isinstance(path, str) or not path:
        return None
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256) or type(size) is not int:
        sha256, size = None, None
    meta = body.get("meta") if meta is None else meta
    if present is None:
        present = sha256 is not None and reader.present(sha256)
    return File(
        path=path,
        sha256=sha256,
        size=size,
        type=_text(body, "type"),
        role=_text(body, "role") or "save",
        state=_text(body, "state") or "ok",
        meta=dict(meta) if isinstance(meta, dict) else {},
        time=float(body.get("t") or 0.0),
        why=_text(body, "why"),
        present=present,
        reader=reader,
    )


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) else None


def listed(
    found: list[File], role: str | None = None, prefix: str = "", *, versions: bool = False
) -> list[File]:
    """Files in the order they were told, as they are listed: by path, the latest of each."""
    chosen = [
        file
        for file in found
        if (role is None or file.role == role) and file.path.startswith(prefix)
    ]
    if not versions:
        chosen = list({(file.role, file.path): file for file in chosen}.values())
    return sorted(chosen, key=lambda file: file.path.encode("utf-8", "surrogatepass"))


class FolderReader:
    """Contents that lie in a run's folder."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def present(self, sha256: str) -> bool:
        """Whether it lies there."""
        return os.path.isfile(content_path(self._folder, sha256))

    def chunks(self, sha256: str, size: int) -> Iterator[bytes]:
        """Its bytes."""
        try:
            file = open(content_path(self._folder, sha256), "rb", buffering=0)  # noqa: SIM115
        except FileNotFoundError:
            raise NotFound(
                f"the content {sha256[:12]}… does not lie in {self._folder}",
                hint="name project/id and --url to ask the server for it",
            ) from None
        with file:
            while piece := file.read(CHUNK_BYTES):
                yield piece


class ServerReader:
    """Contents that a server has; ``path`` is the run's in its API."""

    def __init__(self, transport: Transport, path: str) -> None:
        self._transport = transport
        self._path = path

    def present(self, sha256: str) -> bool:
        """The server says it with each file of its list."""
        return False

    def chunks(self, sha256: str, size: int) -> Iterator[bytes]:
        """Its bytes, asked for range by range."""
        from outrider.transport import check

        at = 0
        while at < size or not size:
            end = min(size, at + CHUNK_BYTES)
            headers = {"Range": f"bytes={at}-{end - 1}"} if size else {}
            path = f"{self._path}/blobs/{quote(sha256)}"
            answer = check(self._transport.request("GET", path, headers=headers))
            if not size:
                return
            if answer.status == 200 and at == 0 and len(answer.body) == size:
                yield answer.body
                return
            if answer.status != 206 or len(answer.body) != end - at:
                raise Refused(f"the server answered {answer.status} to a range of a content")
            yield answer.body
            at = end


def server_files(
    transport: Transport, path: str, role: str | None, prefix: str, *, versions: bool
) -> list[File]:
    """The files that a server lists of the run at ``path``."""
    from outrider.reading.remote import ask

    reader = ServerReader(transport, path)
    params: dict[str, Any] = {"versions": int(versions)}
    params |= {name: value for name, value in (("role", role), ("prefix", prefix)) if value}
    found: list[File] = []
    while True:
        page = ask(transport, "GET", f"{path}/files", params=params)
        for row in page["files"]:
            file = file_of(row, reader, present=bool(row.get("present")))
            if file is None:
                raise ServerError("the server lists a file without a path")
            found.append(file)
        if page.get("next") is None:
            return found
        params["after"] = page["next"]
