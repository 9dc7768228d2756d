"""NVIDIA's own bindings over a driver's library in C: a run's GPUs from the sampler to the page, an Xid error
to the word on why it died. The library (nvml.c) is compiled here; a real GPU is looked at by gpu_check.py."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from outrider import api
from outrider.credentials import Token
from outrider.transport import HttpTransport
from outrider_server.background import Background, start_background
from waiting import eventually

pytest.importorskip("pynvml")
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the library is Linux's"),
    pytest.mark.skipif(COMPILER is None, reason="no C compiler makes the driver's library here"),
]

GIB = float(1 << 30)
TRAINER = """
import os, sys, time
from outrider import core

core.init(project="gpus", id=sys.argv[2], settings={"sample_seconds": 0.2, "average_seconds": 0.4})
core.log({"loss": 0.5})
with open(sys.argv[1], "a") as state:
    state.write(f"process 0 {os.getpid()} {3 << 30}\\nprocess 0 1 {5 << 30}\\n")
print("logged", flush=True)
time.sleep(120)
"""


class Library:
    """The library in a folder of its own, as `LD_LIBRARY_PATH` names it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / "libnvidia-ml.so.1"
        source = Path(__file__).with_name("nvml.c")
        command = [str(COMPILER), "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
        subprocess.run([*command, "-o", str(path), str(source), "-ldl"], check=True)
        self.state = folder / "libnvidia-ml.so.1.state"
        self.reported = folder / "libnvidia-ml.so.1.reported"

    def say(self, line: str) -> None:
        """Let a GPU report something."""
        with self.state.open("a") as file:
            file.write(line + "\n")

    def environment(self) -> dict[str, str]:
        """For a process whose driver this is."""
        paths = [str(self.folder), os.environ.get("LD_LIBRARY_PATH", "")]
        return {**os.environ, "LD_LIBRARY_PATH": ":".join(filter(None, paths))}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Compiled anew for each test, since its state lies beside it."""
    folder = tmp_path / "driver"
    folder.mkdir()
    return Library(folder)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    """A real server in a process of its own."""
    one = start_background(tmp_path_factory.mktemp("server") / "data")
    yield one
    one.stop()


@pytest.fixture
def trainer(
    library: Library, server: Background, tmp_path: Path
) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts a training on a machine with two GPUs; returns once it has logged."""
    started: list[subprocess.Popen[str]] = []

    def start(run: str) -> subprocess.Popen[str]:
        place = {"OUTRIDER_URL": server.url, "OUTRIDER_API_KEY": server.token}
        process = subprocess.Popen(
            [sys.executable, "-c", TRAINER, str(library.state), run],
            env=library.environment() | place,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        eventually(lambda: "logged" in process.stdout.readline())
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def detail(server: Background, run: str) -> dict[str, Any]:
    """The run as the page asks for it; empty while it is not there."""
    token = Token(server.token, "the test")
    answer = HttpTransport(server.url, token).request("GET", f"/api/projects/gpus/runs/{run}")
    return answer.json() if answer.status == 200 else {}


def test_gpus_reach_the_page_and_an_xid_the_word_on_the_end(
    trainer: Callable[[str], subprocess.Popen[str]], library: Library, server: Background
) -> None:
    """Use, memory, power, temperature, clocks and the training's own memory; driver, CUDA and model; and
    after a GPU's Xid error and a kill the end names that error and what it means."""
    run, client = "xid", api.Client(server.url, server.token)
    process = trainer(run)

    def latest() -> dict[str, float]:
        """Each reading as it was told last; keys are fetched one after the other, while rows come in."""
        found: dict[str, float] = {}
        for row in client.run(f"gpus/{run}").system().rows() if detail(server, run) else ():
            found.update({key: value for key, value in row.items() if value is not None})
        return found if "system/gpu/0/process_memory_bytes" in found else {}

    row = eventually(latest)
    seen = {key: value for key, value in row.items() if key.startswith("system/gpu/")}
    assert {key: value for key, value in seen.items() if not key.endswith(".max")} == {
        "system/gpu/0": 90.0,
        "system/gpu/0/memory_busy_percent": 30.0,
        "system/gpu/0/memory_used_bytes": 20 * GIB,
        "system/gpu/0/memory_used_percent": 25.0,
        "system/gpu/0/power_watts": 350.5,
        "system/gpu/0/slowed_percent": 0.0,
        "system/gpu/0/temperature_celsius": 55.0,
        "system/gpu/0/sm_clock_mhz": 1980.0,
        "system/gpu/0/memory_clock_mhz": 2619.0,
        "system/gpu/0/process_memory_bytes": 3 * GIB,
        "system/gpu/1": 91.0,
        "system/gpu/1/memory_busy_percent": 30.0,
        "system/gpu/1/memory_used_bytes": 21 * GIB,
        "system/gpu/1/memory_used_percent": 26.25,
        "system/gpu/1/power_watts": 350.5,
        "system/gpu/1/slowed_percent": 100.0,
        "system/gpu/1/temperature_celsius": 56.0,
        "system/gpu/1/sm_clock_mhz": 1980.0,
        "system/gpu/1/memory_clock_mhz": 2619.0,
        "system/gpu/1/ecc_errors": 0.0,
    }
    (facts,) = detail(server, run)["hosts"].values()
    assert (facts["gpu_driver"], facts["cuda"]) == ("570.124.06", "12.8")
    assert [gpu["name"] for gpu in facts["gpus"]] == ["Stand-in 9000"] * 2
    assert (facts["gpus"][1]["uuid"], facts["gpus"][1]["power_limit_watts"]) == ("GPU-1", 700.0)

    library.say("xid 1 79")
    eventually(lambda: library.reported.exists() and library.reported.read_text() == "1")
    process.send_signal(signal.SIGKILL)
    end = eventually(lambda: detail(server, run).get("end"))
    assert (end["state"], end["signal"]) == ("killed", 9)
    (xid,) = end["evidence"]["xid"]
    assert (xid["gpu"], xid["xid"]) == (1, 79)
    assert "GPU 1 reported Xid 79 (the GPU has fallen off the bus)" in end["sentence"]


def test_a_gpu_that_is_lost_leaves_the_other_its_figures_and_its_errors(
    trainer: Callable[[str], subprocess.Popen[str]], library: Library, server: Background
) -> None:
    """The driver answers `GPU is lost` for one of them: the other goes on, and is listened to."""
    run, client = "lost", api.Client(server.url, server.token)
    process = trainer(run)
    eventually(
        lambda: detail(server, run) and "system/gpu/1" in client.run(f"gpus/{run}").system().columns
    )
    library.say("lost 1")

    def is_left_out() -> bool:
        rows = client.run(f"gpus/{run}").system().rows()
        told = [
            max(at for at, row in enumerate(rows) if row.get(f"system/gpu/{gpu}") is not None)
            for gpu in (0, 1)
        ]
        return told[0] > told[1] + 3

    eventually(is_left_out)
    library.say("xid 0 48")
    eventually(lambda: library.reported.exists() and library.reported.read_text() == "1")
    process.send_signal(signal.SIGKILL)
    end = eventually(lambda: detail(server, run).get("end"))
    assert [(xid["gpu"], xid["xid"]) for xid in end["evidence"]["xid"]] == [(0, 48)]


def test_doctor_names_the_gpus(library: Library, tmp_path: Path) -> None:
    """As the sampler will see them."""
    command = [sys.executable, "-m", "outrider.cli", "doctor"]
    done = subprocess.run(
        command, env=library.environment(), cwd=tmp_path, capture_output=True, text=True
    )
    assert "gpu: 2 × Stand-in 9000, driver 570.124.06, CUDA 12.8" in done.stdout, done
