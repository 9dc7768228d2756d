"""What Keras reports comes back number for number, and the training is what it would be without.

The tests of this file hold on every backend; `test_keras_backends` runs them on jax as well.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import keras
from outrider_keras import OutriderCallback

ADDED = {"epoch", "epoch_seconds"}


def logged(run: Any) -> dict[str, list[float]]:
    return {key: run.points(key).values for key in run.keys() if "/" not in key}  # noqa: SIM118


def test_the_history_of_a_real_training_is_recorded_exactly(
    model: Any, digits: Any, read: Any
) -> None:
    """Three epochs on handwritten digits with validation: Keras' History, number for number."""
    callback = OutriderCallback(project="digits")
    x, y = digits
    history = model().fit(
        x, y, epochs=3, validation_split=0.25, verbose=0, callbacks=[callback]
    ).history  # fmt: skip
    run = read(callback)
    found = logged(run)
    assert {key: found[key] for key in history} == history
    assert set(found) - set(history) == {*ADDED, "learning_rate"}
    assert run.points("val_loss").steps == [0, 1, 2]
    assert found["epoch"] == [0.0, 1.0, 2.0]
    assert all(seconds > 0 for seconds in found["epoch_seconds"])


@pytest.mark.parametrize("log_freq", ["epoch", "batch", 3])
def test_the_training_is_not_changed(model: Any, digits: Any, weights: Any, log_freq: Any) -> None:
    """The same seed gives the same weights and the same History, with and without."""
    x, y = digits
    results = []
    for callbacks in ([], [OutriderCallback(log_freq=log_freq)]):
        net = model()
        history = net.fit(x, y, epochs=2, validation_split=0.25, verbose=0, callbacks=callbacks)
        results.append((history.history, weights(net)))
    (plain, plain_weights), (tracked, tracked_weights) = results
    assert tracked == plain
    for one, two in zip(plain_weights, tracked_weights, strict=True):
        np.testing.assert_array_equal(one, two)


def test_batches_are_logged_against_their_own_axis(model: Any, digits: Any, read: Any) -> None:
    """The running values of every batch, numbered on over epochs and fits."""
    seen = []

    class Watch(keras.callbacks.Callback):  # type: ignore[misc,name-defined]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(logs["loss"])

    callback = OutriderCallback(log_freq="batch")
    net = model()
    x, y = digits
    net.fit(x, y, epochs=2, verbose=0, callbacks=[callback, Watch()])
    net.fit(x, y, epochs=1, verbose=0, callbacks=[callback, Watch()])
    run = read(callback)
    assert run.points("batch/loss").values == seen
    assert run.points("batch/loss").steps == list(range(15))
    assert run.points("batch/step").values == [float(number) for number in range(15)]
    axes = {record["name"]: record["step"] for record in run.records("metric")}
    assert axes["batch/*"] == "batch/step"


@pytest.mark.parametrize(
    ("log_freq", "group", "wanted"),
    [(2, 1, [1, 3, 6, 8]), (3, 1, [2, 7]), (7, 1, []), (2, 2, [1, 3, 6, 8]), (3, 2, [3, 8])],
)
def test_every_so_many_batches(
    model: Any, digits: Any, read: Any, log_freq: int, group: int, wanted: list[int]
) -> None:
    """A number logs each so-many-th batch of an epoch, also where Keras reports groups of them."""
    if group > 1 and keras.backend.backend() == "torch":
        pytest.skip("Keras has no steps_per_execution on torch")
    callback = OutriderCallback(log_freq=log_freq)
    x, y = digits
    net = model(steps_per_execution=group)
    net.fit(x, y, epochs=2, shuffle=False, verbose=0, callbacks=[callback])
    run = read(callback)
    assert ("batch/loss" in run.keys()) == bool(wanted)  # noqa: SIM118
    if wanted:
        assert run.points("batch/step").values == [float(number) for number in wanted]


@pytest.mark.parametrize("first", [True, False])
def test_the_learning_rate_is_told_with_schedulers_in_any_order(
    model: Any, digits: Any, read: Any, first: bool
) -> None:
    """Before a scheduler `logs` does not hold it yet; the value is the same."""
    callback = OutriderCallback()
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.5 ** (epoch + 1))
    x, y = digits
    both = [callback, scheduler] if first else [scheduler, callback]
    history = model().fit(x, y, epochs=3, verbose=0, callbacks=both).history
    assert read(callback).points("learning_rate").values == history["learning_rate"]


@pytest.mark.parametrize("first", [True, False])
def test_a_rate_that_is_reduced_is_told_as_it_was_in_the_epoch(
    model: Any, digits: Any, read: Any, first: bool
) -> None:
    """ReduceLROnPlateau changes the optimizer in the very hook that reports the epoch."""
    callback = OutriderCallback()
    reducer = keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, min_delta=100.0)
    x, y = digits
    both = [callback, reducer] if first else [reducer, callback]
    history = model().fit(x, y, epochs=4, verbose=0, callbacks=both).history
    assert read(callback).points("learning_rate").values == history["learning_rate"]


def test_a_schedule_object_is_told_as_it_stands_after_the_epoch(
    model: Any, digits: Any, read: Any
) -> None:
    """Its value at the optimizer's count of steps: five batches an epoch."""
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5, staircase=True)
    callback = OutriderCallback()
    x, y = digits
    model(schedule).fit(x, y, epochs=2, verbose=0, callbacks=[callback])
    assert read(callback).points("learning_rate").values == pytest.approx([0.05, 0.025])


def test_steps_go_on_over_fits_and_attempts_to_fit(model: Any, digits: Any, read: Any) -> None:
    """A second fit counts from 0 again, one with `initial_epoch` does not: no epoch hides another."""
    callback = OutriderCallback()
    net = model()
    x, y = digits
    net.fit(x, y, epochs=2, verbose=0, callbacks=[callback])
    net.fit(x, y, epochs=2, verbose=0, callbacks=[callback])
    net.fit(x, y, epochs=7, initial_epoch=5, verbose=0, callbacks=[callback])
    run = read(callback)
    assert run.points("loss").steps == [0, 1, 2, 3, 5, 6]
    assert run.points("epoch").values == [0.0, 1.0, 0.0, 1.0, 5.0, 6.0]


def test_evaluations_are_told_from_validations(model: Any, digits: Any, read: Any) -> None:
    """Fit – evaluate – fit – evaluate in one run; what validates inside fit is not stored twice."""
    callback = OutriderCallback()
    net = model()
    x, y = digits
    both = {"verbose": 0, "callbacks": [callback]}
    net.fit(x, y, epochs=2, validation_data=(x, y), **both)
    first = net.evaluate(x, y, return_dict=True, **both)
    net.fit(x, y, epochs=1, validation_data=(x, y), **both)
    second = net.evaluate(x[:32], y[:32], return_dict=True, **both)
    net.predict(x[:8], **both)
    run = read(callback)
    assert run.points("evaluate/loss").values == [first["loss"], second["loss"]]
    assert run.points("evaluate/epoch").values == [2.0, 3.0]
    assert len(run.points("val_loss")) == 3
    assert not [key for key in run.keys() if "predict" in key]  # noqa: SIM118


def test_an_evaluation_alone_is_a_run(model: Any, digits: Any, read: Any, recorded: Any) -> None:
    """And a prediction alone is none."""
    callback = OutriderCallback()
    net = model()
    x, y = digits
    net.predict(x[:8], verbose=0, callbacks=[callback])
    assert recorded() == []
    net.evaluate(x, y, verbose=0, callbacks=[callback])
    assert len(read(callback).points("evaluate/accuracy")) == 1


def test_a_fit_after_an_exception_goes_on(model: Any, digits: Any, read: Any) -> None:
    """Keras has no hook for exceptions: the next fit, and an evaluation, are seen as what they are."""

    class Fail(keras.callbacks.Callback):  # type: ignore[misc,name-defined]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                raise ArithmeticError

    callback = OutriderCallback(log_freq="batch")
    net = model()
    x, y = digits
    with pytest.raises(ArithmeticError):
        net.fit(x, y, epochs=3, verbose=0, callbacks=[callback, Fail()])
    net.evaluate(x, y, verbose=0, callbacks=[callback])
    net.fit(x, y, epochs=1, verbose=0, callbacks=[callback])
    run = read(callback)
    assert run.points("loss").steps == [0, 1, 2]
    assert len(run.points("evaluate/loss")) == 1
    assert run.points("batch/loss").steps == list(range(15))


@pytest.mark.parametrize("log_freq", ["epoch", "batch"])
def test_an_unknown_number_of_steps(model: Any, digits: Any, read: Any, log_freq: str) -> None:
    """A generator without a length, which runs dry in the second epoch."""

    def batches() -> Any:
        x, y = digits
        for start in range(0, 7 * 16, 16):
            yield x[start : start + 16], y[start : start + 16]

    callback = OutriderCallback(log_freq=log_freq)
    history = model().fit(
        batches(), epochs=2, steps_per_epoch=5, verbose=0, callbacks=[callback]
    ).history  # fmt: skip
    run = read(callback)
    assert run.points("loss").values == history["loss"]
    if log_freq == "batch":
        assert run.points("batch/loss").steps == list(range(7))


def test_validation_in_some_epochs_only(model: Any, digits: Any, read: Any) -> None:
    """`validation_freq=2`: the epochs without have no `val_loss`."""
    callback = OutriderCallback()
    x, y = digits
    model().fit(
        x, y, validation_data=(x, y), validation_freq=2, epochs=4, verbose=0, callbacks=[callback]
    )
    assert read(callback).points("val_loss").steps == [1, 3]


def test_several_outputs(digits: Any, read: Any) -> None:
    """Each with its own loss, under Keras' own names; the graph knows what feeds what."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((64,), name="pixels")
    one = keras.layers.Dense(10, name="digit")(inputs)
    two = keras.layers.Dense(1, name="size")(inputs)
    net = keras.Model(inputs, {"digit": one, "size": two})
    cross = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile("sgd", {"digit": cross, "size": "mse"})
    callback = OutriderCallback()
    x, y = digits
    targets = {"digit": y, "size": y.astype("float32")}
    history = net.fit(x, targets, epochs=1, verbose=0, callbacks=[callback]).history
    run = read(callback)
    assert {key: run.points(key).values for key in history} == history
    assert ["pixels", "size"] in run.config["model"]["graph"]["edges"]
    assert run.config["loss"]["size"] == "mse"


def test_stopping_inside_an_epoch(model: Any, digits: Any, read: Any) -> None:
    """The epoch that was cut short is a row like any other."""

    class Stop(keras.callbacks.Callback):  # type: ignore[misc,name-defined]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.stop_training = batch == 1

    callback = OutriderCallback(log_freq="batch")
    x, y = digits
    history = model().fit(x, y, epochs=3, verbose=0, callbacks=[callback, Stop()]).history
    run = read(callback)
    assert run.points("loss").values == history["loss"]
    assert run.points("batch/step").values == [
        float(at) for at in range(len(run.points("batch/step")))
    ]


def test_a_loss_that_is_not_a_number_is_kept(model: Any, digits: Any, read: Any) -> None:
    """NaN comes out as NaN."""
    callback = OutriderCallback()
    x, y = digits
    model().fit(x * math.nan, y, epochs=1, verbose=0, callbacks=[callback])
    assert math.isnan(read(callback).points("loss").values[0])


def test_what_other_callbacks_put_into_logs(model: Any, digits: Any, read: Any) -> None:
    """Scalars of any kind are kept; a text, an array or None is refused, and the rest stays."""

    class Odd(keras.callbacks.Callback):  # type: ignore[misc,name-defined]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs.update(extra=np.float32(0.5), text="odd", array=np.ones(3), none=None)

    callback = OutriderCallback()
    x, y = digits
    model().fit(x, y, epochs=1, verbose=0, callbacks=[Odd(), callback])
    run = read(callback)
    assert run.points("extra").values == [0.5]
    assert len(run.points("loss")) == 1
    assert not {"text", "array", "none"} & set(run.keys())


def test_logs_are_read_and_never_changed(model: Any, digits: Any) -> None:
    """One dict is shared by all callbacks and the History."""
    seen = []

    class Watch(keras.callbacks.Callback):  # type: ignore[misc,name-defined]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            seen.append(set(logs))

    x, y = digits
    model().fit(x, y, epochs=1, verbose=0, callbacks=[OutriderCallback(), Watch()])
    assert seen == [{"loss", "accuracy"}]


def test_the_models_configuration_is_recorded(model: Any, digits: Any, read: Any) -> None:
    """Backend, optimizer, loss, summary and graph; and what fit was told."""
    callback = OutriderCallback(config={"mine": 1})
    x, y = digits
    net = model()
    net.fit(x, y, epochs=1, verbose=0, callbacks=[callback])
    config = read(callback).config
    assert config["mine"] == 1
    assert config["fit"] == {"epochs": 1, "steps": 5}
    assert config["keras"] == {"version": keras.__version__, "backend": keras.backend.backend()}
    assert config["optimizer"]["class"] == "Adam"
    assert config["optimizer"]["learning_rate"] == pytest.approx(0.01)
    assert config["loss"]["from_logits"] is True
    assert config["model"]["parameters"] == net.count_params() == 610
    assert "Total params" in config["model"]["summary"]
    nodes = config["model"]["graph"]["nodes"]
    assert [node["class"] for node in nodes] == ["Dense", "Dropout", "Dense"]
    assert len(config["model"]["graph"]["edges"]) == 2
