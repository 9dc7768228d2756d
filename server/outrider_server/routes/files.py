"""The files of a run: listed, received chunk by chunk, and given out so that none can do harm."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from errno import EDQUOT, ENOSPC
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, Response

from outrider_server.answers import json_response
from outrider_server.blobs import InUse, WrongContent, WrongOffset, is_sha256
from outrider_server.bodies import declared_length
from outrider_server.problems import Problem, bad_request, busy, not_found, too_large
from outrider_server.routes.operation import Call, Operation, Parameter
from outrider_server.schemas import (
    INTEGER,
    TEXTS,
    TRUTH,
    many,
    maybe,
    ref,
    shape,
)
from outrider_server.store import UnknownRun
from outrider_server.store.files import PAGE, FilesQuery
from outrider_server.tokens import Role

if TYPE_CHECKING:
    from outrider_server.store.files import Content

CHUNK_BYTES = 8 << 20
"""The longest chunk of a content."""

_HELD_BYTES = 1 << 20
_MOST = 1 << 50

# What a browser may show by itself: pictures, sound, video and plain text. SVG, HTML and PDF can
# hold scripts; they, and whatever is not known, are only ever downloaded.
_SHOWN = frozenset(
    "image/png image/jpeg image/gif image/webp image/avif image/bmp audio/mpeg audio/wav "
    "audio/x-wav audio/ogg audio/flac audio/webm audio/mp4 video/mp4 video/webm video/ogg "
    "application/json".split()
)
_NEVER_TEXT = ("text/html", "text/xml", "text/javascript", "text/css")
_SANDBOX = {
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-cache",
}
# A logged page of HTML in a frame of ours: of no origin, without network; its scripts run only where
# the frame, too, allows it.
_FRAMED = {
    **_SANDBOX,
    "content-security-policy": "sandbox allow-scripts; default-src 'none'; "
    "script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; "
    "media-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'",
    "x-frame-options": "SAMEORIGIN",
}


def list_files(call: Call) -> dict[str, Any]:
    """A page of a run's files."""
    query = FilesQuery(**call.query)
    return call.services.store.files(call.path["project"], call.path["run"], query)


def missing(call: Call) -> dict[str, Any]:
    """Which contents the server lacks; the others are this run's from now on."""
    found = call.body.get("sha256")
    if not isinstance(found, list) or len(found) > PAGE or not all(map(_is_sha256, found)):
        raise bad_request(f"'sha256' must be a list of at most {PAGE} SHA-256 in hexadecimal")
    store = call.services.store
    return {"missing": store.claim(call.path["project"], call.path["run"], found)}


def state(call: Call) -> dict[str, Any]:
    """How much of a content has arrived."""
    sha256, size = _sha256(call), call.query["size"]
    store = call.services.store
    project, run = store.place_to_receive(call.path["project"], call.path["run"])
    if store.blobs.has(project, sha256, size):
        return {"offset": size, "complete": True}
    return {"offset": min(size, store.blobs.received(run, sha256)), "complete": False}


async def receive(call: Call) -> Response:
    """Take one chunk; with the last, the content is whole and its hash was compared."""
    sha256 = _sha256(call)
    offset, total = call.query["offset"], call.query["size"]
    services = call.services
    length = call.request.headers.get("content-length")
    declared_length(None if length is None else length.encode("latin-1"), CHUNK_BYTES)
    if call.request.headers.get("content-encoding", "identity") != "identity":
        raise Problem(415, "unsupported_encoding", "contents are sent as they are")
    loop = asyncio.get_running_loop()
    names = call.path["project"], call.path["run"]
    project, run = await loop.run_in_executor(
        services.threads, services.store.place_to_receive, *names
    )
    services.budget.take(_HELD_BYTES)
    try:
        there = await _append(call, (project, run, sha256), offset, total)
    finally:
        services.budget.give(_HELD_BYTES)
    is_whole = there >= total
    if is_whole:
        try:
            lacking = await loop.run_in_executor(
                services.threads, services.store.claim, *names, [sha256]
            )
        except UnknownRun:
            raise not_found("the run was deleted meanwhile") from None
        if lacking:
            there, is_whole = 0, False
        home = await loop.run_in_executor(services.threads, services.store.moves.home, *names)
        services.hub.publish(home or names[0], names[1], ("file",), ())
    return json_response({"offset": there, "complete": is_whole})


async def _append(call: Call, where: tuple[int, int, str], offset: int, total: int) -> int:
    """Append the body to a content, unless the project has it whole; how much there is."""
    blobs = call.services.store.blobs
    if blobs.has(where[0], where[2], total):
        async for _ in _pieces(call):  # a connection that is cut while it sends tells less
            pass
        return total
    try:
        return await blobs.receive(where, offset, total, _pieces(call))
    except WrongOffset as error:
        async for _ in _pieces(call):
            pass
        raise Problem(
            409,
            "offset_ahead",
            f"the server has {error.offset} bytes of this content, not {offset}",
            hint="go on from `offset`",
            extra={"offset": error.offset},
        ) from None
    except WrongContent as error:
        raise Problem(
            422, "wrong_content", str(error), hint="send it again from 0", extra={"offset": 0}
        ) from None
    except InUse:
        raise busy("this content is being received over another connection") from None
    except ClientDisconnect:
        raise
    except OSError as error:
        raise no_room(error) from None


def no_room(error: OSError) -> Problem:
    """What a content is answered that the server's disk does not take."""
    if error.errno in (ENOSPC, EDQUOT):
        message = "the server's disk is full"
    else:
        message = f"the server cannot keep this content: {error.strerror}"
    return Problem(507, "no_room", message, hint="it is tried again", headers={"retry-after": "10"})


async def _pieces(call: Call) -> AsyncIterator[bytes]:
    size = 0
    async for piece in call.request.stream():
        size += len(piece)
        if size > CHUNK_BYTES:
            raise too_large(f"a chunk has at most {CHUNK_BYTES} bytes", hint="send smaller chunks")
        if piece:
            yield piece


async def give(call: Call) -> Response:
    """Give a content out: whole or a range, shown only where that is safe."""
    services, path = call.services, call.path
    sha256 = _sha256(call)
    content: Content | None = await asyncio.get_running_loop().run_in_executor(
        services.threads, services.store.content, path["project"], path["run"], sha256
    )
    if content is None:
        raise not_found("this run has no such content")
    try:
        status = os.stat(content.place)
    except OSError:
        raise Problem(
            404,
            "content_missing",
            "the server does not have this content (yet, or any more)",
            hint="`outrider sync RUN-FOLDER`, where the run was recorded, sends what is missing",
        ) from None
    is_framed = call.query["framed"] and is_page(content.type) and _asks_for_frame(call)
    media_type = "text/html; charset=utf-8" if is_framed else shown_as(content.type)
    is_download = call.query["download"] or media_type is None
    name = file_name(call.query["name"]) or sha256
    headers = {
        **(_FRAMED if is_framed else _SANDBOX),
        "etag": f'"{sha256}"',
        "content-disposition": f"{'attachment' if is_download else 'inline'}; "
        f"filename*=utf-8''{quote(name, safe='')}",
    }
    if call.request.headers.get("if-none-match") == headers["etag"]:
        return Response(None, 304, headers)
    return FileResponse(
        content.place,
        headers=headers,
        media_type="application/octet-stream" if media_type is None else media_type,
        stat_result=status,
    )


def shown_as(kind: str | None) -> str | None:
    """The type under which a browser may show a content by itself, or None."""
    base = (kind or "").partition(";")[0].strip().lower()
    if base in _SHOWN:
        return base
    if base.startswith("text/") and not base.startswith(_NEVER_TEXT):
        return "text/plain; charset=utf-8"
    return None


def is_page(kind: str | None) -> bool:
    """Whether a content is HTML."""
    return (kind or "").partition(";")[0].strip().lower() == "text/html"


def _asks_for_frame(call: Call) -> bool:
    """Whether a browser asks for what it shows in a frame, and not as a page of its own."""
    return call.request.headers.get("sec-fetch-dest") == "iframe"


def file_name(text: str) -> str:
    """A name to save a content under, without folders and control characters."""
    last = text.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable()).strip(" .")[:200]


def _sha256(call: Call) -> str:
    sha256 = call.path["sha256"]
    if not is_sha256(sha256):
        raise not_found("a content is named by its SHA-256, 64 hexadecimal digits")
    return sha256


def _is_sha256(value: object) -> bool:
    return isinstance(value, str) and is_sha256(value)


_RUN = "/api/projects/{project}/runs/{run}"
_BLOB = _RUN + "/blobs/{sha256}"
_SIZE = Parameter(
    "size", "the whole content's bytes", "integer", is_required=True, minimum=0, maximum=_MOST
)
_STATE = shape("offset complete", offset=INTEGER, complete=TRUTH)
OPERATIONS = (
    Operation(
        "GET",
        _RUN + "/files",
        "list_files",
        "The files of a run, by path; `present` says whether the server has the content",
        Role.READ,
        list_files,
        shape("files next", files=many(ref("File")), next=maybe("string")),
        query=(
            Parameter("role", "save, media or code; all without it", default=None),
            Parameter("prefix", "what the path begins with", default=""),
            Parameter("versions", "every version instead of the latest", "boolean", default=False),
            Parameter("after", "the cursor of the page before", default=None),
            Parameter("limit", "files, at most", "integer", default=PAGE, minimum=1, maximum=PAGE),
        ),
    ),
    Operation(
        "POST",
        _RUN + "/blobs/missing",
        "missing_contents",
        "Which of these contents the project lacks; the others become this run's",
        Role.WRITE,
        missing,
        shape("missing", missing=TEXTS),
        body=shape("sha256", sha256=TEXTS),
    ),
    Operation(
        "GET",
        _BLOB,
        "read_content",
        "A content's bytes, or a range of them",
        Role.READ,
        give,
        query=(
            Parameter("name", "the name to save it under", default=""),
            Parameter("download", "never shown by the browser itself", "boolean", default=False),
            Parameter("framed", "HTML for a sandboxed frame", "boolean", default=False),
        ),
        is_raw=True,
        media_type="application/octet-stream",
        description="Pictures, sound, video and text are sent with their type, everything else as "
        "a download; all of it under a sandbox.",
    ),
    Operation(
        "GET",
        _BLOB + "/state",
        "content_state",
        "How many bytes of a content have arrived, and whether it is whole",
        Role.WRITE,
        state,
        _STATE,
        query=(_SIZE,),
    ),
    Operation(
        "PUT",
        _BLOB,
        "send_content",
        "Append a chunk to a content; with the last byte its hash is compared",
        Role.WRITE,
        receive,
        _STATE,
        query=(
            Parameter("offset", "where the chunk begins", "integer", is_required=True, minimum=0),
            _SIZE,
        ),
        body={"type": "string", "format": "binary"},
        errors=(409, 415, 422, 503, 507),
        is_raw=True,
        description="The body is at most 8 MiB of the content, as it is. An empty chunk at the end "
        "of a content that the project has makes it this run's.",
    ),
)
