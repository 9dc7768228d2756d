"""A whole training, from init() to finish(), in which any one call of the system fails or is the last."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from faulty import gaps
from harness import LONG

from outrider.journal.reader import find_folders
from outrider.journal.record import Damaged, Record

pytestmark = [pytest.mark.reliability, pytest.mark.timeout(900)]

CALLS = Path(__file__).parent / "calls.py"
ERRORS = ("EIO", "ENOSPC", "EACCES", "EMFILE", "ESTALE")


def work(place: Path, plans: list[str]) -> list[dict[str, Any]]:
    """What came of each plan; of one that ended by an exit, the rows whose log() had returned."""
    place.mkdir()
    (place / "plans").write_text("\n".join(plans))
    done = subprocess.run(
        [sys.executable, str(CALLS), str(place), str(place / "told"), str(place / "plans")],
        capture_output=True, text=True, timeout=850, check=False,
        env={key: text for key, text in os.environ.items() if key != "OUTRIDER_RAISE"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = []
    left: dict[int, list[int]] = {}
    for line in (place / "told").read_text().splitlines():
        if line.startswith("{"):
            found.append(json.loads(line))
            if found[-1]["kind"] == "exit":  # it made fewer calls this time
                found[-1]["noted"] = left.get(found[-1]["number"], [])
        else:
            number, row = map(int, line.split())
            left.setdefault(number, []).append(row)
    for plan in plans:
        number, kind, _ = plan.split(":")
        if kind == "exit" and not any(
            t["number"] == int(number) and t["kind"] == kind for t in found
        ):
            noted = left.get(int(number), [])
            found.append({"number": int(number), "kind": kind, "noted": noted, "raised": None})
    return found


def rows(folder: Path) -> tuple[list[int], int, int]:
    """The rows that are in any run's folder below one, the counted gaps, the damaged lines."""
    records = [
        record
        for root in (folder / "training", folder / "state" / "outrider")
        for run in find_folders(root)
        for *_, record in run.records()
    ]
    steps = [r.body["s"] for r in records if isinstance(r, Record) and r.kind == "points"]
    return steps, gaps(records), sum(isinstance(r, Damaged) for r in records)


def some(numbers: range) -> list[int]:
    """All, or, in the short form, a sample that is another one each time."""
    return list(numbers) if LONG else sorted(random.SystemRandom().sample(numbers, 18))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many calls a training makes."""
    (told,) = work(tmp_path_factory.mktemp("calls") / "whole", ["0:once:EIO"])
    assert told["raised"] is None
    assert {"mkdir", "open", "write", "replace", "symlink"} <= set(told["calls"])
    return len(told["calls"])


@pytest.mark.parametrize("kind", ["once", "ever"])
def test_whatever_call_fails_the_training_runs_through(
    kind: str, whole: int, tmp_path: Path
) -> None:
    """Nothing raises, from init() on. What is not kept is counted, or it was said that nothing is."""
    codes = ERRORS if LONG else ERRORS[:1]
    plans = [f"{number}:{kind}:{code}" for number in some(range(1, whole + 1)) for code in codes]
    for told, plan in zip(work(tmp_path / "w", plans), plans, strict=True):
        assert told["raised"] is None, (plan, told)
        assert told["noted"] == list(range(14))
        steps, lost, damaged = rows(tmp_path / "w" / plan.replace(":", "-"))
        assert steps == sorted(set(steps)), plan
        assert damaged <= 1, plan
        if len(steps) + lost < 14:  # after a gap that no write could tell any more, or unrecorded
            assert kind == "ever" or "nothing is recorded" in told["said"], (
                plan,
                told,
                steps,
                lost,
            )


def test_killed_before_any_call_what_had_returned_is_there(whole: int, tmp_path: Path) -> None:
    """The state of the disk after every prefix of the calls of a training."""
    plans = [f"{number}:exit:EIO" for number in some(range(1, whole + 1))]
    for told in work(tmp_path / "w", plans):
        steps, lost, damaged = rows(tmp_path / "w" / f"{told['number']}-exit-EIO")
        assert steps in (told["noted"], [*told["noted"], len(told["noted"])]), told
        assert (lost, damaged) == (0, 0), told
