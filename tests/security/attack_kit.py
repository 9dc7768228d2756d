"""What attackers need: a wire that says any bytes, fast, and a hostile server that answers anything."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from server_kit import Client, Reply

BATCH = 40
NOTHING = Reply(0, {}, b"")
"""The server closed the connection without a word."""


def request(client: Client, method: str, target: str, body: bytes = b"", *more: str) -> bytes:
    """The bytes of a request with a client's token."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {client.host}", *more]
    if client.token is not None:
        lines.append(f"Authorization: Bearer {client.token}")
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


class Wire:
    """A kept connection; whole requests go out many at a time, and each gets its answer."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._socket: socket.socket | None = None
        self._read = b""

    def ask(self, requests: Sequence[bytes]) -> list[Reply]:
        """The answer to each, in order; the connection is let go of afterwards."""
        try:
            return self._ask(requests)
        finally:
            self.close()

    def _ask(self, requests: Sequence[bytes]) -> list[Reply]:
        replies: list[Reply] = []
        size = BATCH
        while len(replies) < len(requests):
            batch = requests[len(replies) : len(replies) + size]
            found = self._ask_some(batch)
            # An answer that ends the connection may have been cut off by what stood behind it.
            if found and found[-1] is NOTHING and len(batch) > 1:
                found.pop()
            size = BATCH if len(found) == len(batch) else 1
            replies += found
        return replies

    def _ask_some(self, batch: Sequence[bytes]) -> list[Reply]:
        found: list[Reply] = []
        try:
            if self._socket is None:
                self._socket, self._read = self._client.socket(), b""
            self._socket.sendall(b"".join(batch))
            for one in batch:
                reply = self._reply(is_head=one.startswith(b"HEAD "))
                found.append(reply)
                if reply is NOTHING or reply.headers.get("connection") == "close":
                    self.close()
                    break
        except OSError:
            self.close()
            found.append(NOTHING)
        return found

    def _reply(self, *, is_head: bool) -> Reply:
        while b"\r\n\r\n" not in self._read:
            if not self._more():
                return NOTHING
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        status = int(first.split()[1])
        size = 0 if is_head or status in (204, 304) else int(headers.get("content-length", 0))
        while len(self._read) < size:
            if not self._more():
                return NOTHING
        body, self._read = self._read[:size], self._read[size:]
        return Reply(status, headers, body)

    def _more(self) -> bool:
        assert self._socket is not None
        piece = self._socket.recv(1 << 16)
        self._read += piece
        return bool(piece)

    def close(self) -> None:
        """Let go of the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Hostile(ThreadingHTTPServer):
    """A server of somebody else's: ``answer`` says everything, ``heard`` is what was asked of it."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler], None] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.heard: list[tuple[str, dict[str, str]]] = []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients that hang up on it are in the right

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hostile
    body = b""

    def log_message(self, *arguments: Any) -> None:
        pass

    def _all(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.heard.append((f"{self.command} {self.path}", dict(self.headers.items())))
        if self.server.answer is not None:
            self.server.answer(self)
            return
        self.send_response(200)
        self.send_header("Outrider-Server", "0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _all  # noqa: N815


def tree(top: Path) -> set[str]:
    """Every file and folder below a folder."""
    return {str(path.relative_to(top)) for path in top.rglob("*")}
