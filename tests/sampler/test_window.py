"""Averages over a window."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.sampler.rates import Counters
from outrider.sampler.window import Window


def test_a_gauge_is_averaged_by_the_time_that_each_reading_stands_for() -> None:
    """A late sample counts as long as it stood."""
    window = Window()
    window.add({"a": 10.0}, 2.0)
    window.add({"a": 40.0}, 4.0)
    assert window.row() == {"a": 30.0}
    assert window.seconds == 6.0


def test_a_key_that_ends_in_max_keeps_the_peak_that_the_mean_hides() -> None:
    """And one that ends in min keeps the trough."""
    window = Window()
    for value in (5.0, 90.0, 10.0):
        window.add({"m": value, "m.max": value, "m.min": value}, 2.0)
    assert window.row() == {"m": 35.0, "m.max": 90.0, "m.min": 5.0}


def test_a_key_that_is_missing_from_some_samples_is_averaged_over_the_others() -> None:
    """A GPU that vanished for a moment does not pull its mean to zero."""
    window = Window()
    window.add({"a": 4.0, "b": 1.0}, 2.0)
    window.add({"b": 3.0}, 2.0)
    assert window.row() == {"a": 4.0, "b": 2.0}


def test_what_is_not_finite_is_left_out() -> None:
    """A broken sensor's NaN does not spoil the window."""
    window = Window()
    window.add({"a": float("nan"), "b": float("inf")}, 2.0)
    window.add({"a": 2.0}, 2.0)
    assert window.row() == {"a": 2.0}


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.tuples(st.integers(0, 10**6), st.floats(0.1, 10)), min_size=1, max_size=40))
def test_the_mean_of_rates_is_the_growth_over_the_whole_window(
    samples: list[tuple[int, float]],
) -> None:
    """However unevenly the samples came, no byte is counted twice or missed."""
    now = total = 0.0
    counters = Counters(clock=lambda: now)
    counters.rates({"bytes": 0.0})
    window = Window()
    for grown, elapsed in samples:
        now += elapsed
        total += grown
        window.add(counters.rates({"bytes": total}), elapsed)
    assert window.row()["bytes"] == pytest.approx(total / now, rel=1e-6, abs=0.5)


def test_a_counter_that_went_back_has_no_rate_rather_than_a_wrong_one() -> None:
    """A replaced device begins again from zero."""
    now = 0.0
    counters = Counters(clock=lambda: now)
    counters.rates({"a": 100.0, "b": 1.0})
    now = 2.0
    assert counters.rates({"a": 3.0, "b": 5.0, "c": 7.0}) == {"b": 2.0}
    now = 3.0
    assert counters.rates({"a": 4.0, "b": 5.0, "c": 7.0}) == {"a": 1.0, "b": 0.0, "c": 0.0}
