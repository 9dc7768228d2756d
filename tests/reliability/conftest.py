"""A server that can be killed and started again on the same data, and trainers that are ended."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "streamer"))

from harness import PATIENCE, Trainer, free_port
from inside import check_store

from outrider import api


class Server:
    """Our own server as a process, always on the same port and data."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "server"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.starts = 0
        self.start()

    def start(self) -> None:
        from outrider_server.background import start_background

        self.started = start_background(self.data, self.port, timeout=PATIENCE * 3)
        self.starts += 1

    def kill(self) -> None:
        self.started.process.kill()
        self.started.process.wait()

    def check(self) -> None:
        """The store is whole, also while the server works on it."""
        check_store(self.data / "store.sqlite")

    @property
    def client(self) -> api.Client:
        return api.Client(self.url, self.started.token)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A running server."""
    made = Server(tmp_path)
    yield made
    made.check()
    made.kill()


@pytest.fixture
def train(tmp_path: Path) -> Iterator[Callable[..., Trainer]]:
    """Start trainers, and end what is left of them."""
    started: list[Trainer] = []

    def start(url: str, **more: Any) -> Trainer:
        more.setdefault("name", str(len(started)))
        started.append(Trainer(tmp_path / "training", url, **more))
        return started[-1]

    yield start
    for trainer in started:
        trainer.kill()
