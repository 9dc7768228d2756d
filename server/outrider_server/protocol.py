"""HTTP connections with bounds that uvicorn's own lack: headers, slow senders, slow readers.

uvicorn waits for ever for the rest of a header, and llhttp holds a header of any size. Here a
connection counts its header bytes and notes when it last made progress, and one sweep over all
connections, every second, drops those that hold a place without using it. No timer a request.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from outrider_server.config import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import Scope

    Headers = tuple[tuple[bytes, bytes], ...]

STRAIGHT = "outrider.straight"
"""Where a request's scope holds ``BoundedProtocol.answer``."""

_BODY = b'{"error":{"code":"%s","message":"%s","hint":null}}'


class BoundedProtocol(HttpToolsProtocol):
    """One connection; ``limits`` is set on a subclass by ``bounded()``."""

    limits = Limits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        now = self.loop.time()
        self.header_began: float | None = now  # a silent connection counts from its start
        self.request_began = now
        self.heard = now
        self.write_blocked: float | None = None
        self._header_bytes = 0
        self._head_of: Any = None
        self._head = b""

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
        if self.header_began is not None and self._header_bytes > self.limits.header_bytes:
            self._refuse(
                b"431 Request Header Fields Too Large", b"too_large", b"the header is too large"
            )

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        scope: Any = self.scope  # uvicorn's type knows only ASGI's own keys
        scope[STRAIGHT] = self.answer
        self.header_began = self.heard
        self._size = 0

    def on_url(self, url: bytes) -> None:
        """Part of the request's target."""
        self._size += len(url)
        if self._size > self.limits.header_bytes:
            raise ValueError("the header is too large")
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole header (or trailer)."""
        self._size += len(name) + len(value)
        if self._size > self.limits.header_bytes:
            raise ValueError("the header is too large")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The header is whole, the body begins."""
        self.header_began = None
        self._header_bytes = 0
        self.request_began = self.heard
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what llhttp cannot read, in our one form of failures."""
        self._refuse(b"400 Bad Request", b"bad_request", b"this is not HTTP as it should be")

    def pause_writing(self) -> None:
        """The client does not read; from now on its time runs."""
        self.write_blocked = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """The client reads again."""
        self.write_blocked = None
        super().resume_writing()

    def answer(self, scope: Scope, headers: Headers, body: bytes) -> bool:
        """Answer 200 in one piece; False, and nothing done, where that must go the long way.

        uvicorn looks through each header of each answer by two regular expressions. All but the
        length of a batch's answer are the same for a second.
        """
        cycle = self.cycle
        if (
            cycle.scope is not scope
            or cycle.response_started
            or cycle.disconnected
            or not cycle.keep_alive
            or self.flow.write_paused
        ):
            return False
        of = self.server_state.default_headers, headers
        if self._head_of != of:
            self._head_of = of
            lines = [name + b": " + value for name, value in (*of[0], *headers)]
            self._head = b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"content-length: "])
        cycle.response_started = cycle.response_complete = True
        self.transport.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
        cycle.message_event.set()
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

    def _refuse(self, status: bytes, code: bytes, message: bytes) -> None:
        body = _BODY % (code, message)
        lines = [b"HTTP/1.1 " + status, b"content-type: application/json", b"connection: close"]
        lines += [name + b": " + value for name, value in self.server_state.default_headers]
        lines += [b"retry-after: 1", b"content-length: %d" % len(body), b"", body]
        self.transport.write(b"\r\n".join(lines))
        self.transport.close()


def bounded(limits: Limits) -> type[BoundedProtocol]:
    """The protocol class with these limits."""
    return type("Connection", (BoundedProtocol,), {"limits": limits})


async def sweep(connections: Iterable[Any], every: float = 1.0) -> None:
    """Drop stalled connections, for ever."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(every)
        now = loop.time()
        for connection in list(connections):
            if connection.is_stalled(now):
                connection.transport.abort()
