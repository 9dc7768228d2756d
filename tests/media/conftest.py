"""A training folder for runs that hold media, and their journals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from outrider import core, notice
from outrider.journal.reader import find_folders
from outrider.journal.record import Damaged


@pytest.fixture(autouse=True)
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A training folder to work in; a run that a test leaves open is finished behind it."""
    folder = tmp_path / "training"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("OUTRIDER_RAISE", "1")
    monkeypatch.setenv("OUTRIDER_MODE", "offline")
    notice._said.clear()
    yield folder
    core.finish()
    core._was_started = False


@pytest.fixture
def media(training: Path) -> Callable[[], list[dict[str, Any]]]:
    """The ``media`` records of the newest run, as they were written."""

    def read() -> list[dict[str, Any]]:
        found = [record for *_, record in find_folders(training)[-1].records()]
        assert not any(isinstance(record, Damaged) for record in found)
        return [one.body for one in found if not isinstance(one, Damaged) and one.kind == "media"]

    return read
