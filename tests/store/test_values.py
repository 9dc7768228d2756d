"""Numbers come back as they were logged, to the last bit."""

from __future__ import annotations

from math import inf, isnan, nan

import numpy as np
import pytest
from feeding import START, Feeder, lines
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from outrider_server import buckets
from outrider_server.store import codec
from outrider_server.store.values import cell, flat, value_of

LARGE = 2**53 + 1


@pytest.mark.parametrize(
    "values",
    [
        [0.1, 1 / 3, 1e-320, -0.0, 1.7976931348623157e308],
        [0.5, 1.25, -3.0],
        [nan, inf, -inf, 1.0],
        [LARGE, LARGE + 2, -LARGE, 3],
        [LARGE, 0.5, nan, 2**63 - 1, -(2**63)],
        [True, False, 1],
        [2**63, 1.5e30],
    ],
)
def test_values_come_back_exactly(feeder: Feeder, folds_early: None, values: list[float]) -> None:
    """From the tail and, once folded, from chunks."""
    rows = [{"t": START + n, "s": n, "p": {"x": value}} for n, value in enumerate(values * 4)]
    feeder.send(lines(*rows))
    feeder.row()
    feeder.send(lines({"t": START + 99, "s": 99, "p": {"x": 1.0}}))
    found = [float(v) if isinstance(v, str) else v for v in feeder.points("x")["values"]][:-1]
    for one, two in zip(found, values * 4, strict=True):
        assert one == two or (isnan(one) and isnan(two))
        assert str(float(one)) == str(float(two))


def test_what_packs_well_is_packed_with_care() -> None:
    """Percents and the like: as small beside others as alone."""
    chance = np.random.default_rng(3)
    percents = np.round(chance.uniform(80, 100, (8, 2000)))
    packed = codec.pack_columns(percents, [{}] * len(percents))
    for column, (kind, body) in zip(percents, packed, strict=True):
        assert codec.unpack_values(kind, body)[0].tolist() == column.tolist()
        assert len(body) < 0.8 * len(column)


@given(hnp.arrays(np.float64, st.integers(1, 300)))
def test_floats_are_packed_without_loss(values: np.ndarray) -> None:
    kind, body = codec.pack_values(values, {})
    found, exact = codec.unpack_values(kind, body)
    assert exact == {}
    assert np.array_equal(found, values, equal_nan=True)
    assert (np.signbit(found) == np.signbit(values)).all() or np.isnan(values).any()


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_integers_are_packed_without_loss(numbers: list[int]) -> None:
    values = np.array([float(number) for number in numbers])
    exact = {n: number for n, number in enumerate(numbers) if int(float(number)) != number}
    found, beside = codec.unpack_values(*codec.pack_values(values, exact))
    assert [beside.get(n, int(found[n])) for n in range(len(numbers))] == numbers


@given(hnp.arrays(np.int64, st.integers(1, 100)), hnp.arrays(np.float64, st.integers(1, 100)))
def test_steps_and_times_are_packed_without_loss(steps: np.ndarray, times: np.ndarray) -> None:
    assert (codec.unpack_ints(codec.pack_ints(steps)) == steps).all()
    assert codec.unpack_times(codec.pack_times(times)).tobytes() == times.tobytes()


def test_a_column_of_float32_takes_about_four_bytes_a_value() -> None:
    values = np.random.default_rng(0).standard_normal(2048).astype(np.float32).astype(float)
    assert len(codec.pack_values(values, {})[1]) < 4.1 * 2048


finite_or_not = st.one_of(st.floats(-1e300, 1e300), st.sampled_from([nan, inf, -inf]))


@given(st.lists(finite_or_not, min_size=1, max_size=80), st.integers(1, 9), st.integers(1, 4))
def test_buckets_say_what_their_values_say(values: list[float], size: int, join: int) -> None:
    """Also after they were joined, and also where some, or all, are not finite."""
    column = np.array(values)
    fine = buckets.build(column, buckets.edges(len(column), size))
    table = buckets.merge(fine, buckets.edges(fine.shape[1], join))
    for at in range(table.shape[1]):
        begin = at * size * join
        part = column[begin : begin + size * join]
        told = part[np.isfinite(part)]
        seen = table[:, at]
        assert seen[buckets.COUNT] == len(told)
        assert seen[buckets.NANS] == np.isnan(part).sum()
        assert seen[buckets.ABOVE] == np.isposinf(part).sum()
        assert seen[buckets.BELOW] == np.isneginf(part).sum()
        if not len(told):
            assert np.isnan(seen[: buckets.MEAN + 1]).all()
            continue
        assert seen[buckets.FIRST] == told[0]
        assert seen[buckets.LAST] == told[-1]
        assert seen[buckets.LOW] == told.min() == column[int(seen[buckets.LOW_AT])]
        assert seen[buckets.HIGH] == told.max() == column[int(seen[buckets.HIGH_AT])]
        scale = np.abs(told).max()
        assert abs(seen[buckets.MEAN] - (told / len(told)).sum()) <= 1e-12 * scale


@pytest.mark.parametrize(
    "value",
    [
        1,
        -1.5,
        True,
        False,
        None,
        "text",
        "x" * 1000,
        "",
        LARGE,
        1e308,
        "NaN",
        "-Infinity",
        [1, "a"],
        {},
    ],
)
def test_a_cell_gives_back_its_value(value: object) -> None:
    assert value_of(cell(value)) == value
    assert type(value_of(cell(value))) is type(value)


def test_nested_values_are_flattened_with_dots() -> None:
    nested = {"a": {"b": {"c": 1}, "d": [2]}, "e.f": 3, "g": {}}
    assert dict(flat(nested)) == {"a.b.c": 1, "a.d": [2], "e.f": 3, "g": {}}
