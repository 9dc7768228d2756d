"""``LightGBMCallback``: the evaluations of each boosting round, in one run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outrider.adapter import About
from outrider.notice import swallow
from outrider_more.base import Holder, need

if TYPE_CHECKING:
    from outrider.training import Run

lightgbm: Any = need("lightgbm", "train")


class LightGBMCallback(Holder):
    """Logs each round's evaluations as ``<data>/<metric>``; the step is the round.

    In ``lightgbm.cv`` the mean over folds has that name and the deviation ``<data>/<metric>_std``.
    The parameters become the run's configuration. ``project`` and ``arguments`` are those of
    ``outrider.init()``; ``run`` is one that is open already.
    """

    about = About("lightgbm", "boosting rounds", ("lightgbm",))
    before_iteration = False
    order = 25  # behind those that print and record, before early stopping, which raises

    def __init__(
        self, project: str | None = None, *, run: Run | None = None, **arguments: Any
    ) -> None:
        self._hold(run, {"project": project, **arguments})

    def __call__(self, env: Any) -> None:
        """Log the round that ``env`` tells of."""
        try:
            if env.iteration == env.begin_iteration:
                self._adapter.configure({"params": env.params})
            row: dict[str, Any] = {}
            for data, metric, value, _, *deviation in env.evaluation_result_list or ():
                row[f"{data}/{metric}"] = value
                if deviation:
                    row[f"{data}/{metric}_std"] = deviation[0]
            self._adapter.log(row, env.iteration)
            if env.iteration == env.end_iteration - 1:
                self._adapter.settle(0)
        except Exception as error:
            swallow("LightGBMCallback", error)
