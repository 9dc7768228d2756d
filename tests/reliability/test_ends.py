"""How a training may be ended: by a scheduler, by hand, by itself, with nobody there to send to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from harness import (
    KILLS,
    Trainer,
    check,
    eventually,
    folder_of,
    free_port,
    is_delivered,
    pause_at_random,
    send_all,
    stop,
    streamer_of,
)

from outrider import api
from outrider.finishing import is_last_chance
from outrider.journal.reader import find_folders

if TYPE_CHECKING:
    from conftest import Server

pytestmark = [pytest.mark.reliability, pytest.mark.timeout(180 + 10 * KILLS)]

JOBS = max(2, KILLS // 10)


def test_slurm_ends_a_job_and_nothing_is_lost(
    server: Server, train: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM to every process of the job at once, and SIGKILL to what is left after a grace time."""
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    trainers = []
    for number in range(JOBS):
        trainer = train(server.url, pause=0.002)
        trainers.append(trainer)
        eventually(lambda at=trainer: at.has_logged(20), f"records of job {number}")
        folder = folder_of(trainer.folder, str(trainer.notes.run))
        pid = eventually(lambda at=folder: streamer_of(at), "a streamer")
        job = [trainer.process.pid, pid]
        for one in job:
            stop(one, signal.SIGTERM)
        pause_at_random(0.5)
        for one in job:
            stop(one, signal.SIGKILL)
        trainer.kill()
        eventually(lambda at=folder: streamer_of(at) is None, "the streamer's death")
    monkeypatch.delenv("SLURM_JOB_ID")
    send_all(trainers[0].folder, server.url)
    assert all(check(server.client, trainer.notes) >= 20 for trainer in trainers)
    states = {server.client.run(f"reliability/{t.notes.run}").state for t in trainers}
    assert states <= {"preempted", "killed", "lost"}


def test_kubernetes_ends_a_pod_and_everything_is_delivered_within_the_grace_time(
    server: Server, train: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM to the training alone, which finishes; then all is killed and the disk is gone."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    for _ in range(JOBS // 2):
        trainer = train(server.url, pause=0.001, on_term="finish")
        eventually(lambda at=trainer: at.has_logged(100), "records")
        folder = folder_of(trainer.folder, str(trainer.notes.run))
        stop(trainer.process.pid, signal.SIGTERM)
        assert trainer.wait() == 0, trainer.words()
        pid = streamer_of(folder)
        if pid is not None:
            stop(pid)
        assert check(server.client, trainer.notes) >= 100  # without a sync: nothing else is left
        assert server.client.run(f"reliability/{trainer.notes.run}").state == "finished"


def test_a_training_that_leaves_by_os_exit_is_delivered_whole(
    server: Server, train: Callable[..., Trainer]
) -> None:
    """No atexit, no flush, no finish(): the streamer sees the death and goes on alone."""
    trainers = [train(server.url, count=200, pause=0, code=code, leave="_exit") for code in (0, 3)]
    for trainer, code in zip(trainers, (0, 3), strict=True):
        assert trainer.wait() == code
        folder = folder_of(trainer.folder, str(trainer.notes.run))
        eventually(lambda at=folder: is_delivered(at), "all is sent")
        assert check(server.client, trainer.notes) == 200


INTERRUPTED = """
import os, signal, sys
import outrider.start, outrider.training
from outrider import core
outrider.training.start_streamer = outrider.start.start_streamer = lambda folder, settings: False
run = core.init(project="interrupts", dir=sys.argv[1], mode="offline", settings={"segment_bytes": 8192})
returned = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
armed = False
def interrupt(*_):
    global armed
    if armed:
        armed = False
        raise KeyboardInterrupt
signal.signal(signal.SIGINT, interrupt)
print("ready", flush=True)
step = caught = 0
while caught < int(sys.argv[3]):
    step += 1
    try:
        armed = True
        run.log({"n": step, "twice": 2 * step}, step=step)
        armed = False
        os.write(returned, b"%d\\n" % step)
    except KeyboardInterrupt:
        caught += 1
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("done", flush=True)
os._exit(0)
"""


def test_interrupts_inside_log_tear_and_lose_nothing(tmp_path: Path) -> None:
    """1,000 in the long form, into the whole of log(), over rolls."""
    noted = tmp_path / "noted"
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path), str(noted), str(max(60, 2 * KILLS))],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.0002)
    process.stdout.close()
    assert process.returncode == 0
    (folder,) = find_folders(tmp_path)
    points = api.open(folder.path).points("n")
    found = [int(value) for value in points.values]
    assert found == sorted(set(found))
    assert set(map(int, noted.read_text().split())) <= set(found)
    assert found == [int(step) for step in points.steps]
    assert api.open(folder.path).gaps == 0


LEAVING = """
import atexit, json, sys, time
slept, pauses = [], time.sleep
atexit.register(lambda: print(json.dumps([sum(slept), time.monotonic() - since])))
from outrider import core
from outrider.finishing import read_delivery
run = core.init(project="p", dir=sys.argv[1], settings={"url": sys.argv[2]})
for step in range(100):
    run.log({"n": step})
if sys.argv[3] == "known":
    while read_delivery(run.folder).get("state") != "waiting":
        pauses(0.01)
time.sleep = lambda seconds: (slept.append(seconds), pauses(seconds))
since = time.monotonic()
"""


@pytest.mark.parametrize("when", ["known", "at once"])
def test_leaving_with_a_dead_server_waits_for_nothing(when: str, tmp_path: Path) -> None:
    """Where it is known that nobody listens, the interpreter's end does not wait (in a container: a
    second and a half, in case that it comes back); else until it is known. Nothing is lost either way."""
    url = f"http://127.0.0.1:{free_port()}"
    done = subprocess.run(
        [sys.executable, "-c", LEAVING, str(tmp_path), url, when],
        capture_output=True, text=True, timeout=150, check=True,
    )  # fmt: skip
    slept, lasted = json.loads(done.stdout.splitlines()[-1])
    print(f"{when}: waited {slept:.3f} s, left after {lasted:.3f} s")
    last = is_last_chance()  # in a container it waits for two seconds more, as all ends with it
    assert ("not delivered" if last else "in the background") in done.stderr
    assert slept < (1.7 if last else 0.2) + (0 if when == "known" else 6.0)
    (folder,) = find_folders(tmp_path)
    pid = eventually(lambda: streamer_of(folder.path), "a streamer that goes on")
    os.kill(pid, signal.SIGKILL)
    assert [int(value) for value in api.open(folder.path).points("n").values] == list(range(100))


def test_a_stopped_server_delays_and_loses_nothing(
    server: Server, train: Callable[..., Trainer]
) -> None:
    """SIGSTOP in the middle of its work: requests hang, the training does not; SIGCONT, all is there."""
    trainer = train(server.url, count=300, pause=0.003, code=7, finish_seconds="0.5")
    eventually(lambda: trainer.has_logged(50), "records")
    server.started.process.send_signal(signal.SIGSTOP)
    try:
        assert trainer.wait() == 7, trainer.words()
        assert len(trainer.notes.numbers) == 300
    finally:
        server.started.process.send_signal(signal.SIGCONT)
    folder = folder_of(trainer.folder, str(trainer.notes.run))
    eventually(lambda: is_delivered(folder), "all is sent")
    assert check(server.client, trainer.notes) == 300
