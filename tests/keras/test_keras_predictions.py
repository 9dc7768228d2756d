"""Tables of validation examples: only when asked for, and the training stays as it is."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import keras
from outrider import api, core
from outrider.errors import UsageError
from outrider_keras import OutriderCallback, OutriderEvaluation
from outrider_keras.examples import Examples

Read = Callable[[OutriderCallback], api.Run]
Model = Callable[..., Any]
Digits = tuple[Any, Any]


def test_nothing_of_the_data_is_stored_unless_asked_for(
    model: Model, digits: Digits, read: Read
) -> None:
    callback = OutriderCallback()
    model().fit(*digits, validation_data=digits, epochs=2, verbose=0, callbacks=[callback])
    callback.finish()
    assert read(callback).media() == []


def test_a_table_after_each_epoch_says_what_the_model_says(
    model: Model, digits: Digits, read: Read
) -> None:
    callback = OutriderCallback(predictions=(digits[0], digits[1]))
    net = model()
    net.fit(*digits, epochs=2, verbose=0, callbacks=[callback])
    callback.finish()
    run = read(callback)
    assert [item.step for item in run.media("predictions")] == [0, 1]
    table = run.table("predictions", 1)
    assert table.columns == [
        "example", "input", "label", "prediction", "prediction score", "prediction scores",
    ]  # fmt: skip
    assert len(table) == 16
    said = keras.ops.convert_to_numpy(net(digits[0][:16], training=False))
    assert [row[2] for row in table.rows] == digits[1][:16].tolist()
    assert [row[3] for row in table.rows] == said.argmax(axis=1).tolist()
    assert np.allclose([row[5] for row in table.rows], said)
    assert [row["epoch"] for row in run.history()] == [0, 1]


def test_predicting_on_the_way_changes_no_weight(
    model: Model, digits: Digits, weights: Callable[[Any], list[Any]]
) -> None:
    found = []
    for predictions in (None, digits):
        net = model()
        callback = OutriderCallback(predictions=predictions)
        history = net.fit(
            *digits, validation_data=digits, epochs=3, verbose=0, callbacks=[callback]
        )
        callback.finish()
        found.append((weights(net), history.history))
    (one, history), (two, again) = found
    assert history == again
    assert all((a == b).all() for a, b in zip(one, two, strict=True))


def test_an_evaluation_of_its_own_shows_images_and_words(
    model: Model, digits: Digits, read: Read
) -> None:
    names = [f"digit {at}" for at in range(10)]
    callback = OutriderCallback()
    evaluation = OutriderEvaluation(
        digits, run=callback, key="seen", count=3, every=2, class_names=names, image_shape=(8, 8)
    )
    net = model()
    net.fit(*digits, epochs=3, verbose=0, callbacks=[callback, evaluation])
    net.fit(*digits, epochs=1, verbose=0, callbacks=[callback, evaluation])
    callback.finish()
    run = read(callback)
    assert [item.step for item in run.media("seen")] == [0, 2, 3]
    rows = run.table("seen").rows
    assert len(rows) == 3
    assert rows[0][1].media == "image"
    assert (rows[0][1].about["width"], rows[0][1].about["height"]) == (8, 8)
    assert [row[2] for row in rows] == [names[at] for at in digits[1][:3]]
    assert rows[0][3] in names


def test_data_of_any_make() -> None:
    images = np.zeros((5, 9, 9, 1), "float32")
    net = keras.Sequential([keras.Input((9, 9, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])

    class Batches(keras.utils.PyDataset):  # type: ignore[misc,unused-ignore]
        def __len__(self) -> int:
            return 3

        def __getitem__(self, at: int) -> Any:
            return images[:2], np.full((2, 1), at)

    def generated() -> Any:
        for at in range(3):
            yield images[:2], np.full((2, 1), at)

    for data, labels in (
        (Batches(workers=0), [0, 0, 1, 1]),
        (generated(), [0, 0, 1, 1]),
        ((images, np.eye(5, dtype=int)), [0, 1, 2, 3]),
        (images, None),
    ):
        table = Examples(data, count=4).predicted_by(net)
        assert len(table) == 4
        assert type(table.get_column("input")[0]).__name__ == "Image"
        if labels is None:
            assert "label" not in table.columns
        else:
            assert table.get_column("label") == labels
        assert table.get_column("prediction") == pytest.approx([0.0] * 4, abs=1)


def test_what_fails_costs_no_number(
    model: Model, digits: Digits, read: Read, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.delenv("OUTRIDER_RAISE")
    callback = OutriderCallback(predictions=(np.zeros((4, 3)), np.zeros(4)))
    model().fit(*digits, epochs=2, verbose=0, callbacks=[callback])
    callback.finish()
    assert len(read(callback).history()) == 2
    said = [line for line in capfd.readouterr().err.splitlines() if "predictions" in line]
    assert len(said) == 1


def test_building_and_copying_is_inert(model: Model, digits: Digits, recorded: Any) -> None:
    evaluation = OutriderEvaluation(digits)
    twin = pickle.loads(pickle.dumps(copy.deepcopy(evaluation)))
    assert recorded() == []
    core.init(project="copied")
    model().fit(*digits, epochs=1, verbose=0, callbacks=[twin])
    core.finish()
    assert [item.key for item in recorded()[0].media()] == ["predictions"]
    with pytest.raises(UsageError, match="every=0"):
        OutriderEvaluation(digits, every=0)
    with pytest.raises(UsageError, match="count=0"):
        OutriderEvaluation(digits, count=0)
