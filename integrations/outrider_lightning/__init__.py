"""Outrider for Lightning: ``OutriderLogger``, for its trainers and for Fabric.

from lightning.pytorch import Trainer  # or pytorch_lightning
from outrider_lightning import OutriderLogger

trainer = Trainer(logger=OutriderLogger(project="digits"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outrider_lightning.logger import OutriderLogger

__all__ = ["OutriderLogger"]


def __getattr__(name: str) -> object:
    if name == "OutriderLogger":
        from outrider_lightning.logger import OutriderLogger

        globals()[name] = OutriderLogger
        return OutriderLogger
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
