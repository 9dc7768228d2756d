"""A folder's records in the foreground, as `outrider sync` sends them."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from typing import TYPE_CHECKING, Any

from outrider.cli.delivery import delivery_of
from outrider.streamer import spawn
from outrider.streamer.foreground import deliver
from outrider.streamer.lock import Latch, is_held, lock_path
from outrider.transport import HttpTransport
from waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from streamer_ingest import Ingest
    from streamer_kit import Run

DEAD = b'"pid":%d,' % (1 << 22)  # beyond the highest pid that Linux gives


def bury(run: Run) -> None:
    """Let the run's writer be a process that is gone."""
    assert run.writer is not None
    with open(run.writer.path(), "r+b") as file:
        text = file.read().replace(b'"pid":%d,' % os.getpid(), DEAD)
        file.seek(0)
        file.write(text)


def test_everything_that_was_written_arrives_once(run: Run, ingest: Ingest) -> None:
    """A folder's records are at the server, in order; a second delivery adds none."""
    run.log(*range(1000))
    run.end()
    first = run.deliver()
    assert first.delivered
    assert first.state == "delivered"
    assert first.behind == 0
    again = run.deliver()
    assert again.delivered
    assert again.sent == 0
    assert ingest.points(run.id) == list(range(1000))
    assert [end["state"] for end in ingest.ends(run.id)] == ["finished"]
    assert run.delivery()["done"] is True


def test_many_segments_and_writers_arrive(run: Run, ingest: Ingest) -> None:
    """Byte for byte what lies here, each segment under its own number."""
    for name in ("one", "two", "three"):
        run.open(name, segment_bytes=4096)
        run.log(*range(300))
    shown: list[tuple[int, int]] = []
    assert run.deliver(progress=lambda acked, total: shown.append((acked, total))).delivered
    here = {}
    for writer, numbers in run.folder.all_segments().items():
        for number in numbers:
            with open(run.folder.segment_path(writer, number), "rb") as file:
                here[writer, number] = file.read()
    assert ingest.data(run.id) == here
    assert len(here) > 9
    assert shown[-1][0] == shown[-1][1] == sum(map(len, here.values()))
    assert [acked for acked, _ in shown] == sorted(acked for acked, _ in shown)


def test_a_torn_last_record_is_not_delivered_before_it_is_whole(run: Run, ingest: Ingest) -> None:
    """Nor is a tail of zeros after a power cut; what comes behind its newline is."""
    run.log(1)
    assert run.writer is not None
    fd = run.writer.fd
    os.write(fd, b'{"t":1,"s":1,"p":{"x":')
    assert run.deliver().delivered
    assert ingest.points(run.id) == [1]
    os.write(fd, b"2}}\n")
    assert run.deliver().delivered
    assert ingest.points(run.id) == [1, 2]
    os.write(fd, b"\0" * 5000)
    assert run.deliver().delivered


def test_a_writer_that_died_here_is_told_in_one_go(run: Run, ingest: Ingest) -> None:
    """Its streamer died too: the end is lost, and told once however often it is sent."""
    run.log(1, 2)
    bury(run)
    for _ in range(2):
        outcome = run.deliver()
        assert outcome.delivered
        assert outcome.state == "delivered"
        assert [end["state"] for end in ingest.ends(run.id)] == ["lost"]


def test_another_machines_writer_is_sent_and_not_judged(run: Run, ingest: Ingest) -> None:
    """Of its process nothing can be known here."""
    run.log(1, 2)
    assert run.writer is not None
    host = b'"host":"%s"' % os.uname().nodename.encode()
    with open(run.writer.path(), "r+b") as file:
        text = file.read().replace(host, b'"host":"%s"' % (b"x" * (len(host) - 9)))
        file.seek(0)
        file.write(text)
    assert run.deliver().delivered
    assert ingest.points(run.id) == [1, 2]
    assert ingest.ends(run.id) == []


def test_it_works_beside_a_live_streamer(run: Run, ingest: Ingest) -> None:
    """Both send, the server keeps each record once, and only the lock's holder writes."""
    run.log(*range(500))
    assert spawn.start(run.path)
    for _ in range(5):
        assert run.deliver().delivered
        run.log(*range(500, 600))
    run.end()
    eventually(lambda: run.delivery().get("done"), what=run)
    assert ingest.points(run.id) == list(range(500)) + list(range(500, 600)) * 5


def test_what_was_sent_beside_a_streamer_that_cannot_send_is_known_as_delivered(
    make_run: Callable[..., Run], ingest: Ingest
) -> None:
    """Its server is down, or its token wrong: after a sync nobody is told to sync any more."""
    run = make_run(server="http://127.0.0.1:9")
    run.log(*range(20))
    run.end()
    assert spawn.start(run.path)
    eventually(lambda: run.delivery().get("state") == "waiting", what=run)
    assert not delivery_of(run.folder).is_whole

    def is_sent() -> bool:  # the streamer may have a record of its own to write yet
        transport = HttpTransport(ingest.url)
        return (
            deliver(run.folder, transport=transport).delivered and delivery_of(run.folder).is_whole
        )

    eventually(is_sent, what=run)
    assert run.delivery()["state"] == "waiting"
    assert ingest.points(run.id) == list(range(20))


def test_a_folder_that_takes_no_lock_is_delivered(run: Run, ingest: Ingest) -> None:
    """A copy may be read-only: nothing is written into it."""
    run.log(1)
    os.mkdir(lock_path(run.path))
    before = sorted(os.listdir(run.path))
    assert run.deliver().delivered
    assert ingest.points(run.id) == [1]
    assert sorted(os.listdir(run.path)) == before


def test_a_run_that_grows_all_the_time_is_sent_all_the_time(run: Run, ingest: Ingest) -> None:
    """A fast writer cannot keep the sender looking."""
    run.log(0)
    ends = threading.Event()

    def write() -> None:
        while not ends.is_set():
            run.log(*range(10))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        eventually(lambda: run.deliver().sent > 0)
    finally:
        ends.set()
        thread.join()


def test_following_goes_on_until_the_run_is_over(run: Run, ingest: Ingest) -> None:
    """What is written meanwhile is sent too."""
    run.log(1)
    outcomes: list[Any] = []
    thread = threading.Thread(target=lambda: outcomes.append(run.deliver(follow=True)))
    thread.start()
    eventually(lambda: ingest.points(run.id) == [1])
    run.log(2)
    eventually(lambda: ingest.points(run.id) == [1, 2])
    assert thread.is_alive()
    run.end()
    thread.join(30)
    assert outcomes[0].state == "delivered"


def test_a_file_that_was_cut_short_is_a_gap(run: Run, ingest: Ingest) -> None:
    """Named once; what follows goes on arriving."""
    run.log(*range(50))
    assert run.writer is not None
    path = run.writer.path()
    thread = threading.Thread(target=lambda: run.deliver(follow=True))
    thread.start()
    eventually(lambda: ingest.points(run.id) == list(range(50)))
    os.truncate(path, os.path.getsize(path) // 2)
    eventually(lambda: [r for r in ingest.records(run.id) if r.get("k") == "gap"])
    run.log(*range(100, 200))
    run.end()
    thread.join(30)
    assert not thread.is_alive()
    assert ingest.points(run.id)[-1] == 199


def test_a_file_system_without_locks_has_its_lock_elsewhere(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some NFS mounts: the user's own state folder then holds it, per folder."""
    whole = fcntl.lockf

    def lockf(fd: int, how: int, *more: int) -> None:
        if os.readlink(f"/proc/self/fd/{fd}").startswith(str(tmp_path)):
            raise OSError(errno.ENOLCK, "No locks available")
        whole(fd, how, *more)

    monkeypatch.setattr(fcntl, "lockf", lockf)
    holder = Latch(str(tmp_path)).take()
    assert holder is not None
    child = os.fork()
    if child == 0:
        taken = Latch(str(tmp_path)).take()
        os._exit(0 if taken is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    holder.release()
    assert not is_held(str(tmp_path))
