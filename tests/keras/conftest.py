"""Keras under test: on torch, and in a process of its own on jax; recorded offline."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
pytest.importorskip("keras")

import numpy as np

import keras
from outrider import api, core, described, finishing
from outrider.folder import link_of
from outrider_keras import OutriderCallback  # noqa: TC001

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keras and its backends warn freely, and of themselves; Outrider speaks on stderr."""
    for item in items:
        if HERE in item.path.parents:
            for kind in ("UserWarning", "DeprecationWarning", "FutureWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{kind}"), append=False)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder of its own; what a test leaves open is ended afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OUTRIDER_MODE", "offline")
    monkeypatch.setenv("OUTRIDER_RAISE", "1")
    monkeypatch.setattr(finishing, "is_last_chance", lambda: False)
    yield tmp_path
    for run in list(core._open_runs):
        run._end(described.Ending("finished"), wait=False)


@pytest.fixture(scope="session")
def digits() -> tuple[Any, Any]:
    """160 handwritten digits that ship with scikit-learn, and what they are."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return found.data[:160].astype("float32") / 16, found.target[:160].astype("int32")


@pytest.fixture
def model() -> Callable[..., Any]:
    """Makes the same small model each time it is called."""

    def make(rate: Any = 0.01, **compiled: Any) -> Any:
        keras.utils.set_random_seed(7)
        net = keras.Sequential(
            [
                keras.Input((64,)),
                keras.layers.Dense(8, activation="relu"),
                keras.layers.Dropout(0.2),
                keras.layers.Dense(10),
            ]
        )
        net.compile(
            optimizer=keras.optimizers.Adam(rate),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            **compiled,
        )
        return net

    return make


@pytest.fixture
def read(place: Path) -> Callable[[OutriderCallback], api.Run]:
    """Reads back the run of a callback, from its folder alone."""

    def back(callback: OutriderCallback) -> api.Run:
        identity = callback._adapter.identity
        assert identity is not None
        project, run_id = identity
        return api.open(link_of(str(place / ".outrider"), run_id, project))

    return back


@pytest.fixture
def recorded(place: Path) -> Callable[[], list[api.Run]]:
    """All runs of the working folder."""
    return lambda: api.runs(place)


@pytest.fixture
def weights() -> Callable[[Any], list[Any]]:
    """A model's weights as arrays."""
    return lambda net: [np.asarray(one) for one in net.get_weights()]
