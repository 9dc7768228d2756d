"""``OptunaCallback``: a study is a group, a trial a run."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from outrider.adapter import About, Adapter
from outrider.notice import swallow
from outrider_more.base import need

if TYPE_CHECKING:
    from outrider.training import Run

optuna: Any = need("optuna", "create_study")

OPTUNA = About("optuna", "the trial's reports", ("optuna",))


class OptunaCallback:
    """Makes each trial of a study a run of its group.

    Given to ``study.optimize(callbacks=[...])`` it records a trial when it is over: parameters as
    configuration, reported values as ``intermediate`` at their steps, results under the study's
    names of them (``value`` where it has none). With ``@callback.track`` on the objective the run
    is open while the trial runs: ``outrider.log()`` logs to it (where trials run in threads, use
    ``callback.run(trial)``), and a trial that is pruned or fails ends as what it was.
    ``project`` and ``arguments`` are those of ``outrider.init()``.
    """

    def __init__(self, project: str | None = None, **arguments: Any) -> None:
        self._arguments = {"project": project, "job_type": "trial", **arguments}
        Adapter(OPTUNA, self._arguments)  # so that wrong arguments are refused here
        self._adapters: dict[tuple[str, int], Adapter] = {}

    def track(self, objective: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Wrap an objective, so that each trial's run is open while it runs."""

        @wraps(objective)
        def tracked(trial: Any) -> Any:
            adapter = self._adapter(trial.study, trial.number)
            adapter.open()
            try:
                return objective(trial)
            except optuna.TrialPruned:
                raise
            except BaseException as error:
                adapter.configure({"params": trial.params})
                adapter.fail(error)
                raise

        return tracked

    def run(self, trial: Any) -> Run:
        """The run of a trial that is under way."""
        return self._adapter(trial.study, trial.number).open()

    def __call__(self, study: Any, trial: Any) -> None:
        """Record a trial that is over, and end its run."""
        adapter = self._adapter(study, trial.number)
        try:
            if adapter.run is not None or adapter.identity is None:
                self._record(adapter, study, trial)
        except Exception as error:
            swallow("OptunaCallback", error)
        finally:
            self._adapters.pop((study.study_name, trial.number), None)

    def _adapter(self, study: Any, number: int) -> Adapter:
        key = (study.study_name, number)
        if key not in self._adapters:
            arguments = {"group": study.study_name, "name": f"trial-{number}", **self._arguments}
            self._adapters[key] = Adapter(OPTUNA, arguments)
        return self._adapters[key]

    def _record(self, adapter: Adapter, study: Any, trial: Any) -> None:
        run = adapter.open()
        adapter.configure({"params": trial.params, **trial.user_attrs})
        for step, value in sorted(trial.intermediate_values.items()):
            run.log({"intermediate": value}, step)
        state = trial.state.name
        results: dict[str, Any] = {"trial/number": trial.number, "trial/state": state.lower()}
        values = trial.values or ()
        names = study.metric_names or (
            ["value"] if len(values) == 1 else [f"value_{at}" for at in range(len(values))]
        )
        results.update(zip(names, values, strict=False))
        run.summary.update(results)
        adapter.finish(1 if state == "FAIL" else 0)
