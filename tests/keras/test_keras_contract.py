"""How a callback lives: inert when built, copied, pickled, shared, misused, and released."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import keras
from outrider import core
from outrider.errors import UsageError
from outrider_keras import OutriderCallback, OutriderCheckpoint
from outrider_keras.framework import KerasMissing, load


def run_python(code: str, cwd: Path | None = None, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_building_one_is_inert(place: Path) -> None:
    """No file, no thread, no run; nor does a copy or a pickle of it make any."""
    threads = threading.active_count()
    callback = OutriderCallback(project="p", log_freq="batch")
    copy.copy(callback)
    copy.deepcopy(callback)
    pickle.loads(pickle.dumps(callback))
    assert list(place.iterdir()) == []
    assert threading.active_count() == threads
    assert core.run is None


def test_batch_hooks_are_overridden_in_batch_mode_only() -> None:
    """An overridden one switches off Keras' asynchronous dispatch for everyone."""
    from keras.src.utils import is_default

    for callback, is_left in ((OutriderCallback(), True), (OutriderCallback(log_freq=5), False)):
        twin = pickle.loads(pickle.dumps(callback))
        for one in (callback, twin, copy.deepcopy(callback)):
            assert is_default(one.on_batch_end)
            assert is_default(one.on_test_batch_end)
            assert is_default(one.on_predict_batch_end)
            assert is_default(one.on_train_batch_end) == is_left


def test_batches_from_a_thread_pool_are_all_kept(model: Any, digits: Any, read: Any) -> None:
    """A callback that claims to be safe for it is called from several threads, out of order."""
    callback = OutriderCallback(log_freq="batch")
    callback.async_safe = True
    x, y = digits
    net = model()
    net.fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=[callback])
    run = read(callback)
    assert sorted(run.points("batch/loss").steps) == list(range(80))


def test_a_callback_outside_a_list_works(model: Any, digits: Any, read: Any) -> None:
    """Keras does not look then whether its hooks may be called from threads."""
    callback = OutriderCallback(log_freq="batch")
    x, y = digits
    model().fit(x, y, epochs=2, verbose=0, callbacks=callback)
    run = read(callback)
    assert sorted(run.points("batch/loss").steps) == list(range(10))
    assert run.points("loss").steps == [0, 1]


def test_a_callback_list_driven_by_hand(model: Any, digits: Any, read: Any) -> None:
    """A custom loop, which may leave hooks out."""
    callback = OutriderCallback()
    hooks = keras.callbacks.CallbackList([callback], model=model(), epochs=2)
    hooks.on_train_begin()
    for epoch in range(2):
        hooks.on_epoch_begin(epoch)
        hooks.on_epoch_end(epoch, {"loss": 1.0 - epoch})
    hooks.on_train_end()
    bare = OutriderCallback()
    for epoch in range(2):
        bare.on_epoch_end(epoch, {"loss": float(epoch)})
    assert read(callback).points("loss").values == [1.0, 0.0]
    assert read(bare).points("loss").values == [0.0, 1.0]


def test_a_callback_passed_twice_logs_once(model: Any, digits: Any, read: Any) -> None:
    """Fit, validation and evaluation."""
    callback = OutriderCallback()
    net = model()
    x, y = digits
    net.fit(x, y, epochs=2, verbose=0, callbacks=[callback, callback])
    net.evaluate(x, y, verbose=0, callbacks=[callback, callback])
    run = read(callback)
    assert run.points("loss").steps == [0, 1]
    assert run.points("evaluate/loss").steps == [0]


def test_two_callbacks_on_one_run_are_named(
    model: Any, digits: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """Both log; it is said once, and the training goes on."""
    run = core.init(project="p")
    x, y = digits
    model().fit(x, y, verbose=0, callbacks=[OutriderCallback(run=run), OutriderCallback(run=run)])
    assert "two callbacks log to the run" in capfd.readouterr().err


def test_the_scripts_own_run_is_used(model: Any, digits: Any) -> None:
    """`init()` first, then a callback that names no run."""
    run = core.init(project="mine")
    callback = OutriderCallback()
    x, y = digits
    model().fit(x, y, verbose=0, callbacks=[callback])
    assert callback.run is run
    other = OutriderCallback(project="other")
    model().fit(x, y, verbose=0, callbacks=[other])
    assert other.run is not None
    assert (other.run.project, core.run) == ("other", other.run)


def test_deep_copies_are_runs_of_their_own(model: Any, digits: Any, read: Any) -> None:
    """KerasTuner copies the callbacks for each trial, before and after they were used."""
    callback = OutriderCallback(project="p")
    x, y = digits
    trials = [copy.deepcopy(callback)]
    model().fit(x, y, verbose=0, callbacks=[callback])
    trials += [copy.deepcopy(callback), copy.deepcopy(trials[0])]
    for trial in trials:
        model().fit(x, y, verbose=0, callbacks=[trial])
    runs = [read(one) for one in (callback, *trials)]
    assert len({run.id for run in runs}) == 4
    assert [run.points("loss").steps for run in runs] == [[0]] * 4


def test_deep_copies_with_an_id_are_one_run(model: Any, digits: Any, read: Any) -> None:
    """Whoever names a run means that run."""
    callback = OutriderCallback(project="p", id="this-one")
    x, y = digits
    for one in (callback, copy.deepcopy(callback)):
        model().fit(x, y, verbose=0, callbacks=[one])
    assert len(read(callback).points("loss")) == 2


@pytest.mark.parametrize("log_freq", ["epoch", "batch"])
def test_a_pickled_callback_goes_on_with_its_run(
    model: Any, digits: Any, read: Any, log_freq: str
) -> None:
    """As scikeras does with estimators and their callbacks; unused ones open runs of their own."""
    callback = OutriderCallback(project="p", log_freq=log_freq)
    fresh = pickle.loads(pickle.dumps(callback))
    x, y = digits
    model().fit(x, y, verbose=0, callbacks=[callback])
    again = pickle.loads(pickle.dumps(callback))
    callback.finish()
    for one in (again, fresh):
        model().fit(x, y, verbose=0, callbacks=[one])
    assert read(callback).points("loss").steps == [0, 1]
    assert len(read(callback).attempts) == 2
    assert read(fresh).id != read(callback).id


def test_keras_tuner_gets_a_run_for_each_trial(digits: Any, recorded: Any) -> None:
    """With the real thing."""
    tuner_package = pytest.importorskip("keras_tuner")
    x, y = digits

    def build(choice: Any) -> Any:
        net = keras.Sequential(
            [keras.Input((64,)), keras.layers.Dense(choice.Choice("width", [2, 3])),
             keras.layers.Dense(10)]
        )  # fmt: skip
        net.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return net

    tuner = tuner_package.RandomSearch(build, "loss", max_trials=2, directory="tuner")
    tuner.search(x, y, epochs=1, verbose=0, callbacks=[OutriderCallback(project="search")])
    assert len([run for run in recorded() if "loss" in run.keys()]) == 2  # noqa: SIM118


def test_the_model_is_released(model: Any, digits: Any) -> None:
    """The callback holds a weak reference only, also after an exception."""
    callback = OutriderCallback(log_freq="batch")
    x, y = digits
    net = model()
    net.fit(x, y, verbose=0, callbacks=[callback])
    gone = weakref.ref(net)
    del net
    gc.collect()
    assert gone() is None
    assert callback.model is None


def test_a_run_ends_when_its_callback_is_let_go(model: Any, digits: Any, recorded: Any) -> None:
    """A sweep makes a callback for each fit and ends no run by hand."""
    x, y = digits
    model().fit(x, y, verbose=0, callbacks=[OutriderCallback(log_freq="batch")])
    keras.utils.clear_session()
    gc.collect()
    assert [run.state for run in recorded()] == ["finished"]


def test_finish_and_fit_again_is_a_new_attempt(model: Any, digits: Any, read: Any) -> None:
    """Nothing is lost by a `finish()` that came too early."""
    callback = OutriderCallback()
    x, y = digits
    for _ in range(2):
        model().fit(x, y, verbose=0, callbacks=[callback])
        callback.finish()
    run = read(callback)
    assert run.state == "finished"
    assert run.points("loss").steps == [0, 1]


def test_a_callback_is_a_context_manager(model: Any, digits: Any, read: Any) -> None:
    """It ends the run, and tells the exception that left the block."""
    x, y = digits
    with pytest.raises(ArithmeticError), OutriderCallback() as callback:  # noqa: PT012
        model().fit(x, y, verbose=0, callbacks=[callback])
        raise ArithmeticError("out of luck")
    run = read(callback)
    assert run.state == "failed"
    assert run.overview.end is not None
    assert run.overview.end["why"]["type"] == "ArithmeticError"


def test_a_model_that_is_not_built_is_named(
    digits: Any, read: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """A clear message, and the training goes on."""

    class Own(keras.Model):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(10)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    net = Own()
    net.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    callback = OutriderCallback()
    hooks = keras.callbacks.CallbackList([callback], model=net, epochs=1)
    hooks.on_train_begin()
    assert "Own is not built yet" in capfd.readouterr().err
    x, y = digits
    net.fit(x, y, verbose=0, callbacks=[callback])
    assert read(callback).config["model"]["class"] == "Own"
    assert len(read(callback).points("loss")) == 1


@pytest.mark.parametrize("wrong", [0, -1, "epochs", True, 1.5, None])
def test_a_wrong_log_freq_is_refused(wrong: Any) -> None:
    """With the values that are known."""
    with pytest.raises(UsageError, match="log_freq") as caught:
        OutriderCallback(log_freq=wrong)
    assert "batch" in str(caught.value.hint)


@pytest.mark.parametrize("wrong", [{"project": "a/b"}, {"id": ""}, {"mode": "sometimes"}], ids=str)
def test_wrong_arguments_are_refused_at_once(wrong: dict[str, Any]) -> None:
    """When the callback is built, not when the training begins."""
    with pytest.raises(UsageError):
        OutriderCallback(**wrong)


def test_a_missing_keras_names_the_extra() -> None:
    """An error that is also an ImportError."""
    code = """
        import sys
        sys.modules.pop("keras", None)
        class Block:
            def find_spec(self, name, path=None, target=None):
                if name == "keras":
                    raise ModuleNotFoundError("No module named 'keras'", name="keras")
        sys.meta_path.insert(0, Block())
        import outrider_keras
        try:
            outrider_keras.OutriderCallback
        except ImportError as error:
            print(error)
    """
    assert 'pip install "outrider[keras]"' in run_python(code)


def test_a_file_called_keras_is_named(tmp_path: Path) -> None:
    """The user's own `keras.py` hides the framework."""
    (tmp_path / "keras.py").write_text("print('my experiments')\n")
    code = """
        import sys
        sys.path.insert(0, ".")
        try:
            from outrider_keras import OutriderCallback
        except ImportError as error:
            print(error)
    """
    answer = run_python(code, cwd=tmp_path)
    assert str(tmp_path / "keras.py") in answer
    assert "rename it" in answer


def test_an_old_keras_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says which version it found."""
    monkeypatch.setattr(keras, "__version__", "2.15.0")
    with pytest.raises(KerasMissing, match=r"this is 2\.15\.0"):
        load()


def test_the_import_is_light() -> None:
    """`outrider_keras` loads no Keras before it is used, and never Lightning; its plugin neither."""
    code = """
        import sys
        import outrider_keras, outrider_keras.plugin, outrider_lightning.plugin
        heavy = ("keras", "torch", "jax", "tensorflow", "lightning", "pytorch_lightning")
        print([name for name in sys.modules if name.split(".")[0] in heavy])
        from outrider_keras import OutriderCallback
        print([name for name in sys.modules if name.split(".")[0] in heavy[4:]])
    """
    # The lightest backend; in this version of Keras it needs jax.
    backend = "numpy" if find_spec("jax") else keras.backend.backend()
    assert run_python(code, KERAS_BACKEND=backend).splitlines() == ["[]", "[]"]


def test_checkpoints_are_kept_with_the_run(
    model: Any, digits: Any, read: Any, tmp_path: Path
) -> None:
    """What ModelCheckpoint saves, and of it what is the best so far; reading it back gives the
    weights."""
    callback = OutriderCallback()
    every = OutriderCheckpoint("all-{epoch}.keras", run=callback)
    best = OutriderCheckpoint(
        "best.keras", run=callback, policy="end", monitor="loss", save_best_only=True
    )
    x, y = digits
    net = model()
    net.fit(x, y, epochs=2, verbose=0, callbacks=[callback, every, best])
    callback.finish()  # what is kept at the end is kept now
    run = read(callback)
    names = {"all-1.keras", "all-2.keras", "best.keras"}
    until = time.monotonic() + 60
    while {file.path for file in run.files()} != names and time.monotonic() < until:
        time.sleep(0.05)
    files = {file.path: file for file in run.files()}
    assert set(files) == names
    again = keras.models.load_model(files["all-2.keras"].download(tmp_path / "fetched"))
    for one, two in zip(again.get_weights(), net.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_checkpoint_without_a_run_says_so(
    model: Any, digits: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """The file is saved all the same, and the training goes on."""
    x, y = digits
    model().fit(x, y, verbose=0, callbacks=[OutriderCheckpoint("alone.keras")])
    assert Path("alone.keras").exists()
    assert "has no run" in capfd.readouterr().err
    with pytest.raises(UsageError, match="policy"):
        OutriderCheckpoint("x.keras", policy="sometimes")
