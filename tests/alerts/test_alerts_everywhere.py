"""A real training's alerts and its end: read from the folder and from the server, and typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from outrider import api
from outrider.errors import NotFound
from waiting import eventually

if TYPE_CHECKING:
    from alert_parts import Hook

    from outrider_server.background import Background

SCRIPT = """
from outrider import core

core.init(project="p", id="r")
core.log({"loss": 1.0})
core.log({"loss": float("nan")})
core.alert("look", "at this", level=core_level)
PASSWORD = "hunter2hunter2"
def shape(x):
    return login(x, token="ghp_abcdefghijklmnopqrstuvwxyz0123456789")
def login(x, token):
    raise ValueError("bad shape for https://me:" + PASSWORD + "@example.com/data")
shape(3)
"""


def train(folder: Path, server: Background, **env: str) -> None:
    """A training that raises."""
    (folder / "train.py").write_text(SCRIPT.replace("core_level", '"WARN"'))
    how = {"OUTRIDER_URL": server.url, "OUTRIDER_API_KEY": server.token, **env}
    done = subprocess.run(
        [sys.executable, "train.py"],
        cwd=folder,
        env={**os.environ, **how},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "ValueError: bad shape" in done.stderr


def outrider(folder: Path, server: Background, *words: str) -> subprocess.CompletedProcess[str]:
    """A command."""
    return subprocess.run(
        [sys.executable, "-m", "outrider.cli", *words],
        cwd=folder,
        env={**os.environ, "OUTRIDER_URL": server.url, "OUTRIDER_API_KEY": server.token},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def ended(client: api.Client) -> api.Run | None:
    """The run on the server, once its end is there."""
    try:
        run = client.run("p/r")
    except NotFound:
        return None
    return run if run.state == "failed" else None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the training happens."""
    (tmp_path / "training").mkdir()
    return tmp_path / "training"


def test_a_training_that_raises_is_told_everywhere(
    server: Background, hook: Hook, folder: Path
) -> None:
    """The alert, the rules' alerts, the end in one sentence, its traceback, and no secret."""
    made = outrider(folder, server, "rules", "add", "nonfinite", "-m", "loss", "-p", "p", "--json")
    rule = json.loads(made.stdout)["id"]
    assert outrider(folder, server, "rules", "add", "died", "-p", "p").returncode == 0
    listed = outrider(folder, server, "rules", "list", "-p", "p")
    assert "loss is NaN or infinite" in listed.stdout
    train(folder, server)
    client = api.Client(server.url, server.token)
    there = eventually(lambda: ended(client))
    here = api.open(folder)
    assert here.alerts() == [one for one in there.alerts() if one.source == "script"]
    assert [(one.level, one.title, one.text) for one in here.alerts()] == [
        ("warn", "look", "at this")
    ]
    assert {(one.title, one.rule == rule) for one in there.alerts()} == {
        ("loss is NaN or infinite", True),
        ("look", False),
        ("the run died", False),
    }
    eventually(lambda: len(hook.posts) == 3)
    sentence = "failed: ValueError: bad shape for https://[redacted]@example.com/data"
    for run in (here, there):
        end = run.overview.end
        assert end is not None
        assert end["sentence"] == sentence
        assert end["why"]["traceback"].startswith("Traceback (most recent call last):")
        assert 'train.py", line' in end["why"]["traceback"]
        assert "return login(x" in end["why"]["traceback"]
    assert here.overview.end == there.overview.end
    assert "ghp_abcdef" not in json.dumps(here.overview.end)
    shown = outrider(folder, server, "show", "r")
    assert "bad shape" in shown.stdout
    assert "look" in outrider(folder, server, "alerts", "r").stdout
    afar = outrider(folder, server, "alerts", "p/r", "--url", server.url, "--json")
    assert {one["source"] for one in json.loads(afar.stdout)} == {"script", "rule"}
    assert outrider(folder, server, "rules", "remove", rule, "-p", "p").returncode == 0
    assert outrider(folder, server, "rules", "remove", rule, "-p", "p").returncode == 3


def test_a_traceback_holds_no_code_where_none_may_be_captured(
    server: Background, folder: Path
) -> None:
    """Where it was raised, and none of the program's lines."""
    train(folder, server, OUTRIDER_DISABLE_CODE="true", OUTRIDER_MODE="offline")
    end: Any = api.open(folder).overview.end
    assert 'train.py", line' in end["why"]["traceback"]
    assert "in login" in end["why"]["traceback"]
    assert "return login(x" not in json.dumps(end)
    assert "raise ValueError" not in json.dumps(end)
