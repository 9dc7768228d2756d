"""Outrider for more frameworks: one callback each for Transformers, XGBoost, LightGBM and Optuna.

from outrider_more import XGBoostCallback

xgboost.train(params, data, callbacks=[XGBoostCallback(project="trees")])

A framework is imported when its callback is asked for, and nothing patches one behind one's back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outrider_more.lightgbm import LightGBMCallback
    from outrider_more.optuna import OptunaCallback
    from outrider_more.transformers import TransformersCallback
    from outrider_more.xgboost import XGBoostCallback

__all__ = ["LightGBMCallback", "OptunaCallback", "TransformersCallback", "XGBoostCallback"]

_HOMES = {
    "LightGBMCallback": "lightgbm",
    "OptunaCallback": "optuna",
    "TransformersCallback": "transformers",
    "XGBoostCallback": "xgboost",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found
