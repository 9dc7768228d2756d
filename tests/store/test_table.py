"""The list of runs as a table: archived runs, what metrics come down to, groups, many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from feeding import START, Feeder, point

from outrider.errors import UsageError
from outrider_server.filters import FilterError
from outrider_server.query import RunQuery
from outrider_server.store.runs import ManyChanges

if TYPE_CHECKING:
    from outrider_server.store import Store


def ids(store: Store, **how: Any) -> list[str]:
    """The ids of the list."""
    return [row["id"] for row in store.runs("p", RunQuery(**how))["runs"]]


@pytest.fixture
def four(store: Store) -> Store:
    """Four runs: accuracies that rise and fall, a config key, tags."""
    for i, values in enumerate([[1.0, 5.0, 2.0], [3.0, 4.0], [0.5, float("nan")], []]):
        feeder = Feeder(store, f"r{i}", created=START + i, tags=["a", "b"][: i % 3])
        feeder.log(
            {"t": START, "k": "config", "c": {"opt": ["sgd", 3, None, "adam"][i], "n": i % 2}}
        )
        feeder.log({"t": START, "k": "metric", "name": "val/*", "goal": "maximize"})
        for step, value in enumerate(values):
            feeder.log(point(step, **{"val/acc": value}))
    return store


def test_an_archived_run_is_found_by_the_filter_and_taken_back(four: Store) -> None:
    assert four.update_run("p", "r1", {"archived": True})["archived"] is True
    assert ids(four, filter="archived = true") == ["r1"]
    assert ids(four, filter="archived = false") == ["r3", "r2", "r0"]
    assert ids(four, filter="archived != true and config.n = 0") == ["r2", "r0"]
    assert ids(four) == ["r3", "r2", "r1", "r0"]
    four.update_run("p", "r1", {"archived": False})
    assert ids(four, filter="archived = true") == []
    with pytest.raises(UsageError):
        four.update_run("p", "r1", {"archived": 1})


@pytest.mark.parametrize(
    "text", ["archived < 1", "archived = 1", 'archived = "yes"', "archived = null"]
)
def test_archived_is_true_or_false(four: Store, text: str) -> None:
    with pytest.raises(FilterError, match="true or false"):
        ids(four, filter=text)


def test_a_metric_is_a_column_by_what_it_comes_down_to(four: Store) -> None:
    how = [f"metric.val/acc.{name}" for name in ("last", "min", "max", "mean", "best")]
    rows = four.runs("p", RunQuery(columns=how, sort="created"))["runs"]
    assert [row["metric"].get("val/acc.best") for row in rows] == [5.0, 4.0, 0.5, None]
    assert rows[0]["metric"] == {
        "val/acc.last": 2.0,
        "val/acc.min": 1.0,
        "val/acc.max": 5.0,
        "val/acc.mean": pytest.approx(8 / 3),
        "val/acc.best": 5.0,
    }
    assert rows[2]["metric"]["val/acc.last"] == "NaN"
    assert rows[3]["metric"] == {}


def test_the_list_is_sorted_and_filtered_by_a_metric(four: Store) -> None:
    assert ids(four, sort="-metric.val/acc.max") == ["r0", "r1", "r2", "r3"]
    assert ids(four, sort="metric.val/acc.last,-created") == ["r0", "r1", "r3", "r2"]
    assert ids(four, filter='metric."val/acc.max" >= 4') == ["r1", "r0"]
    assert ids(four, sort="metric.nothing.min") == ["r3", "r2", "r1", "r0"]
    with pytest.raises(FilterError, match="says not what"):
        ids(four, sort="metric.val/acc")


def test_rows_of_one_value_stand_together_and_are_counted(four: Store) -> None:
    found = four.runs("p", RunQuery(by="config.opt", limit=2))
    assert found["groups"] == [
        {"value": 3, "runs": 1},
        {"value": "adam", "runs": 1},
        {"value": "sgd", "runs": 1},
        {"value": None, "runs": 1},
    ]
    assert [row["id"] for row in found["runs"]] == ["r1", "r3"]
    assert ids(four, by="config.n", sort="created") == ["r0", "r2", "r1", "r3"]
    tags = four.runs("p", RunQuery(by="tags"))
    assert [(one["value"], one["runs"]) for one in tags["groups"]] == [
        (["a", "b"], 1),
        (["a"], 1),
        (None, 2),
    ]
    assert four.runs("p", RunQuery(by="state", filter="config.n = 1"))["groups"] == [
        {"value": "running", "runs": 2}
    ]
    with pytest.raises(FilterError):
        ids(four, by="colour")


def test_many_runs_are_tagged_and_archived_together(four: Store) -> None:
    changes = ManyChanges(True, ["new", "a"], ["b"])
    done = four.update_runs("p", ["r2", "r1", "gone"], changes)
    assert done.missing == ["gone"]
    assert four.run("p", "r2")["tags"] == ["a", "new"]
    assert ids(four, filter="archived = true") == ["r2", "r1"]
    assert four.update_runs("elsewhere", ["r0"], changes).missing == ["r0"]
    assert four.run("p", "r0")["tags"] == []
