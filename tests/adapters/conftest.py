"""The small adapters under test, recorded offline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from outrider import core, described, finishing

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Frameworks warn freely, and of themselves; Outrider speaks on stderr."""
    for item in items:
        if HERE in item.path.parents:
            for kind in ("UserWarning", "DeprecationWarning", "FutureWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{kind}"), append=False)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder of its own; what a test leaves open is ended afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OUTRIDER_MODE", "offline")
    monkeypatch.setenv("OUTRIDER_RAISE", "1")
    monkeypatch.setattr(finishing, "is_last_chance", lambda: False)
    yield tmp_path
    for run in list(core._open_runs):
        run._end(described.Ending("finished"), wait=False)
