"""What a logger costs in 2,000 short steps of a framework, against none and against its own.

`python tests/bench/frameworks.py`, where Lightning or Keras is installed. All variants are trained
in one process, side by side: each in slices of 250 steps, which take turns in another order each
round, as what else a machine does lasts longer than that. A figure is the ratio of the least
processor times of a slice (all threads of the training process; the streamer is another one); the
median over rounds of the ratio of wall times stands beside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from figures import Figure, main
from place import environment, own_place

ROUNDS = 8
STEPS = 250
"""In each slice; 8 of them are the 2,000."""

LIGHTNING = """
import json, logging, sys, warnings
warnings.simplefilter("ignore")
import torch
torch.set_num_threads(1)
import lightning.pytorch as pl
from lightning.pytorch.demos.boring_classes import BoringModel
from lightning.pytorch.loggers import CSVLogger
from outrider_lightning import OutriderLogger
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

class Model(BoringModel):
    def configure_optimizers(self):  # at its own rate the loss is NaN after 300 steps
        return torch.optim.SGD(self.layer.parameters(), lr=0.001)
    def training_step(self, batch, index):
        answer = super().training_step(batch, index)
        self.log("loss", answer["loss"])
        self.log("twice", answer["loss"] * 2)
        return answer
    def train_dataloader(self):
        return torch.utils.data.DataLoader(torch.randn(STEPS, 32))
    def on_train_start(self):  # what is before and behind it is the trainer's own
        self.began = now()
    def on_train_end(self):
        self.took = since(self.began)

def timed(logger):  # adds up what the two calls of each step take
    def timing(call):
        def timed_call(*given, **named):
            began = time.perf_counter()
            call(*given, **named)
            spent[0] += time.perf_counter() - began
        return timed_call
    if logger:
        logger.log_metrics, logger.save = timing(logger.log_metrics), timing(logger.save)
    return logger

def fit(logger):
    trainer = pl.Trainer(
        logger=logger, max_epochs=1, limit_val_batches=0, log_every_n_steps=1, accelerator="cpu",
        devices=1, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
    model = Model()
    trainer.fit(model)
    return model.took

variants = {"none": False, "csv": timed(CSVLogger("csv")), "outrider": timed(OutriderLogger())}
"""

KERAS = """
import json, sys, os
import numpy as np, keras
from outrider_keras import OutriderCallback

def make():
    keras.utils.set_random_seed(0)
    net = keras.Sequential([keras.Input((32,)), keras.layers.Dense(2)])
    net.compile("sgd", "mse", metrics=["mae"])
    return net
x = np.random.default_rng(0).normal(size=(STEPS, 32)).astype("float32")
y = x[:, :2]
net = make()  # one for all: what is compiled and cached at first is nobody's cost

def fit(callbacks):
    began = now()
    net.fit(x, y, batch_size=1, verbose=0, callbacks=callbacks)
    return since(began)

variants = {
    "none": [], "csv": [keras.callbacks.CSVLogger("log.csv")], "outrider": [OutriderCallback()],
    "outrider, each batch": [OutriderCallback(log_freq="batch")]}
"""

CLOCK = """
import gc, time
spent = [0.0]
def now():
    return time.process_time(), time.perf_counter()
def since(began):
    return time.process_time() - began[0], time.perf_counter() - began[1]
"""

MEASURE = """
for variant in variants.values():
    fit(variant)
names, rounds = list(variants), []
for turn in range(ROUNDS):
    found = {}
    for at in range(len(names)):
        name = names[(turn + at) % len(names)]
        spent[0] = 0.0
        gc.collect()
        found[name] = (*fit(variants[name]), spent[0])
    rounds.append(found)
print(json.dumps(rounds), flush=True)
"""


def lightning() -> Iterator[Figure]:
    """`Trainer.fit` with two values logged at each step."""
    yield from _ratios("Trainer.fit", "lightning", LIGHTNING)


def keras() -> Iterator[Figure]:
    """`model.fit` of epochs of 250 batches."""
    yield from _ratios("model.fit", "keras", KERAS)


def _ratios(what: str, module: str, code: str) -> Iterator[Figure]:
    if find_spec(module) is None or find_spec("torch") is None:
        return
    with own_place() as place:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                f"ROUNDS, STEPS = {ROUNDS}, {STEPS}\n{CLOCK}\n{code}\n{MEASURE}",
            ],
            env=environment(
                place,
                OUTRIDER_MODE="offline",
                OUTRIDER_QUIET="1",
                OMP_NUM_THREADS="1",  # threads that spin for work would be counted as work
                KERAS_BACKEND=os.environ.get("KERAS_BACKEND", "torch"),
                PYTHONPATH=os.pathsep.join(sys.path[1:]),
            ),
            cwd=place,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    rounds = json.loads(done.stdout.splitlines()[-1])
    cpu, wall, calls = (
        {name: [one[name][at] for one in rounds] for name in rounds[0]} for at in range(3)
    )
    for name in cpu:
        if not name.startswith("outrider"):
            continue
        for other in ("none", "csv"):
            against = "no logger" if other == "none" else "the framework's CSV logger"
            ours, theirs = min(cpu[name]), min(cpu[other])
            by_wall = median(a / b for a, b in zip(wall[name], wall[other], strict=True))
            detail = (
                f"{ours * 1e3:.0f} against {theirs * 1e3:.0f} ms of processor time,"
                f" {(ours - theirs) / STEPS * 1e6:+.1f} µs a step; by wall time {by_wall:.2f} ×"
            )
            yield Figure(f"{what}, {name} / {against}", ours / theirs, "×", None, detail)
        if any(calls[name]):
            ours, theirs = (min(calls[one]) / STEPS * 1e6 for one in (name, "csv"))
            detail = f"{ours:.1f} against {theirs:.1f} µs a step"
            yield Figure(f"{what}, log_metrics + save / CSV's", ours / theirs, "×", None, detail)
            share = median(a / b for a, b in zip(calls[name], wall[name], strict=True))
            yield Figure(f"{what}, log_metrics + save / all of it", share, "", None)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main(lightning, keras)
