"""A small real server that keeps journals by offset, as ours does, and misbehaves on demand."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import zstandard

Fault = Callable[["Handler", str, bytes], bool]
"""Is given the handler, the path and the raw body; True when it has dealt with the request."""


class Ingest(ThreadingHTTPServer):
    """Keeps what was sent; ``fault`` may be set at any time, ``token`` is what it asks for."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.lock = threading.Lock()
        self.kept: dict[tuple[str, str, str, int], bytearray] = {}
        self.runs: dict[tuple[str, str], dict[str, Any]] = {}
        self.requests: list[str] = []
        self.duplicates = 0
        self.fault: Fault | None = None
        self.token: str | None = None
        self.largest_raw = 17 << 20
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def data(self, run: str) -> dict[tuple[str, int], bytes]:
        with self.lock:
            return {
                (writer, segment): bytes(data)
                for (_, its_run, writer, segment), data in self.kept.items()
                if its_run == run
            }

    def records(self, run: str) -> list[dict[str, Any]]:
        """What can be read; a line that cannot is left out, as a server counts it as a gap."""
        found = []
        for _, data in sorted(self.data(run).items()):
            for line in data.splitlines():
                with contextlib.suppress(ValueError):
                    record = json.loads(line)
                    if isinstance(record, dict):
                        found.append(record)
        return found

    def points(self, run: str, key: str = "x") -> list[Any]:
        return [r["p"][key] for r in self.records(run) if "k" not in r and key in r["p"]]

    def ends(self, run: str) -> list[dict[str, Any]]:
        return [record for record in self.records(run) if record.get("k") == "end"]

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # broken connections are what the tests make


class Handler(BaseHTTPRequestHandler):
    """Speaks the part of the protocol that the streamer needs."""

    protocol_version = "HTTP/1.1"
    server: Ingest

    def log_message(self, *arguments: Any) -> None:
        pass

    def answer(
        self, status: int, body: object = None, *, ours: bool = True, **headers: str
    ) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        self.send_response(status)
        if ours:
            self.send_header("Outrider-Server", "test")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def error(self, status: int, message: str = "no", **headers: str) -> None:
        body = {"error": {"code": "test", "message": message, "hint": None}}
        self.answer(status, body, **headers)

    def reset(self) -> None:
        """Break the connection at once."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server = self.server
        server.requests.append(f"{self.command} {self.path}")
        if server.fault is not None and server.fault(self, parts.path, body):
            return
        if (
            server.token is not None
            and self.headers.get("Authorization") != f"Bearer {server.token}"
        ):
            self.error(401, "bad token")
            return
        words = [unquote(word) for word in parts.path.strip("/").split("/")]
        if parts.path == "/api/runs":
            self._create(json.loads(body))
        elif len(words) == 8 and words[5] == "journal":
            project, run, writer, segment = words[2], words[4], words[6], int(words[7])
            offset = int(parse_qs(parts.query)["offset"][0])
            self.commit((project, run, writer, segment), offset, body)
        elif len(words) == 5 and self.command == "GET":
            known = server.runs.get((words[2], words[4]))
            if known is None:
                self.error(404)
            else:
                self.answer(200, known)
        else:
            self.error(404, "no such route")

    def _create(self, meta: dict[str, Any]) -> None:
        server = self.server
        key = (meta["project"], meta["id"])
        with server.lock:
            created = key not in server.runs
            server.runs.setdefault(key, {"attempt": 1, "last_step": None, "state": "running"})
            known = server.runs[key]
            offsets: dict[str, dict[str, int]] = {}
            for (project, run, writer, segment), data in server.kept.items():
                if (project, run) == key:
                    offsets.setdefault(writer, {})[str(segment)] = len(data)
        told = {"project": key[0], "id": key[1], "name": meta.get("name"), "url": "", **known}
        self.answer(200, {**told, "created": created, "offsets": offsets})

    def commit(
        self, key: tuple[str, str, str, int], offset: int, body: bytes, *, quietly: bool = False
    ) -> None:
        """Keep a batch and ack it (or say nothing)."""
        server = self.server
        raw = zstandard.ZstdDecompressor().decompress(body, max_output_size=64 << 20)
        with server.lock:
            if key[:2] not in server.runs:
                self.error(404)
                return
            if len(raw) > server.largest_raw:
                self.error(413, "too large")
                return
            assert raw.endswith(b"\n"), "whole lines only"
            kept = server.kept.setdefault(key, bytearray())
            there = len(kept)
            if offset > there:
                self.answer(409, {"error": {"message": "ahead"}, "offset": there})
                return
            if offset < there:
                server.duplicates += 1
                self.answer(200, {"offset": there, "duplicate": True})
                return
            kept += raw
            there = len(kept)
        if not quietly:
            self.answer(200, {"offset": there})
