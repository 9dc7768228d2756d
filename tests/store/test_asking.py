"""Filters and sorts answered from what is kept say what SQL says, whatever was written before."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from asked import Sql
from feeding import START, Feeder, end, head, point

from outrider_server.query import RunQuery
from outrider_server.store.columns import Column, ranks
from outrider_server.store.runs import ManyChanges

if TYPE_CHECKING:
    from outrider_server.store import Store

LONG = "long " * 20
VALUES = (0, 1, 2.5, -3, True, "a", "b", "", LONG, LONG + "!", "Größe", [1], {}, None, "2.5",
          float("nan"), float("inf"), 2**53 + 1, 2**60)  # fmt: skip
FILTERS = (
    "config.a < 2", "config.a >= 2.5 and summary.loss < 0.5", "config.a = 1", "config.a = true",
    'config.a = "a"', 'config.a != "a"', f'config.a = "{LONG}"', 'config.a > "a"', "config.a = null",
    "config.a != null", 'config.a ~ "^long.*!$"', 'config.a ~ "1|a|N"', 'config.b.c <= "b"',
    "config.nothing = 1", "config.nothing = null", 'config.nothing ~ "x"', "summary.loss > 0.2",
    'metric."loss.min" < 0.4', "not (metric.loss.last >= 0.5 or config.a < 1)", 'tags has "x"',
    'not tags has "y"', 'state = "running"', 'state != "running" and duration > 3', 'name ~ "1$"',
    'name > "run 5"', "notes = null", 'notes ~ "n"', "archived = true", "archived != true",
    "ended = null", "attempt >= 1", 'attempt ~ "1"', f"created > {START + 3}", "gaps > 0",
    f'config.a < "{LONG}x"',
)  # fmt: skip
SORTS = (
    "config.a", "-config.a", "config.b.c,-config.a", "-summary.loss", "metric.loss.max", "-name",
    "state,-name", "-metric.loss.last,config.a", "created", "-created", "-duration", "notes,gaps",
    "ended", "-archived,config.nothing", "host",
)  # fmt: skip


class Walk:
    """Random writes into one store, two projects."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store = store
        self.random = random.Random(seed)
        self.feeders: list[Feeder] = []
        self.homes: dict[str, str] = {}
        self.made = 0

    def write(self) -> None:
        """Do one thing that the list may show."""
        if len(self.feeders) < 4:
            self._make()
            return
        writes = (self._make, self._say, self._say, self._log, self._log, self._end, self._rename,
                  self._tag, self._move, self._move, self._delete)  # fmt: skip
        self.random.choice(writes)(self.random.choice(self.feeders))

    def _make(self, _: Feeder | None = None) -> None:
        self.made += 1
        # neither the numbers nor the names rise with the time at which a run began
        name = f"run {self.random.randrange(10)}"
        run = f"r{self.made}"
        began = START + self.random.randrange(8)
        host = self.random.choice((None, "h1", "h2"))
        self.feeders.append(Feeder(self.store, run, created=began, name=name, host=host))
        self.homes[run] = "p"
        self._say(self.feeders[-1])

    def _say(self, feeder: Feeder) -> None:
        kind = self.random.choice(("config", "config", "summary"))
        said = {"a": self._value(), "b": {"c": self._value()}, "loss": self.random.random()}
        some = self.random.sample(sorted(said), self.random.randrange(1, 4))
        feeder.log({"t": START, "k": kind, "c": {key: said[key] for key in some}})

    def _value(self) -> Any:
        return self.random.choice(VALUES)

    def _log(self, feeder: Feeder) -> None:
        loss = self.random.choice((self.random.random(), float("nan")))
        feeder.log(point(self.random.randrange(5), loss=loss, acc=1.0))

    def _end(self, feeder: Feeder) -> None:
        state = self.random.choice(("finished", "failed", "killed"))
        feeder.log(head("w"), end("w", state, START + self.random.randrange(100)))
        feeder.send(b"damaged\n")

    def _rename(self, feeder: Feeder) -> None:
        name, notes = f"run {self.random.randrange(10)}", self.random.choice((None, "note"))
        feeder.log({"t": START, "k": "run", "name": name, "notes": notes})
        archived = self.random.random() < 0.3
        self.store.update_run(self.homes[feeder.run], feeder.run, {"archived": archived})

    def _tag(self, feeder: Feeder) -> None:
        changes = ManyChanges(self.random.choice((None, True, False)), ["x"], ["y"])
        if self.random.random() < 0.5:
            self.store.update_runs(self.homes[feeder.run], [feeder.run], changes)
        else:
            tags = self.random.sample(("x", "y", 'z"'), 2)
            self.store.update_run(self.homes[feeder.run], feeder.run, {"tags": tags})

    def _move(self, feeder: Feeder) -> None:
        source = self.homes[feeder.run]
        target = "other" if source == "p" else "p"
        self.store.moves.move(source, [feeder.run], target)
        self.homes[feeder.run] = target

    def _delete(self, feeder: Feeder) -> None:
        if len(self.feeders) > 6:
            self.store.delete_run(self.homes.pop(feeder.run), feeder.run)
            self.feeders.remove(feeder)

    def check(self, text: str | None, sort: str) -> None:
        """Both projects, as they are now."""
        for project in set(self.homes.values()):
            found = self.store.runs(project, RunQuery(filter=text, sort=sort, columns=["config.a"]))
            sql = Sql(self.store.path, project)
            try:
                said = [row["id"] for row in found["runs"]]
                assert said == sql.ids(text, sort), (project, text, sort)
            finally:
                sql.db.close()
            assert found["total"] == len(found["runs"])


@pytest.mark.parametrize("seed", range(3))
def test_what_is_kept_says_what_sql_says_after_every_write(store: Store, seed: int) -> None:
    """Runs made, changed, ended, tagged, archived, moved there and back, deleted."""
    walk = Walk(store, seed)
    for step in range(90):
        walk.write()
        walk.check(FILTERS[step % len(FILTERS)], SORTS[step % len(SORTS)])
    for text in FILTERS:
        walk.check(text, "-created")
    for sort in SORTS:
        walk.check(None, sort)


def test_a_column_with_texts_that_no_run_has_any_more_forgets_them() -> None:
    """A text that changes all the time does not grow what is kept."""
    runs = np.arange(3)
    column = Column.of(runs, [(run, None, "first") for run in range(3)], 1)
    for count in range(1200):
        column = column.with_rows(runs[:1], [(0, None, f"text {count}")])
    assert len(column.texts.all) < 500
    assert column.said(lambda text: text == "first").tolist() == [False, True, True]
    assert column.said(lambda text: text == "text 1199").tolist() == [True, False, False]
    assert ranks(column).tolist() == [ranks(column)[0], ranks(column)[1], ranks(column)[1]]
    assert ranks(column)[0] > ranks(column)[1]
