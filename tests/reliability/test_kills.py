"""`kill -9` of trainer, streamer and server at random instants while records flow: nothing is lost,
nothing is there twice, nothing is invented.

A short form runs always; `tox -e reliability` kills trainers and streamers 500 times each and servers
200 times (OUTRIDER_TEST_KILLS), `tox -e soak` mixes all for an hour. SQLite looks for damage in the
store after each death of a server, and at the end of every test.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from harness import (
    KILLS,
    SERVER_KILLS,
    Trainer,
    acked,
    check,
    eventually,
    folder_of,
    pause_at_random,
    send_all,
    stop,
    streamer_of,
)

from outrider.streamer import spawn

if TYPE_CHECKING:
    from conftest import Server

pytestmark = [pytest.mark.reliability, pytest.mark.timeout(120 + 20 * KILLS)]


@pytest.fixture(autouse=True)
def seed(request: pytest.FixtureRequest) -> None:
    """Other instants in every run; the seed is printed where a test fails."""
    seed = random.SystemRandom().randrange(1 << 32)
    random.seed(seed)
    print(f"seed {seed}")


def test_killed_trainers_lose_nothing(server: Server, train: Callable[..., Trainer]) -> None:
    """Each trainer is killed somewhere between its first records and its thousands."""
    trainers = []
    for number in range(KILLS):
        trainer = train(server.url, pause=random.choice([0, 0.0005, 0.005]))
        eventually(lambda at=trainer: at.has_logged(1), f"records of trainer {number}")
        pause_at_random(0.4)
        trainer.kill()
        trainers.append(trainer)
    send_all(trainers[0].folder, server.url)
    assert sum(check(server.client, trainer.notes) for trainer in trainers) >= KILLS
    # One that dies before its first streamer has looked at it is lost: nobody saw how it ended.
    states = {server.client.run(f"reliability/{t.notes.run}").state for t in trainers}
    assert states <= {"killed", "lost"}


def test_killed_streamers_lose_and_repeat_nothing(
    server: Server, train: Callable[..., Trainer]
) -> None:
    """Streamers are killed again and again, before, while and after they send."""
    trainer = train(server.url, pause=0.002)
    eventually(lambda: trainer.has_logged(1), "records")
    folder = folder_of(trainer.folder, str(trainer.notes.run))
    for number in range(KILLS):
        if not spawn.is_running(folder):  # what a later log() does, seconds earlier
            spawn.start(folder)
        pid = eventually(lambda: streamer_of(folder), f"streamer {number}")
        before = acked(folder)
        if number % 2:
            eventually(lambda past=before: acked(folder) > past, f"an ack for streamer {number}")
        pause_at_random(0.3)
        stop(pid)
        eventually(lambda at=pid: streamer_of(folder) != at, "the streamer's death")
    assert trainer.process.poll() is None
    trainer.kill()
    send_all(trainer.folder, server.url)
    assert check(server.client, trainer.notes) > KILLS


def test_killed_servers_lose_and_repeat_nothing(
    server: Server, train: Callable[..., Trainer]
) -> None:
    """The server is killed while several runs send, and started again on its data."""
    trainers = [train(server.url, pause=0.003) for _ in range(3)]
    for trainer in trainers:
        eventually(lambda at=trainer: at.has_logged(1), "records")
    folders = [folder_of(trainer.folder, str(trainer.notes.run)) for trainer in trainers]
    for number in range(SERVER_KILLS):
        before = sum(map(acked, folders))
        eventually(
            lambda past=before: sum(map(acked, folders)) > past, f"an ack by server {number}"
        )
        pause_at_random(0.3)
        server.kill()
        pause_at_random(0.3)
        server.start()
        server.check()
    assert [trainer.process.poll() for trainer in trainers] == [None] * 3
    for trainer in trainers:
        trainer.kill()
    send_all(trainers[0].folder, server.url)
    assert sum(check(server.client, trainer.notes) for trainer in trainers) > SERVER_KILLS


def mix(
    server: Server, train: Callable[..., Trainer], goes_on: Callable[[int], bool]
) -> tuple[int, int]:
    """Kill, stop and start again whatever comes; how often, and how many records were checked."""
    trainers = [train(server.url, pause=0.002)]
    number = 0
    while goes_on(number):
        trainer = trainers[-1]
        eventually(lambda at=trainer: at.has_logged(1), f"records before kill {number}")
        folder = folder_of(trainer.folder, str(trainer.notes.run))
        pause_at_random(0.4)
        victim = random.choice(["trainer", "streamer", "server", "stopped"])
        pid = streamer_of(folder)
        if victim == "trainer":
            trainer.kill()
            trainers.append(train(server.url, pause=0.002))
        elif victim == "stopped":
            for one in (pid, server.started.process.pid):
                if one is not None:
                    stop(one, signal.SIGSTOP)
            pause_at_random(0.4)
            for one in (pid, server.started.process.pid):
                if one is not None:
                    stop(one, signal.SIGCONT)
        elif victim == "streamer":
            if pid is not None:
                stop(pid)
                eventually(lambda at=(folder, pid): streamer_of(at[0]) != at[1], "its death")
            spawn.start(folder)
        else:
            server.kill()
            server.start()
            server.check()
        number += 1
        if number % 100 == 0:
            print(f"{number} times, {len(trainers)} trainers, {server.starts} servers", flush=True)
    eventually(lambda: trainers[-1].has_logged(1), "records of the last trainer")
    trainers[-1].kill()
    send_all(trainers[0].folder, server.url)
    return number, sum(check(server.client, trainer.notes) for trainer in trainers)


def test_killing_all_three_in_any_order_loses_nothing(
    server: Server, train: Callable[..., Trainer]
) -> None:
    """Whatever dies or stops next, and whatever is still being started when it dies."""
    assert mix(server, train, lambda number: number < SERVER_KILLS)[1]


@pytest.mark.soak
@pytest.mark.timeout(3600 + 16 * KILLS)
def test_soak_of_all_three(server: Server, train: Callable[..., Trainer]) -> None:
    """An hour of it (with the knob at 500)."""
    until = time.monotonic() + 7.2 * KILLS
    number, records = mix(server, train, lambda number: time.monotonic() < until)
    print(f"{number} times, {records} records")
    assert records > number


def test_a_dead_streamer_is_replaced_by_the_training_itself(
    server: Server, train: Callable[..., Trainer]
) -> None:
    """Nobody needs to notice: a later log() starts another one, which delivers everything."""
    trainer = train(server.url, pause=0.01)
    eventually(lambda: trainer.has_logged(1), "records")
    folder = folder_of(trainer.folder, str(trainer.notes.run))
    first = eventually(lambda: streamer_of(folder), "a streamer")
    stop(first)
    eventually(lambda: streamer_of(folder) not in (None, first), "another streamer")
    trainer.kill()
    send_all(trainer.folder, server.url)
    assert check(server.client, trainer.notes)
    assert server.client.run(f"reliability/{trainer.notes.run}").state == "killed"
