"""Outrider for Keras 3 on any backend: ``OutriderCallback`` and what goes with it.

from outrider_keras import OutriderCallback

model.fit(x, y, epochs=3, callbacks=[OutriderCallback(project="digits")])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outrider_keras.callback import OutriderCallback
    from outrider_keras.checkpoint import OutriderCheckpoint
    from outrider_keras.evaluation import OutriderEvaluation

__all__ = ["OutriderCallback", "OutriderCheckpoint", "OutriderEvaluation"]

_HOMES = {
    "OutriderCallback": "callback",
    "OutriderCheckpoint": "checkpoint",
    "OutriderEvaluation": "evaluation",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        from importlib import import_module

        found: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
