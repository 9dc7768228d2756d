"""``OutriderCallback``: what Keras reports while it trains, in one Outrider run."""

from __future__ import annotations

import os
import time
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from outrider.adapter import About, Adapter, Ends
from outrider.errors import UsageError
from outrider.notice import say_once, swallow
from outrider_keras.describe import describe_model, learning_rates
from outrider_keras.examples import as_examples
from outrider_keras.framework import keras

if TYPE_CHECKING:
    from outrider.training import Run

KERAS = About(
    "keras",
    "epochs",
    ("keras",),
    (
        {"name": "batch/*", "step": "batch/step"},
        {"name": "batch/step", "hidden": True},
        {"name": "evaluate/*", "step": "evaluate/epoch"},
        {"name": "evaluate/epoch", "hidden": True},
        {"name": "epoch", "hidden": True},
    ),
)
_IN_FLIGHT = 64
"""More batches than Keras ever delivers out of order (its thread pool has at most 36 threads)."""

_users: weakref.WeakValueDictionary[tuple[str, str], OutriderCallback]
_users = weakref.WeakValueDictionary()


class OutriderCallback(Ends, keras.callbacks.Callback):  # type: ignore[misc,unused-ignore]
    """Logs what ``fit`` and ``evaluate`` report to an Outrider run; the training stays as it is.

    Each epoch is one row under Keras' own names, with ``epoch``, ``epoch_seconds`` and the learning
    rate; its step is Keras' epoch, counted on where a later ``fit`` begins again at 0. Validation
    inside ``fit`` is in that row as ``val_…``; ``evaluate()`` outside of it is logged under
    ``evaluate/``. With ``log_freq="batch"``, or a number to log each so-many-th batch, the running
    values are also logged under ``batch/``, against ``batch/step``.

    The run is opened by the first ``fit`` or ``evaluate`` and goes on until ``finish()``, the end
    of the process, or until nobody holds this callback any more. Copies made by ``deepcopy``
    (KerasTuner's trials) open runs of their own, unless an ``id`` says which it is; a pickled
    callback goes on with its run. Where the script has opened a run itself, and nothing here names
    another, that one is used.

    Args:
        project: the project (default: the settings').
        log_freq: ``"epoch"``, ``"batch"``, or a number of batches.
        name: the run's name for people.
        id: the run's id; an existing run is continued.
        config: configuration to record beside the model's.
        tags: words to find the run by.
        group: the name of a group of runs.
        run: a run that is open already, to be logged to.
        log_model_config: record optimizer, loss, the model's summary and its graph.
        predictions: after each epoch, log a table of examples with what the model says of them:
            ``(x, y)``, a data set, or ``Examples(...)``; see ``OutriderEvaluation`` for more.
        init_arguments: any other argument of ``outrider.init()``.

    Raises ``UsageError`` or ``SettingsError`` for what cannot be right. Once built, nothing raises.
    """

    def __init__(
        self,
        project: str | None = None,
        *,
        log_freq: str | int = "epoch",
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - the field's word for it
        config: Any = None,
        tags: Sequence[str] | None = None,
        group: str | None = None,
        run: Run | None = None,
        log_model_config: bool = True,
        predictions: Any = None,
        **init_arguments: Any,
    ) -> None:
        self._reference: weakref.ref[Any] | None = None
        super().__init__()
        self._every = _every(log_freq)
        self._log_model_config = log_model_config
        self._predictions = None if predictions is None else as_examples(predictions)
        arguments = {
            "project": project,
            "name": name,
            "id": id,
            "config": config,
            "tags": tags,
            "group": group,
            **init_arguments,
        }
        self._adapter = Adapter(KERAS, arguments, run=run)
        self._is_fresh = False  # Keras has just told us of a new fit, evaluate or predict
        self._is_fitting = False
        self._evaluates: int | None = None
        self._evaluations = 0
        self._epoch: int | None = None
        self._ended: int | None = None
        self._began = 0.0
        self._next_step: int | None = None
        self._shift: int | None = None
        self._batches = 0
        self._group = 1
        self._recent: deque[int] = deque(maxlen=_IN_FLIGHT)
        self._bind_batch_hook()

    def _bind_batch_hook(self) -> None:
        # On the instance and in batch mode only: an overridden hook of the class would switch off
        # Keras' asynchronous dispatch, and so force a device sync per batch, for everyone.
        if self._every:
            self.on_train_batch_end = self._log_batch

    # the model is Keras' to keep: only a weak reference is held here

    @property
    def _model(self) -> Any:
        return None if self._reference is None else self._reference()

    @_model.setter
    def _model(self, model: Any) -> None:
        self._reference = None if model is None else weakref.ref(model)

    @property
    def run(self) -> Run | None:
        """The run, once ``fit`` or ``evaluate`` has opened it in this process."""
        return self._adapter.run

    # what Keras calls

    def set_params(self, params: Any) -> None:
        """Hear the parameters of a fit, evaluate or predict that is about to begin."""
        super().set_params(params)
        self._is_fresh = True

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Open the run and record the model's configuration."""
        if self._is_fitting and not self._is_fresh:
            return  # the same callback passed twice
        self._is_fitting, self._is_fresh = True, False
        self._epoch = self._ended = self._shift = None
        self._recent.clear()
        self._group = int(getattr(self._model, "steps_per_execution", 1) or 1)
        if not _writes_here():
            return
        self._adapter.open()
        self._note_user()
        try:
            self._describe()
        except Exception as error:
            swallow("model configuration", error)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Note when the epoch began, and which step it is."""
        if self._shift is None:
            first = self._next_step if self._next_step is not None else epoch
            self._shift = max(0, first - epoch)
        self._epoch = epoch
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Log the epoch's row. ``logs`` is shared by all callbacks: read, never changed."""
        if self._epoch is None and self._ended == epoch:
            return  # the same callback passed twice
        seconds = time.perf_counter() - self._began if self._epoch is not None else None
        step = epoch + (self._shift or 0)
        self._epoch, self._ended = None, epoch
        self._next_step = step + 1
        self._end_of_batches()
        if not _writes_here():
            return
        try:
            row: dict[str, Any] = {"epoch": epoch}
            if seconds is not None:
                row["epoch_seconds"] = seconds
            row.update(logs or {})
            if not any(str(key).startswith("learning_rate") for key in row):
                row.update(self._learning_rates())
            if self._predictions is not None:
                row["predictions"] = self._predicted()
            self._adapter.log(row, step)
        except Exception as error:
            swallow("on_epoch_end()", error)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Note that this fit is through; the run goes on."""
        self._is_fitting = False
        self._adapter.settle(0)

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Tell an evaluation of its own from the validation inside a fit."""
        if self._is_fresh or not self._is_fitting:
            self._is_fresh = False
            self._evaluates = self._evaluations

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Log an evaluation's values; those of a validation come with the epoch."""
        number, self._evaluates = self._evaluates, None
        if number is None or not _writes_here():
            return
        self._evaluations = number + 1
        try:
            row = {f"evaluate/{key}": value for key, value in (logs or {}).items()}
            self._adapter.log({**row, "evaluate/epoch": self._next_step or 0}, number)
            if not self._is_fitting:
                self._adapter.settle(0)
        except Exception as error:
            swallow("on_test_end()", error)

    def on_predict_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Do nothing: predictions are not recorded."""
        self._is_fresh = False

    def _log_batch(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Log the running values of a batch. May be called by several threads, out of order."""
        steps = (self.params or {}).get("steps")
        if isinstance(steps, int):
            batch = min(batch, steps - 1)  # a group that is cut short is reported as if whole
        self._recent.append(batch)
        if not self._is_due(batch) or not _writes_here():
            return
        try:
            step = self._batches + batch
            row = {f"batch/{key}": logs[key] for key in logs} if logs else {}
            row["batch/step"] = step
            self._adapter.log(row, step)
        except Exception as error:
            swallow("on_train_batch_end()", error)

    def _is_due(self, batch: int) -> bool:
        """Whether one of the batches that this call stands for is to be logged: with
        ``steps_per_execution`` Keras reports the last of each group only."""
        group = self._group
        return (batch + 1) // self._every > batch // group * group // self._every

    def _end_of_batches(self) -> None:
        if self._recent:
            self._batches += max(self._recent) + 1
            self._recent.clear()

    # the run

    def _learning_rates(self) -> dict[str, float]:
        model = self.model  # on jax this brings the model's state up to date, as schedulers do
        return learning_rates(getattr(model, "optimizer", None))

    def _predicted(self) -> Any:
        """The table of examples; what fails there costs no number of the row."""
        try:
            assert self._predictions is not None
            return self._predictions.predicted_by(self.model)
        except Exception as error:
            swallow("predictions", error)
            return {}

    def _describe(self) -> None:
        params = {key: value for key, value in (self.params or {}).items() if key != "verbose"}
        config: dict[str, Any] = {"fit": params}
        if self._log_model_config and self._model is not None:
            config.update(describe_model(self._model))
        self._adapter.configure(config)

    def _note_user(self) -> None:
        identity = self._adapter.identity
        if identity is None:
            return
        other = _users.setdefault(identity, self)
        if other is not self and other._is_fitting:
            say_once(
                f"two callbacks {identity}",
                f"two callbacks log to the run {'/'.join(identity)}; what both log at one step"
                " is shown once",
            )

    # copies and pickles

    def __getstate__(self) -> dict[str, Any]:
        state = {**self.__dict__, "_reference": None, "_is_fitting": False, "_evaluates": None}
        state.pop("on_train_batch_end", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._bind_batch_hook()

    def __deepcopy__(self, memo: dict[int, Any]) -> OutriderCallback:
        from copy import deepcopy

        twin = object.__new__(type(self))
        memo[id(self)] = twin
        twin.__setstate__(deepcopy(self.__getstate__(), memo))
        if twin._adapter.identity is None:  # a run of its own, which begins at the beginning
            twin._ended = None
            twin._next_step, twin._batches, twin._evaluations = None, 0, 0
        return twin


def _every(log_freq: object) -> int:
    """How many batches lie between two batch rows; 0 where only epochs are logged."""
    if log_freq == "epoch":
        return 0
    if log_freq == "batch":
        return 1
    if isinstance(log_freq, int) and not isinstance(log_freq, bool) and log_freq > 0:
        return log_freq
    raise UsageError(
        f"log_freq={log_freq!r} is not known", hint='"epoch", "batch", or a number of batches'
    )


def _writes_here() -> bool:
    """Whether this process is the first of those that train together (torchrun, mpirun)."""
    return os.environ.get("RANK", "0") in ("", "0")
