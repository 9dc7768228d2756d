"""Many small contents in one request: received whole, or not at all."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from outrider_server.answers import json_response
from outrider_server.blobs import is_sha256
from outrider_server.bodies import declared_length
from outrider_server.problems import Problem, bad_request, not_found, too_large
from outrider_server.routes.files import CHUNK_BYTES, no_room
from outrider_server.routes.operation import Call, Operation
from outrider_server.schemas import TEXTS, shape
from outrider_server.store import UnknownRun
from outrider_server.store.files import PAGE
from outrider_server.tokens import Role

if TYPE_CHECKING:
    from starlette.responses import Response

_HEAD_BYTES = 128 << 10


async def receive_several(call: Call) -> Response:
    """Take a bundle: what is in it whole and right is this run's from now on."""
    services, names = call.services, (call.path["project"], call.path["run"])
    length = call.request.headers.get("content-length")
    size = declared_length(None if length is None else length.encode("latin-1"), CHUNK_BYTES)
    if size is None:
        raise Problem(411, "length_required", "a bundle says how long it is")
    if call.request.headers.get("content-encoding", "identity") != "identity":
        raise Problem(415, "unsupported_encoding", "contents are sent as they are")
    loop = asyncio.get_running_loop()
    project, run = await loop.run_in_executor(
        services.threads, services.store.place_to_receive, *names
    )
    services.budget.take(2 * size)  # the body, and the contents cut out of it
    try:
        contents = unpacked(await _body(call, size))
        try:
            wrong = await loop.run_in_executor(
                services.threads, services.store.blobs.keep, project, run, contents
            )
        except OSError as error:
            raise no_room(error) from None
        right = sorted({name for name, _ in contents} - set(wrong))
    finally:
        services.budget.give(2 * size)
    try:
        lacking = await loop.run_in_executor(services.threads, services.store.claim, *names, right)
    except UnknownRun:
        raise not_found("the run was deleted meanwhile") from None
    services.hub.publish(*names, ("file",), ())
    return json_response({"kept": sorted(set(right) - set(lacking)), "wrong": sorted(wrong)})


async def _body(call: Call, size: int) -> bytes:
    body = bytearray()
    async for piece in call.request.stream():
        body += piece
        if len(body) > size:
            raise too_large("the bundle is longer than it says")
    return bytes(body)


def unpacked(body: bytes) -> list[tuple[str, bytes]]:
    """The contents of a bundle: a line of JSON, ``[[sha256, size], …]``, and their bytes one
    after the other. Raises 400."""
    end = body.find(b"\n", 0, _HEAD_BYTES)
    try:
        told: Any = json.loads(body[:end]) if end >= 0 else None
    except ValueError:
        told = None
    if not isinstance(told, list) or len(told) > PAGE or not all(map(_is_entry, told)):
        raise bad_request(
            "a bundle begins with a line [[sha256, size], …] of at most 1000 contents"
        )
    found = []
    at = end + 1
    for sha256, size in told:
        found.append((sha256, body[at : at + size]))
        at += size
    if at != len(body):
        raise bad_request(f"the bundle has {len(body)} bytes, its first line says {at}")
    return found


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, list)
        and len(entry) == 2
        and isinstance(entry[0], str)
        and is_sha256(entry[0])
        and type(entry[1]) is int
        and 0 <= entry[1] <= CHUNK_BYTES
    )


OPERATIONS = (
    Operation(
        "PUT",
        "/api/projects/{project}/runs/{run}/blobs",
        "send_contents",
        "Many small contents at once; `wrong` are those whose hash is another",
        Role.WRITE,
        receive_several,
        shape("kept wrong", kept=TEXTS, wrong=TEXTS),
        body={"type": "string", "format": "binary"},
        errors=(411, 415, 503, 507),
        is_raw=True,
        description="The body is a line of JSON, `[[sha256, size], …]` with at most 1,000 contents, "
        "and then their bytes, one content after the other; 8 MiB in all. Each is kept whole, or not.",
    ),
)
