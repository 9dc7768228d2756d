"""The dead-man's word: what an end record says of a death besides its state."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from outrider import api
from outrider.journal.writer import JournalWriter
from outrider.streamer import spawn
from outrider.streamer.clock import Clock
from outrider.streamer.cursor import Place
from outrider.streamer.ends import Death
from outrider.streamer.lock import holder_of
from outrider.streamer.oom import OomCounters, oom_kills
from outrider.streamer.roster import Roster
from outrider.streamer.witness import SAMPLES, Witness, tail_of
from outrider.streamer.xid import XidListener
from waiting import eventually

if TYPE_CHECKING:
    from streamer_ingest import Ingest
    from streamer_kit import Run

Train = Callable[..., "subprocess.Popen[str]"]
GIB = float(1 << 30)


class Machine:
    """A /proc and a /sys of files."""

    def __init__(self, root: Path, cgroup: str, counters: dict[str, int]) -> None:
        self.root = root
        self.write("proc/self/cgroup", cgroup)
        self.write("proc/7/cgroup", cgroup)
        self.write("proc/vmstat", "nr_free_pages 5\noom_kill 3\n")
        for path, count in counters.items():
            self.count(path, count)

    def write(self, path: str, text: str) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def count(self, path: str, kills: int) -> None:
        self.write(path, f"low 0\nhigh 0\nmax 9\noom 9\noom_kill {kills}\noom_group_kill 0\n")


V2 = "0::/slurm/job_7/step_0\n"
V1 = "12:cpu,cpuacct:/job\n5:memory:/slurm/job_7\n1:name=systemd:/\n0::/\n"


@pytest.mark.parametrize(
    ("cgroup", "counter"),
    [
        (V2, "sys/fs/cgroup/slurm/job_7/step_0/memory.events"),
        (V2, "sys/fs/cgroup/memory.events"),  # a container that sees its own part only
        (V2, "sys/fs/cgroup/unified/slurm/job_7/step_0/memory.events"),
        (V1, "sys/fs/cgroup/memory/slurm/job_7/memory.oom_control"),
        (V1, "sys/fs/cgroup/memory/memory.oom_control"),
    ],
)
def test_kills_for_memory_are_counted_in_both_versions_of_cgroups(
    cgroup: str, counter: str, tmp_path: Path
) -> None:
    """From the moment on when the watch began; what was before is somebody else's."""
    machine = Machine(tmp_path, cgroup, {counter: 4})
    counters = OomCounters(str(tmp_path))
    counters.add(7)
    assert counters.kills() == 0
    machine.count(counter, 6)
    assert counters.kills() == 2
    (tmp_path / counter).unlink()  # the job's group is cleared away
    assert counters.kills() == 0


def test_the_machines_own_counter_is_kept_apart(tmp_path: Path) -> None:
    """It does not say whom it was about; without any file nothing is said."""
    machine = Machine(tmp_path, V2, {})
    counters = OomCounters(str(tmp_path))
    machine.write("proc/vmstat", "oom_kill 4\n")
    assert (counters.kills(), counters.machine_kills()) == (0, 1)
    assert OomCounters(str(tmp_path / "nowhere")).machine_kills() == 0
    assert oom_kills("self", str(tmp_path / "nowhere")) == {}
    assert OomCounters().kills() == 0  # this machine, as it is


class Story:
    """A witness, the time by hand, a machine of files."""

    def __init__(self, run: Run, root: Path) -> None:
        self.time = 1000.0
        self.counter = "sys/fs/cgroup/slurm/job_7/step_0/memory.events"
        self.machine = Machine(root, V2, {self.counter: 0})
        self.clock = Clock(lambda: self.time, lambda: self.time, lambda: 0.5)
        self.run = run
        self.witness = Witness(run.folder, self.clock, str(root))

    def evidence(self, death: Death) -> dict[str, Any]:
        sizes = {
            Place(writer, number): self.run.folder.size(writer, number)
            for writer, numbers in self.run.folder.all_segments().items()
            for number in numbers
        }
        return self.witness.evidence(death, sizes)


@pytest.fixture
def story(run: Run, tmp_path: Path) -> Story:
    run.open()
    return Story(run, tmp_path / "machine")


def test_only_what_is_known_is_told(story: Story) -> None:
    """Of a death about which nothing is known there is no evidence."""
    assert story.evidence(Death(signal=9)) == {}


def test_memory_is_told_as_it_was_seen_last(story: Story) -> None:
    """The cgroup's where it has a limit, else the machine's; the newest sample last."""
    host = {"system/memory/used_bytes": 3 * GIB, "system/memory/available_bytes": 5 * GIB}
    story.witness.note_sample(host)
    group = {
        "system/cgroup/memory_used_bytes": 2 * GIB,
        "system/cgroup/memory_limit_bytes": 4 * GIB,
        "system/process/rss_bytes": GIB,
    }
    story.time += 3
    story.witness.note_sample({**host, **group})
    story.witness.note_sample({"system/cpu": 5.0})
    story.time += 4
    assert story.evidence(Death(signal=9))["memory"] == [
        {"ago": 7.0, "used": 3 * GIB, "limit": 8 * GIB, "process": None},
        {"ago": 4.0, "used": 2 * GIB, "limit": 4 * GIB, "process": GIB},
    ]
    story.witness.note_sample({**host, **group, "system/process/rss_bytes": 0.0})  # dying
    story.witness.note_sample(host)  # gone, and its memory free
    assert [one["ago"] for one in story.evidence(Death(signal=9))["memory"]] == [7.0, 4.0]
    for _ in range(100):
        story.witness.note_sample({**host, **group})
    assert len(story.evidence(Death(signal=9))["memory"]) == SAMPLES


def test_who_sent_sigterm_is_told_of_a_death_by_it_soon_after(story: Story) -> None:
    """Not of a crash, and not of what came hours later."""
    story.witness.note_sigterm({"pid": 7, "uid": 0, "name": "slurmstepd"})
    assert story.evidence(Death(signal=11)) == {}
    assert story.evidence(Death(code=143))["signal_from"]["name"] == "slurmstepd"
    assert story.evidence(Death(signal=9))["signal_from"]["pid"] == 7
    story.time += 3600
    assert story.evidence(Death(signal=15)) == {}


def test_the_last_console_lines_are_told_as_a_terminal_left_them(story: Story) -> None:
    """Of all writers by time, without colours, overwritten text and secrets; the last twenty."""
    writer = story.run.writer
    assert writer is not None
    other = JournalWriter(story.run.path, story.run.id, writer="child")
    for number in range(30):
        writer.append({"k": "console", "o": "out", "b": f"line {number}\n"})
    writer.append({"k": "console", "o": "err", "b": "\x1b[31m10%\r\x1b[1m100%\x1b[0m\n\n"})
    other.append({"k": "console", "o": "err", "b": "OPENAI_API_KEY=sk-abcdefghijklmnopqrstuv1234"})
    other.append({"k": "console", "o": "out", "x": "//8="})
    told = story.evidence(Death(code=1))["last_console"]
    assert told[:2] == ["line 12", "line 13"]
    assert told[-2] == "100%"
    assert told[-1].startswith("OPENAI_API_KEY=")
    assert "sk-abcdef" not in told[-1]
    assert len(told) == 20


def test_a_line_without_end_is_cut() -> None:
    """A progress bar of hours is one line; so is a megabyte without a line break."""
    assert tail_of("\r".join(f"{n}%" for n in range(1000))) == ["999%"]
    assert len(tail_of("x" * 10_000_000)[0]) == 300
    assert tail_of("\x1b]0;title\x07\n\r\n   \n") == []


class NvmlError(Exception):
    """An error of the driver's library, with its number."""

    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.value = value


def nvml(registered: list[int], *events: tuple[int, int]) -> Any:
    """A driver of three GPUs that reports these events; the third GPU has none."""
    waiting = list(events)

    def register(device: int, kind: int, name: str) -> None:
        assert (kind, name) == (8, "set")
        if device == 2:
            raise NvmlError(3)
        registered.append(device)

    def wait(name: str, milliseconds: int) -> Any:
        if not waiting:
            time.sleep(0.01)
            raise NvmlError(10)
        device, xid = waiting.pop(0)
        return SimpleNamespace(device=device, eventType=8, eventData=xid)

    return SimpleNamespace(
        NVMLError=NvmlError,
        NVML_ERROR_TIMEOUT=10,
        NVML_ERROR_GPU_IS_LOST=15,
        nvmlEventTypeXidCriticalError=8,
        nvmlInit=lambda: None,
        nvmlEventSetCreate=lambda: "set",
        nvmlDeviceGetCount=lambda: 3,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetIndex=lambda device: device,
        nvmlDeviceRegisterEvents=register,
        nvmlEventSetWait_v2=wait,
    )


def test_xid_errors_are_listened_for_and_told(story: Story) -> None:
    """With the GPU's number and how long before; a GPU that cannot tell holds up none."""
    registered: list[int] = []
    listener = XidListener(story.witness.note_xid, nvml(registered, (1, 31), (0, 79)))
    listener.start()
    eventually(lambda: len(story.evidence(Death(signal=6)).get("xid", ())) == 2)
    assert registered == [0, 1]
    listener.stop()
    eventually(lambda: not listener.is_listening())
    story.time += 2
    assert story.evidence(Death(signal=6))["xid"] == [
        {"gpu": 1, "xid": 31, "ago": 2.0},
        {"gpu": 0, "xid": 79, "ago": 2.0},
    ]


def test_without_a_driver_nothing_is_listened_for() -> None:
    """The thread ends by itself."""

    def fail() -> None:
        raise NvmlError(12)

    listener = XidListener(lambda gpu, xid: None, SimpleNamespace(nvmlInit=fail))
    listener.start()
    eventually(lambda: not listener.is_listening())


def test_a_failure_that_was_told_gets_what_it_cannot_have_known(story: Story) -> None:
    """A worker killed for memory is an exception in the trainer: its own word stands, with ours."""
    run = story.run
    roster = Roster(run.folder, clock=story.clock, witness=story.witness)

    def tick() -> list[Any]:
        story.time += 1
        sizes = {Place("main", 1): run.folder.size("main", 1)}
        return [end for _, end in roster.tick(sizes)]

    assert tick() == []
    story.machine.count(story.counter, 1)
    run.end("failed", 1)
    (end,) = tick()
    assert (end.state, end.code, end.evidence) == ("failed", 1, {"oom_kills": 1})
    record = end.record("main", 1)
    roster.told(roster.members["main"])
    assert tick() == []
    own = JournalWriter(run.path, run.id, writer="streamer", role="streamer")
    own.append(record)
    read = api.open(run.path).overview.end
    assert read is not None
    assert read["evidence"] == {"oom_kills": 1}
    assert read["sentence"] == "failed with exit code 1; the cgroup counted 1 out-of-memory kill"


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_command_that_a_signal_ended_gets_all_the_evidence(story: Story, by_hand: bool) -> None:
    """`outrider run` says itself that its child was killed; Ctrl-C needs no explanation."""
    story.witness.note_sample({"system/memory/used_bytes": GIB})
    roster = Roster(story.run.folder, clock=story.clock, witness=story.witness)
    assert story.run.writer is not None
    why = {"type": "KeyboardInterrupt", "message": ""} if by_hand else None
    end = {"k": "end", "w": "main", "a": 1, "state": "killed", "code": None, "signal": 2}
    story.run.writer.append({**end, "why": why})
    sizes = {Place("main", 1): story.run.folder.size("main", 1)}
    told = roster.tick(sizes)
    assert [list(one.evidence or ()) for _, one in told] == ([] if by_hand else [["memory"]])


def test_a_run_that_finished_needs_no_evidence(story: Story) -> None:
    """Whatever else was killed on the machine."""
    roster = Roster(story.run.folder, clock=story.clock, witness=story.witness)
    story.machine.count(story.counter, 1)
    story.run.end("finished", 0)
    sizes = {Place("main", 1): story.run.folder.size("main", 1)}
    assert roster.tick(sizes) == []
    assert roster.is_over()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells who sends a signal")
def test_a_killed_trainer_leaves_its_story(run: Run, ingest: Ingest, train: Train) -> None:
    """A real one: the sampler's last memory, and who sent SIGTERM to the whole job."""
    trainer = train(run, "wait", env={**os.environ, "SLURM_JOB_ID": "1"})
    pid = int(eventually(lambda: holder_of(run.path)))
    eventually(lambda: any(r.get("k") == "sys" for r in ingest.records(run.id)), what=run)
    os.kill(pid, signal.SIGTERM)
    time.sleep(0.1)
    trainer.send_signal(signal.SIGTERM)
    (end,) = eventually(lambda: ingest.ends(run.id), what=run)
    assert (end["state"], end["signal"]) == ("preempted", 15)
    assert end["evidence"]["signal_from"]["pid"] == os.getpid()
    assert end["evidence"]["memory"][-1]["used"] > 0
    eventually(lambda: run.delivery().get("done"), what=run)
    said = api.open(run.path).overview.end
    assert said is not None
    assert said["sentence"].startswith("preempted: the scheduler ended it by signal 15 (SIGTERM)")
    assert f"(process {os.getpid()})" in said["sentence"]


def busy(handler: Any, path: str, body: bytes) -> bool:
    """A server that takes nothing just now."""
    if "/journal/" in path:
        handler.error(503)
        return True
    return False


def test_a_writer_that_joins_after_the_end_is_sampled_like_the_first(
    run: Run, ingest: Ingest
) -> None:
    """A rank that begins when the others have ended: the streamer takes everything up again."""
    run.log(1)
    assert spawn.start(run.path)
    pid = int(eventually(lambda: holder_of(run.path)))

    def samples() -> int:
        return sum(record.get("k") == "sys" for record in ingest.records(run.id))

    eventually(samples, what=run)
    ingest.fault = busy
    run.end()
    time.sleep(1.5)  # it has asked the sampler to stop, and waits for the server
    assert holder_of(run.path) == pid
    late = JournalWriter(run.path, run.id, writer="late")
    late.append({"s": 0, "p": {"x": 2}})
    ingest.fault = None
    before = samples()
    eventually(lambda: samples() > before + 4, what=run)
    assert holder_of(run.path) == pid
    late.append({"k": "end", "w": "late", "a": 1, "state": "finished", "code": 0})
    eventually(lambda: run.delivery().get("done"), what=run)
