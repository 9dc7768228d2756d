"""Fixtures of a real server process, for whoever's conftest imports them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from server_kit import Client, Start

from outrider_server.background import Background, start_background


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start servers of one's own; they are stopped afterwards."""
    started: list[Background] = []

    def start_one(name: str = "data", **more: Any) -> Background:
        started.append(start_background(tmp_path / name, **more))
        return started[-1]

    yield start_one
    for one in started:
        one.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    """One server for a whole module."""
    folder = tmp_path_factory.mktemp("server")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CONFIG", "STATE", "DATA"):
            patch.setenv(f"XDG_{name}_HOME", str(folder / name.lower()))
        server = start_background(folder / "data")
    yield server
    assert server.stop() == 0


@pytest.fixture
def client(shared: Background) -> Client:
    """The shared server's admin."""
    return Client(shared.url, shared.token)
