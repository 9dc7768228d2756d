"""What a run says of itself, folded from its records."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from handmade import Made, line, point

from outrider import api
from outrider.errors import JournalError, NotFound
from outrider.journal.writer import boot_id, start_ticks

if TYPE_CHECKING:
    from pathlib import Path


def test_config_changes_key_by_key(made: Made) -> None:
    made.write(
        {"t": 1.0, "k": "config", "c": {"lr": 0.1, "model": {"depth": 3, "width": 8}}},
        {"t": 2.0, "k": "config", "c": {"lr": 0.2, "old": 1, "opt": {"a": 1, "b": 2}}},
        {"t": 3.0, "k": "config", "c": {"bad": math.nan, "model": {"depth": 4}}},
        {"t": 4.0, "k": "config", "c": {}, "x": ["old", "opt.b"]},
    )
    config = api.open(made.path).config
    assert math.isnan(config.pop("bad"))
    assert config == {"lr": 0.2, "model": {"depth": 4}, "opt": {"a": 1}}


def test_the_last_value_is_the_summary_unless_told_otherwise(made: Made) -> None:
    made.write(
        {"t": 1.0, "k": "metric", "name": "val/*", "summary": "min"},
        {"t": 1.0, "k": "metric", "name": "val/acc", "summary": "best", "goal": "maximize"},
        {"t": 1.0, "k": "metric", "name": "gone", "summary": "none"},
        {"t": 1.0, "k": "metric", "name": "speed", "summary": "mean"},
    )
    for step, value in enumerate([3.0, 1.0, 2.0, math.nan]):
        made.write(
            point(
                10.0 + step,
                step,
                loss=value,
                gone=value,
                speed=value,
                **{"val/loss": value, "val/acc": value},
            )
        )
    made.write({"t": 90.0, "k": "summary", "c": {"note": "good", "inf": math.inf}})
    summary = api.open(made.path).summary
    assert math.isnan(summary.pop("loss"))
    assert summary == {
        "val/loss": 1.0,
        "val/acc": 3.0,
        "speed": 2.0,
        "note": "good",
        "inf": math.inf,
    }


def test_what_the_script_put_into_the_summary_stands_before_the_last_value(made: Made) -> None:
    made.write({"t": 5.0, "k": "summary", "c": {"loss": 0.01}}, point(9.0, 1, loss=4.0))
    assert api.open(made.path).summary == {"loss": 0.01}


def test_a_metric_without_a_finite_value_gives_its_last(made: Made) -> None:
    made.write({"t": 1.0, "k": "metric", "name": "a", "summary": "max"}, point(2.0, 0, a=-math.inf))
    assert api.open(made.path).summary == {"a": -math.inf}


def test_the_trainers_own_word_on_its_end_stands_before_the_streamers(made: Made) -> None:
    made.head("s1", role="streamer", primary=False)
    made.write({"t": 9.0, "k": "end", "w": "w1", "a": 1, "state": "killed"}, writer="s1")
    assert api.open(made.path).state == "killed"
    made.write({"t": 8.0, "k": "end", "w": "w1", "a": 1, "state": "finished", "code": 0})
    run = api.open(made.path)
    assert (run.state, run.overview.ended) == ("finished", 8.0)
    assert run.overview.end is not None
    assert run.overview.end["code"] == 0


def test_a_run_ends_with_its_creating_writer_of_the_latest_attempt(made: Made) -> None:
    made.head("rank1", primary=False)
    made.write({"t": 7.0, "k": "end", "w": "rank1", "a": 1, "state": "failed"}, writer="rank1")
    assert api.open(made.path).state == "running"
    made.write({"t": 8.0, "k": "end", "w": "w1", "a": 1, "state": "failed"})
    made.head("w2", attempt=2, t=300.0)
    assert api.open(made.path).state == "running"
    made.write({"t": 310.0, "k": "end", "w": "w2", "a": 2, "state": "finished"}, writer="w2")
    assert api.open(made.path).state == "finished"


def test_a_run_whose_process_is_gone_and_unspoken_for_is_lost(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    facts = {
        "host": os.uname().nodename,
        "pid": process.pid,
        "start_ticks": start_ticks(process.pid),
        "boot_id": boot_id(),
    }
    made = Made(tmp_path, **facts)
    made.head(pid=process.pid, start=facts["start_ticks"], boot=facts["boot_id"])
    made.write(point(150.0, 0, a=1.0))
    assert api.open(made.path).state == "running"
    process.communicate(b"\n")
    run = api.open(made.path)
    assert (run.state, run.overview.ended) == ("lost", 150.0)


def test_name_tags_and_notes_follow_their_changes(made: Made) -> None:
    made.write({"t": 1.0, "k": "run", "name": "new", "tags": ["x", "y"]})
    run = api.open(made.path)
    assert (run.name, run.tags, run.notes) == ("new", ["x", "y"], None)


def test_everything_that_is_lost_is_counted(made: Made) -> None:
    made.write({"t": 1.0, "k": "gap", "n": 12, "why": "disk full"})
    made.write(b"not a record\n", point(2.0, 0, a=1.0))
    made.write(b'{"t":3.0,"s":1,"p":{"a' + line(point(4.0, 2, a=2.0)) + b"\n")
    run = api.open(made.path)
    assert run.gaps == 14
    assert [row["_step"] for row in run.history()] == [0, 2]


def test_the_result_does_not_hang_on_the_order_of_writers(tmp_path: Path) -> None:
    seen = []
    for one, two in (("a", "b"), ("b", "a")):
        made = Made(tmp_path / one)
        made.head(one, primary=True)
        made.head(two, primary=False)
        made.write({"t": 1.0, "k": "config", "c": {"lr": 1}}, point(1.0, 0, x=1.0), writer=one)
        made.write({"t": 2.0, "k": "config", "c": {"lr": 2}}, point(2.0, 0, x=2.0), writer=two)
        run = api.open(made.path)
        seen.append((run.config, run.summary, run.history().rows(), run.points("x").values))
    assert seen[0] == seen[1]
    assert seen[0][0] == {"lr": 2}


def test_records_of_other_kinds_are_given_as_written(made: Made) -> None:
    made.write(
        {"t": 2.0, "k": "console", "o": "err", "b": "late\n"},
        {"t": 1.0, "k": "console", "o": "out", "b": "early\n"},
        {"t": 3.0, "k": "file", "path": "model.pt", "sha256": "00" * 32, "size": 1},
        {"t": 4.0, "k": "from-the-future", "x": [1]},
    )
    run = api.open(made.path)
    assert [(piece.stream, piece.text) for piece in run.console()] == [
        ("out", "early"),
        ("err", "late"),
    ]
    assert [file.path for file in run.files()] == ["model.pt"]
    assert run.records("from-the-future") == [{"t": 4.0, "k": "from-the-future", "x": [1]}]


def test_a_training_folder_with_one_run_opens_that_run(made: Made, tmp_path: Path) -> None:
    assert api.open(tmp_path).id == "abc"
    assert [run.id for run in api.runs(tmp_path)] == ["abc"]


def test_a_folder_without_a_run_or_with_several_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="outrider runs"):
        api.open(tmp_path)
    Made(tmp_path, "one")
    Made(tmp_path, "two")
    with pytest.raises(NotFound, match="there are 2 runs"):
        api.open(tmp_path)
    assert len(api.runs(tmp_path)) == 2


def test_an_unreadable_description_is_named(made: Made) -> None:
    with open(f"{made.path}/run.json", "w") as file:
        file.write("{")
    with pytest.raises(JournalError, match=r"run\.json"):
        api.open(made.path)
