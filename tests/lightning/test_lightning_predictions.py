"""Tables of examples with predictions: only when asked for, and the training stays as it is."""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from outrider import notice
from outrider.errors import UsageError
from outrider_lightning import OutriderLogger, OutriderPredictions
from outrider_lightning.namespaces import callbacks

Read = Callable[[Any], Any]


class Counts(OutriderPredictions):
    """A user's own, with more to do."""

    asked = 0

    def on_validation_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        self.asked += 1
        super().on_validation_epoch_end(trainer, pl_module)


def data() -> tuple[Any, Any]:
    return torch.randn(6, 32, generator=torch.Generator().manual_seed(1)), torch.arange(6) % 2


def column(table: Any, name: str) -> list[Any]:
    at = table.columns.index(name)
    return [row[at] for row in table.rows]


def test_it_is_a_callback_of_each_loaded_namespace(pl: Any) -> None:
    """Also a copy, a pickled one, and a user's own that inherits from it; a trainer takes no other."""
    one, own = OutriderPredictions(data(), key="seen"), Counts(data())
    for callback in (one, copy.deepcopy(one), pickle.loads(pickle.dumps(one)), own,
                     pickle.loads(pickle.dumps(own))):  # fmt: skip
        assert isinstance(callback, pl.Callback)
        assert isinstance(callback, OutriderPredictions)
        assert all(isinstance(callback, base) for base in callbacks())
    assert pickle.loads(pickle.dumps(one))._key == "seen"
    assert isinstance(pickle.loads(pickle.dumps(own)), Counts)


def test_a_table_after_each_validation_says_what_the_model_says(
    pl: Any, trainer: Any, model: Any, read: Read
) -> None:
    """Of the examples that were asked for, at Lightning's step; the sanity check is none."""
    x, y = data()
    callback = OutriderPredictions((x, y), count=4, every=2, class_names=["cat", "dog"])
    own = Counts(torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), 2), key="own")
    one, two = OutriderLogger(project="one"), OutriderLogger(project="two")
    trainer(logger=[one, two], max_epochs=3, callbacks=[callback, own]).fit(model)
    steps = read(one).points("val/x_epoch").steps
    for logger in (one, two):
        run = read(logger)
        assert [item.step for item in run.media("predictions")] == [steps[0], steps[2]]
        table = run.table("predictions", steps[2])
        assert table.columns == [
            "example", "input", "label", "prediction", "prediction score", "prediction scores",
        ]  # fmt: skip
        with torch.no_grad():
            said = model(x[:4])
        assert np.allclose(column(table, "prediction scores"), said)
        assert column(table, "label") == ["cat", "dog", "cat", "dog"]
        words = [["cat", "dog"][at] for at in said.argmax(1)]
        assert column(table, "prediction") == words
        assert np.allclose(column(table, "input"), x[:4])
        assert len(run.table("own").rows) == 6
    assert own.asked == 4, "three validations and the sanity check"


def test_the_training_is_not_changed(pl: Any, trainer: Any) -> None:
    """The same seed gives the same weights to the last bit: dropout is off while it asks, and a model
    that draws random numbers draws none of the training's."""
    boring = sys.modules[f"{pl.__name__}.demos.boring_classes"].BoringModel

    class Random(boring):  # type: ignore[misc,valid-type]
        def __init__(self) -> None:
            super().__init__()
            self.drop = torch.nn.Dropout(0.5)

        def forward(self, x: Any) -> Any:
            return self.drop(self.layer(x)) + 0.01 * torch.randn(())

    found = []
    for asks in (False, True):
        pl.seed_everything(3, verbose=False)
        net = Random()
        more = [OutriderPredictions(data())] if asks else []
        trainer(logger=OutriderLogger(), max_epochs=3, callbacks=more).fit(net)
        found.append([one.detach().clone() for one in net.parameters()])
    assert all(torch.equal(one, two) for one, two in zip(*found, strict=True))


def test_pictures_and_a_module_without_forward(
    pl: Any, trainer: Any, model: Any, read: Read
) -> None:
    """`predict=` says what to ask; inputs of the shape of a picture are shown as one."""
    logger = OutriderLogger()
    callback = OutriderPredictions(
        torch.rand(3, 1, 8, 4), predict=lambda module, x: module.layer(x.flatten(1))
    )
    trainer(logger=logger, callbacks=[callback]).fit(model)
    table = read(logger).table("predictions")
    assert [cell.media for cell in column(table, "input")] == ["image"] * 3
    assert "label" not in table.columns


def test_what_fails_costs_no_number(
    pl: Any, trainer: Any, model: Any, read: Read, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Said once; and so is a trainer without a logger of ours."""
    monkeypatch.delenv("OUTRIDER_RAISE")
    monkeypatch.setattr(notice, "_said", {})
    logger = OutriderLogger()
    callback = OutriderPredictions((torch.zeros(4, 3), torch.zeros(4)))
    trainer(logger=logger, max_epochs=2, callbacks=[callback]).fit(model)
    assert len(read(logger).points("val/x_epoch")) == 2
    trainer(logger=False, callbacks=[OutriderPredictions(data())]).fit(model)
    said = capfd.readouterr().err
    assert said.count("OutriderPredictions: ") == said.count("needs an OutriderLogger") == 1


def test_what_cannot_be_right_is_refused_at_once(
    pl: Any, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it is built, which is inert; and where no Lightning is loaded that it could be for."""
    with pytest.raises(UsageError, match="every=0"):
        OutriderPredictions(data(), every=0)
    with pytest.raises(UsageError, match="count=0"):
        OutriderPredictions(data(), count=0)
    monkeypatch.setattr("outrider_lightning.predictions.callbacks", list)
    with pytest.raises(UsageError, match="which Lightning") as caught:
        OutriderPredictions(data())
    assert "import lightning.pytorch" in str(caught.value)
    assert list(place.iterdir()) == []
