"""Fixtures: a real server that misbehaves, runs' folders, real trainers."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamer_ingest import Ingest
from streamer_kit import TRAINER, Run


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    """The server."""
    server = Ingest()
    yield server
    server.stop()


@pytest.fixture
def make_run(tmp_path: Path, ingest: Ingest) -> Callable[..., Run]:
    """Make a run's folder, with what run.json shall say."""

    def make(run_id: str = "r1", **more: Any) -> Run:
        return Run(tmp_path, more.pop("server", ingest.url), run_id, **more)

    return make


@pytest.fixture
def run(make_run: Callable[..., Run]) -> Run:
    """One run's folder."""
    return make_run()


@pytest.fixture
def train(make_run: Callable[..., Run]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start real trainers, and end what is left of them."""
    started: list[subprocess.Popen[str]] = []

    def start(run: Run, how: str, *more: str, **options: Any) -> subprocess.Popen[str]:
        command = [sys.executable, str(TRAINER), run.path, run.id, how, *more]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True, **options)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
