"""Keras' part among the plugins. Imports neither Keras nor a backend."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from outrider.adapter import installed_version
from outrider.hooks import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@hookimpl
def outrider_adapter() -> Mapping[str, Any]:
    """``OutriderCallback``, for ``fit``, ``evaluate`` and ``predict``."""
    return {"framework": "keras", "version": installed_version("keras"), "step": "epochs"}


@hookimpl
def outrider_convert(cls: type) -> Callable[[Any], Any] | None:
    """A Keras metric becomes its result, a scalar variable its value."""
    keras = sys.modules.get("keras")
    metric = getattr(getattr(keras, "metrics", None), "Metric", None)
    if isinstance(metric, type) and issubclass(cls, metric):
        return lambda value: float(value.result())
    variable = getattr(keras, "Variable", None)
    if isinstance(variable, type) and issubclass(cls, variable):
        return float
    return None


@hookimpl
def outrider_config(cls: type) -> Callable[[Any], Any] | None:
    """Layers, optimizers, losses and the like become their own serialised form."""
    keras = sys.modules.get("keras")
    if keras is None or not cls.__module__.startswith("keras."):
        return None
    if not callable(getattr(cls, "get_config", None)):
        return None
    return lambda value: {"class": cls.__name__, **value.get_config()}
