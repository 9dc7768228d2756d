"""The demo and the example, as a newcomer runs them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from outrider import api

if TYPE_CHECKING:
    from cli_shell import Shell

EXAMPLE = Path(__file__).parents[2] / "examples" / "plain.py"

# What runs in a script's background has Ctrl-C switched off, and so would what it starts.
AS_IN_A_TERMINAL = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, "-m", "outrider.cli", *sys.argv[1:]])
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_the_demo_trains_delivers_and_leaves_the_working_folder_alone(
    shell: Shell, tmp_path: Path
) -> None:
    place = tmp_path / "demo"
    port = str(free_port())
    shown = shell("demo", "--fast", "--once", "--data", str(place), "--port", port)
    assert shown.code == 0, shown.out + shown.err
    assert f"http://127.0.0.1:{port}/login?code=" in shown.out
    assert list(shell.folder.iterdir()) == []
    runs = api.runs(place)
    assert len(runs) == 6
    for run in runs:
        assert run.state == "finished"
        assert run.gaps == 0
        assert run.summary["val/accuracy"] > 0.8
        assert len(run.points("train/loss")) == 168
    assert {run.config["learning_rate"] for run in runs} == {0.3, 0.05, 0.005}
    assert shown.out.count("seed") == 6


def test_the_demo_serves_until_it_is_interrupted(shell: Shell, tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-c", AS_IN_A_TERMINAL, "demo", "--fast", "--no-browser"]
    command += ["--data", str(tmp_path / "demo"), "--port", str(port)]
    demo = subprocess.Popen(
        command,
        cwd=shell.folder,
        env={**shell.env, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert demo.stdout is not None
    seen = ""
    for line in demo.stdout:
        seen += line
        if "serving until Ctrl-C" in line:
            break
    client = api.Client(f"http://127.0.0.1:{port}")
    assert [project["runs"] for project in client.projects()] == [6], seen
    demo.send_signal(signal.SIGINT)
    assert demo.wait(60) == 0
    demo.stdout.close()
    with socket.socket() as one:
        assert one.connect_ex(("127.0.0.1", port)) != 0


def test_the_demo_without_scikit_learn_names_the_extra(shell: Shell) -> None:
    (shell.folder / "sklearn.py").write_text("raise ImportError('not here')")
    shown = shell("demo", "--once", PYTHONPATH=str(shell.folder))
    assert shown.code == 1
    assert "outrider[demo]" in shown.err


def test_the_example_records_what_it_trains(shell: Shell) -> None:
    assert len(EXAMPLE.read_text().splitlines()) <= 30
    ended = subprocess.run(
        [sys.executable, str(EXAMPLE)],
        cwd=shell.folder,
        env={**shell.env, "OUTRIDER_MODE": "offline"},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    run = api.open(shell.folder)
    assert run.state == "finished"
    assert run.summary["val/accuracy"] > 0.9
    assert len(run.points("train/loss")) == 20 * 22
    assert run.config == {"learning_rate": 0.003, "epochs": 20, "batch": 64}
