"""Our server inside the test's own process: the real application and store, behind the transport seam."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import orjson

from outrider.errors import Unreachable
from outrider.transport import TIMEOUT, Answer, Body, HttpTransport
from outrider_server.app import build
from outrider_server.bodies import Budget
from outrider_server.config import ServerConfig
from outrider_server.live import Hub
from outrider_server.login import LoginCodes
from outrider_server.services import Services
from outrider_server.store import Store
from outrider_server.tokens import Role, Tokens


class Inside:
    """A server that is asked without a socket. ``restart`` is its death by SIGKILL and a new one."""

    url = "http://127.0.0.1:7878"

    def __init__(self, place: Path) -> None:
        self.place = place
        self._loop = asyncio.new_event_loop()
        self._lives = 0
        self._copied = place / "0"
        self._copied.mkdir(parents=True)
        self._open()

    def _open(self) -> None:
        self.store = Store.open(self._copied)
        tokens = Tokens(self.store)
        self._token = tokens.create("test", Role.ADMIN)[1] if not self._lives else self._token
        self._services = Services(
            config=ServerConfig(data=str(self._copied)),
            store=self.store,
            tokens=tokens,
            codes=LoginCodes(),
            hub=Hub(1, 1),
            budget=Budget(64 << 20),
            threads=ThreadPoolExecutor(1, "read"),
            cookie="c",
        )
        self._app = build(self._services)

    def _copy(self, name: str) -> Path:
        to = self.place / name
        shutil.copytree(self._copied, to)
        return to

    def restart(self, keep: Path | None = None) -> None:
        """Leave the files as they lie, as SIGKILL does, and open them again; or an older copy."""
        self._lives += 1
        if keep is None:
            there = self._copy(str(self._lives))
        else:
            there = self.place / str(self._lives)
            shutil.copytree(keep, there)
        self.close(for_good=False)
        shutil.rmtree(self._copied)
        self._copied = there
        self._open()
        check_store(there / "outrider.db")

    def backup(self) -> Path:
        """A copy of its files, taken between two requests."""
        self._lives += 1
        return self._copy(f"backup-{self._lives}")

    def close(self, *, for_good: bool = True) -> None:
        self.store.close()
        self._services.threads.shutdown()
        if for_good:
            check_store(self._copied / "outrider.db")
            self._loop.close()
            shutil.rmtree(self.place)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Any = None,
        json: Any = None,
        data: Body | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | tuple[float, float] = TIMEOUT,
    ) -> Answer:
        """See ``outrider.transport.Transport``."""
        body = orjson.dumps(json) if json is not None else b"" if data is None else _whole(data)
        told = {"Content-Type": "application/json", **(headers or {}), "Host": "localhost"}
        told |= {"Authorization": f"Bearer {self._token}", "Content-Length": str(len(body))}
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "scheme": "http",
            "path": unquote(path), "raw_path": path.encode(), "root_path": "",
            "query_string": urlencode(params or {}).encode(),
            "headers": [(k.lower().encode(), v.encode()) for k, v in told.items()],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 7878),
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        self._loop.run_until_complete(self._app(scope, receive, send))  # type: ignore[arg-type]
        answered = {k.decode(): v.decode("latin-1") for k, v in sent[0]["headers"]}
        whole = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(sent[0]["status"], {**answered, "outrider-server": "inside"}, whole)

    def points(self, project: str, run: str, key: str) -> list[int]:
        """The values of a metric in the order of their arrival."""
        found = self.store.run(project, run)
        if key not in {metric["key"] for metric in found["metrics"]}:
            return []
        said = self.store.points(project, run, key)
        assert said["next"] is None
        return [int(value) for value in said["values"]]


class Line:
    """The way to a server: ``act`` decides for each request whether it arrives and is answered.

    ``act`` is given the request's number and returns "lost" (it never arrives), "silent" (it is
    done, and the reply is lost), an ``Answer`` in the server's place, or None.
    """

    def __init__(self, server: Inside | HttpTransport, act: Any = lambda number: None) -> None:
        self.server = server
        self.url = server.url
        self.act = act
        self.asked = 0

    def request(self, method: str, path: str, **more: Any) -> Answer:
        """See ``outrider.transport.Transport``."""
        self.asked += 1
        what = self.act(self.asked)
        if isinstance(what, Answer):
            return what
        if what == "lost":
            raise Unreachable("the connection broke", hint=None, kind="reset")
        answer = self.server.request(method, path, **more)
        if what == "silent":
            raise Unreachable("no answer in time", hint=None, kind="timeout")
        return answer


def _whole(data: Body) -> bytes:
    return data if isinstance(data, bytes) else b"".join(data)


def check_store(path: Path) -> None:
    """A store is whole: SQLite finds no damage, and no row points to one that is not there."""
    assert path.stat().st_size > 0
    db = sqlite3.connect(path)
    try:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        db.close()
