"""Columns over runs are kept and never older than the store; batches read straight lose nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from feeding import START, Feeder, head, lines, point

from outrider_server import buckets
from outrider_server.ingest import read_batch
from outrider_server.query import RunQuery
from outrider_server.store.chunks import write_all
from outrider_server.store.per_run import Changes, PerRun

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from outrider_server.store import Store


class Rows:
    """Rows that are read, and which were; None where all were."""

    def __init__(self) -> None:
        self.rows: dict[int, int] = {}
        self.asked: list[list[int] | None] = []

    def read(self, runs: Sequence[int] | None) -> list[tuple[int, int, None]]:
        self.asked.append(None if runs is None else list(runs))
        return [(run, n, None) for run, n in self.rows.items() if runs is None or run in runs]

    def kept(self, kept: PerRun, moment: int, runs: Sequence[int], name: str = "x") -> list[Any]:
        """What is kept of these runs, None where there is nothing."""
        column = kept.read(name, moment, np.array(runs, np.int64), self.read)
        assert column.runs.tolist() == list(runs)
        return [n if n == n else None for n in column.numbers[0].tolist()]


def test_only_runs_that_changed_are_read_again() -> None:
    """Neither what did not change, nor a run that is known to have nothing."""
    rows, changes = Rows(), Changes()
    kept = PerRun(changes)
    rows.rows = {1: 10, 2: 20}
    assert rows.kept(kept, changes.now(), [1, 2, 3]) == [10, 20, None]
    assert rows.kept(kept, changes.now(), [1, 2, 3]) == [10, 20, None]
    assert rows.asked == [None]
    rows.rows[2] = 21
    del rows.rows[1]
    changes.note([2, 1, 77])
    assert rows.kept(kept, changes.now(), [1, 2, 3]) == [None, 21, None]
    assert rows.asked == [None, [1, 2]]


def test_runs_that_came_are_read_and_runs_that_went_are_left_out() -> None:
    """Also where nobody noted it."""
    rows, changes = Rows(), Changes()
    kept = PerRun(changes)
    rows.rows = {1: 10, 2: 20, 3: 30}
    rows.kept(kept, changes.now(), [1, 2])
    assert rows.kept(kept, changes.now(), [2, 3]) == [20, 30]
    assert rows.kept(kept, changes.now(), [2]) == [20]
    assert rows.kept(kept, changes.now(), []) == []
    assert rows.kept(kept, changes.now(), [1, 3]) == [10, 30]


def test_a_change_during_a_read_is_read_by_the_next() -> None:
    """A snapshot that is older than a change does not hide the change for ever."""
    rows, changes = Rows(), Changes()
    kept = PerRun(changes)
    rows.rows = {1: 10}
    before = changes.now()
    changes.note([1])  # committed behind the snapshot that gives 10
    assert rows.kept(kept, before, [1]) == [10]
    rows.rows = {1: 11}
    assert rows.kept(kept, changes.now(), [1]) == [11]


def test_which_runs_a_project_has_is_read_again_once_runs_came_or_went() -> None:
    """And only of that project; a snapshot from before a change is not kept for those behind it."""
    changes = Changes()
    kept = PerRun(changes)
    asked = []

    def listed(project: int, moment: int, *newest: int) -> list[int]:
        def read() -> NDArray[np.int64]:
            asked.append(project)
            return np.array(newest, np.int64)

        found = kept.listed(project, moment, read)
        return found.runs[found.newest].tolist()

    assert listed(1, changes.now(), 3, 9, 5) == [3, 9, 5]
    assert listed(2, changes.now(), 4) == [4]
    changes.note([4], [2])
    before = changes.now()
    assert listed(1, before) == [3, 9, 5]
    changes.note([], [1])
    assert listed(1, before, 9, 3, 5) == [9, 3, 5]
    assert listed(1, changes.now(), 9, 3) == [9, 3]
    assert listed(1, changes.now()) == [9, 3]
    assert asked == [1, 2, 1, 1]


def test_who_has_read_nothing_for_long_reads_everything() -> None:
    """Changes are remembered up to a number; beyond it nothing is taken for unchanged."""
    rows, changes = Rows(), Changes(most=2)
    kept = PerRun(changes)
    rows.rows = dict.fromkeys(range(5), 0)
    rows.kept(kept, changes.now(), range(5))
    rows.rows = dict.fromkeys(range(5), 1)
    for run in range(5):
        changes.note([run])
    assert set(rows.kept(kept, changes.now(), range(5))) == {1}


def test_what_is_kept_is_bounded() -> None:
    """The column that was asked for longest ago leaves first."""
    rows, changes = Rows(), Changes()
    kept = PerRun(changes, most=5)
    for name in ("x", "y", "x"):
        rows.kept(kept, changes.now(), [1, 2, 3], name)
    assert rows.asked == [None] * 3


def test_a_sort_by_a_metric_follows_what_is_logged(store: Store) -> None:
    """Last, extremes, mean and best are those of the moment, whatever was sorted before."""
    feeders = [Feeder(store, run=f"r{number}") for number in range(3)]
    for number, feeder in enumerate(feeders):
        feeder.log(point(0, loss=float(number)))

    def order(sort: str, **how: Any) -> list[str]:
        return [row["id"] for row in store.runs("p", RunQuery(sort=sort, **how))["runs"]]

    assert order("metric.loss.last") == ["r0", "r1", "r2"]
    feeders[0].log(point(1, loss=9.0))
    assert order("metric.loss.last") == ["r1", "r2", "r0"]
    assert order("metric.loss.min") == ["r0", "r1", "r2"]
    assert order("metric.loss.best") == ["r0", "r1", "r2"]
    feeders[1].log({"t": START, "k": "metric", "name": "loss", "goal": "maximize"})
    assert order("-metric.loss.best") == ["r0", "r2", "r1"]
    assert order("metric.loss.mean", filter="metric.loss.max > 1") == ["r2", "r0"]
    store.delete_run("p", "r2")
    late = Feeder(store, run="r3")
    assert order("metric.loss.last") == ["r1", "r0", "r3"]
    late.log(point(0, loss=0.5))
    assert order("metric.loss.last") == ["r3", "r1", "r0"]


def test_a_sort_by_two_values_follows_what_is_configured(store: Store) -> None:
    """Texts, numbers, NaN, lists, what is not there: in the order of a sort by one, at each moment."""
    values = ["b", 2, None, 0.5, "a", True, [1], float("nan"), 2]
    feeders = [Feeder(store, run=f"r{number}", created=START + number) for number in range(9)]
    for feeder, value in zip(feeders, values, strict=True):
        feeder.log({"t": START, "k": "config", "c": {"v": value, "same": 1}})

    def order(sort: str) -> list[str]:
        return [row["id"] for row in store.runs("p", RunQuery(sort=sort))["runs"]]

    assert order("config.same,config.v") == order("config.v")
    assert order("-config.v,config.same") == order("-config.v")
    feeders[4].log({"t": START, "k": "config", "c": {"v": 3}})
    feeders[0].log({"t": START, "k": "config", "c": {"same": "text"}})
    assert order("config.same,-config.v")[:3] == ["r0", "r4", "r8"]
    store.delete_run("p", "r0")
    assert order("config.same,-config.v")[:3] == ["r4", "r8", "r1"]


def test_a_batch_with_prints_and_points_is_stored_whole(feeder: Feeder) -> None:
    """Records beside the points, NaN, other metrics, damage: every way of reading gives the same."""
    feeder.log(head("w"))
    feeder.log(
        point(0, a=1.0, b=2.0),
        {"t": START, "k": "console", "o": "hello\n"},
        point(1, a=3.0, b=4.0),
        {"t": START, "k": "config", "c": {"lr": 0.1}},
        point(2, b=6.0),
        {"t": START, "k": "news", "x": 1},
    )
    feeder.log(point(3, a=float("nan"), b=8.0), {"t": START, "k": "summary", "c": {"best": 1}})
    feeder.send(lines(point(4, a=5.0)) + b'{"t":1,"s":1,"p":[]}\n{"t":1,"k":7}\n')
    assert list(feeder.line("a")["step"]) == [0, 1, 4]
    assert list(feeder.line("b")["last"]) == [2.0, 4.0, 6.0, 8.0]
    row = feeder.row()
    assert row["config"] == {"lr": 0.1}
    assert row["summary"] == {"a": 5, "b": 8, "best": 1}
    assert row["gaps"] == 2
    kinds = [record["k"] for record in feeder.store.records("p", "r1")["records"]]
    assert kinds.count("news") == 1


@pytest.mark.parametrize(
    "line",
    [
        b'{"t":1,"s":1,"p":[]}',
        b'{"t":1,"s":1,"p":{"a":"x"}}',
        b'{"t":1,"s":1.5,"p":{"a":1}}',
        b'{"t":"now","s":1,"p":{"a":1}}',
        b'{"t":1,"s":1}',
        b'{"t":1,"k":"sys","p":{"cpu":1}}',
        b'{"t":1,"k":"points","s":1,"p":{"a":1}}',
        b'{"t":1,"s":1,"p":{"":1}}',
        b'"tk"',
        b"[1,2,3]",
        b"7",
        b"null",
    ],
)
def test_what_is_odd_is_read_with_care(line: bytes) -> None:
    """One odd line among sound ones takes nothing from them."""
    sound = lines(*(point(step, a=float(step)) for step in range(3)))
    (stretch,) = read_batch(sound + line + b"\n" + sound)
    values = [table for table in stretch.tables if table.keys == ("a",) and not table.system]
    assert sum(len(table.steps) for table in values) >= 6


@pytest.mark.parametrize("count", [1, 2, 31, 32, 33, 64, 65, 2048, 2047])
def test_even_buckets_say_what_single_points_say(count: int) -> None:
    """First, last, extremes with their places, mean and count, also of values near the limit."""
    random = np.random.default_rng(count)
    for values in (random.standard_normal((3, count)), np.full((3, count), 1.7e308)):
        table = buckets.build(values, buckets.edges(count, 32))
        for nth, begin in enumerate(range(0, count, 32)):
            part, seen = values[:, begin : begin + 32], table[:, :, nth]
            assert (seen[buckets.FIRST] == part[:, 0]).all()
            assert (seen[buckets.LAST] == part[:, -1]).all()
            assert (seen[buckets.LOW] == part.min(axis=1)).all()
            assert (seen[buckets.HIGH] == part.max(axis=1)).all()
            assert (seen[buckets.LOW_AT] == begin + part.argmin(axis=1)).all()
            assert (seen[buckets.HIGH_AT] == begin + part.argmax(axis=1)).all()
            mean = (part / part.shape[1]).sum(axis=1)
            assert seen[buckets.MEAN] == pytest.approx(mean)
            assert (seen[buckets.COUNT] == part.shape[1]).all()


def test_of_many_runs_that_are_folded_together_one_that_fails_harms_no_other(
    store: Store, folds_early: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are folded, and nothing of the one is lost."""
    feeders = [Feeder(store, run=name) for name in ("r1", "bad", "r2")]
    with store._snapshot() as db:
        (bad,) = db.execute("SELECT run FROM run WHERE id = 'bad'").fetchone()

    def breaks(db: Any, run: int, folded: Any, long: set[int]) -> None:
        if run == bad:
            raise MemoryError("no room for this run")
        write_all(db, run, folded, long)

    monkeypatch.setattr("outrider_server.store.flush.write_all", breaks)
    for step in range(30):
        for feeder in feeders:
            feeder.log(point(step, loss=float(step)))
    for feeder in feeders:
        assert list(feeder.line("loss")["step"]) == list(range(30))
    with store._snapshot() as db:
        chunked = {run for (run,) in db.execute("SELECT DISTINCT run FROM chunk")}
    assert bad not in chunked
    assert len(chunked) == 2
