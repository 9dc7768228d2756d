"""The framework examples: real trainings on real data, as a newcomer runs them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from outrider import api

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("name", "needs", "keys"),
    [
        ("lightning_digits", "lightning", {"train/loss", "val/loss", "val/accuracy", "epoch"}),
        ("keras_digits", "keras", {"loss", "val_accuracy", "batch/loss", "learning_rate"}),
    ],
)
def test_the_example_trains_and_records(
    name: str, needs: str, keys: set[str], tmp_path: Path
) -> None:
    """It ends well, learns to read digits, keeps its best model, and is short."""
    pytest.importorskip(needs)
    pytest.importorskip("torch")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py")],
        env={
            **os.environ,
            "KERAS_BACKEND": "torch",
            "OUTRIDER_MODE": "offline",
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (run,) = api.runs(tmp_path)
    deadline = time.monotonic() + 60
    while run.state == "running" and time.monotonic() < deadline:
        time.sleep(0.1)
        run.refresh()
    assert run.state == "finished"
    assert keys <= set(run.keys())
    accuracy = run.points("val/accuracy" if needs == "lightning" else "val_accuracy").values
    assert accuracy[-1] > 0.85
    assert run.records("save")


@pytest.mark.parametrize("name", ["lightning_digits", "keras_digits"])
def test_the_example_is_short(name: str) -> None:
    """Within 60 lines."""
    assert len((EXAMPLES / f"{name}.py").read_text().splitlines()) <= 60
