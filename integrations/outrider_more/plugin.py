"""The small adapters among the plugins: which frameworks they are for. Imports none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outrider.hooks import hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping


@hookimpl
def outrider_adapter() -> Mapping[str, Any]:
    """Callbacks for Transformers, XGBoost, LightGBM and Optuna."""
    return {
        "framework": "transformers, xgboost, lightgbm, optuna",
        "version": None,
        "step": "optimizer steps, boosting rounds, reports",
    }
