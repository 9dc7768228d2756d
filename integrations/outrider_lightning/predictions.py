"""``OutriderPredictions``: a table of examples with predictions, after each validation.

Lightning's ``Callback`` is an ordinary class in each of its namespaces, and a trainer takes only
callbacks that inherit from its own. So the class that is made inherits, when it is made, from each
``Callback`` that is loaded by then; nothing here loads one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from outrider.errors import UsageError
from outrider.examples import COUNT, Examples
from outrider.notice import say_once, swallow
from outrider_lightning.logger import OutriderLogger
from outrider_lightning.namespaces import callbacks

if TYPE_CHECKING:
    from typing_extensions import Self


class OutriderPredictions:
    """A Lightning callback that logs a table of a few examples after each so-many-th validation:
    inputs (as images where they are some), labels, what the model predicts and how sure it is.

    It writes to every ``OutriderLogger`` of the trainer. The training stays as it is: the model is
    asked without gradients, as it stands for validation, and random numbers are put back. Import
    Lightning before one is built.

    Args:
        data: ``(x, y)`` or ``x``, or a data loader that gives batches of them.
        key: what the table is called.
        count: how many examples; the first of the data are taken, and no others are stored.
        every: after how many validations; the first is always one of them.
        class_names: words for class numbers.
        image_shape: shows flat inputs as images, such as ``(28, 28)``.
        predict: ``predict(module, inputs)`` says what the model predicts (default: what calling the
            module gives, so its ``forward``). Scores by class become the best class and its score.

    Raises ``UsageError`` for what cannot be right. Once built, nothing raises.
    """

    _kind: type[OutriderPredictions]

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """One that is also a ``Callback`` of each namespace that is loaded."""
        made: Self = object.__new__(_with_callbacks(cls))
        return made

    def __init__(
        self,
        data: Any,
        *,
        key: str = "predictions",
        count: int = COUNT,
        every: int = 1,
        class_names: Sequence[str] | None = None,
        image_shape: tuple[int, ...] | None = None,
        predict: Callable[[Any, Any], Any] | None = None,
    ) -> None:
        if type(every) is not int or every < 1:
            raise UsageError(f"every={every!r} is not possible", hint="a number of validations")
        self._examples = _TorchExamples(data, count, class_names, image_shape)
        self._key = key
        self._every = every
        self._predict = predict
        self._validations = 0

    def on_validation_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Log the table, where it is time. Every rank asks its model (a sharded one needs all of
        them to answer); the loggers know which of them write."""
        if trainer.sanity_checking:
            return
        number, self._validations = self._validations, self._validations + 1
        if number % self._every:
            return
        loggers = [one for one in trainer.loggers if isinstance(one, OutriderLogger)]
        if not loggers:
            say_once("OutriderPredictions", "OutriderPredictions needs an OutriderLogger")
            return
        try:
            table = self._examples.predicted_by(pl_module, self._predict)
            for logger in loggers:
                logger.log_metrics({self._key: table}, _step(trainer))
        except Exception as error:
            swallow("OutriderPredictions", error)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _again, (getattr(self, "_kind", type(self)), self.__dict__.copy())


def _again(kind: type[OutriderPredictions], state: dict[str, Any]) -> OutriderPredictions:
    made = kind.__new__(kind)
    made.__dict__.update(state)
    return made


def _with_callbacks(kind: type[OutriderPredictions]) -> Any:
    """``kind`` as a subclass of every loaded ``Callback``."""
    bases = callbacks()
    if not bases:
        raise UsageError(
            "OutriderPredictions does not know which Lightning it is for",
            hint="import lightning.pytorch (or pytorch_lightning) before it is built",
        )
    missing = [base for base in bases if not issubclass(kind, base)]
    if not missing:
        return kind
    facts = {"__doc__": kind.__doc__, "__module__": kind.__module__, "_kind": kind}
    return type(kind.__name__, (kind, *missing), facts)


def _step(trainer: Any) -> int:
    """The step that Lightning gives the values of this validation."""
    loop = getattr(getattr(trainer, "fit_loop", None), "epoch_loop", None)
    return int(getattr(loop, "_batches_that_stepped", trainer.global_step))


class _TorchExamples(Examples):
    """Examples shown with what a module says of them."""

    def array(self, value: Any) -> Any:
        """A tensor, wherever it lies, as an array."""
        if hasattr(value, "detach"):
            value = value.detach().cpu()
            value = value.float() if str(value.dtype) == "torch.bfloat16" else value
            return value.numpy()
        return super().array(value)

    def predicted_by(self, module: Any, predict: Callable[[Any, Any], Any] | None) -> Any:
        """The table of what ``module`` says now, which leaves no trace in it."""
        torch: Any = sys.modules["torch"]
        device = module.device

        def ask(inputs: Any) -> Any:
            if isinstance(inputs, dict):
                tensors: Any = {
                    key: torch.as_tensor(one, device=device) for key, one in inputs.items()
                }
            else:
                tensors = torch.as_tensor(inputs, device=device)
            return predict(module, tensors) if predict is not None else module(tensors)

        drawn_from = [device] if device.type == "cuda" else []
        with torch.random.fork_rng(devices=drawn_from), torch.no_grad():
            return self.table(ask)
