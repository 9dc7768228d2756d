"""A connection to a server on which something happens when so many bytes have gone through it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress


class Throttle:
    """Forwards connections to a server; ``at`` is called once each time that the bytes sent so far
    pass one of ``marks``, before anything more is forwarded."""

    def __init__(self, url: str, marks: list[int], at: Callable[[], object]) -> None:
        host, _, port = url.removeprefix("http://").rpartition(":")
        self._to = (host, int(port))
        self._marks = sorted(marks)
        self._at = at
        self._lock = threading.Lock()
        self.sent = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._to)
            except OSError:  # it has gone: whoever still sends learns it as it would without us
                client.close()
                continue
            for one, two, counts in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._forward, args=(one, two, counts), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if counts:
                    self._count(len(data))
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _count(self, size: int) -> None:
        with self._lock:
            self.sent += size
            if self._marks and self.sent >= self._marks[0]:
                self._marks.pop(0)
                self._at()
