"""Scripts written for wandb's documented API run unchanged under ``import outrider as wandb``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from outrider import api
from outrider.journal.reader import find_folders

SCRIPTS = sorted((Path(__file__).parent / "wandb_style").glob("*.py"))
EXPECTED = {
    "classifier": [("my-awesome-project", 8)],
    "context": [("context", 5)],
    "epochs": [("epochs", 20)],
    "media": [("media", 4)],
    "resume": [("resume", 4)],
    "sweep": [("sweep", 4), ("sweep", 4), ("sweep", 4)],
}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_of_that_style_is_recorded_whole(script: Path, training: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(script)], cwd=training, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    runs = [api.open(folder.path) for folder in find_folders(training)]
    assert all(run.state == "finished" for run in runs)
    assert [(run.project, len(run.history().rows())) for run in runs] == EXPECTED[script.stem]


def test_their_values_are_read_back(training: Path) -> None:
    for name in ("context", "epochs"):
        script = Path(__file__).parent / "wandb_style" / f"{name}.py"
        subprocess.run([sys.executable, str(script)], cwd=training, capture_output=True, check=True)
    runs = {run.project: run for run in map(api.open, (at.path for at in find_folders(training)))}
    context, epochs = runs["context"], runs["epochs"]
    assert context.config == {"batch_size": 32, "lr": 1e-3, "depth": 4}
    assert context.summary["best_loss"] == 0.02
    assert context.summary["train/loss"] == 1 / 41
    assert context.tags == ["a", "b"]
    assert [row["_step"] for row in context.history().rows()] == [0, 10, 20, 30, 40]
    assert epochs.summary["val/acc"] == 0.8
    assert epochs.summary["val/loss"] == pytest.approx(0.2)


def test_their_media_are_all_there(training: Path) -> None:
    script = Path(__file__).parent / "wandb_style" / "media.py"
    done = subprocess.run(
        [sys.executable, str(script)], cwd=training, capture_output=True, text=True, check=True
    )
    assert "cannot be kept" not in done.stderr
    (folder,) = find_folders(training)
    found = [(item.key, item.type) for item in api.open(folder.path).media()]
    assert sorted(set(found)) == [
        ("counted", "histogram"), ("examples", "image"), ("film", "video"), ("page", "html"),
        ("sound", "audio"), ("table", "table"), ("weights", "histogram"),
    ]  # fmt: skip
