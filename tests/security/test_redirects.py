"""No redirect is ever followed with a token: not by the streamer, the command line or the API."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from attack_kit import Hostile

from outrider import api
from outrider.credentials import Token
from outrider.errors import OutriderError
from outrider.transport import HttpTransport
from waiting import eventually

TOKEN = "outr_redirected_secret0123456789"
STATUSES = [300, 301, 302, 303, 304, 305, 307, 308]


class Trap:
    """A server that points elsewhere, and the one that it points to."""

    def __init__(self) -> None:
        self.status = 307
        self.form = "{url}{path}"
        self.catcher = Hostile()
        self.pointer = Hostile(self._point)

    def _point(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(self.status)
        handler.send_header("Outrider-Server", "0")
        place = self.form.format(
            url=self.catcher.url, host=self.catcher.url.partition("//")[2], path=handler.path
        )
        handler.send_header("Location", place)
        handler.send_header("Refresh", f"0; url={place}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def stop(self) -> None:
        self.pointer.stop()
        self.catcher.stop()


@pytest.fixture
def trap() -> Iterator[Trap]:
    made = Trap()
    yield made
    made.stop()


FORMS = ["{url}{path}", "//{host}{path}", "http://user:word@{host}{path}", "{url}", "/other"]


@pytest.mark.parametrize("status", STATUSES)
def test_the_one_seam_follows_nothing(trap: Trap, status: int) -> None:
    """Every status, every form of a place, every method: one request is one request."""
    trap.status = status
    http = HttpTransport(trap.pointer.url, Token(TOKEN, "test"))
    asked = 0
    for trap.form in FORMS:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            answer = http.request(method, "/api/me", data=b"x" if method != "GET" else None)
            assert answer.status == status
            asked += 1
    http.close()
    assert len(trap.pointer.heard) == asked
    assert all(heard["Authorization"] == f"Bearer {TOKEN}" for _, heard in trap.pointer.heard)
    assert trap.catcher.heard == []


def test_the_api_follows_nothing(trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading runs, files and contents."""
    monkeypatch.setenv("OUTRIDER_API_KEY", TOKEN)
    for trap.status in (301, 307):
        client = api.Client(trap.pointer.url)
        for look in (client.projects, lambda: client.run("p/r").history()):  # noqa: B023
            with pytest.raises(OutriderError):
                look()
    assert trap.pointer.heard
    assert trap.catcher.heard == []


def environment(trap: Trap) -> dict[str, str]:
    return {
        **os.environ,
        "OUTRIDER_URL": trap.pointer.url,
        "OUTRIDER_API_KEY": TOKEN,
        "OUTRIDER_FINISH_SECONDS": "0.5",
        "OUTRIDER_DISABLE_CODE": "1",
    }


def test_the_command_line_follows_nothing(trap: Trap, tmp_path: Path) -> None:
    """Each command that asks a server fails with a word, and says the token to nobody else."""
    commands = [
        ["runs", "--url", trap.pointer.url],
        ["download", "p/r", "--url", trap.pointer.url, "--to", str(tmp_path)],
        ["login", trap.pointer.url],
        ["tokens", "list", "--url", trap.pointer.url],
    ]
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "outrider.cli", *command],
            env=environment(trap), cwd=tmp_path, input=f"{TOKEN}\n", capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode != 0, command
        assert TOKEN not in done.stdout + done.stderr, command
    assert trap.pointer.heard
    assert trap.catcher.heard == []


def test_the_streamer_follows_nothing(trap: Trap, tmp_path: Path) -> None:
    """A training goes on, and its records wait for the server that they were meant for."""
    script = (
        "from outrider import core\n"
        "core.init(project='p')\n"
        "for x in range(10): core.log({'x': x})\n"
        "core.save(__file__)\n"
        "core.finish()\n"
    )
    path = tmp_path / "train.py"
    path.write_text(script)
    done = subprocess.run(
        [sys.executable, str(path)], env=environment(trap), cwd=tmp_path, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    eventually(lambda: len(trap.pointer.heard) >= 2, "the streamer asked nobody")
    assert trap.catcher.heard == []
