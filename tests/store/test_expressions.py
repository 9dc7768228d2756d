"""Formulas of metrics: read with their precedence, refused with the place, evaluated per step."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from feeding import START, Feeder, point

from outrider_server.expressions import ExpressionError, parse

if TYPE_CHECKING:
    from outrider_server.store import Store


def value(text: str, **metrics: float) -> float:
    """The value of an expression whose metrics each have one value."""
    return float(parse(text).node({name: np.array([one]) for name, one in metrics.items()})[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a - b - c", 2 - 3 - 5),
        ("a + b * c", 17),
        ("(a + b) * c", 25),
        ("a - -b", 5),
        ("-a ^ 2", -4),
        ("b ^ a ^ 2", 81),
        ("2 ** -a", 0.25),
        ("a / b / c", 2 / 3 / 5),
        ("max(a, min(b, c))", 3),
        ("abs(a - c) + sqrt(4*a+1)", 6),
        ("1e-1 * a", 0.2),
        ('"a" + a', 4),
    ],
)
def test_precedence_is_as_in_python(text: str, expected: float) -> None:
    assert value(text, a=2.0, b=3.0, c=5.0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("train/loss - val/loss", ["train/loss", "val/loss"]),
        ("train/loss-val/loss", ["train/loss", "val/loss"]),
        ("a /b", ["a", "b"]),
        ("a.b:c@d * 2", ["a.b:c@d"]),
        ('"with space / and \\"quote\\"" + größe', ['with space / and "quote"', "größe"]),
    ],
)
def test_names_may_hold_slashes(text: str, names: list[str]) -> None:
    assert list(parse(text).names) == names


@pytest.mark.parametrize(
    ("text", "at", "what"),
    [
        ("", 1, "is missing"),
        ("loss -", 7, "is missing"),
        ("loss $ 2", 6, "means nothing"),
        ("loss acc", 6, "not expected"),
        ("(loss", 6, "a ) is missing"),
        ("loss)", 5, "not expected"),
        ("foo(loss)", 1, "no function"),
        ("max(loss)", 1, "takes 2"),
        ('a + "loss', 5, "no end"),
        ("1 + 2", 1, "no metric"),
        ("(" * 60 + "a" + ")" * 60, 42, "nested"),
        ("-" * 60 + "a", 42, "nested"),
        ("2loss", 1, "means nothing"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, at: int, what: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(what)) as caught:
        parse(text)
    assert f"at character {at}" in str(caught.value)


def line(feeder: Feeder, text: str, **how: Any) -> dict[str, Any]:
    (found,) = feeder.store.series("p", text, [feeder.run], expression=text, **how)["series"]
    return found


def test_each_step_takes_the_last_value_known(feeder: Feeder) -> None:
    """A metric that is logged rarely stands until its next value; the line begins where all are."""
    feeder.log(*(point(step, **{"train/loss": float(step)}) for step in range(6)))
    feeder.log(point(2, **{"val/loss": 10.0}), point(4, **{"val/loss": 20.0}))
    found = line(feeder, "val/loss - train/loss")
    assert list(found["step"]) == [2, 3, 4, 5]
    assert list(found["last"]) == [8.0, 7.0, 16.0, 15.0]
    by_time = line(feeder, "val/loss - train/loss", x="relative", smooth="mean:1")
    assert list(by_time["x"]) == [2.0, 3.0, 4.0, 5.0]
    assert list(by_time["smooth"]) == [8.0, 7.0, 16.0, 15.0]
    assert list(by_time["time"]) == [START + 2, START + 3, START + 4, START + 5]


def test_what_is_no_number_is_a_mark(feeder: Feeder) -> None:
    feeder.log(point(0, a=1.0, b=0.0), point(1, a=0.0, b=0.0), point(2, a=6.0, b=2.0))
    found = line(feeder, "a / b")
    assert list(found["last"]) == [3.0]
    assert [(mark["step"], mark["value"]) for mark in found["marks"]] == [
        (0, "Infinity"),
        (1, "NaN"),
    ]


def test_many_points_come_in_buckets_that_hold_the_extremes(feeder: Feeder) -> None:
    feeder.log(*(point(step, a=float(step % 7), b=2.0) for step in range(3000)))
    found = line(feeder, "a ^ b", width=50)
    assert not found["exact"]
    assert found["count"].sum() == 3000
    assert found["max"].max() == 36.0


def test_a_metric_that_no_run_has_is_named_with_its_place(store: Store) -> None:
    Feeder(store, "r1").log(point(0, loss=1.0))
    answer = store.series("p", "x", ["r1"], expression="loss - val/los")
    assert answer["series"] == []
    assert answer["unknown"] == [{"name": "val/los", "at": 7}]
    assert json.dumps(answer)
