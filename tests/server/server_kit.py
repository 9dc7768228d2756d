"""A client that can send what a well-behaved one would not, and what it sends."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable
from contextlib import closing
from typing import Any, NamedTuple

from outrider_server.background import Background


class Reply(NamedTuple):
    """An answer; header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a failure."""
        return str(self.json()["error"]["code"])


class Client:
    """Sends exactly the headers it is told to, over a connection of its own."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url
        self.host = url.removeprefix("http://")
        self.token = token

    def with_token(self, token: str | None) -> Client:
        """The same server, somebody else."""
        return Client(self.url, token)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        *,
        host: str | None = None,
    ) -> Reply:
        """One request; a dict is sent as JSON. ``headers`` come on top of Host and the token."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        address, _, port = self.host.rpartition(":")
        with closing(http.client.HTTPConnection(address, int(port), timeout=30)) as connection:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", self.host if host is None else host)
            if self.token is not None:
                connection.putheader("Authorization", f"Bearer {self.token}")
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, found, answer.read())

    def get(self, path: str, **more: Any) -> Reply:
        """GET."""
        return self.request("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Reply:
        """POST."""
        return self.request("POST", path, body, **more)

    def create_run(self, run: str, project: str = "p") -> Reply:
        """Make a run known, as a streamer does."""
        return self.post("/api/runs", meta(run, project))

    def append(
        self, run: str, offset: int, raw: bytes, *, writer: str = "main", **more: Any
    ) -> Reply:
        """Send a plain batch."""
        path = f"/api/projects/p/runs/{run}/journal/{writer}/1?offset={offset}"
        return self.post(path, raw, **more)

    def token_of(self, role: str, projects: list[str] | None = None) -> tuple[str, str]:
        """A new token's id and text."""
        made = self.post(
            "/api/tokens", {"name": f"a {role}", "role": role, "projects": projects}
        ).json()
        return made["id"], made["token"]

    def session(self) -> str:
        """Log a browser in; returns the Cookie header."""
        link = self.post("/api/login-codes", {}).json()["url"]
        reply = self.with_token(None).get(link.removeprefix(self.url))
        assert reply.status == 303, reply
        return reply.headers["set-cookie"].partition(";")[0]

    def socket(self) -> socket.socket:
        """A bare connection."""
        address, _, port = self.host.rpartition(":")
        return socket.create_connection((address, int(port)), timeout=30)


def meta(run: str, project: str = "p") -> dict[str, Any]:
    """A run.json."""
    return {
        "format": 1,
        "id": run,
        "project": project,
        "name": f"name of {run}",
        "mode": "online",
        "created": 1763860000.0,
        "attempt": 1,
        "writer": "main",
        "tags": [],
        "host": "here",
        "pid": 1,
    }


def points(first: int, count: int) -> bytes:
    """Journal lines of points."""
    return b"".join(
        json.dumps({"t": 1763860000.0 + step, "s": step, "p": {"loss": step * 0.5}}).encode()
        + b"\n"
        for step in range(first, first + count)
    )


Start = Callable[..., Background]
