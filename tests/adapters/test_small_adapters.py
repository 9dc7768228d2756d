"""Transformers, XGBoost, LightGBM and Optuna: what they report comes back number for number."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import outrider
from outrider import api
from outrider.errors import UsageError


@pytest.fixture
def digits() -> tuple[Any, Any]:
    sklearn = pytest.importorskip("sklearn.datasets")
    found = sklearn.load_digits(n_class=2)
    return found.data[:120], found.target[:120]


def only_run(place: Path) -> api.Run:
    (run,) = api.runs(place)
    return run


def test_xgboost_rounds_are_recorded_exactly(digits: Any, place: Path) -> None:
    """XGBoost's own record of the same training, and what the booster was configured with."""
    xgboost = pytest.importorskip("xgboost")
    from outrider_more import XGBoostCallback

    data = xgboost.DMatrix(*digits)
    record: dict[str, Any] = {}
    callback = XGBoostCallback(project="trees")
    params = {"objective": "binary:logistic", "eval_metric": ["logloss", "error"], "max_depth": 2}
    with callback:
        xgboost.train(
            params, data, 5, evals=[(data, "train")], evals_result=record, verbose_eval=False,
            callbacks=[pickle.loads(pickle.dumps(callback))],
        )  # fmt: skip
    run = only_run(place)
    for metric in ("logloss", "error"):
        assert run.points(f"train/{metric}").values == record["train"][metric]
    assert run.points("train/logloss").steps == list(range(5))
    assert run.config["booster"]["learner"]["objective"]["name"] == "binary:logistic"


def test_xgboost_folds_are_mean_and_deviation(digits: Any, place: Path) -> None:
    """`xgboost.cv`, and early stopping's best round in the summary of a training."""
    xgboost = pytest.importorskip("xgboost")
    from outrider_more import XGBoostCallback

    data = xgboost.DMatrix(*digits)
    callback = XGBoostCallback()
    table = xgboost.cv(
        {"objective": "binary:logistic"}, data, 3, nfold=2, as_pandas=False, callbacks=[callback]
    )
    callback.finish()
    run = only_run(place)
    assert run.points("test/logloss").values == table["test-logloss-mean"]
    assert run.points("test/logloss_std").values == table["test-logloss-std"]
    assert run.state == "finished"
    stopping = XGBoostCallback()
    xgboost.train(
        {"objective": "binary:logistic"}, data, 4, evals=[(data, "train")], verbose_eval=False,
        early_stopping_rounds=2, callbacks=[stopping],
    )  # fmt: skip
    assert stopping.run is not None
    assert stopping.run.folder is not None
    assert api.open(stopping.run.folder).summary["best_iteration"] == 3


def test_lightgbm_rounds_are_recorded_exactly(digits: Any, place: Path) -> None:
    """LightGBM's own record of the same training, and its parameters."""
    lightgbm = pytest.importorskip("lightgbm")
    from outrider_more import LightGBMCallback

    data = lightgbm.Dataset(*digits, free_raw_data=False)
    record: dict[str, Any] = {}
    params = {"objective": "binary", "metric": "binary_logloss", "verbosity": -1, "num_leaves": 3}
    with LightGBMCallback(project="trees") as callback:
        lightgbm.train(
            params, data, 5, valid_sets=[data], valid_names=["train"],
            callbacks=[lightgbm.record_evaluation(record), callback],
        )  # fmt: skip
    run = only_run(place)
    assert run.points("train/binary_logloss").values == record["train"]["binary_logloss"]
    assert run.config["params"]["num_leaves"] == 3
    assert run.state == "finished"


def test_a_study_is_a_group_and_a_trial_a_run(place: Path) -> None:
    """Parameters, reports, results and the end of each trial: complete, pruned, failed."""
    optuna = pytest.importorskip("optuna")
    from outrider_more import OptunaCallback

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    callback = OptunaCallback(project="search")

    @callback.track
    def objective(trial: Any) -> float:
        x = trial.suggest_float("x", -1, 1)
        outrider.log({"inside": x})
        trial.report(x, 7)
        if trial.number == 1:
            raise optuna.TrialPruned
        if trial.number == 2:
            raise ArithmeticError("out of luck")
        return float(x * x)

    study = optuna.create_study(study_name="squares", sampler=optuna.samplers.RandomSampler(0))
    study.optimize(objective, n_trials=3, callbacks=[callback], catch=ArithmeticError)
    runs = sorted(api.runs(place), key=lambda run: run.name)
    assert [(run.name, run.group, run.state) for run in runs] == [
        ("trial-0", "squares", "finished"),
        ("trial-1", "squares", "finished"),
        ("trial-2", "squares", "failed"),
    ]
    for run, trial in zip(runs, study.trials, strict=True):
        assert run.config["params"] == trial.params
        assert run.points("inside").values == [trial.params["x"]]
    assert runs[0].points("intermediate").steps == [7]
    assert runs[0].summary["value"] == study.trials[0].value
    assert [run.summary.get("trial/state") for run in runs[:2]] == ["complete", "pruned"]


def test_trials_are_recorded_without_touching_the_objective(place: Path) -> None:
    """The callback alone: each trial becomes a run when it is over, in threads as well."""
    optuna = pytest.importorskip("optuna")
    from outrider_more import OptunaCallback

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(directions=["minimize", "maximize"])
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        study.set_metric_names(["loss", "gain"])
    callback = OptunaCallback()
    for trials, jobs in ((1, 1), (3, 2)):
        study.optimize(
            lambda trial: (trial.suggest_float("x", 0, 1), 2.0),
            n_trials=trials,
            n_jobs=jobs,
            callbacks=[callback],
        )
    runs = {run.summary["trial/number"]: run for run in api.runs(place)}
    assert {number: run.summary["loss"] for number, run in runs.items()} == {
        trial.number: trial.values[0] for trial in study.trials
    }
    assert all(run.summary["gain"] == 2.0 and run.state == "finished" for run in runs.values())


def test_transformers_logs_are_recorded_exactly(place: Path) -> None:
    """The Trainer's own history of the same training, at its global steps."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from outrider_more import TransformersCallback

    class Net(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.line = torch.nn.Linear(2, 1)

        def forward(self, x: Any, labels: Any = None) -> dict[str, Any]:
            out = self.line(x)
            return {"loss": ((out - labels) ** 2).mean(), "logits": out}

    data = [{"x": torch.tensor([i, 1.0]), "labels": torch.tensor([float(i)])} for i in range(8)]
    trainer = transformers.Trainer(
        model=Net(),
        args=transformers.TrainingArguments(
            output_dir="out", max_steps=4, logging_steps=1, per_device_train_batch_size=4,
            eval_strategy="steps", eval_steps=2, report_to=[], save_strategy="no", use_cpu=True,
            disable_tqdm=True,
        ),
        train_dataset=data, eval_dataset=data,
        callbacks=[callback := TransformersCallback(project="hf")],
    )  # fmt: skip
    trainer.train()
    callback.finish()
    run = only_run(place)
    for key in ("loss", "eval_loss", "learning_rate"):
        wanted = [(log["step"], log[key]) for log in trainer.state.log_history if key in log]
        assert list(zip(run.points(key).steps, run.points(key).values, strict=True)) == wanted
        assert wanted
    assert run.config["trainer"]["max_steps"] == 4
    assert run.state == "finished"


def test_their_own_objects_are_configuration(digits: Any, place: Path) -> None:
    """A booster, an estimator, a model's configuration, a trial, handed to `config` as they are."""
    xgboost = pytest.importorskip("xgboost")
    lightgbm = pytest.importorskip("lightgbm")
    optuna = pytest.importorskip("optuna")
    transformers = pytest.importorskip("transformers")
    fixed = optuna.trial.create_trial(
        params={"x": 0.5},
        distributions={"x": optuna.distributions.FloatDistribution(0, 1)},
        value=1,
    )
    config = {
        "booster": xgboost.train({"max_depth": 3}, xgboost.DMatrix(*digits), 1),
        "estimator": xgboost.XGBClassifier(max_depth=4),
        "leaves": lightgbm.train(
            {"num_leaves": 5, "verbosity": -1}, lightgbm.Dataset(*digits), num_boost_round=1
        ),
        "classifier": lightgbm.LGBMClassifier(num_leaves=6),
        "bert": transformers.BertConfig(hidden_size=24),
        "trial": fixed,
    }
    with outrider.init(project="p", config=config):
        pass
    kept = only_run(place).config
    assert kept["booster"]["learner"]["gradient_booster"]["tree_train_param"]["max_depth"] == "3"
    assert kept["estimator"]["max_depth"] == 4
    assert kept["leaves"]["num_leaves"] == 5
    assert kept["classifier"]["num_leaves"] == 6
    assert kept["bert"]["hidden_size"] == 24
    assert kept["trial"] == {"x": 0.5}


def test_wrong_arguments_are_refused_at_once(place: Path) -> None:
    """When the callback is built."""
    pytest.importorskip("optuna")
    from outrider_more import OptunaCallback

    with pytest.raises(UsageError):
        OptunaCallback(project="a/b")


@pytest.mark.parametrize(
    ("name", "module"),
    [("XGBoostCallback", "xgboost"), ("LightGBMCallback", "lightgbm"),
     ("TransformersCallback", "transformers"), ("OptunaCallback", "optuna")],
)  # fmt: skip
def test_a_missing_framework_is_named_and_nothing_is_loaded_before(name: str, module: str) -> None:
    """The package and its plugin import no framework; the callback says how to get its own."""
    code = f"""
        import sys
        class Block:
            def find_spec(self, name, path=None, target=None):
                if name == {module!r}:
                    raise ModuleNotFoundError(name, name=name)
        sys.meta_path.insert(0, Block())
        import outrider_more, outrider_more.plugin
        heavy = ("xgboost", "lightgbm", "optuna", "transformers", "torch", "numpy")
        assert not [one for one in sys.modules if one.split(".")[0] in heavy]
        try:
            outrider_more.{name}
        except ImportError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert f"pip install {module}" in done.stdout, done.stderr
