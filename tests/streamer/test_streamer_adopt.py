"""Runs that were left undelivered are adopted by the next streamer of the same folder and server."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from outrider.streamer import spawn
from outrider.streamer.adopt import orphans
from outrider.streamer.lock import Latch
from waiting import eventually

if TYPE_CHECKING:
    from streamer_ingest import Ingest
    from streamer_kit import Run

Train = Callable[..., "subprocess.Popen[str]"]

DEAD = 1 << 22  # beyond the highest pid that Linux gives


def left_over(make_run: Callable[..., Run], run_id: str, **more: object) -> Run:
    """A run whose trainer died, with its streamer, before anything was sent."""
    run = make_run(run_id, pid=DEAD, start_ticks=1, **more)
    writer = run.open()
    run.log(1, 2, 3)
    path = writer.path()
    with open(path, "r+b") as file:
        text = file.read().replace(b'"pid":%d,' % os.getpid(), b'"pid":%d,' % DEAD)
        file.seek(0)
        file.write(text)
    return run


def test_an_undelivered_run_is_delivered_by_the_next_streamer(
    make_run: Callable[..., Run], ingest: Ingest, train: Train
) -> None:
    """With the end that is known of it: lost."""
    old = left_over(make_run, "old")
    assert train(make_run("new"), "exit0").wait() == 0
    eventually(lambda: old.delivery().get("done"), what=old)
    assert ingest.points("old") == [1, 2, 3]
    assert [end["state"] for end in ingest.ends("old")] == ["lost"]


def test_only_what_may_leave_and_is_nobodys_is_adopted(
    make_run: Callable[..., Run], ingest: Ingest
) -> None:
    """Not what was recorded offline, for another server, on another machine; not what lives, is
    held by another streamer or is delivered already."""
    left_over(make_run, "offline", mode="offline")
    left_over(make_run, "elsewhere", server="http://127.0.0.1:1")
    left_over(make_run, "foreign", host="another-machine")
    living = make_run("living")
    living.log(1)
    delivered = left_over(make_run, "delivered")
    assert delivered.deliver().delivered
    held = left_over(make_run, "held")
    wanted = left_over(make_run, "wanted")
    own = make_run("own")
    pid = os.fork()
    if pid == 0:
        Latch(held.path).take()
        time.sleep(30)
        os._exit(0)
    try:
        eventually(lambda: spawn.is_running(held.path))
        found = [folder.path for folder in orphans(own.folder, ingest.url)]
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    assert found == [wanted.path]


def test_a_finished_run_without_a_server_is_adopted_later(
    make_run: Callable[..., Run], ingest: Ingest
) -> None:
    """Its own end is not told twice."""
    old = left_over(make_run, "old")
    old.end("failed", 1)
    own = make_run("own")
    (folder,) = orphans(own.folder, ingest.url)
    assert folder.path == old.path
    assert spawn.start(old.path, flags=["adopted"])
    eventually(lambda: old.delivery().get("done"), what=old)
    assert [end["state"] for end in ingest.ends("old")] == ["failed"]
    assert list(orphans(own.folder, ingest.url)) == []


def test_one_streamer_waits_for_a_silent_server_in_the_place_of_many(
    make_run: Callable[..., Run], ingest: Ingest
) -> None:
    """The others leave, undelivered; it carries their runs when the server answers."""
    ingest.fault = lambda handler, path, body: handler.answer(503, {}) or True
    script = (
        "import sys; from outrider.streamer import handover, loop; "
        "handover.HAND_OVER_SECONDS = 0.3; loop.stream(sys.argv[1])"
    )
    runs = [left_over(make_run, name) for name in ("one", "two", "three")]
    streamers = [subprocess.Popen([sys.executable, "-c", script, run.path]) for run in runs]
    try:
        eventually(lambda: sum(one.poll() is None for one in streamers) == 1)
        assert not any(run.delivery().get("done") for run in runs)
        ingest.fault = None
        eventually(lambda: all(run.delivery().get("done") for run in runs))
        assert [ingest.points(run.id) for run in runs] == [[1, 2, 3]] * 3
        assert [one.wait(40) for one in streamers] == [0, 0, 0]
    finally:
        for one in streamers:
            one.kill()
            one.wait()
