"""Records that say what cannot be: none keeps its run, or the server, from going on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from feeding import START, end, head, point

if TYPE_CHECKING:
    from feeding import Feeder


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"x": value}
    return value


@pytest.mark.parametrize(
    "record",
    [
        {"k": "config", "c": {}, "x": 5},
        {"k": "config", "c": {"deep": deep(200)}},
        {"k": "config", "c": [1]},
        {"k": "summary", "c": 3},
        {"k": "attempt", "a": 2**63, "rewind": 1},
        {"k": "attempt", "a": 2, "rewind": 2**63},
        {"k": "attempt", "a": "two"},
        {"k": "end", "w": "w", "a": 2**64, "state": "finished", "code": 0},
        {"k": "end", "w": 3, "state": 5},
        {"k": "end", "w": "w", "state": ["x"], "code": {}},
        {"k": "metric", "name": 3},
        {"k": "metric", "name": "val/*", "summary": {"x": 1}, "goal": 4},
        {"k": "run", "name": 3, "tags": 5, "notes": []},
        {"k": "gap", "n": "many"},
        {"k": "gap", "n": 2**80},
        {"k": "host", "c": 3},
        {"k": "alert"},
        {"k": "head", "a": 2**63, "w": 3, "primary": "yes"},
    ],
)
def test_an_impossible_record_costs_itself_at_most(feeder: Feeder, record: dict[str, Any]) -> None:
    import json

    line = json.dumps({"t": START, **record}).encode() + b"\n"
    feeder.log(head("w"), point(0, a=1))
    feeder.send(line)
    feeder.log(point(1, a=2), end("w", "finished", code=0))
    assert list(feeder.points("a")["values"]) == [1, 2]
    row = feeder.row()
    assert isinstance(row["state"], str)
    assert row["attempt"] < 2**63


def test_an_attempt_with_a_huge_number_costs_no_more_than_any_other(feeder: Feeder) -> None:
    feeder.log(head("w"), *(point(step, a=step) for step in range(10)))
    feeder.log(
        head("v", attempt=2**40),
        {"t": START + 50, "k": "attempt", "a": 2**40, "rewind": 4},
        point(5, START + 60, a=50),
        writer="v",
    )
    feeder.log(point(9, START + 9, a=9), writer="w")
    line = feeder.line("a")
    assert list(line["step"]) == [0, 1, 2, 3, 4, 5]
    assert feeder.row()["attempt"] == 2**40


def test_of_two_that_began_the_same_attempt_the_earlier_is_the_runs(feeder: Feeder) -> None:
    feeder.log(head("late", t=START + 5), end("late", "finished", code=0), writer="late")
    feeder.log(head("early", t=START), end("early", "failed", code=1), writer="early")
    assert feeder.row()["state"] == "failed"
