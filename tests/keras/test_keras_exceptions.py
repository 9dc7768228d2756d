"""An exception in any hook of any callback: it comes through as it is, and the run tells of it."""

from __future__ import annotations

from typing import Any

import pytest

import keras
from outrider.streamer import spawn
from outrider_keras import OutriderCallback

HOOKS = sorted(
    name for name in vars(keras.callbacks.Callback) if name.startswith("on_") or name == "set_model"
)


@pytest.mark.parametrize("is_first", [False, True])
@pytest.mark.parametrize("name", HOOKS)
def test_each_hook_may_raise(
    model: Any, digits: Any, read: Any, monkeypatch: pytest.MonkeyPatch, name: str, is_first: bool
) -> None:
    """Before ours or behind it in the list. As a context manager, ours hears of it."""
    monkeypatch.setattr(spawn, "start", lambda folder, extra=(): False)
    images, labels = digits[0][:8], digits[1][:8]

    class Ours(keras.callbacks.Callback):  # type: ignore[misc,unused-ignore]
        pass

    def fail(self: Any, *given: Any, **named: Any) -> None:
        raise ArithmeticError(f"out of luck in {name}")

    setattr(Ours, name, fail)
    net, callback = model(), OutriderCallback(log_freq="batch")
    callbacks = [Ours(), callback] if is_first else [callback, Ours()]

    def train() -> None:
        with callback:
            net.fit(images, labels, verbose=0, callbacks=[callback])
            net.fit(images, labels, validation_split=0.5, verbose=0, callbacks=callbacks)
            net.evaluate(images, labels, verbose=0, callbacks=callbacks)
            net.predict(images, verbose=0, callbacks=callbacks)

    with pytest.raises(ArithmeticError) as raised:
        train()
    assert raised.value.args == (f"out of luck in {name}",)
    run = read(callback)
    assert run.overview.end is not None
    assert (run.state, run.overview.end["why"]["message"]) == ("failed", f"out of luck in {name}")
    assert run.points("loss").steps[0] == 0
