"""The exact history of a run that is read from its folder."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import pytest
from handmade import Made, point

from outrider import api
from outrider.errors import NotFound, OutriderError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_row_holds_what_was_logged_at_its_step_and_nothing_else(made: Made) -> None:
    made.write(point(101.0, 0, loss=1.0), point(102.0, 1, loss=0.5, acc=0.9), point(103.0, 0, lr=1))
    assert api.open(made.path).history().rows() == [
        {"_step": 0, "_time": 103.0, "loss": 1.0, "lr": 1.0},
        {"_step": 1, "_time": 102.0, "loss": 0.5, "acc": 0.9},
    ]


def test_of_one_step_and_metric_the_latest_value_stands(made: Made) -> None:
    made.write(point(101.0, 5, loss=1.0), point(103.0, 5, loss=3.0), point(102.0, 5, loss=2.0))
    run = api.open(made.path)
    assert run.history().rows() == [{"_step": 5, "_time": 103.0, "loss": 3.0}]
    assert run.points("loss").values == [1.0, 2.0, 3.0]
    assert run.points("loss").steps == [5, 5, 5]


def test_of_one_moment_the_later_record_stands(made: Made) -> None:
    made.write(point(101.0, 5, loss=1.0), point(101.0, 5, loss=2.0))
    assert api.open(made.path).history().rows() == [{"_step": 5, "_time": 101.0, "loss": 2.0}]


def test_a_later_attempt_stands_before_an_earlier_one_whatever_the_clock_says(made: Made) -> None:
    made.write(point(900.0, 3, loss=1.0))
    made.head("w2", attempt=2, t=200.0)
    made.write(point(201.0, 3, loss=7.0), writer="w2")
    assert api.open(made.path).history().rows() == [{"_step": 3, "_time": 201.0, "loss": 7.0}]


def test_a_rewound_tail_is_hidden_and_not_gone(made: Made) -> None:
    made.write(*(point(101.0 + step, step, loss=float(step)) for step in range(6)))
    made.head("w2", attempt=2, t=200.0)
    made.write({"t": 200.0, "k": "attempt", "a": 2, "rewind": 2}, writer="w2")
    made.write(point(201.0, 3, loss=30.0), writer="w2")
    run = api.open(made.path)
    assert [row["loss"] for row in run.history()] == [0.0, 1.0, 2.0, 30.0]
    assert run.points("loss").steps == [0, 1, 2, 3]
    assert run.points("loss", rewound=True).steps == [0, 1, 2, 3, 4, 5, 3]
    assert run.summary["loss"] == 30.0
    assert [(one.number, one.rewind_to) for one in run.attempts] == [(1, None), (2, 2)]


def test_a_rewind_of_a_rewind_hides_what_both_superseded(made: Made) -> None:
    made.write(*(point(101.0 + step, step, a=1.0) for step in range(10)))
    for attempt, back_to in ((2, 6), (3, 3)):
        writer = f"w{attempt}"
        made.head(writer, attempt=attempt, t=100.0 * attempt)
        start = {"t": 100.0 * attempt, "k": "attempt", "a": attempt, "rewind": back_to}
        made.write(start, writer=writer)
        step = back_to + 1
        made.write(point(100.0 * attempt + 1, step, a=float(attempt)), writer=writer)
    rows = api.open(made.path).history().rows()
    assert [(row["_step"], row["a"]) for row in rows] == [
        (0, 1.0),
        (1, 1.0),
        (2, 1.0),
        (3, 1.0),
        (4, 3.0),
    ]


def test_nan_and_the_infinities_are_floats_again(made: Made) -> None:
    made.write(point(101.0, 0, a=math.nan, b=math.inf, c=-math.inf, d=True))
    (row,) = api.open(made.path).history()
    assert math.isnan(row["a"])
    assert (row["b"], row["c"], row["d"]) == (math.inf, -math.inf, 1.0)


def test_absent_and_nan_are_told_apart(made: Made) -> None:
    made.write(point(101.0, 0, a=math.nan), point(102.0, 1, b=2.0))
    history = api.open(made.path).history()
    assert math.isnan(history.columns["a"][0])
    assert math.isnan(history.columns["a"][1])
    assert history.present["a"].tolist() == [True, False]
    table = history.to_arrow()
    assert table.column("a").is_null().to_pylist() == [False, True]
    assert table.column("b").to_pylist() == [None, 2.0]


def test_columns_are_arrays_of_one_length(made: Made) -> None:
    made.write(*(point(101.0 + step, 2 * step, a=step, b=-step) for step in range(100)))
    columns = api.open(made.path).history().columns
    assert list(columns) == ["_step", "_time", "a", "b"]
    assert columns["_step"].dtype == "int64"
    assert columns["_step"].tolist() == list(range(0, 200, 2))
    assert columns["b"].tolist() == [-float(step) for step in range(100)]


def test_a_frame_has_the_columns(made: Made) -> None:
    made.write(point(101.0, 0, a=1.0), point(102.0, 7, a=2.0))
    frame = api.open(made.path).history().to_pandas()
    assert frame["_step"].tolist() == [0, 7]
    assert frame["a"].tolist() == [1.0, 2.0]


def test_without_numpy_columns_name_the_extra_and_rows_still_work(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.write(point(101.0, 0, a=1.0))
    monkeypatch.setitem(sys.modules, "numpy", None)
    history = api.open(made.path).history()
    assert len(history.rows()) == 1
    with pytest.raises(OutriderError, match=r"outrider\[arrow\]"):
        _ = history.columns


def test_keys_and_steps_choose_what_is_read(made: Made) -> None:
    made.write(*(point(101.0 + step, step, a=step, b=step) for step in range(10)))
    run = api.open(made.path)
    history = run.history(["b"], min_step=3, max_step=5)
    assert [(row["_step"], row["b"]) for row in history] == [(3, 3.0), (4, 4.0), (5, 5.0)]
    assert history.keys == ["b"]
    assert run.history("a", min_step=50).rows() == []


def test_a_metric_that_is_not_there_is_named_with_its_neighbour(made: Made) -> None:
    made.write(point(101.0, 0, loss=1.0))
    run = api.open(made.path)
    with pytest.raises(NotFound, match="did you mean loss"):
        run.history(["los"])
    with pytest.raises(NotFound, match="'x'"):
        run.points("x")


def test_a_large_step_and_a_negative_one_are_kept(made: Made) -> None:
    top = (1 << 63) - 1
    made.write(point(101.0, top, a=1.0), point(102.0, -top - 1, a=2.0))
    run = api.open(made.path)
    assert [row["_step"] for row in run.history()] == [-top - 1, top]
    assert run.history().columns["_step"].tolist() == [-top - 1, top]


def test_a_history_grows_with_its_run(made: Made) -> None:
    run = api.open(made.path)
    assert len(run.history()) == 0
    made.write(point(101.0, 0, a=1.0))
    assert len(run.history()) == 1
    made.write(b'{"t":102.0,"s":1,"p":{"a"')
    assert len(run.history()) == 1
    made.write(b":2.0}}\n")
    made.write(point(103.0, 2, a=3.0), segment=2)
    assert [row["a"] for row in run.history()] == [1.0, 2.0, 3.0]


def test_system_metrics_are_rows_by_time(made: Made) -> None:
    made.write({"t": 130.0, "k": "sys", "d": 30.0, "p": {"system/cpu": 50.0, "system/mem": 1}})
    made.write({"t": 160.0, "k": "sys", "d": 30.0, "p": {"system/cpu": 60.0}})
    run = api.open(made.path)
    assert run.system().rows() == [
        {"_time": 130.0, "system/cpu": 50.0, "system/mem": 1.0},
        {"_time": 160.0, "system/cpu": 60.0},
    ]
    assert run.history().rows() == []
    assert run.system().columns["_time"].tolist() == [130.0, 160.0]


def test_a_history_of_many_points_merges_as_a_simple_model_says(tmp_path: Path) -> None:
    import random

    chance = random.Random(7)
    made = Made(tmp_path)
    model: dict[int, dict[str, tuple[tuple[int, float], float]]] = {}
    for attempt in (1, 2, 3):
        writer = f"w{attempt}"
        made.head(writer, attempt=attempt)
        for number in range(300):
            t, step = chance.choice([1.0, 2.0, 3.0, 4.0 + number]), chance.randrange(40)
            values = {key: chance.random() for key in chance.sample("abc", 2)}
            made.write(point(t, step, **values), writer=writer)
            for key, value in values.items():
                row = model.setdefault(step, {})
                if key not in row or row[key][0] <= (attempt, t):
                    row[key] = ((attempt, t), value)
    rows = api.open(made.path).history().rows()
    assert {row["_step"]: {key: row[key] for key in row if key[0] != "_"} for row in rows} == {
        step: {key: value for key, (_, value) in row.items()} for step, row in model.items()
    }


def test_an_integer_that_a_float_cannot_hold_is_kept(made: Made) -> None:
    large = (1 << 53) + 1
    made.write(point(101.0, 0, n=1), point(102.0, 1, n=large), point(103.0, 0, n=2))
    run = api.open(made.path)
    assert run.points("n").values == [1.0, large, 2.0]
    assert [row["n"] for row in run.history()] == [2.0, large]
    assert run.history().columns["n"].dtype == "float64"
    made.write({"t": 104.0, "s": 2, "p": {"n": -large}})
    assert run.refresh().summary == {"n": -large}
