"""Runs of a real script in a real git repository: everything that the run page can show."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from outrider_server.background import Background

SCRIPT = '''"""Train a tiny model."""
import os, sys
import numpy as np
import outrider
from outrider import core

SEED = int(sys.argv[1])
rng = np.random.default_rng(SEED)
run = core.init(
    project=sys.argv[2], id=f"seed{SEED}", name=f"seed {SEED}", tags=["real"],
    config={"lr": 0.1 / (1 + SEED), "model": {"depth": 3, "name": "cnn"}, "epochs": 3,
            "batch": 64, "optimizer": "adam", "clip": 1.0, "data": "digits", "warmup": 10},
)
print("\\x1b[31mred words\\x1b[0m from the script")
print("careful now", file=sys.stderr)
ys, xs = np.mgrid[0:32, 0:32]
for step in range(30):
    core.log({"train/loss": 1 / (1 + step), "val/acc": 0.5 + 0.01 * step * (1 + SEED)}, step=step)
    sys.stdout.write(f"\\r{step + 1}/30 done")
    if step % 10 == 0:
        picture = np.stack([xs / 32, ys / 32, np.full((32, 32), step / 30)], -1)
        mask = (xs < 16).astype("uint8")
        core.log({
            "examples": outrider.Image(
                picture, caption=f"<b>at {step}</b>",
                masks={"truth": {"mask_data": mask, "class_labels": {1: "left"}}},
                boxes={"found": {"box_data": [{"position": {"minX": 0.1, "maxX": 0.5,
                    "minY": 0.2, "maxY": 0.6}, "class_id": 1, "box_caption": "a thing"}]}},
            ),
            "weights": outrider.Histogram(rng.normal(0, 1 + step, 500)),
            "answer": outrider.Text(f"the answer at {step}"),
            "table": outrider.Table(
                columns=["n", "word", "picture"],
                data=[[i, f"word {(7 * i) % 40}", outrider.Image(picture)] for i in range(40)],
            ),
        }, step=step)
print()
tone = np.sin(np.linspace(0, 2000, 8000))
core.log({
    "sound": outrider.Audio(tone, sample_rate=8000),
    "film": outrider.Video(rng.integers(0, 255, (4, 3, 16, 16)).astype("uint8"), fps=4),
    "page": outrider.Html("<h1>A report</h1><script>document.body.append('it ran')</script>"),
}, step=29)
os.makedirs("out/deep", exist_ok=True)
with open("out/deep/notes.md", "w") as file:
    file.write("# Notes of the run\\n")
with open("out/weights.bin", "wb") as file:
    file.write(bytes(range(256)) * 4)
from outrider.mediatypes.png import write
with open("out/plot.png", "wb") as file:
    write(file, np.zeros((8, 8), "uint8"))
run.save("out/**/*", base="out")
core.alert("it plateaued", "The loss moves <i>no more</i>.", "WARN")
if SEED == 1:
    raise ValueError("bad <b>shape</b>")
core.finish()
'''

MODEL = '"""A model."""\n\n\ndef forward(x):\n    return 2 * x\n'


class Trained(NamedTuple):
    """A project with the runs ``seed0`` (finished) and ``seed1`` (failed)."""

    project: str
    folder: Path


def train(server: Background, folder: Path, project: str) -> Trained:
    """Run the script twice, with other uncommitted changes each time."""
    home = folder / "home"
    repository = folder / "repository"
    for place in (home, repository):
        place.mkdir()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OUTRIDER_")}
    environment = {
        **clean,
        "HOME": str(home),
        "OUTRIDER_URL": server.url,
        "OUTRIDER_API_KEY": server.token,
        "GIT_CONFIG_GLOBAL": os.devnull,
    }

    def git(*words: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *words],
            cwd=repository,
            env=environment,
            check=True,
            capture_output=True,
        )

    (repository / "train.py").write_text(SCRIPT)
    (repository / "model.py").write_text(MODEL)
    (repository / ".gitignore").write_text("out/\n.outrider/\n")
    git("init", "-q", "-b", "main")
    git("remote", "add", "origin", "https://git.example.org/example/digits.git")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    for seed in (0, 1):
        (repository / "model.py").write_text(MODEL.replace("2 * x", f"{seed + 3} * x"))
        (repository / "new_file.py").write_text("ADDED = True\n")
        done = subprocess.run(
            [sys.executable, "train.py", str(seed), project],
            cwd=repository,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == seed, done.stderr
    return Trained(project, repository)
