"""The write-ahead log is moved into the database while batches come, and begins anew."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psutil
import pytest
from feeding import Feeder, point

from outrider_server.store import Store
from outrider_server.store.database import prepare
from waiting import eventually


@pytest.fixture
def feeder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Feeder:
    """Of a store whose log is moved soon."""
    monkeypatch.setattr("outrider_server.store.checkpoints.PAGES", 60)
    store = Store.open(tmp_path)
    return Feeder(store)


def salt(feeder: Feeder) -> bytes:
    """What SQLite writes into the log's head each time that it begins it anew."""
    log = feeder.store.path.with_name(feeder.store.path.name + "-wal")
    return log.read_bytes()[16:24]


def go_on(feeder: Feeder, at: list[int]) -> bytes:
    """Log some more; the log's salt then."""
    for _ in range(10):
        feeder.log(*(point(step, loss=step / 7) for step in range(at[0], at[0] + 20)))
        at[0] += 20
    return salt(feeder)


def test_the_log_begins_anew_while_batches_come(feeder: Feeder) -> None:
    """Again and again, and every point stays readable, before and after a restart."""
    at, salts = [0], set[bytes]()
    eventually(lambda: salts.add(go_on(feeder, at)) or len(salts) >= 5, lambda: salts, pause=0)
    expected = [step / 7 for step in range(at[0])]
    assert list(feeder.points("loss")["values"]) == expected
    feeder.store.close()
    with Store.open(feeder.store.path) as store:
        feeder.store = store
        assert list(feeder.points("loss")["values"]) == expected
        assert feeder.row()["summary"] == {"loss": expected[-1]}


def test_somebody_who_reads_for_long_sees_what_he_saw_and_keeps_no_batch_waiting(
    feeder: Feeder,
) -> None:
    """The log cannot begin anew while he reads; it grows, and does once he has read."""
    at = [0]
    go_on(feeder, at)
    reader = sqlite3.connect(feeder.store.path, isolation_level=None)
    try:
        reader.execute("BEGIN")
        count = "SELECT sum(steps) FROM tail"
        (before,) = reader.execute(count).fetchone()
        for _ in range(5):
            go_on(feeder, at)
        assert reader.execute(count).fetchone() == (before,)
        reader.execute("COMMIT")
        known = salt(feeder)
        eventually(lambda: go_on(feeder, at) != known, pause=0)
    finally:
        reader.close()
    assert list(feeder.points("loss")["values"]) == [step / 7 for step in range(at[0])]
    feeder.store.close()


def test_a_log_that_cannot_be_moved_keeps_no_batch_from_being_stored(
    feeder: Feeder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite fails at it, beside the writer and in its thread; later it does not."""
    at = [0]
    with monkeypatch.context() as patch:
        patch.setattr("outrider_server.store.checkpoints._MOVE", "PRAGMA wal_checkpoint(")
        for _ in range(6):
            go_on(feeder, at)
    known = salt(feeder)
    eventually(lambda: go_on(feeder, at) != known, pause=0)
    assert list(feeder.points("loss")["values"]) == [step / 7 for step in range(at[0])]
    feeder.store.close()


def test_a_store_may_be_closed_twice_and_lets_go_of_its_file(tmp_path: Path) -> None:
    """No descriptor of it stays, also of many stores one after the other."""
    prepare(tmp_path / "outrider.db")
    before = psutil.Process().num_fds()
    for _ in range(20):
        store = Store.open(tmp_path)
        Feeder(store).row()
        store.close()
        store.close()
    assert psutil.Process().num_fds() <= before + 2
