"""``XGBoostCallback``: the evaluations of each boosting round, in one run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from outrider.adapter import About
from outrider.notice import swallow
from outrider_more.base import Holder, need

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from outrider.training import Run

xgboost: Any = need("xgboost", "train")


class XGBoostCallback(Holder, xgboost.callback.TrainingCallback):  # type: ignore[misc,unused-ignore]
    """Logs each round's evaluations as ``<data>/<metric>``; the step is the round.

    In ``xgboost.cv`` the mean over folds has that name and the deviation ``<data>/<metric>_std``.
    The booster's configuration becomes the run's, its best round and score part of the summary.
    ``project`` and ``arguments`` are those of ``outrider.init()``; ``run`` is one that is open.
    """

    about = About("xgboost", "boosting rounds", ("xgboost",))

    def __init__(
        self, project: str | None = None, *, run: Run | None = None, **arguments: Any
    ) -> None:
        super().__init__()
        self._hold(run, {"project": project, **arguments})

    def before_training(self, model: Any) -> Any:
        """Open the run."""
        if _writes_here():
            self._adapter.open()
        return model

    def after_iteration(
        self, model: Any, epoch: int, evals_log: Mapping[str, Mapping[str, Sequence[Any]]]
    ) -> bool:
        """Log the round; never asks to stop."""
        if not _writes_here():
            return False
        row: dict[str, Any] = {}
        for data, metrics in evals_log.items():
            for metric, values in metrics.items():
                value = values[-1]
                if isinstance(value, (tuple, list)):  # cross-validation: mean and deviation
                    row[f"{data}/{metric}"], row[f"{data}/{metric}_std"] = value
                else:
                    row[f"{data}/{metric}"] = value
        self._adapter.log(row, epoch)
        return False

    def after_training(self, model: Any) -> Any:
        """Record the booster's configuration and its best round."""
        if _writes_here():
            try:
                self._describe(model)
            except Exception as error:
                swallow("XGBoostCallback", error)
            self._adapter.settle(0)
        return model

    def _describe(self, model: Any) -> None:
        if callable(getattr(model, "save_config", None)):
            self._adapter.configure({"booster": json.loads(model.save_config())})
        best = {key: _attribute(model, key) for key in ("best_iteration", "best_score")}
        if best["best_iteration"] is not None:
            self._adapter.open().summary.update(best)


def _attribute(model: Any, name: str) -> Any:
    try:
        return getattr(model, name, None)
    except TypeError:  # the folds of a cross-validation have none, and say so in this way
        return None


def _writes_here() -> bool:
    rank: int = xgboost.collective.get_rank()
    return rank == 0
