"""Groups: a line and a band over all runs of a group, whatever their number and steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from feeding import START, Feeder, point

from outrider.errors import NotFound, UsageError
from outrider_server.expressions import parse
from outrider_server.filters import FilterError
from outrider_server.groups import GroupQuery, band_of, group_field
from outrider_server.query import SeriesQuery
from outrider_server.smoothing import Smoothing, averaged
from outrider_server.store import grouped
from waiting import eventually

if TYPE_CHECKING:
    from outrider_server.store import Store

STEPS = 40


def ask(store: Store, by: str = "config.lr", key: str = "loss", **how: Any) -> dict[str, Any]:
    lines = SeriesQuery(key, (), **how.pop("lines", {}))
    band, quantile = band_of(how.pop("band", "minmax"))
    query = GroupQuery(lines, group_field(by), band=band, quantile=quantile, **how)
    return store.groups("p", query)


@pytest.fixture
def seeds(store: Store) -> tuple[Store, dict[float, np.ndarray]]:
    """Two learning rates with six and three seeds, tags, a group each, and one run without lr."""
    values: dict[float, list[np.ndarray]] = {}
    random = np.random.default_rng(7)
    for seed in range(9):
        lr = 0.1 if seed < 6 else 0.01
        tags = ["odd" if seed % 2 else "even", *(["first"] if seed == 0 else [])]
        feeder = Feeder(store, f"seed{seed}", group="big" if seed < 6 else "small", tags=tags)
        series = random.standard_normal(STEPS)
        feeder.log(
            {"t": START, "k": "config", "c": {"lr": lr, "seed": seed}},
            *(point(step, loss=float(one), twice=2.0) for step, one in enumerate(series)),
        )
        values.setdefault(lr, []).append(series)
    Feeder(store, "plain").log(point(0, other=1.0))
    return store, {lr: np.array(rows) for lr, rows in values.items()}


EXPECTED: dict[str, Any] = {
    "minmax": lambda rows, mid: (rows.min(axis=0), rows.max(axis=0)),
    "std": lambda rows, mid: (mid - rows.std(axis=0, ddof=1), mid + rows.std(axis=0, ddof=1)),
    "stderr": lambda rows, mid: (
        mid - rows.std(axis=0, ddof=1) / len(rows) ** 0.5,
        mid + rows.std(axis=0, ddof=1) / len(rows) ** 0.5,
    ),
    "quantiles:0.1": lambda rows, mid: (
        np.quantile(rows, 0.1, axis=0),
        np.quantile(rows, 0.9, axis=0),
    ),
    "none": lambda rows, mid: (mid, mid),
}


@pytest.mark.parametrize("band", EXPECTED)
@pytest.mark.parametrize("centre", ["mean", "median"])
def test_line_and_band_are_those_of_all_runs(seeds: Any, band: str, centre: str) -> None:
    store, values = seeds
    answer = ask(store, band=band, centre=centre)
    assert [group["value"] for group in answer["groups"]] == [0.01, 0.1, None]
    for group in answer["groups"][:2]:
        rows = values[group["value"]]
        mid = getattr(np, centre)(rows, axis=0)
        low, high = EXPECTED[band](rows, mid)
        assert list(group["x"]) == list(range(STEPS))
        np.testing.assert_allclose(group["mid"], mid)
        np.testing.assert_allclose(group["low"], low)
        np.testing.assert_allclose(group["high"], high)
        assert list(group["n"]) == [len(rows)] * STEPS
        assert len(group["members"]) == group["runs"] == group["of"] == len(rows)
    assert (answer["groups"][2]["runs"], answer["groups"][2]["of"]) == (0, 1)


def test_runs_are_grouped_by_what_they_are_too(seeds: Any) -> None:
    store, _ = seeds
    counts = {
        by: {group["value"]: group["runs"] for group in ask(store, by)["groups"]}
        for by in ("group", "tags", "job_type", "config.nothing")
    }
    assert counts["group"] == {"big": 6, "small": 3, None: 0}
    assert counts["tags"] == {"even": 5, "odd": 4, "first": 1, None: 0}
    assert counts["job_type"] == counts["config.nothing"] == {None: 9}


def test_the_filter_says_which_runs_count(seeds: Any) -> None:
    store, values = seeds
    (group,) = ask(store, filter="config.seed < 2")["groups"]
    np.testing.assert_allclose(group["mid"], values[0.1][:2].mean(axis=0))
    with pytest.raises(FilterError, match="at character"):
        ask(store, filter="config.seed <")


def test_between_its_points_a_run_counts_with_the_straight_line(store: Store) -> None:
    """And neither before its first nor behind its last."""
    Feeder(store, "dense").log(*(point(step, loss=0.0) for step in range(11)))
    Feeder(store, "sparse").log(point(2, loss=4.0), point(6, loss=8.0))
    (group,) = ask(store, "group", band="none")["groups"]
    assert list(group["n"]) == [1, 1, 2, 2, 2, 2, 2, 1, 1, 1, 1]
    assert list(group["mid"]) == [0, 0, 2, 2.5, 3, 3.5, 4, 0, 0, 0, 0]


def test_a_spike_of_one_run_among_many_points_is_in_the_band(store: Store) -> None:
    for run in range(3):
        values = np.zeros(5000)
        values[1234] = 99.0 if run == 1 else 0.0
        Feeder(store, f"r{run}").log(
            *(point(step, loss=float(value)) for step, value in enumerate(values))
        )
    (group,) = ask(store, "group", lines={"width": 100})["groups"]
    assert len(group["x"]) <= 100
    assert group["high"].max() == 99.0
    assert set(group["n"]) == {3}


def test_what_is_no_number_is_left_out_and_counted(store: Store) -> None:
    for run, value in (("one", "NaN"), ("two", "NaN"), ("three", 3.0)):
        Feeder(store, run).log(point(0, loss=1.0), point(1, loss=value), point(2, loss=5.0))
    (group,) = ask(store, "group")["groups"]
    assert [(mark["x"], mark["value"], mark["count"]) for mark in group["marks"]] == [(1, "NaN", 2)]
    np.testing.assert_allclose(group["mid"], [1, 3, 5])


def test_smoothing_is_done_in_each_run_over_all_of_its_points(seeds: Any) -> None:
    store, values = seeds
    answer = ask(store, lines={"smooth": Smoothing("ema", 0.8)})
    rows = np.array([averaged(row, 0.8) for row in values[0.1]])
    np.testing.assert_allclose(answer["groups"][1]["smooth"], rows.mean(axis=0))
    np.testing.assert_allclose(answer["groups"][1]["mid"], values[0.1].mean(axis=0))


def test_expressions_and_other_axes_are_grouped_as_well(seeds: Any) -> None:
    store, values = seeds
    answer = ask(store, lines={"expression": parse("loss * twice"), "x": "relative"})
    np.testing.assert_allclose(answer["groups"][1]["mid"], 2 * values[0.1].mean(axis=0))
    assert list(answer["groups"][1]["x"]) == list(range(STEPS))


def test_many_groups_are_cut_and_counted(store: Store) -> None:
    for run in range(60):
        Feeder(store, f"r{run}").log(
            {"t": START, "k": "config", "c": {"seed": run}}, point(0, loss=1.0)
        )
    answer = ask(store, "config.seed")
    assert (len(answer["groups"]), answer["left_out"], answer["runs"]) == (50, 10, 60)


@pytest.mark.parametrize("band", ["box", "quantiles:0.5", "quantiles:x", "std:2"])
def test_a_band_that_means_nothing_is_refused(band: str) -> None:
    with pytest.raises(UsageError, match="band cannot be"):
        band_of(band)


def test_a_project_that_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        ask(store)


def test_members_are_read_once_and_again_when_a_run_is_told_something(
    seeds: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty charts of a page ask for the same groups, and points do not change who is in them."""
    store, _ = seeds
    reads: list[None] = []
    read = grouped._members
    monkeypatch.setattr(grouped, "_members", lambda *asked: reads.append(None) or read(*asked))
    more = Feeder(store, "more")
    sizes = []
    for change in (
        lambda: None,
        lambda: more.log(point(0, loss=1.0)),
        lambda: more.log({"t": START, "k": "config", "c": {"lr": 0.1}}),
        lambda: store.update_run("p", "plain", {"archived": True}),
        lambda: Feeder(store, "last"),
    ):
        change()
        for key in ("loss", "twice"):
            answer = ask(store, key=key, filter="archived = false")
        sizes.append((len(reads), *(group["of"] for group in answer["groups"])))
    assert sizes == [(1, 3, 6, 2), (1, 3, 6, 2), (2, 3, 7, 1), (3, 3, 7), (4, 3, 7, 1)]


def test_groups_by_what_grows_are_never_old(store: Store) -> None:
    """A summary value moves with the points."""
    feeder = Feeder(store)
    for value in (1.0, 2.0):
        feeder.log(point(int(value), loss=value))
        eventually(lambda: ask(store, "summary.loss")["groups"][0]["value"] == value)  # noqa: B023
        assert ask(store, filter=f"summary.loss = {value}")["runs"] == 1


def test_views_are_kept_replaced_and_deleted(store: Store) -> None:
    """A project's views by name; they hold whatever the page's address held."""
    with pytest.raises(NotFound):
        store.keep_view("p", "mine", "?x=wall", "me")
    Feeder(store)
    store.keep_view("p", "mine", "?x=wall", "me")
    kept = store.keep_view("p", "mine", "?x=step&q=ü/🚀", "you")
    assert kept["state"] == "?x=step&q=ü/🚀"
    assert [(view["name"], view["by"]) for view in store.views("p")["views"]] == [("mine", "you")]
    assert store.views("q") == {"views": []}
    assert store.delete_view("p", "mine")
    assert not store.delete_view("p", "mine")
    with pytest.raises(NotFound):
        store.view("p", "mine")
