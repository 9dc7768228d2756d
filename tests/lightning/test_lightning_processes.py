"""Trainings of several processes: one run, one truth about how it ended."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from outrider import api
from outrider_lightning import OutriderLogger

SCRIPT = Path(__file__).with_name("ranks_script.py")
STRATEGIES = [
    ("pytorch_lightning", "ddp_fork"),
    ("lightning.pytorch", "ddp_spawn"),
    ("pytorch_lightning", "ddp"),
]


def train(namespace: str, strategy: str, deed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), namespace, strategy, deed],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


def ended(place: Path) -> api.Run:
    """The one run, once its streamer has seen how it ended."""
    (run,) = api.runs(place / "out")
    deadline = time.monotonic() + 30
    while run.state == "running" and time.monotonic() < deadline:
        time.sleep(0.1)
        run.refresh()
    return run


@pytest.mark.parametrize(("namespace", "strategy"), STRATEGIES)
def test_two_ranks_write_one_run(namespace: str, strategy: str, place: Path) -> None:
    """Rank zero alone writes; the values are those of the CSV logger; the end is a finish, also
    where the rank is a child that leaves without `atexit`; the main process goes on with it."""
    done = train(namespace, strategy, "later")
    assert done.returncode == 0, done.stderr
    run = ended(place)
    versions = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("version")}
    assert versions == {run.id}, "every rank names the same run"
    with (place / "csv" / "lightning_logs" / "one" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    for key in ("loss", "mean/loss"):
        assert run.points(key).values == [float(row[key]) for row in rows if row[key]]
    assert run.points("after").values == [1.0]
    assert run.config == {"width": 3, "from": "a rank"}
    assert run.state == "finished"
    assert run.gaps == 0


@pytest.mark.parametrize("deed", ["crash", "kill"])
def test_a_rank_that_dies_leaves_a_failed_run(deed: str, place: Path) -> None:
    """Torch swallows the worker's exception, and only the main process hears of it."""
    done = train("pytorch_lightning", "ddp_fork", deed)
    assert done.returncode != 0
    run = ended(place)
    assert run.state == "failed"
    assert run.overview.end is not None
    assert run.overview.end["why"]["type"] in ("ProcessRaisedException", "ProcessExitedException")
    assert run.points("loss").values


class Watched(torch.utils.data.Dataset):
    def __getitem__(self, index: int) -> Any:
        return torch.full((32,), float(index))

    def __len__(self) -> int:
        return 8


def test_workers_forked_while_the_run_is_open_disturb_nothing(
    pl: Any, trainer: Any, model: Any, read: Any
) -> None:
    """A DataLoader's workers hold copies of the logger and of its descriptor, and leave."""
    logger = OutriderLogger()
    logger.log_metrics({"before": 1.0}, 0)
    loader = torch.utils.data.DataLoader(Watched(), num_workers=2, multiprocessing_context="fork")
    trainer(logger=logger, limit_val_batches=0).fit(model, loader)
    logger.log_metrics({"behind": 1.0}, 9)
    run = read(logger)
    assert run.points("train/loss_step").steps == [0, 1, 2, 3]
    assert run.points("behind").values == [1.0]
    assert run.state == "running"
    assert run.gaps == 0
