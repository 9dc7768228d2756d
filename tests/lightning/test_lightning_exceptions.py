"""An exception in any hook that Lightning has: it comes through as it is, and the run tells of it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outrider.errors import NotFound
from outrider.streamer import spawn
from outrider_lightning import OutriderLogger

pl = importlib.import_module("lightning.pytorch")
hooks = importlib.import_module("lightning.pytorch.core.hooks")
boring = importlib.import_module("lightning.pytorch.demos.boring_classes")

STEPS = (
    "training_step validation_step test_step predict_step configure_optimizers configure_callbacks"
    " configure_gradient_clipping optimizer_step optimizer_zero_grad backward forward"
    " lr_scheduler_step"
).split()
DEPRECATED = "configure_sharded_model"  # refused beside configure_model
NEVER = {"Ours.on_exception", "Ours.load_state_dict"}  # for what goes wrong; for a state of its own

armed = ""
seen: set[str] = set()


class Model(boring.BoringModel):  # type: ignore[misc,name-defined]
    """A model each of whose hooks raises when it is told to."""


class Ours(pl.Callback):  # type: ignore[misc,name-defined]
    """A callback each of whose hooks does."""


def hook_names() -> Iterator[tuple[type, str]]:
    """All there are, by class."""
    for base in (hooks.ModelHooks, hooks.DataHooks, hooks.CheckpointHooks):
        for name in vars(base):
            if not name.startswith("_") and name != DEPRECATED:
                yield Model, name
    yield from ((Model, name) for name in STEPS)
    for name, value in vars(pl.Callback).items():
        if callable(value) and not name.startswith("_"):
            yield Ours, name


def arm(kind: type, name: str) -> None:
    base = getattr(kind, name)

    def hook(self: Any, *given: Any, **named: Any) -> Any:
        seen.add(f"{kind.__name__}.{name}")
        if armed == f"{kind.__name__}.{name}":
            raise ArithmeticError(f"out of luck in {armed}")
        return base(self, *given, **named)

    setattr(kind, name, hook)


for pair in dict.fromkeys(hook_names()):
    arm(*pair)


def train(logger: OutriderLogger) -> None:
    """Fit, the other entry points, and a fit that goes on from a checkpoint."""
    trainer = pl.Trainer(
        logger=logger, callbacks=[Ours()], max_epochs=1, limit_train_batches=1, limit_val_batches=1,
        limit_test_batches=1, limit_predict_batches=1, num_sanity_val_steps=1, log_every_n_steps=1,
        gradient_clip_val=0.5, enable_progress_bar=False, enable_model_summary=False,
        accelerator="cpu", devices=1,
    )  # fmt: skip
    model = Model()
    trainer.fit(model)
    for entry in (trainer.validate, trainer.test):
        entry(model, verbose=False)
    trainer.predict(model)
    trainer.fit_loop.max_epochs = 2
    trainer.fit(model, ckpt_path=trainer.checkpoint_callback.best_model_path)


def test_each_hook_may_raise(read: Any, monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """It says which exception ended the run, without the streamer's help; what raises before
    Lightning has asked for the run leaves none."""
    monkeypatch.setattr(spawn, "start", lambda folder, extra=(): False)
    train(OutriderLogger())
    everything = {f"{kind.__name__}.{name}" for kind, name in hook_names()}
    assert everything - seen <= NEVER
    wrong = {}
    for name in sorted(seen):
        monkeypatch.setitem(globals(), "armed", name)
        logger = OutriderLogger()
        with pytest.raises(ArithmeticError) as raised:
            train(logger)
        assert raised.value.args == (f"out of luck in {name}",)
        try:
            run = read(logger)
            end = (run.overview.end or {}).get("why") or {}
            found = (run.state, end.get("type"), end.get("message"))
        except NotFound:
            found = ("none", None, None)
        if found != ("failed", "ArithmeticError", f"out of luck in {name}"):
            wrong[name] = found
    none = ("none", None, None)
    assert wrong == {"Model.configure_callbacks": none, "Model.prepare_data": none}
