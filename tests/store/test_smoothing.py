"""Smoothing is over all points, and does what its name says."""

from __future__ import annotations

import numpy as np
import pytest
from feeding import Feeder, point

from outrider_server.smoothing import smoothing

VALUES = np.random.default_rng(3).standard_normal(500) + 1e6


def smoothed(text: str, values: np.ndarray) -> np.ndarray:
    how = smoothing(text)
    assert how is not None
    return how.of(values)


@pytest.mark.parametrize("points", [1, 2, 7, 20, 400, 5000])
def test_a_running_mean_is_the_mean_of_the_points_round_each(points: int) -> None:
    found = smoothed(f"mean:{points}", VALUES)
    before, after = (points - 1) // 2, points // 2
    for at in range(0, 500, 37):
        window = VALUES[max(0, at - before) : at + after + 1]
        assert found[at] == pytest.approx(window.mean(), rel=1e-13)


@pytest.mark.parametrize("deviation", [0.5, 3.0, 40.0, 900.0])
def test_a_gaussian_weighs_neighbours_by_the_normal_curve(deviation: float) -> None:
    found = smoothed(f"gauss:{deviation}", VALUES)
    for at in range(0, 500, 37):
        weights = np.exp(-0.5 * ((np.arange(500) - at) / deviation) ** 2)
        weights[np.abs(np.arange(500) - at) > np.ceil(4 * deviation)] = 0
        assert found[at] == pytest.approx(np.average(VALUES, weights=weights), rel=1e-12)


@pytest.mark.parametrize("text", ["ema:0.9", "mean:9", "gauss:4"])
def test_values_that_are_no_number_are_passed_over(text: str) -> None:
    holes = VALUES.copy()
    holes[[0, 100, 101, 499]] = [np.nan, np.inf, -np.inf, np.nan]
    found = smoothed(text, holes)
    finite = np.isfinite(holes)
    assert np.isnan(found[~finite]).all()
    np.testing.assert_allclose(found[finite], smoothed(text, holes[finite]))


@pytest.mark.parametrize("text", ["mean:31", "gauss:10"])
def test_a_chart_shows_what_all_points_give_however_few_pixels_it_has(
    feeder: Feeder, text: str
) -> None:
    feeder.log(*(point(step, loss=float(value)) for step, value in enumerate(VALUES)))
    line = feeder.line("loss", width=20, smooth=text)
    assert not line["exact"]
    whole = smoothed(text, VALUES)
    ends = np.cumsum(line["count"]) - 1
    np.testing.assert_allclose(line["smooth"], whole[ends])
