"""Charts: exact where points are few, else buckets that lose no extreme."""

from __future__ import annotations

from contextlib import closing
from math import nan
from typing import Any

import numpy as np
import orjson
import pytest
from feeding import START, Feeder, head, lines, point
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.errors import NotFound, UsageError
from outrider_server.query import SeriesQuery
from outrider_server.smoothing import averaged
from outrider_server.store import Store
from outrider_server.store.database import connect
from waiting import eventually

COUNT = 9000
SPIKE = 4321


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run of 9,000 steps, half a second each, with one spike of one step."""
    with Store.open(tmp_path_factory.mktemp("noisy")) as store:
        feeder = Feeder(store)
        values = np.random.default_rng(1).standard_normal(COUNT)
        values[SPIKE] = 1000.0
        for begin in range(0, COUNT, 300):
            feeder.log(
                *(
                    point(step, START + step / 2, loss=float(values[step]), epoch=step // 100)
                    for step in range(begin, begin + 300)
                )
            )
        feeder.row()
        yield feeder, values


def test_few_points_come_one_by_one(feeder: Feeder) -> None:
    feeder.log(point(0, loss=1.0), point(3, loss=2.0), point(4, loss=0.5))
    line = feeder.line("loss")
    assert line["exact"]
    assert line["total"] == 3
    assert list(line["x"]) == list(line["step"]) == [0, 3, 4]
    assert list(line["time"]) == [START, START + 3, START + 4]
    assert list(line["last"]) == [1.0, 2.0, 0.5]
    assert "min" not in line


def test_many_points_come_as_at_most_one_bucket_a_pixel(noisy: Any) -> None:
    feeder, values = noisy
    line = feeder.line("loss", width=200)
    assert not line["exact"]
    assert line["total"] == line["count"].sum() == COUNT
    assert len(line["x"]) <= 200
    assert (np.diff(line["x"]) > 0).all()
    assert (line["min"] <= line["mean"]).all()
    assert (line["mean"] <= line["max"]).all()
    assert np.average(line["mean"], weights=line["count"]) == pytest.approx(values.mean())
    assert line["last"][-1] == values[-1]


@pytest.mark.parametrize("width", [1, 7, 50, 333, 1000, 4000])
@pytest.mark.parametrize("x", ["step", "wall", "relative"])
def test_a_spike_of_one_step_is_never_lost(noisy: Any, width: int, x: str) -> None:
    feeder, values = noisy
    line = feeder.line("loss", width=width, x=x)
    assert line["max"].max() == 1000.0
    assert line["min"].min() == values.min()
    at = {"step": SPIKE, "wall": START + SPIKE / 2, "relative": SPIKE / 2}[x]
    span = COUNT / (1 if x == "step" else 2)
    shown = line["x"][int(line["max"].argmax())]
    assert abs(shown - at) <= 1.5 * span / width


@pytest.mark.parametrize("width", [600, 5])
def test_a_chart_that_is_looked_at_while_its_chunk_grows_misses_nothing(
    feeder: Feeder, store: Store, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """A small chunk is taken back and written again, longer, under the number that it had."""
    monkeypatch.setattr("outrider_server.store.track.FOLD_STEPS", 50)
    monkeypatch.setattr("outrider_server.buckets.FINE", 2)
    with closing(connect(store.path, reads_only=True)) as db:
        for count in range(50, 301, 50):
            feeder.log(*(point(step, loss=float(step)) for step in range(count - 50, count)))
            folded = db.execute
            eventually(lambda: folded("SELECT points FROM axis").fetchall() == [(count,)])  # noqa: B023
            line = feeder.line("loss", width=width)
            assert line["exact"] == (width == 600)
            assert line["total"] == count
            assert line["last"][-1] == line["step"][-1] == count - 1
            assert line["time"][-1] == START + count - 1


def test_a_tail_that_is_looked_at_while_it_grows_shows_all_of_it(feeder: Feeder) -> None:
    """Whatever comes behind: the same metrics, some of them, others, another attempt's, odd values."""
    told: dict[str, list[float]] = {"a": [], "b": [], "c": []}
    kinds = ["ab", "ab", "a", "ab", "b", "abc", "abc", "ab", "c", "abc"]
    step = 0
    for attempt, writer in ((1, "w"), (2, "v"), (1, "w")):
        if step < 2 * len(kinds):
            feeder.log(head(writer, attempt), writer=writer)
        for keys in kinds:
            records = []
            for _ in range(2):
                value = 2**60 + step if step % 7 == 0 else nan if step % 5 == 0 else step / 3
                records.append(point(step, **dict.fromkeys(keys, value)))
                for key in keys:
                    told[key].append(value)
                step += 1
            feeder.log(*records, writer=writer)
            for key, values in told.items():
                if values:
                    line = feeder.line(key)
                    assert list(line["last"]) == [float(one) for one in values if one == one]
                    assert line["total"] == len(values)
                    points = ["NaN" if one != one else one for one in values]
                    assert list(feeder.points(key)["values"]) == points


def test_pixels_are_the_same_for_all_runs_of_a_chart(store: Store) -> None:
    one, two = Feeder(store, "one"), Feeder(store, "two")
    one.log(*(point(step, loss=step) for step in range(5000)))
    two.log(*(point(step, loss=step) for step in range(1000, 9000, 2)))
    answer = store.series("p", "loss", ["one", "two"], width=100)
    first, second = answer["series"]
    assert [first["run"], second["run"]] == ["one", "two"]
    assert len(set(first["x"]) & set(second["x"])) > 40


def test_a_window_is_fetched_in_detail(noisy: Any) -> None:
    feeder, values = noisy
    line = feeder.line("loss", low=SPIKE - 20, high=SPIKE + 20, width=600)
    assert line["exact"]
    assert list(line["step"]) == list(range(SPIKE - 20, SPIKE + 21))
    assert list(line["last"]) == list(values[SPIKE - 20 : SPIKE + 21])
    wide = feeder.line("loss", low=1000, high=8000, width=300)
    assert wide["total"] == 7001
    assert wide["max"].max() == 1000.0
    assert 1000 <= wide["x"][0] <= wide["x"][-1] <= 8000


def test_an_empty_window_and_an_unknown_metric_give_nothing(noisy: Any) -> None:
    feeder, _ = noisy
    assert feeder.line("loss", low=COUNT + 5, high=COUNT + 9)["total"] == 0
    answer = feeder.store.series("p", "nothing", ["r1", "nobody"])
    assert answer["series"] == []
    assert answer["missing"] == ["nobody"]


def test_many_metrics_are_answered_as_each_alone_in_their_order(store: Store) -> None:
    feeder = Feeder(store)
    feeder.log(*(point(step, loss=step, acc=-step) for step in range(3000)))
    query = SeriesQuery("", ["r1", "nobody"], low=100, high=2900, width=40)
    many = feeder.store.many_series("p", ["acc", "nothing", "loss"], query)
    alone = [
        store.series("p", key, query.runs, low=100, high=2900, width=40)
        for key in ("acc", "nothing", "loss")
    ]
    assert orjson.dumps(many, option=orjson.OPT_SERIALIZE_NUMPY) == orjson.dumps(
        alone, option=orjson.OPT_SERIALIZE_NUMPY
    )
    assert [len(one["series"]) for one in many] == [1, 0, 1]


def test_x_may_be_time_or_another_metric(noisy: Any) -> None:
    feeder, values = noisy
    wall = feeder.line("loss", x="wall", low=START + 10, high=START + 20)
    assert list(wall["x"]) == [START + 10 + n / 2 for n in range(21)]
    relative = feeder.line("loss", x="relative", low=10, high=20)
    assert list(relative["x"]) == [10 + n / 2 for n in range(21)]
    assert list(relative["step"]) == list(range(20, 41))
    epoch = feeder.line("loss", x="metric:epoch", low=3, high=3)
    assert list(epoch["step"]) == list(range(300, 400))
    assert set(epoch["x"]) == {3.0}
    assert list(epoch["last"]) == list(values[300:400])


def test_another_metric_as_x_holds_until_it_is_logged_again(feeder: Feeder) -> None:
    feeder.log(point(0, loss=9), point(1, epoch=1), point(2, loss=8), point(5, epoch=2))
    feeder.log(point(5, loss=7), point(7, loss=6))
    line = feeder.line("loss", x="metric:epoch")
    assert list(line["x"]) == [1, 2, 2]
    assert list(line["last"]) == [8, 7, 6]


@pytest.mark.parametrize("x", ["weather", "metric", ""])
def test_an_x_that_means_nothing_is_refused(feeder: Feeder, x: str) -> None:
    with pytest.raises(UsageError, match="step, relative, wall or metric:NAME"):
        feeder.store.series("p", "loss", ["r1"], x=x)


@pytest.mark.parametrize(
    "smooth",
    ["ema", "ema:1", "ema:-1", "mean:0", "mean:2.5", "gauss:0", "box:3", "ema:x", "ema:nan"],
)
def test_a_smoothing_that_means_nothing_is_refused(feeder: Feeder, smooth: str) -> None:
    with pytest.raises(UsageError, match=r"ema:0\.9"):
        feeder.store.series("p", "loss", ["r1"], smooth=smooth)


def test_values_that_are_not_finite_become_marks(feeder: Feeder) -> None:
    feeder.log(point(0, loss=1.0), point(1, loss=nan), point(2, loss=float("inf")))
    feeder.log(point(3, loss=float("-inf")), point(4, loss=2.0))
    line = feeder.line("loss")
    assert list(line["step"]) == [0, 4]
    assert [(mark["step"], mark["value"], mark["count"]) for mark in line["marks"]] == [
        (1, "NaN", 1),
        (2, "Infinity", 1),
        (3, "-Infinity", 1),
    ]
    assert line["total"] == 5


def test_marks_are_kept_in_buckets_and_never_touch_the_extremes(feeder: Feeder) -> None:
    """A run that diverges half-way: thousands of NaN are a few marks, counted."""
    feeder.log(*(point(step, loss=nan if step >= 3000 else step) for step in range(6000)))
    line = feeder.line("loss", width=10)
    assert line["total"] == 6000
    assert line["max"].max() == 2999
    assert np.isfinite(line["mean"]).all()
    assert sum(mark["count"] for mark in line["marks"]) == 3000
    assert len(line["marks"]) <= 10
    assert {mark["value"] for mark in line["marks"]} == {"NaN"}


def test_steps_out_of_order_are_kept_and_shown_in_order(feeder: Feeder) -> None:
    feeder.log(point(5, START, a=5), point(1, START + 1, a=1), point(3, START + 2, a=3))
    assert list(feeder.line("a")["step"]) == [1, 3, 5]
    assert list(feeder.points("a")["steps"]) == [5, 1, 3]


def test_of_a_step_logged_twice_the_latest_shows_and_both_are_kept(feeder: Feeder) -> None:
    feeder.log(point(1, START + 9, a=1.0), writer="w1")
    feeder.log(point(1, START + 5, a=2.0), point(1, START + 9, a=3.0), writer="w2")
    assert list(feeder.line("a")["last"]) == [3.0]
    assert list(feeder.points("a")["values"]) == [1.0, 2.0, 3.0]
    assert feeder.row()["summary"] == {"a": 3.0}


def test_interleaving_writers_make_one_line(feeder: Feeder) -> None:
    """Two ranks that log every other step, thousands of them."""
    for begin in range(0, 6000, 100):
        for rank in (0, 1):
            steps = range(begin + rank, begin + 100, 2)
            feeder.log(*(point(step, loss=step) for step in steps), writer=f"w{rank}")
    line = feeder.line("loss", low=0, high=500)
    assert list(line["last"]) == list(range(501))
    assert feeder.line("loss", width=50)["count"].sum() == 6000


def test_a_rewind_hides_the_tail_and_deletes_nothing(feeder: Feeder) -> None:
    feeder.log(head("w1"), *(point(step, loss=step) for step in range(3000)), writer="w1")
    feeder.log(
        head("w2", 2),
        {"t": START + 3000, "k": "attempt", "a": 2, "rewind": 2500},
        *(point(step, START + 4000 + step, loss=-step) for step in range(2501, 2600)),
        writer="w2",
    )
    line = feeder.line("loss", low=2498, high=2503)
    assert list(line["last"]) == [2498, 2499, 2500, -2501, -2502, -2503]
    assert feeder.line("loss", width=20)["count"].sum() == 2600
    assert feeder.line("loss", width=20)["max"].max() == 2500
    assert len(feeder.points("loss")["steps"]) == 3099
    row = feeder.row()
    assert row["summary"] == {"loss": -2599}
    (metric,) = row["metrics"]
    assert (metric["min"], metric["max"], metric["points"]) == (-2599, 2500, 3099)
    assert [(item["a"], item["rewind"]) for item in row["attempts"]] == [(1, None), (2, 2500)]


def test_points_of_a_hidden_tail_that_come_late_stay_hidden(feeder: Feeder) -> None:
    feeder.log(head("w1"), point(1, a=1), writer="w1")
    feeder.log(head("w2", 2), {"t": START, "k": "attempt", "a": 2, "rewind": 1}, writer="w2")
    feeder.log(point(2, START + 99, a=99), writer="w1")
    assert list(feeder.line("a")["last"]) == [1]
    assert feeder.row()["summary"] == {"a": 1}
    assert list(feeder.points("a")["values"]) == [1, 99]


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(nan)), max_size=600), st.floats(0, 0.99))
@settings(deadline=None)
def test_smoothing_is_the_debiased_moving_average(values: list[float], weight: float) -> None:
    total, count, expected = 0.0, 0, []
    for value in values:
        if value == value:
            count += 1
            total = weight * total + (1 - weight) * value
        expected.append(total / (1 - weight**count) if value == value else nan)
    found = averaged(np.array(values, float), weight)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-6)


def test_smoothing_is_over_all_points_whatever_is_shown(noisy: Any) -> None:
    feeder, values = noisy
    smooth = averaged(values, 0.9)
    window = feeder.line("loss", low=5000, high=5100, smooth="ema:0.9")
    assert list(window["smooth"]) == list(smooth[5000:5101])
    wide = feeder.line("loss", width=100, smooth="ema:0.9")
    assert list(wide["smooth"]) == list(smooth[wide["step"]])


def test_system_series_lie_on_wall_time(feeder: Feeder) -> None:
    for n in range(5):
        sample = {"system/cpu": n * 1.5, "system/memory": 7}
        feeder.log({"t": START + 30 * n, "k": "sys", "d": 30.0, "p": sample}, writer="s")
    cpu, memory = feeder.store.system("p", "r1")["series"]
    assert (cpu["key"], memory["key"]) == ("system/cpu", "system/memory")
    assert list(cpu["x"]) == [START + 30 * n for n in range(5)]
    assert list(cpu["last"]) == [0, 1.5, 3, 4.5, 6]
    assert feeder.row()["metrics"] == []
    assert feeder.row()["summary"] == {}
    assert list(feeder.points("system/cpu", system=True)["times"]) == list(cpu["x"])
    (one,) = feeder.store.system("p", "r1", key="system/cpu", low=START + 60)["series"]
    assert one["total"] == 3


def test_points_come_in_pages_that_join_without_a_seam(
    feeder: Feeder, folds_early: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while the tail is folded between two pages."""
    monkeypatch.setattr("outrider_server.store.series.read_points.__kwdefaults__", _pages_of(10))
    for step in range(20):
        feeder.log(point(step, a=step))
    found, cursor = [], None
    while True:
        page = feeder.points("a", cursor=cursor)
        found += list(page["steps"])
        cursor = page["next"]
        if cursor is None:
            break
        if len(found) < 40:
            feeder.log(*(point(20 + len(found) + n, a=1.0) for n in range(3)))
    assert found[:20] == list(range(20))
    assert len(found) == len(set(found))


def _pages_of(most: int) -> dict[str, Any]:
    from outrider_server.store.series import read_points

    return {**(read_points.__kwdefaults__ or {}), "most": most}


def test_points_may_be_asked_for_by_step(feeder: Feeder) -> None:
    feeder.log(*(point(step, a=step) for step in range(10)))
    assert list(feeder.points("a", min_step=3, max_step=5)["steps"]) == [3, 4, 5]


def test_points_of_a_metric_that_is_not_there_are_not_found(feeder: Feeder) -> None:
    with pytest.raises(NotFound, match="nothing"):
        feeder.points("nothing")
    feeder.log(point(0, a=1))
    with pytest.raises(UsageError):
        feeder.points("a", cursor="the third")


def test_long_and_odd_keys_are_keys_like_others(feeder: Feeder) -> None:
    keys = ["x" * 100_000, "größe/µ", 'with "quotes"', "a.b", " ", "\x00"]
    feeder.send(lines({"t": START, "s": 0, "p": {key: n for n, key in enumerate(keys)}}))
    for n, key in enumerate(keys):
        assert list(feeder.points(key)["values"]) == [n]
        assert feeder.row()["summary"][key] == n


def test_who_looks_after_every_batch_never_sees_what_was(
    feeder: Feeder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small chunks are taken back and written again, longer: nothing kept of them may be shown."""
    monkeypatch.setattr("outrider_server.store.track.FOLD_BATCHES", 16)
    step = 0
    for turn in range(120):
        more = {"other": 1.0} if turn % 3 else {}
        feeder.log(*(point(step + n, loss=(step + n) / 7, **more) for n in range(10)))
        step += 10
        found = feeder.points("loss")
        assert list(found["steps"]) == list(range(step)), turn
        assert list(found["values"]) == [n / 7 for n in range(step)], turn
        assert list(feeder.line("loss", width=10_000)["step"]) == list(range(step)), turn
        assert feeder.line("loss", width=20)["last"][-1] == (step - 1) / 7
