"""The training's process tree, over recorded files and over real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import lay, lay_process, stat_line

from outrider.sampler.files import read
from outrider.sampler.probe import NotHere, Target
from outrider.sampler.process import (
    PAGE,
    ProcessProbe,
    ProcessTree,
    Stat,
    make,
    parse_stat,
    spent,
)


def aimed(root: Path, pid: int = 42) -> tuple[ProcessProbe, Target]:
    """A probe of a recorded tree."""
    target = Target(pid, "/")
    probe = ProcessProbe(str(root))
    probe.aim(target)
    return probe, target


def test_the_whole_tree_counts(tmp_path: Path) -> None:
    """A trainer, two workers, and a grandchild that a thread of one of them started."""
    lay_process(tmp_path, 42, "43 44 ")
    lay_process(tmp_path, 43)
    lay_process(tmp_path, 44)
    lay(tmp_path, {"proc/44/task/1044/children": "45 "})
    lay_process(tmp_path, 45)
    probe, target = aimed(tmp_path)
    readings = probe.read()
    assert readings["system/process/rss_bytes"] == 4 * 1000 * PAGE
    assert readings["system/process/private_bytes"] == 4 * 600 * PAGE
    assert readings["system/process/threads"] == 16
    assert readings["system/process/children"] == 3
    assert readings["system/process/open_files"] > 0
    assert target.pids == {42, 43, 44, 45}


def test_a_command_may_hold_spaces_and_brackets() -> None:
    """Anybody can name a process `x) R 1 (`."""
    stat = parse_stat(stat_line(7, name="a) Z 9 (b c", own=5, reaped=3, start=88).encode())
    assert stat == Stat(b"S", own=5, reaped=3, threads=4, start=88, rss=1000 * PAGE)


def test_a_number_that_another_process_got_is_not_the_trainer(tmp_path: Path) -> None:
    """Told by its start time; its figures are nobody's."""
    lay_process(tmp_path, 42, start=100)
    probe, target = aimed(tmp_path)
    assert probe.read()
    lay_process(tmp_path, 42, start=900)
    assert probe.read() == {}
    assert target.pids == frozenset()


def test_a_worker_whose_parent_died_still_belongs_to_the_training(tmp_path: Path) -> None:
    """A DataLoader's worker that was orphaned still holds memory."""
    lay_process(tmp_path, 42, "43 ")
    lay_process(tmp_path, 43, "44 ")
    lay_process(tmp_path, 44)
    probe, target = aimed(tmp_path)
    probe.read()
    (tmp_path / "proc/43/stat").unlink()
    lay_process(tmp_path, 42, "")
    probe.read()
    assert target.pids == {42, 44}


def test_the_streamer_is_never_part_of_the_training(tmp_path: Path) -> None:
    """In a container whose first process is the trainer, it is its child."""
    lay_process(tmp_path, 42, f"{os.getpid()} 43 ")
    lay_process(tmp_path, os.getpid(), "50 ")
    lay_process(tmp_path, 43)
    lay_process(tmp_path, 50)
    probe, target = aimed(tmp_path)
    probe.read()
    assert target.pids == {42, 43}


def test_a_dead_child_that_nobody_waited_for_is_not_counted_as_alive(tmp_path: Path) -> None:
    """A zombie has neither memory nor threads."""
    lay_process(tmp_path, 42, "43 ")
    lay_process(tmp_path, 43, state="Z")
    probe, target = aimed(tmp_path)
    assert probe.read()["system/process/children"] == 0
    assert target.pids == {42}


def test_children_of_many_threads_are_found_in_turns(tmp_path: Path) -> None:
    """A process with 200 threads costs a bounded number of reads, and misses nothing for long."""
    lay_process(tmp_path, 42)
    for thread in range(200):
        lay(tmp_path, {f"proc/42/task/{5000 + thread}/children": "43 " if thread == 137 else ""})
    lay_process(tmp_path, 43)
    reads: list[str] = []

    def counted(path: str) -> bytes:
        reads.append(path)
        return read(path)

    tree = ProcessTree(42, str(tmp_path), counted)
    walks = 0
    while 43 not in tree.walk():
        walks += 1
        assert walks < 10
    assert len(reads) < 45 * (walks + 2)


@pytest.mark.parametrize("error", [ProcessLookupError, FileNotFoundError, PermissionError])
def test_a_process_that_dies_in_the_middle_of_any_read_raises_nothing(
    tmp_path: Path, error: type[OSError]
) -> None:
    """A fault at the n-th read, for every n."""
    lay_process(tmp_path, 42, "43 ")
    lay_process(tmp_path, 43)
    for faulty in range(1, 40):
        count = 0

        def failing(path: str, faulty: int = faulty) -> bytes:
            nonlocal count
            count += 1
            if count == faulty:
                raise error(path)
            return read(path)

        probe = ProcessProbe(str(tmp_path), failing)
        try:
            probe.aim(Target(42, "/"))
        except NotHere:
            assert faulty == 1
            continue
        for _ in range(2):
            assert all(value >= 0 for value in probe.read().values())


def test_a_trainer_that_is_already_gone_is_not_looked_for() -> None:
    """A streamer that comes late has no process figures, and no failure either."""
    with pytest.raises(NotHere):
        aimed(Path("/nowhere"))
    with pytest.raises(NotHere):
        ProcessProbe().aim(Target(None, "/"))


def stat(own: int, reaped: int = 0, start: int = 1) -> Stat:
    """A process by its CPU ticks."""
    return Stat(b"S", own, reaped, 1, start, 0)


def test_time_of_a_child_is_counted_once_although_its_parent_inherits_it() -> None:
    """When a child ends, all its time is added to what its parent waited for."""
    before = {1: stat(100), 2: stat(50)}
    now = {1: stat(110, reaped=55)}
    assert spent(before, now) == 10 + 5


def test_time_of_children_that_came_and_went_between_two_looks_counts() -> None:
    """A shell script that starts thousands of short programs is not idle."""
    assert spent({1: stat(100)}, {1: stat(101, reaped=40)}) == 41


def test_a_child_that_vanishes_unwaited_takes_nothing_from_the_others() -> None:
    """Never less than what the living used themselves."""
    assert spent({1: stat(100), 2: stat(500)}, {1: stat(130)}) == 30


def test_a_number_taken_over_by_a_new_process_begins_from_nothing() -> None:
    """Its whole time is new, and the dead one's is not taken from it."""
    before = {1: stat(100), 2: stat(500, start=1)}
    now = {1: stat(100, reaped=500), 2: stat(7, start=9)}
    assert spent(before, now) == 7


@settings(deadline=None)  # a busy machine is no failure
@given(st.data())
def test_time_is_never_counted_twice_in_any_history_of_forks_and_deaths(
    data: st.DataObject,
) -> None:
    """A random tree of processes whose parents wait for them: the sum is what was really used."""
    own, reaped, parent = {1: 0}, {1: 0}, {1: 0}
    next_pid, total, counted = 2, 0, 0
    before: dict[int, Stat] | None = {1: stat(0)}
    for _ in range(data.draw(st.integers(1, 12))):
        for _ in range(data.draw(st.integers(0, 6))):
            pid = data.draw(st.sampled_from(sorted(own)))
            match data.draw(st.sampled_from(["work", "fork", "die"])):
                case "work":
                    ticks = data.draw(st.integers(0, 50))
                    own[pid] += ticks
                    total += ticks
                case "fork":
                    own[next_pid], reaped[next_pid], parent[next_pid] = 0, 0, pid
                    next_pid += 1
                case "die" if pid != 1 and pid not in parent.values():
                    reaped[parent[pid]] += own.pop(pid) + reaped.pop(pid)
                    del parent[pid]
        now = {pid: stat(own[pid], reaped[pid]) for pid in own}
        counted += spent(before, now)
        before = now
    assert counted == total


def test_real_children_are_found_and_their_time_is_counted() -> None:
    """A real trainer with a worker that is busy for a moment."""
    code = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-c', "
        "'import time\\nprint(1, flush=True)\\nwhile time.process_time() < 1: pass\\ninput()'],"
        " stdin=-1)\n"
        "input()\np.communicate(b'x')\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1) as trainer:
        assert trainer.stdout
        trainer.stdout.readline()  # the worker is there
        probe = make()
        target = Target(trainer.pid, "/")
        probe.aim(target)  # type: ignore[attr-defined]
        probe.read()
        time.sleep(0.3)
        readings = probe.read()
        assert readings["system/process/children"] == 1
        assert readings["system/process/cpu_percent"] > 0
        assert trainer.pid in target.pids
        trainer.communicate(b"x\n")
    assert probe.read() == {}
