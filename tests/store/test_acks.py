"""An ack means disk, and the writer does not wait for the disk."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
from pathlib import Path
from threading import Event, Thread

import pytest
from feeding import Feeder, lines, point

from outrider.errors import StoreError
from outrider_server.store import Ack, Store
from outrider_server.store.database import prepare
from waiting import eventually


class Disk:
    """The disk's own sync, behind a gate."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gate = Event()
        self.gate.set()
        self.asked = 0
        self.done = 0
        self.error: OSError | None = None
        monkeypatch.setattr("outrider_server.store.acks._sync", self.sync)

    def sync(self, log: int) -> None:
        """Wait at the gate, then sync, or fail."""
        self.asked += 1
        assert self.gate.wait(60)
        if self.error is not None:
            raise self.error
        os.fdatasync(log)
        self.done += 1


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_no_ack_leaves_before_the_disk_has_it_and_the_writer_goes_on(
    store: Store, disk: Disk
) -> None:
    """Ten batches are committed, one after the other, behind one sync that hangs; a second answers
    them all."""
    feeders = [Feeder(store, run=f"r{number}") for number in range(10)]
    disk.gate.clear()
    before = disk.asked
    acks: list[Ack] = []

    def send(feeder: Feeder) -> None:
        acks.append(feeder.log(point(0, loss=1.0)))

    senders = [Thread(target=send, args=(feeder,)) for feeder in feeders]
    for count, sender in enumerate(senders, 1):
        sender.start()
        with sqlite3.connect(store.path) as reader:
            ask = "SELECT count(*) FROM segment"
            eventually(lambda: reader.execute(ask).fetchone()[0] >= count, count)  # noqa: B023
        reader.close()
    assert acks == []
    disk.gate.set()
    for sender in senders:
        sender.join(60)
    assert len(acks) == 10
    assert disk.asked - before <= 3


def test_what_comes_again_is_not_acknowledged_before_the_disk_has_it(
    store: Store, disk: Disk
) -> None:
    """The first copy's answer was lost, or is still waiting."""
    feeder = Feeder(store)
    data = lines(point(0, loss=1.0))
    disk.gate.clear()
    found: list[Ack] = []
    twice = [Thread(target=lambda: found.append(feeder.send_at(0, data))) for _ in range(2)]
    for sender in twice:
        sender.start()
    eventually(lambda: disk.asked)
    twice[0].join(0.2)
    assert found == []
    disk.gate.set()
    for sender in twice:
        sender.join(60)
    assert sorted(ack.duplicate for ack in found) == [False, True]


def test_after_a_sync_that_failed_nothing_is_acknowledged_until_a_restart(
    tmp_path: Path, disk: Disk
) -> None:
    """The kernel may have let go of what it could not write: a second sync would not tell."""
    store = Store.open(tmp_path)
    feeder = Feeder(store)
    sound = feeder.log(point(0, loss=1.0))
    disk.error = OSError(errno.EIO, "Input/output error")
    with pytest.raises(StoreError, match="the disk did not take"):
        feeder.log(point(1, loss=2.0))
    disk.error = None
    done = disk.done
    for offset, data in ((0, b"{}\n"), (sound.offset, lines(point(1, loss=2.0)))):
        with pytest.raises(StoreError, match="the disk did not take"):
            feeder.send_at(offset, data)
    with pytest.raises(StoreError):
        store.create_run({"project": "p", "id": "new", "created": 1.0})
    assert disk.done == done
    store.close()
    with Store.open(tmp_path) as again:
        at = again.offsets("p", "r1")["w"]["1"]
        assert at >= sound.offset
        ack = asyncio.run(again.ingest("p", "r1", "w", 1, at, lines(point(2, loss=3.0))))
        assert not ack.duplicate
        assert again.points("p", "r1", "loss")["values"][0] == 1.0


def test_a_file_system_that_knows_no_log_is_synced_by_each_commit(tmp_path: Path) -> None:
    """SQLite then keeps a journal of its own; nothing else differs."""
    path = tmp_path / "outrider.db"
    prepare(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)
    connection.close()
    with Store.open(path) as store:
        feeder = Feeder(store)
        for step in range(30):
            feeder.log(point(step, loss=step / 7))
        assert list(feeder.points("loss")["values"]) == [step / 7 for step in range(30)]
        assert not path.with_name("outrider.db-wal").exists()
    with Store.open(path) as store:
        feeder.store = store
        assert list(feeder.points("loss")["steps"]) == list(range(30))
