"""Lightning under test: both of its namespaces, tiny trainings, recorded offline."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from outrider import api, core, described, finishing
from outrider.adapter import Adapter  # noqa: TC001
from outrider.folder import link_of

NAMESPACES = ("pytorch_lightning", "lightning.pytorch")
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lightning and torch warn freely, and of themselves; Outrider speaks on stderr."""
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


@pytest.fixture(params=NAMESPACES)
def pl(request: pytest.FixtureRequest) -> Any:
    """Each of Lightning's namespaces in turn."""
    importlib.import_module(f"{request.param}.demos.boring_classes")
    importlib.import_module(f"{request.param}.loggers")
    return sys.modules[request.param]


@pytest.fixture
def trainer(pl: Any) -> Callable[..., Any]:
    """Makes a quiet trainer for a few batches."""

    def make(**arguments: Any) -> Any:
        return pl.Trainer(
            **{
                "max_epochs": 1,
                "limit_train_batches": 4,
                "limit_val_batches": 2,
                "limit_test_batches": 2,
                "log_every_n_steps": 1,
                "enable_progress_bar": False,
                "enable_model_summary": False,
                "accelerator": "cpu",
                "devices": 1,
                **arguments,
            }
        )

    return make


@pytest.fixture
def model(pl: Any) -> Any:
    """Lightning's own demonstration model, logging in all three loops."""
    boring = sys.modules[f"{pl.__name__}.demos.boring_classes"].BoringModel

    class Model(boring):  # type: ignore[misc,valid-type]
        def __init__(self, width: int = 3) -> None:
            super().__init__()
            self.save_hyperparameters()

        def training_step(self, batch: Any, index: int) -> Any:
            answer = super().training_step(batch, index)
            self.log("train/loss", answer["loss"], on_step=True, on_epoch=True)
            return answer

        def validation_step(self, batch: Any, index: int) -> Any:
            answer = super().validation_step(batch, index)
            self.log("val/x", answer["x"], on_step=True, on_epoch=True)
            return answer

        def test_step(self, batch: Any, index: int) -> Any:
            answer = super().test_step(batch, index)
            self.log("test/y", answer["y"])
            return answer

    return Model()


@pytest.fixture
def read(place: Path) -> Callable[..., api.Run]:
    """Reads back the run that a logger stands for, from its folder alone."""

    def back(logger: Any) -> api.Run:
        adapter: Adapter = logger._adapter
        assert adapter.identity is not None
        assert adapter.dir is not None
        project, run_id = adapter.identity
        return api.open(link_of(str(Path(adapter.dir, ".outrider")), run_id, project))

    return back


@pytest.fixture
def recorded(place: Path) -> Callable[[], list[api.Run]]:
    """All runs of the working folder."""
    return lambda: api.runs(place)
