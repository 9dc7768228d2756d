"""Outrider for Lightning: ``OutriderLogger``, for its trainers and for Fabric, and a callback.

from lightning.pytorch import Trainer  # or pytorch_lightning
from outrider_lightning import OutriderLogger

trainer = Trainer(logger=OutriderLogger(project="digits"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outrider_lightning.logger import OutriderLogger
    from outrider_lightning.predictions import OutriderPredictions

__all__ = ["OutriderLogger", "OutriderPredictions"]

_HOMES = {"OutriderLogger": "logger", "OutriderPredictions": "predictions"}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        from importlib import import_module

        found: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
