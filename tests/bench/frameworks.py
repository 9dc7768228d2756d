"""What a logger costs in 2,000 short steps of a framework, against none and against its own.

`python tests/bench/frameworks.py`, where Lightning or Keras is installed. Each figure is a ratio
of times of the training process in one run, the least of several turns that alternate; the streamer
is a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from figures import Figure, main
from place import environment, own_place

TURNS = 3
STEPS = 2000

LIGHTNING = """
import time, json, logging, sys, warnings
warnings.simplefilter("ignore")
import torch
torch.set_num_threads(1)
import lightning.pytorch as pl
from lightning.pytorch.demos.boring_classes import BoringModel
from lightning.pytorch.loggers import CSVLogger
from outrider_lightning import OutriderLogger
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

class Model(BoringModel):
    def training_step(self, batch, index):
        answer = super().training_step(batch, index)
        self.log("loss", answer["loss"])
        self.log("twice", answer["loss"] * 2)
        return answer
    def train_dataloader(self):
        return torch.utils.data.DataLoader(torch.randn(2000, 32))

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
        logger=timed(logger), max_epochs=1, limit_val_batches=0, log_every_n_steps=1, accelerator="cpu",
        devices=1, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
    model = Model()
    began = time.process_time()
    trainer.fit(model)
    return time.process_time() - began

makers = {"none": lambda: False, "csv": lambda: CSVLogger("csv"), "outrider": OutriderLogger}
"""

KERAS = """
import time, json, sys, os
import numpy as np, keras
from outrider_keras import OutriderCallback

def make():
    keras.utils.set_random_seed(0)
    net = keras.Sequential([keras.Input((32,)), keras.layers.Dense(2)])
    net.compile("sgd", "mse", metrics=["mae"])
    return net
x = np.random.default_rng(0).normal(size=(400, 32)).astype("float32")
y = x[:, :2]

def fit(callbacks):
    net = make()
    net.fit(x[:2], y[:2], batch_size=1, verbose=0)
    began = time.process_time()
    net.fit(x, y, batch_size=1, epochs=5, verbose=0, callbacks=callbacks)
    return time.process_time() - began

makers = {
    "none": lambda: [], "csv": lambda: [keras.callbacks.CSVLogger("log.csv")],
    "outrider": lambda: [OutriderCallback()],
    "outrider, each batch": lambda: [OutriderCallback(log_freq="batch")]}
"""

MEASURE = """
fit(makers["none"]())
times = {name: [] for name in makers}
calls = {name: [] for name in makers}
for _ in range(TURNS):
    for name, maker in makers.items():
        spent[0] = 0.0
        times[name].append(fit(maker()))
        calls[name].append(spent[0])
least = [{name: min(found) for name, found in those.items()} for those in (times, calls)]
print(json.dumps(least), flush=True)
"""


def lightning() -> Iterator[Figure]:
    """`Trainer.fit` with two values logged at each of 2,000 steps."""
    yield from _ratios("Trainer.fit", "lightning", LIGHTNING)


def keras() -> Iterator[Figure]:
    """`model.fit` of 5 epochs of 400 batches."""
    yield from _ratios("model.fit", "keras", KERAS)


def _ratios(what: str, module: str, code: str) -> Iterator[Figure]:
    if find_spec(module) is None or find_spec("torch") is None:
        return
    with own_place() as place:
        done = subprocess.run(
            [sys.executable, "-c", f"TURNS = {TURNS}\nspent = [0.0]\n{code}\n{MEASURE}"],
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
    times, calls = json.loads(done.stdout.splitlines()[-1])
    for name in times:
        if not name.startswith("outrider"):
            continue
        for other in ("none", "csv"):
            against = "no logger" if other == "none" else "the framework's CSV logger"
            more = (times[name] - times[other]) / STEPS * 1e6
            detail = (
                f"{times[name] * 1e3:.0f} against {times[other] * 1e3:.0f} ms"
                f" of the training process, {more:+.1f} µs a step"
            )
            yield Figure(
                f"{what}, {name} / {against}", times[name] / times[other], "×", None, detail
            )
        if calls[name]:
            ours, theirs = (calls[one] / STEPS * 1e6 for one in (name, "csv"))
            detail = f"{ours:.1f} against {theirs:.1f} µs a step"
            yield Figure(f"{what}, log_metrics + save / CSV's", ours / theirs, "×", None, detail)
            share = calls[name] / times[name]
            yield Figure(f"{what}, log_metrics + save / all of it", share, "", None)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main(lightning, keras)
