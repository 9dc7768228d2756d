"""Lightning's part among the plugins. Imports neither Lightning nor torch."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from outrider.adapter import installed_version
from outrider.hooks import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DISTRIBUTIONS = ("lightning", "pytorch-lightning", "lightning-fabric")


@hookimpl
def outrider_adapter() -> Mapping[str, Any]:
    """``OutriderLogger``, for Lightning's trainers and for Fabric."""
    return {
        "framework": "lightning",
        "version": installed_version(*_DISTRIBUTIONS),
        "step": "optimizer batches",
    }


@hookimpl
def outrider_convert(cls: type) -> Callable[[Any], Any] | None:
    """A torchmetrics metric becomes what it computes to: a number, or a mapping of them."""
    metric = getattr(sys.modules.get("torchmetrics"), "Metric", None)
    return _computed if isinstance(metric, type) and issubclass(cls, metric) else None


def _computed(metric: Any) -> Any:
    value = metric.compute()
    return value if isinstance(value, dict) else value.item()


@hookimpl
def outrider_config(cls: type) -> Callable[[Any], Any] | None:
    """A torch module in hyperparameters becomes its class and its number of parameters."""
    module = getattr(getattr(sys.modules.get("torch"), "nn", None), "Module", None)
    return _described if isinstance(module, type) and issubclass(cls, module) else None


def _described(module: Any) -> dict[str, Any]:
    kind = type(module)
    return {
        "class": f"{kind.__module__}.{kind.__qualname__}",
        "parameters": sum(one.numel() for one in module.parameters()),
    }
