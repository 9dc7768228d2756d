"""Programs in other languages, without a library of ours: what they write arrives exactly."""

from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from outrider.conformance import check_folder

if TYPE_CHECKING:
    from programs import Program, Workplace

    from outrider import api

SECONDS = 60.0
DOCS = Path(__file__).parents[2] / "docs"


def wait_for(what: str, seen: object) -> object:
    """Until ``seen()`` is true; fails after a minute."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = seen()  # type: ignore[operator]
        if found:
            return found
        time.sleep(0.05)
    pytest.fail(f"waited for {what}")


def assert_exact(workplace: Workplace, run: api.Run) -> int:
    """Every point that the program wrote is at the server, once and as it was; returns how many."""
    points = [record for _, record in workplace.records() if record.kind == "points"]
    logged = [record for record in points if "square" in record.body["p"]]
    assert [record.body["s"] for record in logged] == list(range(len(logged)))
    for key, value in (("square", lambda s: s * s), ("inverse", lambda s: 1 / (s + 1))):
        found = run.points(key) if logged else []
        assert [point.step for point in found] == list(range(len(logged)))
        assert [point.value for point in found] == [value(step) for step in range(len(logged))]
        assert [point.time for point in found] == [record.t for record in logged]
    return len(logged)


def assert_conforms(workplace: Workplace) -> None:
    found = check_folder(workplace.run_folder().path)
    assert found.conforms, found.findings
    assert [finding for finding in found.findings if finding.file != "."] == []


def test_under_outrider_run_everything_arrives(program: Program, workplace: Workplace) -> None:
    """Points, config, summary, console and the true end."""
    done = workplace.outrider("run", "-p", "languages", "--", *program.command, STEPS="50")
    assert done.returncode == 0, done.stderr
    run = workplace.remote()
    assert assert_exact(workplace, run) == 50
    assert (run.project, run.state, run.gaps) == ("languages", "finished", 0)
    assert run.config == {"steps": 50, "language": program.name}
    assert run.summary["best"] == "all of them"
    if program.name != "sh":
        assert math.isnan(run.points("odd").values[0])
    assert [line.text for line in run.console()] == [f"step {i}" for i in range(50)]
    assert_conforms(workplace)


def test_alone_it_is_sent_by_sync(program: Program, workplace: Workplace) -> None:
    """No streamer, no server, nothing of ours: a folder that is sent later."""
    assert workplace.start(*program.command, STEPS="20").wait(SECONDS) == 0
    assert_conforms(workplace)
    done = workplace.outrider("sync", ".")
    assert done.returncode == 0, done.stderr
    run = workplace.remote()
    assert assert_exact(workplace, run) == 20
    assert run.state == "finished"


def pid_of(workplace: Workplace) -> int:
    """The program's own process, from its head."""
    heads = [record for _, record in workplace.records() if record.kind == "head"]
    return int(heads[0].body["pid"])


def points_of(workplace: Workplace) -> int:
    try:
        found = workplace.records()
    except (ValueError, AssertionError):  # a run or a line that is just being made
        return 0
    return sum(record.kind == "points" for _, record in found)


@pytest.mark.parametrize("after", [1, 40])
def test_killed_under_outrider_run_it_arrives_exactly(
    program: Program, workplace: Workplace, after: int
) -> None:
    """SIGKILL in the middle: all that was written is at the server, and the run was killed."""
    process = workplace.start(
        sys.executable, "-m", "outrider.cli", "run", "--", *program.command,
        STEPS="100000", PAUSE="0.002",
    )  # fmt: skip
    wait_for("points", lambda: points_of(workplace) >= after)
    os.kill(pid_of(workplace), signal.SIGKILL)
    assert process.wait(SECONDS) == 137
    run = workplace.remote()
    wait_for("the end", lambda: run.refresh().state == "killed")
    assert run.overview.end is not None
    assert run.overview.end["signal"] == 9
    written = points_of(workplace)
    wait_for("the points", lambda: run.keys() and len(run.points("square")) == written)
    assert assert_exact(workplace, run) == written >= after
    assert_conforms(workplace)


def test_killed_alone_it_arrives_exactly(program: Program, workplace: Workplace) -> None:
    process = workplace.start(*program.command, STEPS="100000", PAUSE="0.002")
    wait_for("points", lambda: points_of(workplace) >= 20)
    process.kill()
    process.wait(SECONDS)
    done = workplace.outrider("sync", ".")
    assert done.returncode == 0, done.stderr
    run = workplace.remote()
    assert assert_exact(workplace, run) >= 20
    assert run.state in ("lost", "killed")
    assert_conforms(workplace)


def test_the_shell_example_of_the_documentation_conforms(workplace: Workplace) -> None:
    page = (DOCS / "file-format.md").read_text(encoding="utf-8")
    match = re.search(r"## A whole example in a shell\n.*?((?:    .*\n)+)", page, re.DOTALL)
    assert match is not None
    script = re.sub(r"^    ", "", match[1], flags=re.MULTILINE).replace("outrider sync", "true")
    done = subprocess.run(["sh", "-eu", "-c", script], cwd=workplace.folder, timeout=60)
    assert done.returncode == 0
    found = check_folder(workplace.run_folder().path)
    assert found.conforms, found.findings
    assert found.records == 5
