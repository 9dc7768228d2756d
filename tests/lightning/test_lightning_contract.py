"""What Lightning expects of every logger, in both of its namespaces."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
import torch

from outrider import core
from outrider.errors import OutriderError, UsageError
from outrider_lightning import OutriderLogger
from outrider_lightning.identity import launched_by_parent, next_run_id, rank_in
from outrider_lightning.namespaces import LightningMissing, check_installed


def loggers_of(pl: Any) -> Any:
    return sys.modules[f"{pl.__name__}.loggers"]


def everything_below(place: Path) -> list[Path]:
    return sorted(place.rglob("*"))


def test_it_is_a_logger_of_each_namespace(pl: Any) -> None:
    """One class, an instance and a subclass of both `Logger`s and of Fabric's."""
    base = loggers_of(pl).logger.Logger
    assert isinstance(OutriderLogger(), base)
    assert issubclass(OutriderLogger, base)
    assert all(issubclass(OutriderLogger, one) for one in base.__mro__ if one is not object)


def test_it_has_every_member_that_the_base_has(pl: Any) -> None:
    """A virtual subclass inherits nothing: a member that a new Lightning adds is found here."""
    wanted = {name for name in dir(loggers_of(pl).logger.Logger) if not name.startswith("_")}
    assert wanted <= set(dir(OutriderLogger))


def test_building_one_is_inert(pl: Any, place: Path) -> None:
    """No file, no process, no thread, no run; nor do its names, a copy or a pickle make any."""
    threads = threading.active_count()
    logger = OutriderLogger(project="p", config={"a": 1})
    copies = [copy.copy(logger), copy.deepcopy(logger), pickle.loads(pickle.dumps(logger))]
    for one in (logger, *copies):
        assert all([one.name, one.version, one.save_dir, one.root_dir, one.log_dir])
        one.save()
        one.finalize("success")
        one.finalize("failed")
    assert everything_below(place) == []
    assert threading.active_count() == threads
    assert core.run is None


@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one)),
     lambda one: cloudpickle.loads(cloudpickle.dumps(one))],
    ids=["copy", "deepcopy", "pickle", "cloudpickle"],
)  # fmt: skip
@pytest.mark.parametrize("is_used", [False, True])
def test_copies_stand_for_the_same_run(pl: Any, read: Any, again: Any, is_used: bool) -> None:
    """Before and after use; what either logs comes into the one run."""
    logger = OutriderLogger(project="p", prefix="q")
    if is_used:
        logger.log_metrics({"x": 1.0}, 0)
    other = again(logger)
    other.log_metrics({"x": 2.0}, 1)
    logger.log_metrics({"x": 3.0}, 2)
    assert other.version == logger.version
    assert read(logger).history("q-x").columns["q-x"].tolist() == [1.0, 2.0, 3.0][not is_used :]


def test_two_loggers_have_two_versions(pl: Any) -> None:
    """Also where both are built with the same arguments."""
    assert len({OutriderLogger(project="p").version for _ in range(5)}) == 5


def test_two_loggers_of_one_run_lose_nothing(pl: Any, read: Any) -> None:
    """Both name it: each writes as a writer of its own, and the failure of one is the run's."""
    one, two = OutriderLogger(project="p", id="x"), OutriderLogger(project="p", id="x")
    for step in range(3):
        one.log_metrics({"x": 1.0}, step)
        two.log_metrics({"x": 2.0}, step)
    one.finalize("failed")
    two.log_metrics({"y": 3.0}, 3)
    run = read(one)
    assert sorted(run.points("x").values) == [1.0] * 3 + [2.0] * 3
    assert run.points("y").values == [3.0]
    assert run.state == "failed"


def test_name_and_version_make_a_path(pl: Any) -> None:
    """The project and the run's id, as text."""
    logger = OutriderLogger(project="digits", version="first")
    assert (logger.name, logger.version) == ("digits", "first")
    assert OutriderLogger().name == "uncategorized"
    assert OutriderLogger(id="an-id").version == "an-id"
    assert logger.save_dir == os.path.join("lightning_logs", "first")
    assert logger.root_dir == "lightning_logs"


def test_checkpoints_and_log_dir_follow_the_logger(
    pl: Any, trainer: Any, model: Any, place: Path
) -> None:
    """ModelCheckpoint's default folder, and a `Trainer.log_dir` that differs between runs."""
    found = []
    for _ in range(2):
        logger = OutriderLogger(project="digits", save_dir=place / "out")
        work = trainer(logger=logger)
        work.fit(model)
        found.append(work.log_dir)
        folder = Path(logger.save_dir, logger.name, logger.version, "checkpoints")
        assert Path(work.checkpoint_callback.dirpath) == folder
        assert list(folder.glob("*.ckpt"))
        assert (place / "out" / ".outrider" / "runs").is_dir()
    assert found[0] != found[1]


def test_a_fast_dev_run_leaves_nothing_behind(
    pl: Any, trainer: Any, model: Any, place: Path
) -> None:
    """Lightning puts a dummy in its place before anything is called."""
    trainer(logger=OutriderLogger(), fast_dev_run=True).fit(model)
    assert not (place / ".outrider").exists()


def test_the_progress_bar_reads_the_version_without_opening(pl: Any, place: Path) -> None:
    """It does so at each refresh."""
    from importlib import import_module

    version = import_module(f"{pl.__name__}.loggers.utilities")._version
    one, two = OutriderLogger(), OutriderLogger()
    assert version([one]) == one.version
    assert version([one, two]) == f"{one.version}_{two.version}"
    assert everything_below(place) == []


def test_fit_validate_test_and_predict_share_one_run(
    pl: Any, trainer: Any, model: Any, read: Any, recorded: Any
) -> None:
    """`finalize("success")` follows each, and is not the end."""
    logger = OutriderLogger()
    work = trainer(logger=logger)
    work.fit(model)
    work.validate(model)
    work.test(model)
    work.predict(model, torch.utils.data.DataLoader(torch.zeros(2, 32)))
    assert read(logger).state == "running"
    assert {"train/loss_epoch", "val/x_epoch", "test/y"} <= set(read(logger).keys())
    logger.finish()
    assert read(logger).state == "finished"
    assert len(read(logger).attempts) == len(recorded()) == 1


def test_several_fits_share_one_run(pl: Any, trainer: Any, model: Any, read: Any) -> None:
    """A second trainer with the same logger, and one that goes on from a checkpoint."""
    logger = OutriderLogger()
    first = trainer(logger=logger)
    first.fit(model)
    trainer(logger=logger).fit(model)
    trainer(logger=logger, max_epochs=2).fit(
        model, ckpt_path=first.checkpoint_callback.best_model_path
    )
    steps = read(logger).points("train/loss_step").steps
    assert steps == [0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("hook", ["setup", "on_train_start", "training_step", "on_test_epoch_end"])
def test_an_exception_ends_the_run_as_failed(
    pl: Any, trainer: Any, model: Any, read: Any, hook: str
) -> None:
    """In any hook; the run tells which exception it was."""

    def fail(*args: Any, **kwargs: Any) -> None:
        raise ArithmeticError("out of luck")

    logger = OutriderLogger()
    setattr(model, hook, fail)
    work = trainer(logger=logger)
    with pytest.raises(ArithmeticError):
        (work.test if "test_epoch" in hook else work.fit)(model)
    run = read(logger)
    assert run.state == "failed"
    assert run.overview.end is not None
    why = run.overview.end["why"]
    assert (why["type"], why["message"]) == ("ArithmeticError", "out of luck")


def test_an_interrupt_ends_the_run_as_killed(pl: Any, trainer: Any, model: Any, read: Any) -> None:
    """Ctrl-C, which Lightning turns into SystemExit(1)."""

    def interrupt(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    logger = OutriderLogger()
    model.on_train_batch_end = interrupt
    with pytest.raises(SystemExit):
        trainer(logger=logger).fit(model)
    assert read(logger).state == "killed"


def test_failed_after_success_wins(pl: Any, read: Any) -> None:
    """As happens where the exception comes after the teardown."""
    logger = OutriderLogger()
    logger.log_metrics({"x": 1.0}, 0)
    logger.finalize("success")
    logger.finalize("failed")
    assert read(logger).state == "failed"


@pytest.mark.parametrize("status", ["failed", "aborted"])
def test_logging_after_a_failure_goes_on_as_a_new_attempt(pl: Any, read: Any, status: str) -> None:
    """A notebook's second try: nothing is lost, and the failure stays in the record."""
    logger = OutriderLogger()
    logger.log_metrics({"x": 1.0}, 0)
    logger.finalize(status)
    logger.log_metrics({"x": 2.0}, 1)
    logger.log_hyperparams({"again": True})
    run = read(logger)
    assert run.state == "running"
    assert len(run.attempts) == 2
    assert run.points("x").values == [1.0, 2.0]
    assert run.config["again"] is True


@pytest.mark.parametrize("status", ["success", "finished", "anything", ""])
def test_other_statuses_do_not_end_the_run(pl: Any, read: Any, status: str) -> None:
    """SLURM's requeue says "finished" before the scheduler ends the process."""
    logger = OutriderLogger()
    logger.log_metrics({"x": 1.0}, 0)
    logger.finalize(status)
    logger.log_metrics({"x": 2.0}, 1)
    assert read(logger).state == "running"
    assert len(read(logger).attempts) == 1


def test_the_learning_rate_finder_leaves_the_logger_alone(
    pl: Any, trainer: Any, model: Any, read: Any, recorded: Any
) -> None:
    """Tuner trains behind a dummy logger, says success, and the real fit follows in one run."""
    from importlib import import_module

    model.lr = 0.1
    model.configure_optimizers = lambda: torch.optim.SGD(model.parameters(), lr=model.lr)
    logger = OutriderLogger()
    work = trainer(logger=logger)
    tuner = import_module(f"{pl.__name__}.tuner").Tuner(work)
    tuner.lr_find(model, num_training=4, min_lr=1e-4)
    work.fit(model)
    assert len(recorded()) == 1
    assert read(logger).points("train/loss_step").steps == [0, 1, 2, 3]


def test_the_batch_size_finder_leaves_the_logger_alone(
    pl: Any, trainer: Any, model: Any, recorded: Any
) -> None:
    """Its trial fits log to a dummy."""
    from importlib import import_module

    model.batch_size = 2
    data = torch.zeros(16, 32)
    model.train_dataloader = lambda: torch.utils.data.DataLoader(data, batch_size=model.batch_size)
    logger = OutriderLogger()
    tuner = import_module(f"{pl.__name__}.tuner").Tuner(trainer(logger=logger))
    tuner.scale_batch_size(model, max_trials=2)
    assert all("train/loss_step" not in run.keys() for run in recorded())  # noqa: SIM118


def test_other_ranks_write_nothing(pl: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their experiment is Lightning's dummy, and takes chains of attributes, items and calls."""
    from lightning_utilities.core.rank_zero import rank_zero_only

    monkeypatch.setattr(rank_zero_only, "rank", 1)
    logger = OutriderLogger()
    dummy = loggers_of(pl).logger.DummyExperiment
    assert isinstance(logger.experiment, dummy)
    logger.experiment.config.update({"a": 1})
    logger.experiment.summary["x"] = 1
    logger.experiment[0].log({"x": 1})
    logger.log_metrics({"x": 1.0}, 0)
    logger.log_hyperparams({"a": 1})
    logger.finalize("failed")
    assert everything_below(place) == []


def test_other_ranks_write_where_they_are_told_to(
    pl: Any, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Into the same run, under names of their own."""
    from lightning_utilities.core.rank_zero import rank_zero_only

    logger = OutriderLogger(all_ranks=True)
    logger.log_metrics({"x": 1.0}, 0)
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    logger.log_metrics({"x": 2.0}, 0)
    run = read(logger)
    assert (run.points("x").values, run.points("rank1/x").values) == ([1.0], [2.0])


def test_a_rank_is_read_from_the_environment_before_lightning_is_loaded() -> None:
    """In Lightning's own order."""
    assert rank_in({}) == 0
    assert rank_in({"LOCAL_RANK": "3"}) == 3
    assert rank_in({"RANK": "1", "LOCAL_RANK": "3"}) == 1
    assert rank_in({"SLURM_PROCID": "2"}) == 2


def test_only_launched_ranks_take_their_launchers_identity() -> None:
    """A plain subprocess of a training script is a training of its own."""
    assert not launched_by_parent({})
    assert not launched_by_parent({"LOCAL_RANK": "0", "WORLD_SIZE": "2"})
    assert launched_by_parent({"LOCAL_RANK": "1", "WORLD_SIZE": "2"})
    assert launched_by_parent({"TORCHELASTIC_RUN_ID": "x", "LOCAL_RANK": "0", "WORLD_SIZE": "2"})
    assert not launched_by_parent({"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "1"})
    assert next_run_id({}) != next_run_id({})


@pytest.mark.parametrize(
    "wrong",
    [{"project": ""}, {"project": "a/b"}, {"id": "a b"}, {"version": "a", "id": "b"},
     {"log_model": "best"}, {"mode": "sometimes"}, {"resume": "perhaps"}],
    ids=str,
)  # fmt: skip
def test_wrong_arguments_are_refused_at_once(pl: Any, wrong: dict[str, Any]) -> None:
    """With a hint, when the logger is built and not in the middle of a training."""
    with pytest.raises(UsageError) as caught:
        OutriderLogger(**wrong)
    assert caught.value.hint


def test_a_missing_lightning_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An error that is also an ImportError."""
    code = """
        import sys
        class Block:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] in ("lightning", "pytorch_lightning", "lightning_fabric"):
                    raise ModuleNotFoundError(name)
        sys.meta_path.insert(0, Block())
        from outrider_lightning import OutriderLogger
        try:
            OutriderLogger()
        except ImportError as error:
            print(error)
    """
    answer = run_python(code)
    assert 'pip install "outrider[lightning]"' in answer


def test_an_old_lightning_names_the_extra(pl: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says which version it found."""
    monkeypatch.setattr(pl, "__version__", "1.9.5")
    with pytest.raises(LightningMissing, match=r"is 1\.9\.5") as caught:
        check_installed()
    assert isinstance(caught.value, OutriderError)


def run_python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_namespace_alone_is_enough_and_the_other_is_never_loaded(pl: Any) -> None:
    """Building a logger loads neither torch nor any Lightning; then it trains, tests and keeps a
    checkpoint in an interpreter that has one of the two packages only, with a callback of ours."""
    own, others = pl.__name__.partition(".")[0], {"pytorch_lightning", "lightning"}
    code = f"""
        import sys, warnings
        warnings.simplefilter("ignore")
        others = {sorted(others - {own})}
        class Missing:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] in others:
                    raise ModuleNotFoundError(name, name=name)
        sys.meta_path.insert(0, Missing())
        from outrider_lightning import OutriderLogger, OutriderPredictions
        logger = OutriderLogger(project="alone", log_model=True)
        loaded = [name for name in sys.modules if name.split(".")[0] in
                  ("torch", "keras", "lightning", "pytorch_lightning", "lightning_fabric")]
        assert not loaded, loaded
        import {pl.__name__} as pl
        from {pl.__name__}.demos.boring_classes import BoringModel
        from {pl.__name__}.loggers.logger import Logger
        logger.save_dir
        assert isinstance(logger, Logger)
        import torch
        trainer = pl.Trainer(
            logger=logger, callbacks=[OutriderPredictions(torch.zeros(2, 32))], max_epochs=1,
            limit_train_batches=2, limit_val_batches=1, limit_test_batches=1, accelerator="cpu",
            enable_progress_bar=False, enable_model_summary=False)
        trainer.fit(BoringModel())
        trainer.test(BoringModel(), verbose=False)
        assert torch.load(logger.download_checkpoint("best"), weights_only=False)
        print([name for name in sys.modules if name.split(".")[0] in others])
    """
    assert run_python(code, OUTRIDER_QUIET="1").strip().splitlines()[-1] == "[]"


def test_lightning_cli_builds_one_and_runs_twice(pl: Any, place: Path) -> None:
    """SaveConfigCallback refuses a folder that has a config: each run has its own."""
    from importlib import import_module

    boring = import_module(f"{pl.__name__}.demos.boring_classes")
    cli = import_module(f"{pl.__name__}.cli").LightningCLI
    for _ in range(2):
        cli(
            boring.BoringModel,
            boring.BoringDataModule,
            args=[
                "fit", "--trainer.max_epochs=1", "--trainer.limit_train_batches=2",
                "--trainer.limit_val_batches=0", "--trainer.accelerator=cpu", "--trainer.devices=1",
                "--trainer.logger=outrider_lightning.OutriderLogger",
                "--trainer.logger.init_args.project=cli",
                "--trainer.logger.init_args.tags=[a,b]",
            ],
        )  # fmt: skip
    configs = sorted(place.glob("lightning_logs/*/config.yaml"))
    assert len(configs) == 2
    assert "outrider_lightning" in configs[0].read_text()


def test_an_unheard_run_ends_when_its_logger_is_collected(
    pl: Any, trainer: Any, model: Any, recorded: Any
) -> None:
    """A sweep builds a trainer and a logger for each trial and ends none of them by hand."""
    import gc

    for _ in range(2):
        trainer(logger=OutriderLogger(), enable_checkpointing=False).fit(model)
        model.trainer = None
    gc.collect()
    states = [run.state for run in recorded()]
    assert states[0] == "finished"


def test_a_logger_is_a_context_manager(pl: Any, read: Any) -> None:
    """It ends the run, as failed where an exception leaves the block, and tells which it was."""
    with OutriderLogger() as fine:
        fine.log_metrics({"x": 1.0}, 0)
    with pytest.raises(ZeroDivisionError), OutriderLogger() as bad:  # noqa: PT012
        bad.log_metrics({"x": 1.0}, 0)
        raise ZeroDivisionError
    assert (read(fine).state, read(bad).state) == ("finished", "failed")
    assert read(bad).overview.end["why"]["type"] == "ZeroDivisionError"


def test_fabric_logs_through_it(pl: Any, read: Any) -> None:
    """Which calls `log_metrics` alone and never finalizes."""
    from importlib import import_module

    home = "lightning.fabric" if pl.__name__.startswith("lightning.") else "lightning_fabric"
    logger = OutriderLogger()
    fabric = import_module(home).Fabric(accelerator="cpu", devices=1, loggers=[logger])
    fabric.launch()
    fabric.log("loss", torch.tensor(0.5))
    fabric.log_dict({"a": 1, "b": 2.0}, step=7)
    run = read(logger)
    assert run.points("loss").values == [0.5]
    assert run.points("b").steps == [7]
