"""What only the server knows of a run reaches the trainer as a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from outrider.streamer import spawn
from waiting import eventually

if TYPE_CHECKING:
    from streamer_ingest import Ingest
    from streamer_kit import Run


def word(run: Run) -> dict[str, object]:
    """The streamer's answer."""
    path = Path(run.path, "resume.json")
    return dict(eventually(lambda: path.exists() and json.loads(path.read_text()), what=run))


@pytest.mark.parametrize("resume", ["must", "allow", "auto"])
def test_a_run_that_the_server_has_is_answered(
    resume: str, make_run: Callable[..., Run], ingest: Ingest
) -> None:
    """Attempt, last step and state; the trainer then goes on as the next attempt."""
    ingest.runs["p r", "r1"] = {"attempt": 3, "last_step": 41, "state": "killed"}
    run = make_run(resume=resume, writer=None)
    spawn.start(run.path)
    answer = word(run)
    assert answer["exists"] is True
    assert (answer["attempt"], answer["last_step"], answer["state"]) == (3, 41, "killed")
    run.write_meta(writer="main", attempt=4)
    run.log(1)
    run.end()
    eventually(lambda: run.delivery().get("done"), what=run)
    assert sum(request == "POST /api/runs" for request in ingest.requests) >= 2


def test_a_run_that_must_be_there_and_is_not_is_not_made(
    make_run: Callable[..., Run], ingest: Ingest
) -> None:
    """The trainer refuses it; nothing is left on the server."""
    run = make_run(resume="must", writer=None)
    spawn.start(run.path)
    assert word(run) == {"exists": False}
    assert ingest.runs == {}


def test_a_trainer_that_could_not_wait_is_delivered_all_the_same(
    make_run: Callable[..., Run], ingest: Ingest
) -> None:
    """The answer came too late: what was recorded meanwhile arrives."""
    run = make_run(resume="must", writer=None)
    spawn.start(run.path)
    word(run)
    run.write_meta(writer="main", attempt=5)
    run.log(7)
    run.end()
    eventually(lambda: run.delivery().get("done"), what=run)
    assert ingest.points(run.id) == [7]
