"""Runs scripts that print, in processes of their own, and reads back what was recorded."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from outrider import api
from outrider.credentials import Token
from outrider.journal.reader import find_folders
from outrider.journal.record import Damaged
from outrider.streamer.loop import deliver
from outrider.transport import HttpTransport
from outrider_server.background import Background, start_background

if TYPE_CHECKING:
    from collections.abc import Iterator


TAMED = ("PYTHONUNBUFFERED", "NO_COLOR")  # what would change how a program prints


@dataclass(frozen=True)
class Ran:
    """How a process ended."""

    code: int
    out: str
    err: str


class Training:
    """A training folder in which scripts run, offline."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {
            **{name: value for name, value in os.environ.items() if name not in TAMED},
            "OUTRIDER_MODE": "offline",
            "OUTRIDER_RAISE": "1",
            "OUTRIDER_URL": "http://127.0.0.1:9",
            "PYTHONIOENCODING": "utf-8",
        }

    def _run(self, command: list[str], env: dict[str, str]) -> Ran:
        done = subprocess.run(
            command, cwd=self.folder, env={**self.env, **env}, capture_output=True, timeout=120
        )
        return Ran(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode())

    def python(self, script: str, **env: str) -> Ran:
        """Run a script as a program of its own."""
        (self.folder / "script.py").write_text(script, encoding="utf-8")
        return self._run([sys.executable, "script.py"], env)

    def outrider(self, *arguments: str, **env: str) -> Ran:
        """Run a command of ours."""
        return self._run([sys.executable, "-m", "outrider.cli", *arguments], env)

    def shell(self, script: str, **env: str) -> Ran:
        """Run a shell's line; $PYTHON is this interpreter."""
        return self._run(["sh", "-c", script], {"PYTHON": sys.executable, **env})

    def run(self) -> api.Run:
        """The one run that was recorded here."""
        return api.open(self.folder)

    def lines(self, stream: str | None = None) -> list[str]:
        """What it printed, without Outrider's own notices."""
        return [
            line.text
            for line in self.run().console()
            if stream in (None, line.stream) and not line.text.startswith("outrider:")
        ]

    def records(self, kind: str = "console") -> list[dict[str, Any]]:
        """Its records of a kind, as they lie in the journals."""
        (folder,) = find_folders(self.folder)
        return [
            record.body
            for *_, record in folder.records()
            if not isinstance(record, Damaged) and record.kind == kind
        ]

    def deliver(self, server: Background) -> api.Run:
        """Send the run, and read it from the server."""
        (folder,) = find_folders(self.folder)
        outcome = deliver(
            folder.path, transport=HttpTransport(server.url, Token(server.token, "t"))
        )
        assert outcome.delivered, outcome
        meta = orjson.loads((Path(folder.path) / "run.json").read_bytes())
        return api.Client(server.url, server.token).run(f"{meta['project']}/{meta['id']}")


@pytest.fixture
def training(tmp_path: Path) -> Training:
    """An empty training folder."""
    folder = tmp_path / "training"
    folder.mkdir()
    return Training(folder)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    """A real server in a process of its own."""
    made = start_background(tmp_path_factory.mktemp("server") / "data")
    yield made
    made.stop()
