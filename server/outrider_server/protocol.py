"""HTTP connections with bounds that uvicorn's own lack: headers, slow senders, slow readers.

uvicorn waits for ever for the rest of a header, and llhttp holds a header of any size. Here a
connection counts its header bytes and notes when it last made progress, and one sweep over all
connections, every second, drops those that hold a place without using it. No timer a request.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from outrider_server.config import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.types import Scope

    Headers = tuple[tuple[bytes, bytes], ...]
    AtOnce = Callable[[Scope, bytes, Callable[[bytes | None], None]], bool]

_SMALL = 64 << 10
"""So long a body is kept by uvicorn without a word to its sender to wait."""

_BODY = b'{"error":{"code":"%s","message":"%s","hint":null}}'


class BoundedProtocol(HttpToolsProtocol):
    """One connection; what it is given stands on a subclass that ``bounded()`` makes.

    The body of a small batch is waited for, and the batch then handed over by ``at_once``, with no
    task of its own (``Guard.at_once``); a batch that is refused there is served as any other request.
    """

    limits = Limits()
    at_once: AtOnce
    at_once_headers: Headers = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        now = self.loop.time()
        self.header_began: float | None = now  # a silent connection counts from its start
        self.request_began = now
        self.heard = now
        self.write_blocked: float | None = None
        self.rests_since: float | None = None
        self._most = self.limits.header_bytes
        self._header_bytes = 0
        self._head_of: Any = None
        self._head = b""
        self._awaited: tuple[RequestResponseCycle, Any] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or answer 503 when there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            self._refuse(b"503 Service Unavailable", b"busy", b"too many connections")

    def data_received(self, data: bytes) -> None:
        """Count what a header holds before it is whole."""
        if self.transport.is_closing():
            return
        self.heard = self.loop.time()
        if self.header_began is not None:
            if self._header_bytes == 0:
                self.header_began = self.heard
            self._header_bytes += len(data)
        super().data_received(data)
        if self.header_began is not None and self._header_bytes > self._most:
            self._refuse(
                b"431 Request Header Fields Too Large", b"too_large", b"the header is too large"
            )

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.header_began = self.heard
        self._size = 0

    def on_url(self, url: bytes) -> None:
        """Part of the request's target."""
        self._size += len(url)
        if self._size > self._most:
            raise ValueError("the header is too large")
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole header (or trailer). Of most there is nothing else to note: uvicorn is called for
        the one that asks to be told to go on."""
        self._size += len(name) + len(value)
        if self._size > self._most:
            raise ValueError("the header is too large")
        name = name.lower()
        if name == b"expect":
            super().on_header(name, value)
        else:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The header is whole, the body begins."""
        self.header_began = None
        self.rests_since = None  # not by a mere line break, which begins no request
        self._header_bytes = 0
        self.request_began = self.heard
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what llhttp cannot read, in our one form of failures."""
        self._refuse(b"400 Bad Request", b"bad_request", b"this is not HTTP as it should be")

    def on_response_complete(self) -> None:
        """An answer is out: on with what was sent behind its request, or the connection rests.

        uvicorn sets a timer a request, which the next one cancels; the sweep sees as well who rests.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self.rests_since = self.loop.time()

    def pause_writing(self) -> None:
        """The client does not read; from now on its time runs."""
        self.write_blocked = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """The client reads again."""
        self.write_blocked = None
        super().resume_writing()

    def on_message_complete(self) -> None:
        """The body is whole."""
        super().on_message_complete()
        if self._awaited is not None:
            awaited, self._awaited = self._awaited, None
            self._take(*awaited)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Begin with a request, where uvicorn would make it a task."""
        if not _is_small_batch(cycle):
            super()._start_asgi_task(cycle, app)
        elif cycle.more_body:
            self._awaited = cycle, app
        else:
            self._take(cycle, app)

    def _take(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Hand over a small batch."""
        start = super()._start_asgi_task

        def answer(body: bytes | None) -> None:
            if not cycle.disconnected and (body is None or not self._answer(cycle, body)):
                start(cycle, app)

        scope: Any = cycle.scope  # uvicorn's type knows only ASGI's own keys
        # a server that stops lets no connection stay
        if not (cycle.keep_alive and self.at_once(scope, bytes(cycle.body), answer)):
            start(cycle, app)

    def _answer(self, cycle: RequestResponseCycle, body: bytes) -> bool:
        """Answer 200 in one write; False, and nothing done, where that must go the long way.

        uvicorn looks through each header of each answer by two regular expressions. All but the
        length of a batch's answer are the same for a second.
        """
        if not cycle.keep_alive or self.flow.write_paused:
            return False
        if self._head_of is not self.server_state.default_headers:  # a new list every second
            self._head_of = self.server_state.default_headers
            lines = [
                name + b": " + value for name, value in (*self._head_of, *self.at_once_headers)
            ]
            self._head = b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"content-length: "])
        cycle.response_started = cycle.response_complete = True
        self.transport.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
        cycle.on_response()
        return True

    def is_stalled(self, now: float) -> bool:
        """Whether this connection has held its place for too long without progress."""
        limits = self.limits
        if self.write_blocked is not None:
            return now - self.write_blocked > limits.write_seconds
        if self.header_began is not None:
            return now - self.header_began > limits.header_seconds
        cycle: Any = getattr(self, "cycle", None)  # None after a header that could not be read
        if cycle is None or not cycle.more_body or self.flow.read_paused:
            return False
        return (
            now - self.heard > limits.body_idle_seconds
            or now - self.request_began > limits.body_seconds
        )

    def rests_too_long(self, now: float) -> bool:
        """Whether this connection has had no request for too long since its last answer."""
        rests = self.rests_since
        return rests is not None and now - rests > self.limits.rest_seconds

    def _refuse(self, status: bytes, code: bytes, message: bytes) -> None:
        body = _BODY % (code, message)
        lines = [b"HTTP/1.1 " + status, b"content-type: application/json", b"connection: close"]
        lines += [name + b": " + value for name, value in self.server_state.default_headers]
        lines += [b"retry-after: 1", b"content-length: %d" % len(body), b"", body]
        self.transport.write(b"\r\n".join(lines))
        self.transport.close()


def _is_small_batch(cycle: RequestResponseCycle) -> bool:
    """Is this a batch that can be taken at once: all of it small, on a connection that stays?"""
    scope = cycle.scope
    if "/journal/" not in scope["path"] or scope["method"] != "POST" or not cycle.keep_alive:
        return False
    if cycle.waiting_for_100_continue:
        return False
    for name, value in scope["headers"]:
        if name == b"content-length":
            return len(value) < 9 and value.isdigit() and int(value) <= _SMALL
    return False


def bounded(limits: Limits, at_once: AtOnce, headers: Headers) -> type[BoundedProtocol]:
    """The protocol class with these limits; ``headers`` go with answers to batches taken at once."""
    given = {"limits": limits, "at_once": staticmethod(at_once), "at_once_headers": headers}
    return type("Connection", (BoundedProtocol,), given)


async def sweep(connections: Iterable[Any], every: float = 1.0) -> None:
    """Drop stalled connections and close those that rest, for ever."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(every)
        now = loop.time()
        for connection in list(connections):
            if connection.is_stalled(now):
                connection.transport.abort()
            elif connection.rests_too_long(now):
                connection.transport.close()  # a slow client has what is still on its way
