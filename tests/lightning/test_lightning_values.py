"""What Lightning logs comes back number for number, whatever it logs and however."""

from __future__ import annotations

import argparse
import csv
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from outrider import core
from outrider_lightning import OutriderLogger

AXIS = "trainer/global_step"


def from_csv(path: Path) -> dict[str, list[tuple[int, float]]]:
    """Lightning's own record: for each metric its (step, value) pairs, in order."""
    found: dict[str, list[tuple[int, float]]] = {}
    with path.open() as file:
        for row in csv.DictReader(file):
            step = int(row.pop("step"))
            for key, value in row.items():
                if value != "":
                    found.setdefault(key, []).append((step, float(value)))
    return found


def from_run(run: Any) -> dict[str, list[tuple[int, float]]]:
    return {
        key: list(zip(run.points(key).steps, run.points(key).values, strict=True))
        for key in run.keys()  # noqa: SIM118
        if key != AXIS
    }


def test_a_real_training_is_recorded_exactly_as_by_lightnings_own_csv_logger(
    pl: Any, trainer: Any, read: Any
) -> None:
    """Two epochs on handwritten digits, then a test: every number of the CSV file, and no other."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    data = torch.utils.data.TensorDataset(
        torch.tensor(digits.data[:512], dtype=torch.float32), torch.tensor(digits.target[:512])
    )

    class Digits(pl.LightningModule):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.net = torch.nn.Linear(64, 10)

        def loss(self, batch: Any) -> Any:
            return torch.nn.functional.cross_entropy(self.net(batch[0]), batch[1])

        def training_step(self, batch: Any, index: int) -> Any:
            loss = self.loss(batch)
            self.log("train/loss", loss, on_step=True, on_epoch=True)
            return loss

        def validation_step(self, batch: Any, index: int) -> None:
            self.log("val/loss", self.loss(batch), on_step=True, on_epoch=True)

        def test_step(self, batch: Any, index: int) -> None:
            self.log("test/loss", self.loss(batch))

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.01)

    loader = torch.utils.data.DataLoader(data, batch_size=64)
    ours = OutriderLogger(project="digits")
    theirs = sys.modules[f"{pl.__name__}.loggers"].CSVLogger("csv")
    work = trainer(
        logger=[ours, theirs],
        max_epochs=2,
        limit_train_batches=None,
        limit_val_batches=None,
        callbacks=[pl.callbacks.LearningRateMonitor(), pl.callbacks.DeviceStatsMonitor()],
    )
    work.fit(Digits(), loader, loader)
    work.test(Digits(), loader)
    wanted = from_csv(Path(theirs.log_dir, "metrics.csv"))
    assert {"epoch", "train/loss_step", "val/loss_epoch", "test/loss", "lr-SGD"} <= wanted.keys()
    assert from_run(read(ours)) == wanted
    assert read(ours).points(AXIS).values == [float(at) for at in read(ours).points(AXIS).steps]


def test_steps_may_repeat_and_go_back(pl: Any, read: Any) -> None:
    """Three calls share a step, the next goes back: four points, none lost."""
    logger = OutriderLogger()
    for step, value in ((5, 1.0), (5, 2.0), (5, 3.0), (2, 4.0)):
        logger.log_metrics({"x": value}, step)
        logger.save()
    points = read(logger).points("x")
    assert (points.steps, points.values) == ([5, 5, 5, 2], [1.0, 2.0, 3.0, 4.0])


def test_without_a_step_the_run_counts(pl: Any, read: Any) -> None:
    """`step=None`, as Fabric's users often leave it."""
    logger = OutriderLogger()
    for value in (1.0, 2.0, 3.0):
        logger.log_metrics({"x": value})
    assert read(logger).points("x").steps == [0, 1, 2]


@pytest.mark.parametrize("mixed_in", [False, True])
def test_every_kind_of_scalar_is_kept_exactly(pl: Any, read: Any, mixed_in: bool) -> None:
    """Tensors with gradient, numpy scalars, NaN and infinities, beside what is no scalar at all."""
    logger = OutriderLogger()
    good = {
        "tensor": torch.tensor(1.5, requires_grad=True) * 2,
        "one": torch.ones(1),
        "half": torch.tensor(0.1, dtype=torch.float16),
        "numpy": np.float64(0.1),
        "int": 7,
        "true": True,
        "nan": float("nan"),
        "inf": torch.tensor(float("-inf")),
    }
    bad = {"vector": torch.ones(3), "text": "no number", "none": None} if mixed_in else {}
    logger.log_metrics({**good, **bad}, 1)
    run = read(logger)
    values = {key: run.points(key).values[0] for key in run.keys()}  # noqa: SIM118
    assert math.isnan(values.pop("nan"))
    assert values == {
        "tensor": 3.0,
        "one": 1.0,
        "half": float(np.float16(0.1)),
        "numpy": 0.1,
        "int": 7.0,
        "true": 1.0,
        "inf": -math.inf,
        AXIS: 1.0,
    }


def test_names_are_kept_verbatim(pl: Any, read: Any) -> None:
    """Whatever characters they hold; a prefix is put before them only where one was asked for."""
    names = ["a/b", "a.b", "ünï cødé", "lr-SGD/pg1", "x" * 300]
    logger = OutriderLogger()
    logger.log_metrics(dict.fromkeys(names, 1.0), 0)
    assert set(read(logger).keys()) == {*names, AXIS}
    prefixed = OutriderLogger(prefix="fold1")
    prefixed.log_metrics({"loss": 1.0}, 0)
    assert set(read(prefixed).keys()) == {"fold1-loss", AXIS}


def test_the_metrics_dict_is_neither_changed_nor_kept(pl: Any, read: Any) -> None:
    """Every logger of a trainer is handed the same dict."""
    logger = OutriderLogger(prefix="p")
    metrics = {"x": torch.tensor(1.0)}
    logger.log_metrics(metrics, 3)
    assert metrics == {"x": torch.tensor(1.0)}
    metrics["x"] = torch.tensor(9.0)
    assert read(logger).points("p-x").values == [1.0]


def test_several_loggers_get_the_same_numbers(pl: Any, trainer: Any, model: Any, read: Any) -> None:
    """Two runs side by side, of one training."""
    one, two = OutriderLogger(project="one"), OutriderLogger(project="two")
    trainer(logger=[one, two]).fit(model)
    assert from_run(read(one)) == from_run(read(two))
    assert "train/loss_step" in read(one).keys()  # noqa: SIM118


@dataclass
class Plan:
    depth: int = 2
    rate: float = 0.5


def test_hyperparameters_of_every_kind_become_readable(pl: Any, read: Any) -> None:
    """Namespaces, nested dicts, dataclasses, integer keys, modules, functions, loops, and objects
    that cannot be printed."""

    class Unprintable:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    loop: dict[str, Any] = {"name": "loop"}
    loop["self"] = loop
    logger = OutriderLogger(config={"given": "at the start"})
    logger.log_hyperparams(argparse.Namespace(lr=0.1, layers=[1, 2]))
    logger.log_hyperparams(
        {
            "plan": Plan(),
            "nested": {"a": {1: "one"}},
            3: "three",
            "path": Path("/x"),
            "loop": loop,
            "unprintable": Unprintable(),
            "act": torch.nn.functional.relu,
            "tensor": torch.tensor(2.5),
            "none": None,
        }
    )
    config = read(logger).config
    assert config["given"] == "at the start"
    assert (config["lr"], config["layers"]) == (0.1, [1, 2])
    assert config["plan"] == {"depth": 2, "rate": 0.5}
    assert config["nested"] == {"a": {"1": "one"}}
    assert config["3"] == "three"
    assert config["path"] == "/x"
    assert config["loop"]["name"] == "loop"
    assert "Unprintable" in config["unprintable"]
    assert config["act"].endswith("relu")
    assert config["tensor"] == 2.5
    assert config["none"] is None


def test_omegaconf_hyperparameters_keep_their_shape(pl: Any, read: Any) -> None:
    """Hydra's users hand their whole configuration over."""
    omegaconf = pytest.importorskip("omegaconf")
    logger = OutriderLogger()
    logger.log_hyperparams(omegaconf.OmegaConf.create({"a": {"b": [1, 2]}, "c": "${a.b}"}))
    assert read(logger).config == {"a": {"b": [1, 2]}, "c": [1, 2]}


def test_hyperparameters_sent_again_are_recorded_once(
    pl: Any, trainer: Any, model: Any, read: Any
) -> None:
    """fit, validate and test each send the same; changed ones are recorded again."""
    logger = OutriderLogger()
    work = trainer(logger=logger)
    work.fit(model)
    work.validate(model)
    work.test(model)
    run = read(logger)
    assert run.config == {"width": 3}
    assert len(run.records("config")) == 1
    logger.log_hyperparams({"width": 4})
    assert read(logger).config == {"width": 4}


def test_metrics_beside_hyperparameters_are_logged(pl: Any, read: Any) -> None:
    """TensorBoardLogger's second argument; and a plain text instead of parameters is refused."""
    logger = OutriderLogger()
    logger.log_hyperparams({"a": 1}, {"hp_metric": 0.5})
    logger.log_hyperparams("a path, perhaps")
    logger.log_hyperparams(None)
    run = read(logger)
    assert run.points("hp_metric").values == [0.5]
    assert run.config == {"a": 1}


def test_the_graph_is_not_recorded(pl: Any, model: Any, recorded: Any) -> None:
    """`log_graph` is called by every fit, and must not even open the run."""
    OutriderLogger().log_graph(model)
    assert recorded() == []


def test_the_active_run_of_the_script_is_used(pl: Any, read: Any) -> None:
    """`init()` first, then a logger that names no run: both write to the one run."""
    run = core.init(project="mine")
    logger = OutriderLogger()
    assert (logger.name, logger.version) == ("mine", run.id)
    logger.log_metrics({"x": 1.0}, 0)
    assert logger.experiment is run
    assert OutriderLogger(project="other").version != run.id


def test_a_run_can_be_handed_over(pl: Any, read: Any) -> None:
    """`experiment=` as in the peers."""
    run = core.init(project="mine")
    logger = OutriderLogger(experiment=run)
    assert logger.experiment is run
    assert logger.version == run.id


def test_the_adapter_says_what_it_is(pl: Any, trainer: Any, model: Any) -> None:
    """run.json holds framework, version and what a step means."""
    import json

    logger = OutriderLogger()
    logger.log_metrics({"x": 1}, 0)
    about = json.loads(Path(logger.experiment.folder, "run.json").read_text())["adapter"]
    assert about["framework"] == "lightning"
    assert about["version"] == pl.__version__
    assert about["step"] == "optimizer batches"
