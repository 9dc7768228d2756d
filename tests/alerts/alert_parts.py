"""What the tests of alerts work with: a store and its clock, an address that takes posts."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from outrider.journal.line import encode
from outrider_server.store import Store

START = 1_763_860_000.0


class Watched:
    """A store whose rules see the time that the test says; it can be closed and opened again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.mkdir()
        self.now = START
        self.offsets: dict[tuple[str, str], int] = {}
        self.open()

    def open(self) -> None:
        """Open the store, at the present time."""
        self.store = Store.open(self.path)

        def set_clock(to: Any) -> None:
            to.watcher.clock = lambda: self.now
            to.watcher.since = self.now

        self.store._writer.call(set_clock)

    def reopen(self) -> None:
        """Stop and start."""
        self.store.close()
        self.open()

    def rule(self, kind: str, **more: Any) -> str:
        """Make a rule; returns its id."""
        return self.store.alerts.add_rule("p", {"kind": kind, **more}).id

    def send(self, run: str, *records: Mapping[str, Any], writer: str = "w") -> None:
        """Records of a run, as one batch."""
        if (run, writer) not in self.offsets:
            self.offsets[run, writer] = 0
            described = {"project": "p", "id": run, "name": f"name of {run}", "created": START}
            self.store.create_run({**described, "writer": "w"})
            head = {"t": START, "k": "head", "v": 1, "w": writer, "n": 1, "a": 1}
            records = ({**head, "role": "trainer", "primary": writer == "w"}, *records)
        raw = b"".join(encode(record) for record in records)
        at = self.offsets[run, writer]
        ack = asyncio.run(self.store.ingest("p", run, writer, 1, at, raw))
        self.offsets[run, writer] = ack.offset

    def log(self, run: str, step: int, **values: Any) -> None:
        """One record of points."""
        self.send(run, {"t": self.now, "s": step, "p": values})

    def end(self, run: str, state: str, **more: Any) -> None:
        """The streamer's word on how the run's writer ended."""
        record = {"t": self.now, "k": "end", "w": "w", "a": 1, "state": state, **more}
        self.send(run, record, writer="s")

    def wait(self, minutes: float) -> list[tuple[str, str]]:
        """Let time pass, then look at the rules."""
        self.now += 60.0 * minutes
        return self.store.alerts.check()

    def titles(self, run: str) -> list[str]:
        """The titles of a run's alerts."""
        return [one["title"] for one in self.alerts(run)]

    def alerts(self, run: str) -> list[dict[str, Any]]:
        """A run's alerts."""
        found: list[dict[str, Any]] = self.store.alerts.of_run("p", run)["alerts"]
        return found


class Hook:
    """An HTTP server that keeps what is posted, and answers what it is told to."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.gets = 0
        self.answers: list[tuple[int, dict[str, str]]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.posts.append(json.loads(body))
                hook.headers.append({name.lower(): text for name, text in self.headers.items()})
                status, headers = hook.answers.pop(0) if hook.answers else (200, {})
                self.send_response(status)
                for name, text in headers.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                hook.gets += 1
                self.send_error(404)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/services/secret?x=1"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more posts."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
