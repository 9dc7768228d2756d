"""``log()``: what is kept, under which step, and that nothing ever reaches the training."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from outrider import core
from outrider.errors import NotStarted


def test_every_call_is_one_row_and_steps_count_from_zero(rows: Any) -> None:
    core.init()
    core.log({"loss": 0.5})
    core.log({"loss": 0.25, "acc": 1})
    assert rows() == [(0, {"loss": 0.5}), (1, {"loss": 0.25, "acc": 1})]


def test_a_row_is_on_disk_when_log_returns(rows: Any) -> None:
    core.init()
    for step in range(5):
        core.log({"loss": step})
        assert len(rows()) == step + 1


def test_a_given_step_is_kept_and_the_count_goes_on_behind_it(rows: Any) -> None:
    core.init()
    core.log({"a": 1}, step=10)
    core.log({"a": 2})
    core.log({"a": 3}, step=4)
    core.log({"a": 4})
    assert [step for step, _ in rows()] == [10, 11, 4, 5]


def test_commit_false_writes_at_once_and_does_not_advance_the_step(rows: Any) -> None:
    run = core.init()
    core.log({"a": 1}, commit=False)
    assert rows() == [(0, {"a": 1})]
    assert run.step == 0
    core.log({"b": 2})
    core.log({"a": 3})
    assert [step for step, _ in rows()] == [0, 0, 1]


def test_nested_mappings_flatten_with_a_dot(rows: Any) -> None:
    core.init()
    core.log({"train": {"loss": 1.0, "deep": {"er": 2}}, 5: 3.0})
    assert rows() == [(0, {"train.loss": 1.0, "train.deep.er": 2, "5": 3.0})]


def test_nan_and_infinities_survive(rows: Any) -> None:
    core.init()
    core.log({"a": math.nan, "b": math.inf, "c": -math.inf, "d": 1.0})
    core.log({"a": np.float32("nan"), "b": np.float64("inf"), "c": {"x": -math.inf}})
    (_, first), (_, second) = rows()
    assert math.isnan(first["a"])
    assert (first["b"], first["c"], first["d"]) == (math.inf, -math.inf, 1.0)
    assert math.isnan(second["a"])
    assert (second["b"], second["c.x"]) == (math.inf, -math.inf)


def test_two_infinities_that_would_cancel_in_a_sum_are_kept(rows: Any) -> None:
    core.init()
    core.log({"a": math.inf, "b": -math.inf})
    assert rows() == [(0, {"a": math.inf, "b": -math.inf})]


def test_finite_numbers_whose_sum_overflows_are_kept_exactly(rows: Any) -> None:
    core.init()
    core.log({"a": 1.7e308, "b": 1.7e308})
    assert rows() == [(0, {"a": 1.7e308, "b": 1.7e308})]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (True, 1),
        (2**53 + 1, 2**53 + 1),
        (-(2**63), -(2**63)),
        (2**70, float(2**70)),
        (Decimal("0.1"), 0.1),
        (Fraction(1, 3), 1 / 3),
        (np.float32(0.1), float(np.float32(0.1))),
        (np.float64(0.1), 0.1),
        (np.int64(-7), -7),
        (np.uint64(2**63), float(2**63)),
        (np.bool_(True), 1),
        (np.array(0.25), 0.25),
        (np.array([[3]]), 3),
        (5e-324, 5e-324),
    ],
)
def test_scalars_of_every_kind_keep_their_exact_value(value: Any, kept: Any, rows: Any) -> None:
    core.init()
    core.log({"x": value})
    ((_, row),) = rows()
    assert row["x"] == kept
    assert type(row["x"]) is type(kept)


@pytest.mark.parametrize(
    "value", ["text", None, [1, 2], (1,), {1}, 1j, np.zeros(3), object(), b"x", np.complex64(1)]
)
def test_a_value_that_is_no_number_is_named_once_and_the_rest_of_the_row_is_kept(
    value: Any, rows: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    core.init(settings={"quiet": True})
    for _ in range(3):
        core.log({"good": 1.5, "bad": value})
    assert [row for _, row in rows()] == [{"good": 1.5}] * 3
    said = capsys.readouterr().err
    assert said.count("'bad'") == 1, said


def test_an_object_whose_conversion_raises_does_not_raise_into_the_training(rows: Any) -> None:
    class Hostile:
        def __float__(self) -> float:
            raise RuntimeError("boom")

        def __str__(self) -> str:
            raise RuntimeError("boom")

        __repr__ = __str__

    core.init()
    core.log({"x": Hostile(), "y": 2})
    core.config.update({"x": Hostile()})
    assert rows() == [(0, {"y": 2})]


@pytest.mark.parametrize("data", [None, 3, "loss", [("a", 1)], object()])
def test_data_that_is_no_mapping_is_said_and_the_training_goes_on(
    data: Any, rows: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    core.init()
    core.log(data)
    core.log({"a": 1})
    assert [row for _, row in rows()] == [{"a": 1}]
    assert "takes a mapping" in capsys.readouterr().err


def test_any_mapping_will_do_and_none_is_changed(rows: Any) -> None:
    core.init()
    data = {"a": 1.0, "b": {"c": 2.0}}
    before = {"a": 1.0, "b": {"c": 2.0}}
    core.log(MappingProxyType(data))
    assert data == before
    assert rows() == [(0, {"a": 1.0, "b.c": 2.0})]


@pytest.mark.parametrize("step", ["x", 1.5, None.__class__, math.nan, 2**64])
def test_a_step_that_is_no_whole_number_is_said_and_the_row_is_kept(
    step: Any, rows: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    core.init()
    core.log({"a": 1}, step=step)
    assert rows() == [(0, {"a": 1})]
    assert "step" in capsys.readouterr().err


def test_numpy_and_whole_float_steps_are_steps(rows: Any) -> None:
    core.init()
    core.log({"a": 1}, step=np.int32(3))
    core.log({"a": 1}, step=4.0)  # type: ignore[arg-type]
    core.log({"a": 1}, step=-5)
    assert [step for step, _ in rows()] == [3, 4, -5]


def test_names_of_any_unicode_and_length_are_kept(rows: Any) -> None:
    names = [
        "ä/ö",
        "日本",
        "🦊",
        "a" * 10_000,
        '"quoted"',
        "<script>",
        "null",
        "new\nline",
        "\ud800",
    ]
    core.init()
    core.log(dict.fromkeys(names, 1.0))
    ((_, row),) = rows()
    assert list(row) == [*names[:-1], "?"]


def test_logging_before_init_says_what_to_do() -> None:
    with pytest.raises(NotStarted, match="init"):
        core.log({"a": 1})


def test_logging_after_finish_does_not_raise_and_is_said_once(
    rows: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run = core.init()
    core.log({"a": 1})
    core.finish()
    for _ in range(3):
        core.log({"a": 2})
        run.log({"a": 2})
    core.finish()
    run.finish()
    assert rows() == [(0, {"a": 1})]
    assert capsys.readouterr().err.count("not recorded") == 1


def test_ten_thousand_threads_worth_of_rows_get_each_step_once(rows: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    run = core.init()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: run.log({"n": number}), range(5000)))
    found = rows()
    assert sorted(step for step, _ in found) == list(range(5000))
    assert sorted(row["n"] for _, row in found) == list(range(5000))
