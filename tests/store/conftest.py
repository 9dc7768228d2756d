"""A real store in a folder of its own, and somebody who feeds it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from outrider_server.store import Store

sys.path.insert(0, str(Path(__file__).parent))

from feeding import Feeder


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


@pytest.fixture
def feeder(store: Store) -> Feeder:
    return Feeder(store)


@pytest.fixture
def folds_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tails are folded after a few records, chunks and buckets are small: every path is taken."""
    monkeypatch.setattr("outrider_server.store.track.FOLD_STEPS", 7)
    monkeypatch.setattr("outrider_server.store.fold.CHUNK", 16)
    monkeypatch.setattr("outrider_server.store.chunks.SMALL", 5)
    monkeypatch.setattr("outrider_server.buckets.FINE", 2)
