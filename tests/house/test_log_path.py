"""What logging brings into the training process: next to nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

NEVER = {
    "asyncio", "click", "email", "http", "httpx", "logging", "multiprocessing", "numpy",
    "outrider.api", "outrider.cli", "outrider.plugins", "outrider.transport", "outrider_server",
    "pandas", "pluggy", "psutil", "queue", "requests", "rich", "socket", "sqlalchemy", "sqlite3",
    "ssl", "starlette", "subprocess", "torch", "typer", "urllib.request", "urllib3", "watchdog",
    "yaml", "zstandard",
}  # fmt: skip
if sys.version_info < (3, 11):
    NEVER -= {"subprocess"}  # orjson needs uuid, and uuid of 3.10 loads platform, which loads it

SCRIPT = """
import json, os, signal, sys
before = {number: signal.getsignal(number) for number in signal.valid_signals()}
from outrider import core
imported = sorted(sys.modules)
core.init(project="house", mode=sys.argv[1], dir=sys.argv[2])
for step in range(100):
    core.log({"loss": 1 / (step + 1), "step_is_even": step % 2 == 0})
print(json.dumps({
    "imported": imported,
    "logged": sorted(sys.modules),
    "threads": len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1,
    "signals": [n for n in before if signal.getsignal(n) is not before[n]],
    "children": open(f"/proc/self/task/{os.getpid()}/children").read().split()
        if os.path.exists(f"/proc/self/task/{os.getpid()}/children") else [],
}))
core.finish()
"""


@pytest.fixture(params=["online", "offline"], scope="module")
def process(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[str]]:
    """What a bare training process holds after init() and a hundred log()."""
    home = tmp_path_factory.mktemp("trainer")
    env = {
        **{name: text for name, text in os.environ.items() if not name.startswith("OUTRIDER_")},
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "XDG_STATE_HOME": str(home),
        "OUTRIDER_URL": "http://127.0.0.1:9",
        "OUTRIDER_FINISH_SECONDS": "0",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, request.param, str(home)],
        capture_output=True, text=True, timeout=60, env=env, check=False, start_new_session=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[0])


def tops(names: list[str]) -> set[str]:
    return {part for name in names for part in (name, name.split(".")[0])}


def test_logging_loads_nothing_heavy(process: dict[str, list[str]]) -> None:
    """Nothing on the path of init() and log() imports plugins, networking, threads' tools, logging
    or a database."""
    assert not tops(process["logged"]) & NEVER


def test_importing_loads_not_even_the_json_library(process: dict[str, list[str]]) -> None:
    """`from outrider import core` costs milliseconds: orjson and its company come with init()."""
    assert "orjson" not in process["imported"]
    assert not tops(process["imported"]) & (NEVER | {"dataclasses", "inspect", "typing.io"})


def test_no_thread_and_no_signal_handler_lives_in_the_trainer(
    process: dict[str, list[str]],
) -> None:
    """The training process keeps its one thread and its own signal handlers."""
    assert process["threads"] == 1
    assert process["signals"] == []


def test_the_streamer_is_no_child_of_the_trainer(process: dict[str, list[str]]) -> None:
    """A script that waits for all of its children never waits for ours."""
    assert process["children"] == []
