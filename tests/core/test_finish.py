"""``finish()``: whether it waits, and what says that a run has ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from outrider import api, core, finishing


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the runs whose delivery was waited for."""
    found: list[str] = []

    def wait(run: Any, *_: object, **__: object) -> None:
        found.append(run.id)

    monkeypatch.setattr("outrider.finishing.wait_for_delivery", wait)
    return found


@pytest.mark.parametrize("ask", ["run", "core"])
@pytest.mark.parametrize("wait", [True, False])
def test_delivery_is_waited_for_unless_told_otherwise(
    waits: list[str], tmp_path: Path, wait: bool, ask: str
) -> None:
    """The end is written in both cases."""
    run = core.init(project="p", mode="offline", dir=tmp_path, settings={"quiet": True})
    assert run.finished is False
    (run if ask == "run" else core).finish(3, wait=wait)
    assert run.finished is True
    assert waits == ([run.id] if wait else [])
    assert api.open(tmp_path).overview.end["code"] == 3  # type: ignore[index]
    run.finish()
    assert len(waits) == wait


def test_a_disabled_run_is_finished_from_the_start(tmp_path: Path) -> None:
    """It records nothing, and its end changes nothing."""
    run = core.init(project="p", mode="disabled", dir=tmp_path)
    assert run.finished is True
    run.finish()
    assert core.run is None


def test_a_last_word_that_fails_does_not_cost_the_end(
    waits: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs before the end may fail; the end is written all the same."""
    monkeypatch.delenv("OUTRIDER_RAISE")
    run = core.init(project="p", mode="offline", dir=tmp_path, settings={"quiet": True})
    run.before_end.append(lambda: 1 / 0)
    run.finish()
    assert run.finished is True
    assert api.open(tmp_path).overview.end["code"] == 0  # type: ignore[index]


def test_a_streamer_is_there_also_where_nobody_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that died is replaced by ``finish(wait=False)``, or nobody would carry the end."""
    run = core.init(project="p", mode="offline", dir=tmp_path, settings={"quiet": True})
    monkeypatch.setattr("outrider.training.spawn.is_running", lambda folder: False)
    started: list[str] = []
    monkeypatch.setattr(
        "outrider.training.start_streamer", lambda folder, settings: started.append(folder) is None
    )
    run.finish(wait=False)
    assert started == [run.folder]


NOTHING_LEFT_TO_OPEN = """
import os, resource
from outrider import core
core.init(project="p", mode="offline", dir=os.getcwd(), settings={"quiet": True})
core.log({"loss": 0.5})
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (0, most))
try:
    with core.run:
        if %r:
            raise ValueError("lost")
except ValueError:
    pass
os._exit(0)
"""


@pytest.mark.parametrize(("fails", "state"), [(False, "finished"), (True, "failed")])
def test_an_end_is_written_where_no_file_can_be_opened_any_more(
    training: Path, monkeypatch: pytest.MonkeyPatch, fails: bool, state: str
) -> None:
    """What waits for the delivery is loaded at the end: without it, the end is told all the same."""
    monkeypatch.delenv("OUTRIDER_RAISE")
    command = [sys.executable, "-c", NOTHING_LEFT_TO_OPEN % fails]
    subprocess.run(command, cwd=training, check=True, timeout=60)
    end = api.open(training).overview.end
    assert end is not None
    assert end["state"] == state


def test_the_end_says_why_the_rest_was_not_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Here because somebody else answers at the URL; what to do stands beside it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as stranger:
        thread = threading.Thread(target=stranger.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{stranger.server_address[1]}"
        given = {"url": url, "api_key": "x" * 43, "finish_seconds": 60}
        run = core.init(project="p", mode="online", dir=tmp_path, settings=given)
        run.log({"loss": 0.5})
        run.finish()
        os.kill(finishing.read_delivery(run.folder or "")["pid"], signal.SIGKILL)
        stranger.shutdown()
        thread.join()
    said = capsys.readouterr().err
    assert f"has not taken it ({url} answered 501, but not as an Outrider server" in said
    assert "hint: is the URL right" in said
