from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from outrider.journal.writer import boot_id, start_ticks
from outrider.streamer.ends import Circumstances, Death, decide, from_wait_status
from outrider.streamer.process import Process
from waiting import eventually

ALONE = Circumstances()
SCHEDULED = Circumstances(is_scheduled=True)


@pytest.mark.parametrize(
    ("death", "around", "state"),
    [
        (Death(code=0), ALONE, "finished"),
        (Death(code=1), ALONE, "failed"),
        (Death(code=143), ALONE, "failed"),
        (Death(code=143), SCHEDULED, "preempted"),
        (Death(signal=signal.SIGTERM), ALONE, "killed"),
        (Death(signal=signal.SIGTERM), SCHEDULED, "preempted"),
        (Death(signal=signal.SIGKILL), ALONE, "killed"),
        (Death(signal=signal.SIGKILL), SCHEDULED, "killed"),
        (Death(signal=signal.SIGKILL), Circumstances(False, True, 30.0), "preempted"),
        (Death(signal=signal.SIGKILL), Circumstances(False, True, 3000.0), "killed"),
        (Death(signal=signal.SIGKILL), Circumstances(False, False, 30.0), "killed"),
        (Death(signal=signal.SIGKILL), Circumstances(oom_killed=True), "oom"),
        (Death(signal=signal.SIGTERM), Circumstances(oom_killed=True), "killed"),
        (Death(code=0), Circumstances(oom_killed=True), "finished"),
        (Death(signal=signal.SIGSEGV), ALONE, "crashed"),
        (Death(signal=signal.SIGABRT), SCHEDULED, "crashed"),
        (Death(signal=signal.SIGINT), ALONE, "killed"),
        (Death(), SCHEDULED, "lost"),
    ],
)
def test_the_end_that_is_told_is_the_true_one(
    death: Death, around: Circumstances, state: str
) -> None:
    """Each way to die has its state; out of memory needs both the counter and SIGKILL."""
    end = decide(death, around)
    assert end.state == state
    assert end.code == death.code
    record = end.record("w", 2)
    assert (record["k"], record["w"], record["a"]) == ("end", "w", 2)


@pytest.mark.parametrize("code", [0, 1, 77, 255])
def test_a_wait_status_is_read_as_wait_reads_it(code: int) -> None:
    """The kernel's status word, for exits and for signals with and without a core dump."""
    assert from_wait_status(code << 8) == Death(code=code)
    assert from_wait_status(9) == Death(signal=9)
    assert from_wait_status(11 | 0x80) == Death(signal=11)


def _start(script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", script])


@pytest.mark.skipif(sys.platform != "linux", reason="pidfd and /proc are Linux's")
@pytest.mark.parametrize("is_reaped", [True, False])
@pytest.mark.parametrize(
    ("last", "death"),
    [
        ("import os; os._exit(0)", Death(code=0)),
        ("import os; os._exit(41)", Death(code=41)),
        ("import os; os.kill(os.getpid(), 9)", Death(signal=9)),
        ("import os; os.abort()", Death(signal=6)),
    ],
)
def test_the_exit_of_a_process_is_learnt_from_the_kernel(
    last: str, death: Death, is_reaped: bool
) -> None:
    """Both while it is a zombie and, from Linux 6.15 on, after its parent has reaped it."""
    child = _start(f"import sys; sys.stdin.close(); import time; time.sleep(0.2); {last}")
    watched = Process(child.pid, start_ticks(child.pid))
    assert watched.death() is None
    if is_reaped:
        child.wait()
        kernel = tuple(map(int, os.uname().release.split("-")[0].split(".")[:2]))
        if kernel < (6, 15):
            death = Death()
    assert eventually(watched.death) == death
    child.wait()


def test_a_reused_pid_is_not_taken_for_the_writer() -> None:
    """Another start time or another boot: the writer is gone, and nobody knows how."""
    ours = os.getpid()
    start = start_ticks(ours)
    assert start is not None
    assert Process(ours, start).death() is None
    assert Process(ours, start - 1).death() == Death()
    host = os.uname().nodename
    head = {"pid": ours, "start": start, "host": host, "boot": boot_id()}
    alive = Process.of_head(head)
    assert alive is not None
    assert alive.death() is None
    other = Process.of_head({**head, "boot": "another"})
    assert other is not None
    assert other.death() == Death()
    assert Process.of_head({**head, "host": "elsewhere"}) is None
    assert Process.of_head({"host": host}) is None
