"""A real server for a module, a training folder, and a run that is worked here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from files_kit import Run, environment

from outrider_server.background import Background, start_background


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    """One server for a whole module."""
    folder = tmp_path_factory.mktemp("server")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CONFIG", "STATE", "DATA"):
            patch.setenv(f"XDG_{name}_HOME", str(folder / name.lower()))
        started = start_background(folder / "data")
    yield started
    assert started.stop() == 0


@pytest.fixture
def stored(server: Background, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps contents."""
    data = Path(server.process.args[server.process.args.index("--data") + 1])
    return data / "files"


@pytest.fixture
def env(server: Background) -> dict[str, str]:
    """The environment of scripts and commands that use the server."""
    return environment(server)


@pytest.fixture
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A training folder, which is the working folder."""
    folder = tmp_path / "training"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(training: Path) -> Run:
    """A run of that folder."""
    return Run(training)
