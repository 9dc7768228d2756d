"""Growth is seen with and without inotify; what was written is synced."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from outrider.streamer.clock import Clock
from outrider.streamer.cursor import Place
from outrider.streamer.watch import LIST_SECONDS, QUICK_SECONDS, SLOW_SECONDS, Syncer, Watch
from waiting import eventually

if TYPE_CHECKING:
    from streamer_kit import Run


class Standing:
    """A clock that stands until it is set forward."""

    def __init__(self) -> None:
        self.time = 1000.0

    def clock(self) -> Clock:
        return Clock(lambda: self.time, lambda: self.time, lambda: 0.5)


def test_growth_and_new_segments_are_seen_by_polling_alone(run: Run) -> None:
    """Within a look for growth, within a second for a new file; rarer looks while all is quiet."""
    time = Standing()
    watch = Watch(run.folder, time.clock())
    run.log(1)
    assert watch.look()
    assert watch.sizes[Place("main", 1)] == run.folder.size("main", 1)
    assert watch.pause == QUICK_SECONDS
    for _ in range(20):
        assert not watch.look()
    assert watch.pause == SLOW_SECONDS
    run.log(2)
    assert watch.look()
    assert watch.pause == QUICK_SECONDS
    run.open("other")
    assert not watch.look()
    time.time += LIST_SECONDS
    assert watch.look()
    assert Place("other", 1) in watch.sizes


def test_a_sealed_segment_is_looked_at_again(run: Run) -> None:
    """A thread may still have been inside its write when the segment was sealed."""
    time = Standing()
    watch = Watch(run.folder, time.clock())
    writer = run.open(segment_bytes=4096)
    run.log(*range(200))
    assert writer.number > 1
    watch.look(thorough=True)
    with open(writer.path(1), "ab") as file:
        file.write(b'{"t":1,"s":0,"p":{"x":"late"}}\n')
    time.time += LIST_SECONDS
    assert watch.look()
    assert watch.sizes[Place("main", 1)] == os.path.getsize(writer.path(1))


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_a_new_segment_is_noticed_at_once_and_a_write_is_not(run: Run) -> None:
    """Watchdog is asked for creations and moves only: a write costs the trainer nothing more."""
    standing = Standing()  # its time never comes: only inotify can say that there is a new file
    watch = Watch(run.folder, standing.clock())
    run.log(1)
    watch.look(thorough=True)
    noticed = threading.Event()
    assert watch.observe(noticed.set)
    try:
        for value in range(100):
            run.log(value)
        assert not noticed.wait(1.0)
        run.open("other")
        assert noticed.wait(10)
        assert eventually(lambda: watch.look() and Place("other", 1) in watch.sizes)
    finally:
        watch.close()


def test_without_inotify_polling_goes_on(run: Run, monkeypatch: Any, capsys: Any) -> None:
    """No watches left: said once in the log."""
    import watchdog.observers

    def fail(*arguments: Any, **more: Any) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(watchdog.observers, "Observer", fail)
    watch = Watch(run.folder)
    assert not watch.observe()
    assert "polling alone" in capsys.readouterr().out
    run.log(1)
    assert watch.look(thorough=True)


def test_what_grew_is_synced_and_a_failed_sync_is_tried_again(run: Run, monkeypatch: Any) -> None:
    """An fsync that fails once does not count as done."""
    synced: list[str] = []
    fails = [True]

    def fdatasync(fd: int) -> None:
        name = os.path.basename(os.readlink(f"/proc/self/fd/{fd}"))
        if fails and fails.pop():
            raise OSError(5, "Input/output error")
        synced.append(name)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    monkeypatch.setattr(os, "fsync", fdatasync)
    time = Standing()
    syncer = Syncer(run.folder, time.clock())
    run.log(1)
    watch = Watch(run.folder, time.clock())
    watch.look(thorough=True)
    assert syncer.due()
    assert syncer.sync(watch.sizes) == 1
    assert not syncer.due()
    assert "main-000001.jsonl" not in synced
    assert syncer.sync(watch.sizes) == 0
    assert synced.count("main-000001.jsonl") == 1
    assert synced.count("run.json") == 1
    assert syncer.sync(watch.sizes) == 0
    assert synced.count("main-000001.jsonl") == 1
