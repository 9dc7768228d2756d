"""``OutriderEvaluation``: a table of validation examples with predictions, as training goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from outrider.errors import UsageError
from outrider.examples import COUNT
from outrider.notice import say_once, swallow
from outrider_keras.attached import Attached
from outrider_keras.examples import Examples
from outrider_keras.framework import keras

if TYPE_CHECKING:
    from outrider.training import Run
    from outrider_keras.callback import OutriderCallback


class OutriderEvaluation(Attached, keras.callbacks.Callback):  # type: ignore[misc,unused-ignore]
    """Logs a table of a few examples after each so-many-th epoch: inputs (as images where they are
    some), labels, what the model predicts and how sure it is. The training stays as it is.

    Args:
        data: ``(x, y)`` or ``x``, or a data set that gives batches of them.
        run: the run, or the ``OutriderCallback`` that logs to it (put that one first in the list);
            by default the run that is active.
        key: what the table is called.
        count: how many examples; the first of the data are taken, and no others are stored.
        every: after how many epochs; the first is always one of them.
        class_names: words for class numbers.
        image_shape: shows flat inputs as images, such as ``(28, 28)``.

    Raises ``UsageError`` for what cannot be right. Once built, nothing raises.
    """

    def __init__(
        self,
        data: Any,
        *,
        run: Run | OutriderCallback | None = None,
        key: str = "predictions",
        count: int = COUNT,
        every: int = 1,
        class_names: Sequence[str] | None = None,
        image_shape: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__()
        if type(every) is not int or every < 1:
            raise UsageError(f"every={every!r} is not possible", hint="a number of epochs")
        self._examples = Examples(data, count, class_names, image_shape)
        self._to = run
        self._key = key
        self._every = every

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Log the table, where it is time."""
        if epoch % self._every:
            return
        try:
            run = self._run_now()
            if run is None:
                say_once("OutriderEvaluation", "OutriderEvaluation has no run to log its table to")
                return
            step = getattr(self._to, "_next_step", None)
            table = self._examples.predicted_by(self.model)
            run.log({self._key: table}, epoch if step is None else step - 1)
        except Exception as error:
            swallow("OutriderEvaluation", error)
