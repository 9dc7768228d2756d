"""Configuration and rows of any make: no object is too odd, and none costs more than it holds."""

from __future__ import annotations

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
