"""Runs that are moved to another project: everything of them is there, and what still arrives too."""

from __future__ import annotations

import asyncio
import random
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from feeding import START, Feeder, end, head, lines, point

from outrider_server.query import RunQuery
from outrider_server.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def test_a_moved_run_is_whole_in_its_new_project_and_gone_from_the_old(store: Store) -> None:
    feeder = Feeder(store, tags=["t"], group="g")
    feeder.log(head("w"), {"t": START, "k": "config", "c": {"lr": 0.1, "deep": {"er": "x"}}})
    feeder.log(*(point(i, loss=i / 2) for i in range(30)), {"t": START, "k": "alert", "title": "a"})
    before = {**feeder.row(), "project": "other"}
    assert not store.moves.move("p", ["r1"], "other").missing
    assert store.run("other", "r1") == before
    assert store.runs("p")["total"] == 0
    found = store.runs("other", RunQuery(filter="config.lr = 0.1 and summary.loss > 14"))
    assert [row["id"] for row in found["runs"]] == ["r1"]
    assert [column["key"] for column in store.columns("other")["config"]] == ["deep.er", "lr"]
    assert store.columns("p")["config"] == []
    assert list(store.points("other", "r1", "loss")["values"]) == [i / 2 for i in range(30)]
    assert store.alerts.of_project("p")["alerts"] == []
    assert len(store.alerts.of_project("other")["alerts"]) == 1


def test_what_still_arrives_under_the_old_address_is_stored_once_at_the_new(store: Store) -> None:
    feeder = Feeder(store)
    feeder.log(*(point(i, loss=float(i)) for i in range(10)))
    store.moves.move("p", ["r1"], "other")
    again = feeder.send_at(0, lines(point(0, loss=0.0)))
    assert again.duplicate
    ack = feeder.log(*(point(i, loss=float(i)) for i in range(10, 20)))
    assert ack.home == "other"
    assert list(store.points("other", "r1", "loss")["values"]) == [float(i) for i in range(20)]
    made = store.create_run({"project": "p", "id": "r1", "created": START, "attempt": 2})
    assert not made.created
    assert made.offsets == store.offsets("p", "r1") == {"w": {"1": ack.offset}}
    assert store.runs("p")["total"] == 0
    feeder.log(end("w", "finished"))
    assert store.moves.home("p", "r1") == "other"


def test_moving_back_is_the_way_back(store: Store) -> None:
    feeder = Feeder(store)
    feeder.log(point(0, loss=1.0))
    for source, target in (("p", "b"), ("b", "c"), ("c", "p")):
        assert not store.moves.move(source, ["r1"], target).taken
    feeder.log(point(1, loss=2.0))
    assert list(feeder.points("loss")["values"]) == [1.0, 2.0]
    assert (
        store.moves.home("b", "r1"),
        store.moves.home("c", "r1"),
        store.moves.home("p", "r1"),
    ) == ("p", "p", None)
    store.delete_run("p", "r1")
    assert store.moves.home("b", "r1") is None


def test_an_id_that_the_target_has_is_left_where_it_is(store: Store) -> None:
    """Also one that was there once: two runs never share an address."""
    Feeder(store, "r1", "p").log(point(0, a=1))
    Feeder(store, "r1", "q").log(point(0, a=2))
    assert store.moves.move("p", ["r1", "nobody"], "q").taken == ["r1"]
    assert store.moves.move("p", ["r1", "nobody"], "q").missing == ["nobody"]
    store.moves.move("q", ["r1"], "away")
    assert store.moves.move("p", ["r1"], "q").taken == ["r1"]
    assert store.run("p", "r1")["summary"] == {"a": 1}
    assert store.run("away", "r1")["summary"] == {"a": 2}


def test_contents_go_along_and_stay_where_others_need_them(store: Store) -> None:
    content = b"weights" * 1000
    name = sha256(content).hexdigest()

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    Feeder(store, "r1")
    Feeder(store, "r2")
    asyncio.run(
        store.blobs.receive((*store.place_to_receive("p", "r1"), name), 0, len(content), pieces())
    )
    assert store.claim("p", "r1", [name]) == store.claim("p", "r2", [name]) == []
    store.moves.move("p", ["r1"], "q")
    for project, run in (("q", "r1"), ("p", "r2")):
        found = store.content(project, run, name)
        assert found is not None
        assert Path(found.place).read_bytes() == content
    old = store.place_to_receive("p", "r2")[0]
    store.moves.move("p", ["r2"], "q")
    assert not store.blobs.has(old, name)
    assert store.claim("p", "r1", [name]) == []  # its streamer asks under the old address


def test_a_run_that_is_moved_again_and_again_while_it_grows_is_exact(store: Store) -> None:
    """Batches, some twice, between moves in random order."""
    dice = random.Random(7)
    feeder, here = Feeder(store), "p"
    for step in range(120):
        feeder.log(point(step, loss=float(step)))
        if dice.random() < 0.2:
            feeder.send_at(0, lines(point(0, loss=0.0)))
        if dice.random() < 0.3:
            there = dice.choice([name for name in "pqr" if name != here])
            assert not store.moves.move(here, ["r1"], there).missing
            here = there
    assert list(store.points(here, "r1", "loss")["values"]) == [float(i) for i in range(120)]
    assert store.run(here, "r1")["summary"] == {"loss": 119}
    path = store.path
    store.close()
    with Store.open(path) as opened:
        assert list(opened.points(here, "r1", "loss")["values"]) == [float(i) for i in range(120)]
