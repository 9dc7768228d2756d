"""The path of every batch, before Starlette's routing.

Through Starlette's router and Request the same batch costs a third more (measured: 205 against
300 µs of CPU, store aside). Nothing here is done twice, or in a thread that need not be: a batch
costs one check of its headers, one unpacking and the store's commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from outrider.ids import is_run_id, is_writer_id
from outrider_server.bodies import Budget, Unpacker, declared_length, read_body, whole_number
from outrider_server.guard import HEADERS, PRINCIPAL
from outrider_server.problems import Problem, bad_request, not_found, unauthorized
from outrider_server.store import OffsetAhead, UnknownRun
from outrider_server.tokens import Principal, Role

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Receive, Scope

    from outrider_server.services import Services

    Answer = Callable[[bytes], Awaitable[None]]

_ALREADY_HERE = b',"duplicate":true}'


class Ingest:
    """POST /api/projects/{project}/runs/{run}/journal/{writer}/{segment}?offset=N."""

    def __init__(self, services: Services) -> None:
        limits = services.config.limits
        self._limit = limits.batch_bytes
        self._unpacker = Unpacker(limits.batch_bytes, limits.window_bytes)
        self._budget: Budget = services.budget
        self._store = services.store
        self._tokens = services.tokens
        self._hub = services.hub

    async def __call__(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        """Take one batch; answers once it is committed, and raises a Problem where it was not."""
        path: str = scope["path"]
        principal: Principal = scope[PRINCIPAL]
        headers: dict[bytes, bytes] = scope[HEADERS]
        _, _, _, project, runs, run, _, writer, number = path.split("/")
        if runs != "runs" or not is_run_id(run) or not is_writer_id(writer):
            raise not_found("this cannot be the path of a journal")
        principal.require(Role.WRITE, project)
        segment = _segment(number)
        offset = _offset(scope["query_string"])
        declared_length(headers.get(b"content-length"), self._limit)
        declared = self._unpacker.declared(headers.get(b"outrider-raw-length"))
        body = await read_body(receive, self._limit, self._budget)
        taken = len(body)
        try:
            if declared is not None and declared > len(body):
                self._budget.take(declared - taken)
                taken = declared
            encoding = headers.get(b"content-encoding", b"")
            raw = await self._unpacker.unpack(body, encoding, declared)
            del body
            if not raw.endswith(b"\n"):
                raise bad_request("a batch holds whole lines, each with its line break")
            if not self._tokens.is_valid(principal):
                raise unauthorized("the token was revoked")
            try:
                ack = await self._store.ingest(project, run, writer, segment, offset, raw)
            except OffsetAhead as error:
                raise Problem(
                    409,
                    "offset_ahead",
                    f"the server has {error.offset} bytes of this segment, not {offset}",
                    hint="go on from `offset`",
                    extra={"offset": error.offset},
                ) from None
            except UnknownRun:
                raise not_found(
                    "the server does not know this run", hint="POST /api/runs, then send again"
                ) from None
        finally:
            self._budget.give(taken)
        end = _ALREADY_HERE if ack.duplicate else b"}"
        await answer(b'{"offset":%d%b' % (ack.offset, end))
        changes = ack.changes
        if changes.kinds:
            self._hub.publish(ack.home, run, changes.kinds, changes.keys or (), changes.state)


def _segment(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) < 1:
        raise not_found("a segment's number is a whole number from 1")
    return int(text)


def _offset(query: bytes) -> int:
    for item in query.split(b"&"):
        name, _, value = item.partition(b"=")
        if name == b"offset":
            return whole_number(value, "offset")
    raise bad_request("the parameter 'offset' is missing")
