"""Configuration and rows of any make: no object is too odd, and none costs more than it holds."""

from __future__ import annotations

import math
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from outrider import plugins, values
from outrider.hooks import hookimpl


def held(count: int) -> dict[str, Any]:
    found: dict[str, Any] = {"n": 1}
    found.update({f"self{at}": found for at in range(count)})
    return found


def size(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(size, value.values()))
    return 1 + sum(map(size, value)) if isinstance(value, list) else 1


def test_what_holds_itself_many_times_is_cut_at_once() -> None:
    found = values.plain(held(8))
    assert found["n"] == 1
    assert found["self3"] == "<dict that holds itself>"
    assert size(found) == 10


def test_what_is_shared_is_kept_wherever_it_stands() -> None:
    shared = {"lr": 0.1}
    assert values.plain({"a": shared, "b": [shared, shared]}) == {
        "a": {"lr": 0.1},
        "b": [{"lr": 0.1}, {"lr": 0.1}],
    }


def test_layers_that_double_are_bounded() -> None:
    """Sixteen layers that each hold the next five times would be 10^11 values."""
    layer: Any = [1]
    for _ in range(15):
        layer = [layer] * 5
    assert size(values.plain(layer)) < 1_500_000


def test_a_row_that_holds_itself_is_said_and_the_rest_is_kept() -> None:
    kept, refused = values.points(held(8))
    assert kept == {"n": 1}
    assert len(refused) == 8
    assert refused[0] == ("self0", "holds itself")


class Model:
    """An object that can be called, as every torch module can."""

    def __init__(self, width: int) -> None:
        self.width = width

    def __call__(self) -> None:
        raise AssertionError


@hookimpl
def outrider_config(cls: type) -> Any:
    """What ``Model`` says of itself."""
    return (lambda value: {"width": value.width}) if cls is Model else None


@pytest.fixture
def plugin() -> Any:
    plugins.register(SimpleNamespace(outrider_config=outrider_config), "callables")
    yield
    plugins.unregister("callables")


def test_an_object_that_can_be_called_is_asked_of_the_plugins(plugin: None) -> None:
    assert values.plain({"model": Model(3)}) == {"model": {"width": 3}}


def test_an_object_that_can_be_called_and_nobody_knows_is_a_text() -> None:
    found = values.plain({"model": Model(3), "function": size, "method": {}.get})
    assert "Model object" in found["model"]
    assert found["function"].endswith("test_values_kept.size")
    assert "unreadable" not in str(found)


@pytest.mark.parametrize(
    "row",
    [
        {"a": math.nan, "b": math.inf, "c": -math.inf, "d": 1.5, "e": 3, "f": -0.0},
        {"a": math.nan, "big": 2**63 - 1, "small": -(2**63)},
        {"a": math.nan, "b/c": 1e308, "d.e": 5e-324},
    ],
)
def test_the_short_way_of_rows_with_nan_gives_what_the_careful_way_gives(row: Any) -> None:
    """A training whose loss has become NaN logs on, and its rows take a shorter way."""
    careful = values._Row({}, [], None)
    careful.flatten("", row, ())
    assert repr(values.spelled(row)) == repr(careful.kept)
    assert repr(values.points(row)) == repr((careful.kept, []))


@pytest.mark.parametrize("other", [True, None, "1", 2**63, [1.0], {"b": 1.0}, Decimal(1), 1j])
def test_the_short_way_is_for_plain_numbers_only(other: Any) -> None:
    """And for names that are plain: anything else is looked at with care."""
    assert values.spelled({"a": math.nan, "x": other}) is None
    for name in ("", "ü", "\ud800", 3):
        assert values.spelled({"a": math.nan, name: 1.0}) is None


@pytest.mark.parametrize("value", ["3", None, 1.5, [1], 1 << 70])
def test_what_is_no_step_is_named_with_what_a_step_is(value: object) -> None:
    """Not only that it is no number."""
    with pytest.raises(values.NotANumber, match="a step must be a whole number of 64 bits, not"):
        values.step(value)
