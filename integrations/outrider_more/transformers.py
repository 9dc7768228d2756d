"""``TransformersCallback``: what the Trainer of Hugging Face Transformers logs, in one run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outrider.adapter import About
from outrider.notice import swallow
from outrider_more.base import Holder, need

if TYPE_CHECKING:
    from outrider.training import Run

transformers: Any = need("transformers", "TrainerCallback")


class TransformersCallback(Holder, transformers.TrainerCallback):  # type: ignore[misc,unused-ignore]
    """Logs each ``log()`` of a Trainer under its own names, at the Trainer's global step.

    Training arguments and the model's configuration become the run's. Only the first of several
    processes writes. ``project`` and ``arguments`` are those of ``outrider.init()``; ``run`` is
    one that is open already.
    """

    about = About("transformers", "optimizer steps", ("transformers",))

    def __init__(
        self, project: str | None = None, *, run: Run | None = None, **arguments: Any
    ) -> None:
        self._hold(run, {"project": project, **arguments})

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Open the run and record what it is configured with."""
        if not state.is_world_process_zero:
            return
        self._adapter.open()
        try:
            config = {"trainer": args.to_dict()}
            model = kwargs.get("model")
            if callable(getattr(getattr(model, "config", None), "to_dict", None)):
                config["model"] = model.config.to_dict()  # type: ignore[union-attr]
            self._adapter.configure(config)
        except Exception as error:
            swallow("TransformersCallback", error)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Log what the Trainer logs; it shares the dict, which is only read."""
        if state.is_world_process_zero and logs:
            self._adapter.log(logs, state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Note that the training is through; the run goes on (``evaluate`` may follow)."""
        self._adapter.settle(0)
