"""The path of every batch, before Starlette's routing.

Through Starlette's router and Request the same batch costs a third more (measured: 205 against
300 µs of CPU, store aside). Nothing here is done twice, or in a thread that need not be: a batch
costs one check of its headers, one unpacking and the store's commit.

A small batch whose body has come in whole is taken ``at_once``, in the call that brought its last
bytes, and answered in the call that brings the store's word: a task that would begin, wait for the
body, wait for the store and end costs as much as reading the batch. Whatever is not as it should be
goes the long way, which says what: a batch that is sent again, or tried again, changes nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from outrider.ids import is_run_id, is_writer_id
from outrider_server.answers import send_json
from outrider_server.bodies import (
    IN_PLACE,
    Budget,
    Unpacker,
    declared_length,
    read_body,
    whole_number,
)
from outrider_server.guard import HEADERS, PRINCIPAL
from outrider_server.problems import Problem, bad_request, not_found, unauthorized
from outrider_server.store import Batch, OffsetAhead, UnknownRun
from outrider_server.tokens import Principal, Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from outrider_server.services import Services
    from outrider_server.store import Ack

    Answer = Callable[[bytes | None], None]

_PLACES, _LONG = 4096, 500
"""So many paths are remembered, and none that is longer."""

_ALREADY_HERE = b',"duplicate":true}'


class _Asked(NamedTuple):
    """What the head of a batch's request says."""

    project: str
    run: str
    writer: str
    segment: int
    offset: int
    encoding: bytes
    raw_length: int | None

    def batch(self, raw: bytes) -> Batch:
        """The batch, unpacked."""
        if not raw.endswith(b"\n"):
            raise bad_request("a batch holds whole lines, each with its line break")
        return Batch(self.project, self.run, self.writer, self.segment, self.offset, raw)


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

    def at_once(self, scope: Scope, body: bytes, answer: Answer) -> bool:
        """Take a batch whose body is here; False, or a Problem, where it must go the long way.

        ``answer`` is called later, with the 200's body, or with None where it was not committed.
        """
        asked = self._asked(scope)
        held = max(len(body), asked.raw_length or 0)
        if held > IN_PLACE:
            return False
        self._budget.take(held)

        def make() -> Batch:
            return asked.batch(self._unpacker.unpack_here(body, asked.encoding, asked.raw_length))

        def done(ack: Ack | None, _: BaseException | None) -> None:
            self._budget.give(held)
            answer(None if ack is None else _answered(ack))
            if ack is not None:
                self._publish(asked.run, ack)

        try:
            self._store.batches.hand_in(make, done)
        except BaseException:
            self._budget.give(held)
            raise
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one batch; answers once it is committed, and raises a Problem where it was not."""
        asked = self._asked(scope)
        body = await read_body(receive, self._limit, self._budget)
        taken = len(body)
        try:
            if asked.raw_length is not None and asked.raw_length > taken:
                self._budget.take(asked.raw_length - taken)
                taken = asked.raw_length
            raw = await self._unpacker.unpack(body, asked.encoding, asked.raw_length)
            del body
            batch = asked.batch(raw)
            del raw
            if not self._tokens.is_valid(scope[PRINCIPAL]):
                raise unauthorized("the token was revoked")
            try:
                ack = await self._store.batches.store(batch)
            except OffsetAhead as error:
                raise Problem(
                    409,
                    "offset_ahead",
                    f"the server has {error.offset} bytes of this segment, not {asked.offset}",
                    hint="go on from `offset`",
                    extra={"offset": error.offset},
                ) from None
            except UnknownRun:
                raise not_found(
                    "the server does not know this run", hint="POST /api/runs, then send again"
                ) from None
        finally:
            self._budget.give(taken)
        await send_json(send, 200, _answered(ack))
        self._publish(asked.run, ack)

    def _asked(self, scope: Scope) -> _Asked:
        """What is asked, by whom; raises a Problem where it may not be."""
        principal: Principal = scope[PRINCIPAL]
        headers: dict[bytes, bytes] = scope[HEADERS]
        path: str = scope["path"]
        project, run, writer, segment = (_known_place if len(path) <= _LONG else _place)(path)
        principal.require(Role.WRITE, project)
        offset = _offset(scope["query_string"])
        declared_length(headers.get(b"content-length"), self._limit)
        raw_length = self._unpacker.declared(headers.get(b"outrider-raw-length"))
        encoding = headers.get(b"content-encoding", b"")
        return _Asked(project, run, writer, segment, offset, encoding, raw_length)

    def _publish(self, run: str, ack: Ack) -> None:
        changes = ack.changes
        if changes.kinds:
            self._hub.publish(ack.home, run, changes.kinds, changes.keys or (), changes.state)


def _answered(ack: Ack) -> bytes:
    return b'{"offset":%d%b' % (ack.offset, _ALREADY_HERE if ack.duplicate else b"}")


def _place(path: str) -> tuple[str, str, str, int]:
    """The project, run, writer and segment that a path means."""
    _, _, _, project, runs, run, _, writer, number = path.split("/")
    if runs != "runs" or not is_run_id(run) or not is_writer_id(writer):
        raise not_found("this cannot be the path of a journal")
    return project, run, writer, _segment(number)


_known_place = lru_cache(_PLACES)(_place)
"""What a writer asks again and again is looked up."""


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
