"""Runs that are recorded in a temporary folder, offline, with every internal error raised again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from outrider import core, notice
from outrider.journal.reader import RunFolder, find_folders
from outrider.journal.record import Damaged, Record, numbers


@pytest.fixture(autouse=True)
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A training folder to work in; the runs that a test leaves open are finished behind it."""
    folder = tmp_path / "training"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("OUTRIDER_RAISE", "1")
    monkeypatch.setenv("OUTRIDER_MODE", "offline")
    notice._said.clear()
    yield folder
    while core.run is not None:  # under create_new, the run before is the active one again
        core.finish()
    core._was_started = False


@pytest.fixture
def records(training: Path) -> Callable[..., list[Record]]:
    """Reads every record of the newest run (or the one given), of one kind if one is named."""

    def read(kind: str | None = None, folder: str | os.PathLike[str] | None = None) -> list[Record]:
        where = RunFolder(folder) if folder else find_folders(training)[-1]
        found = [record for _, _, _, record in where.records()]
        assert not any(isinstance(record, Damaged) for record in found)
        return [
            record
            for record in found
            if isinstance(record, Record) and kind in (None, record.kind)
            if record.kind == "points" or record.body.get("role") != "streamer"
        ]

    return read


@pytest.fixture
def rows(records: Callable[..., list[Record]]) -> Callable[..., list[tuple[int, dict[str, Any]]]]:
    """Reads the points of the newest run as (step, values)."""

    def read(folder: str | None = None) -> list[tuple[int, dict[str, Any]]]:
        return [
            (record.body["s"], numbers(record.body["p"])) for record in records("points", folder)
        ]

    return read
