"""The same data in TensorBoard and MLflow, opened in the same Chromium: time to the first chart, beside ours.

    python tests/bench/page_peers.py [--json]

Each peer is installed from PyPI into an environment of its own; one that cannot be installed is left out
with its reason. OUTRIDER_TEST_PEER_STEPS (5,000) says how many steps of 10 runs × 40 metrics there
are; OUTRIDER_TEST_VENVS names a folder in which the environments are kept for the next time.

What counts is in the peers' favour: for them the first chart is there when its element is and no spinner
stands over it; for us when its lines have been stroked.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from figures import Figure, main
from load import PROJECT, RECORDS, run_id
from page_browser import chromium, found, metered, person, until
from place import own_place
from server_cost import TOGETHER, fill
from streamer_cost import server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LOADS = 3
PATIENCE = 120.0

WRITE = """
import sys, numpy as np
folder, runs, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
names = [f"{part}/metric_{index:02d}" for part in ("train", "val") for index in range(20)]
def curves(number):
    random = np.random.default_rng(number)
    level = 1 + random.random(40)
    fall = np.exp(-np.arange(steps) / 10_000)[:, None]
    return (level * fall + 0.05 * random.standard_normal((steps, 40))).tolist()
"""

TENSORBOARD = (
    WRITE
    + """
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter
for number in range(runs):
    writer = EventFileWriter(f"{folder}/run{number:05d}")
    for step, row in enumerate(curves(number)):
        values = [Summary.Value(tag=name, simple_value=value) for name, value in zip(names, row)]
        writer.add_event(Event(wall_time=1.7e9 + step, step=step, summary=Summary(value=values)))
    writer.close()
"""
)

# The rows that log_batch would write, at 7,300 points/s; written at once they are the same rows.
MLFLOW = (
    WRITE
    + """
import sqlite3
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient
client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
experiment = client.create_experiment("bench", artifact_location=f"{folder}/artifacts")
made = [client.create_run(experiment, run_name=f"run{number}").info.run_id for number in range(runs)]
for number, run in enumerate(made):
    last = curves(number)[-1]
    ends = [(name, value, 1_700_000_000_000 + steps - 1, steps - 1) for name, value in zip(names, last)]
    client.log_batch(run, [Metric(*end) for end in ends])
    client.set_terminated(run)
db = sqlite3.connect(f"{folder}/mlflow.db")
for number, run in enumerate(made):
    columns = "(key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)"
    db.executemany(f"INSERT INTO metrics {columns}", (
        (name, value, 1_700_000_000_000 + step, run, step)
        for step, row in enumerate(curves(number)[:-1]) for name, value in zip(names, row)))
db.commit()
print(experiment)
"""
)


@dataclass(frozen=True, slots=True)
class Peer:
    """How a peer is installed, filled, started and opened, and how its first chart is known."""

    name: str
    package: str
    write: str
    start: Callable[[str, str, int], list[str]]
    path: str
    is_there: str
    is_read: Callable[[str], bool] = lambda url: True


def steps() -> int:
    """How many steps each metric has."""
    return int(os.environ.get("OUTRIDER_TEST_PEER_STEPS", "5000"))


def tensorboard_has_read(url: str) -> bool:
    """Whether the last point of every run has been read: it answers long before."""
    for number in range(TOGETHER):
        query = f"/data/plugin/scalars/scalars?run={run_id(number)}&tag=train/metric_00"
        answer = requests.get(url + query, timeout=30)
        if not answer.ok or not answer.json() or answer.json()[-1][1] != steps() - 1:
            return False
    return True


PEERS = (
    Peer(
        "TensorBoard", "tensorboard", TENSORBOARD,
        lambda python, folder, port: [
            f"{Path(python).parent}/tensorboard", "--logdir", folder, "--host", "127.0.0.1",
            "--port", str(port),
        ],
        "/#timeseries",
        "document.querySelector('scalar-card line-chart')"
        " && !document.querySelector('scalar-card').querySelector('mat-spinner')"
        " && performance.getEntriesByType('resource').some(({ name }) => /timeSeries/.test(name))",
        tensorboard_has_read,
    ),
    Peer(
        "MLflow", "mlflow", MLFLOW,
        lambda python, folder, port: [
            python, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db",
            "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        ],
        "/#/experiments/{}/runs?compareRunsMode=CHART",
        "document.querySelector('.js-plotly-plot .scatterlayer path.js-line')",
    ),
)  # fmt: skip


def compare() -> Iterator[Figure]:
    """Time to the first chart: ours and theirs, in one browser program."""
    from playwright.sync_api import Error

    what = f"first chart, {TOGETHER} runs × 40 metrics × {steps():,} steps"
    with chromium() as browser:
        ours = our_time(browser)
        yield Figure(f"{what}, Outrider", ours, " ms", None, f"median of {LOADS}, empty cache")
        for peer in PEERS:
            try:
                theirs, version = their_time(browser, peer)
            except (OSError, RuntimeError, subprocess.SubprocessError, Error) as error:
                print(f"{peer.name} is left out: {error}", file=sys.stderr)
                continue
            detail = f"version {version}; {theirs / ours:.1f} × ours"
            yield Figure(f"{what}, {peer.name}", theirs, " ms", None, detail)


def our_time(browser: Browser) -> float:
    """From the address to the first stroke of a line, with an empty cache."""
    times = []
    with own_place() as home, server(home) as running:
        fill(running, 0, steps() // RECORDS)
        for _ in range(LOADS + 1):
            with person(browser, running) as context:
                page = metered(context)
                page.goto(f"{running.url}/p/{PROJECT}")
                until(page, "meter.charts.length > 0", PATIENCE)
                times.append(page.evaluate("meter.charts[0]"))
    return statistics.median(times[1:])


def their_time(browser: Browser, peer: Peer) -> tuple[float, str]:
    """The same for a peer; the first look, which fills its caches, is left out as ours is."""
    with environment(peer) as python, tempfile.TemporaryDirectory() as folder:
        version = asked(
            python, f"import importlib.metadata as m; print(m.version({peer.package!r}))"
        )
        told = asked(python, peer.write, folder, str(TOGETHER), str(steps()))
        with started(peer, python, folder) as url:
            times = []
            for _ in range(LOADS + 1):
                context = browser.new_context(viewport={"width": 1440, "height": 900})
                page = context.new_page()
                page.add_init_script(WATCH.replace("IS_THERE", peer.is_there))
                page.goto(url + peer.path.format(told))
                until(page, "globalThis.firstChart", PATIENCE)
                times.append(page.evaluate("firstChart"))
                context.close()
    return statistics.median(times[1:]), version


WATCH = """
{
    const look = () => {
        if (IS_THERE) globalThis.firstChart = performance.now();
        else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}
"""


@contextmanager
def environment(peer: Peer) -> Iterator[str]:
    """The interpreter of an environment that has the peer."""
    kept = os.environ.get("OUTRIDER_TEST_VENVS")
    with tempfile.TemporaryDirectory() as passing:
        home = Path(kept or passing) / peer.package
        python = str(home / "bin" / "python")
        if not os.path.exists(python):
            print(f"{peer.name}: being installed", file=sys.stderr)
            venv.create(home, with_pip=True)
            command = [python, "-m", "pip", "install", "--quiet", peer.package]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"pip could not install it: {done.stderr.strip()[-300:]}")
        yield python


def asked(python: str, program: str, *arguments: str) -> str:
    """What a program prints last."""
    command = [python, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-600:])
    return done.stdout.strip().rsplit("\n", 1)[-1]


@contextmanager
def started(peer: Peer, python: str, folder: str) -> Iterator[str]:
    """The peer's server, once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    log = open(f"{folder}/server.log", "wb")  # noqa: SIM115 - the process writes to it
    process = subprocess.Popen(
        peer.start(python, folder, port), cwd=folder, stdout=log, stderr=log, start_new_session=True
    )
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                if requests.get(url, timeout=5).ok:
                    break
            except requests.RequestException:
                if time.monotonic() > until or process.poll() is not None:
                    said = Path(f"{folder}/server.log").read_text(errors="replace")
                    raise RuntimeError(f"it does not start: {said[-300:]}") from None
            time.sleep(0.2)
        while not peer.is_read(url):
            if time.monotonic() > until:
                raise RuntimeError("it has not read what there is")
            time.sleep(0.5)
        yield url
    finally:
        os.killpg(process.pid, 9)
        process.wait()
        log.close()


def measures() -> list[Callable[[], Iterator[Figure]]]:
    """The comparison, where there is a browser."""
    return [compare] if found() else []


if __name__ == "__main__":
    main(*measures())
