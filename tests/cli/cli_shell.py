"""The `outrider` command as a person runs it: a process of its own in a training folder."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from outrider.journal.reader import find_folders
from outrider.streamer.spawn import is_running

if TYPE_CHECKING:
    from pathlib import Path

NOBODY = "http://127.0.0.1:9"
"""A URL where nobody listens."""


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """What it printed, as JSON."""
        return orjson.loads(self.out)


class Shell:
    """Runs commands in one folder, with an environment of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {**os.environ, "OUTRIDER_URL": NOBODY}

    def __call__(self, *arguments: str, stdin: str = "", **env: str) -> Ran:
        ended = subprocess.run(
            [sys.executable, "-m", "outrider.cli", *arguments],
            cwd=self.folder,
            env={**self.env, **env},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Ran(ended.returncode, ended.stdout, ended.stderr)

    def python(self, script: str, **env: str) -> Ran:
        """Run a training script in the folder."""
        ended = subprocess.run(
            [sys.executable, "-c", script],
            cwd=self.folder,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Ran(ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A training folder without runs and without a server."""
    folder = tmp_path / "training"
    folder.mkdir()
    return Shell(folder)


SCRIPT = """
from outrider import core
core.init("mnist", id="{id}", name="{name}", config={{"lr": 0.1, "model": {{"depth": 3}}}}, tags=["a"])
for step in range({steps}):
    core.log({{"loss": 1 / (step + 1), "acc": step / 10}})
core.log({{"bad": float("nan")}})
core.finish()
"""


@pytest.fixture
def recorded(shell: Shell) -> Shell:
    """A training folder with two runs that were recorded offline: one (first) and two (second);
    their streamers have written what they had to say."""
    for run, name, steps in (("one", "first", 3), ("two", "second", 5)):
        done = shell.python(SCRIPT.format(id=run, name=name, steps=steps), OUTRIDER_MODE="offline")
        assert done.code == 0, done.err
    until = time.monotonic() + 60
    while any(is_running(run.path) for run in find_folders(shell.folder)):
        assert time.monotonic() < until, "a streamer does not leave"
        time.sleep(0.02)
    return shell
