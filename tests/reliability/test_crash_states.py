"""Crash states: everything that a writer does to the disk is recorded, and played back up to every
step, as the death of the process leaves it, and with less, as the death of the machine does."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from faulty import Recorded, Ticking, states
from harness import KILLS, LONG
from inside import Inside
from test_nth_fault import QUICK, make

from outrider.journal.reader import RunFolder
from outrider.journal.record import Damaged, Record
from outrider.journal.writer import JournalWriter
from outrider.streamer.clock import Clock
from outrider.streamer.loop import deliver
from outrider.streamer.watch import Syncer, Watch

pytestmark = pytest.mark.reliability

ROWS = 24
Step = tuple[str, str, bytes]

DIES = """
import os, sys
from outrider.journal.writer import JournalWriter
JournalWriter(sys.argv[1], "r1", writer="dies").append({"s": 0, "p": {"m": 1}})
os._exit(0)
"""


def record(folder: str, rows: int = ROWS) -> list[Step]:
    """Log through rolls, deletions and syncs, and note what was done and when a call returned."""
    files = Recorded()
    writer = JournalWriter(
        folder, "r1", writer="main", segment_bytes=900, clock=Ticking(), files=files
    )
    run = RunFolder(folder)
    watch = Watch(run)

    def sync(path: str, flags: int) -> bool:
        files.note("synced", path, b"%d" % os.path.getsize(path))
        return True

    syncer = Syncer(run, sync=sync)
    for step in range(rows):
        assert writer.append({"s": step, "p": {"n": step}})
        files.note("returned", data=b"%d" % step)
        if step % 5 == 4:
            watch.look(thorough=True)
            syncer.sync(watch.sizes)
            files.note("all synced")
    os.close(writer.fd)
    return files.steps


def returned(steps: list[Step]) -> list[int]:
    return [int(data) for what, _, data in steps if what == "returned"]


class Replay:
    """A folder that is brought into one state after another."""

    def __init__(self, place: Path) -> None:
        self.folder = make(place)
        self.reader = RunFolder(self.folder)

    def lay(self, files: dict[str, bytes]) -> None:
        for name in os.listdir(self.reader.journal):
            os.unlink(os.path.join(self.reader.journal, name))
        for path, data in files.items():
            Path(self.reader.journal, os.path.basename(path)).write_bytes(data)

    def found(self) -> tuple[list[int], int]:
        """The steps that are read, and how many lines cannot be."""
        records = [record for *_, record in self.reader.records()]
        steps = [r.body["s"] for r in records if isinstance(r, Record) and r.kind == "points"]
        return steps, sum(isinstance(r, Damaged) for r in records)


def torn(files: dict[str, bytes], step: Step) -> list[dict[str, bytes]]:
    """The states in the middle of a write: so many of its bytes are there."""
    what, path, data = step
    if what != "write":
        return []
    cuts = range(1, len(data)) if LONG else (1, len(data) // 2, len(data) - 1)
    return [{**files, path: files[path][: len(files[path]) - len(data) + cut]} for cut in cuts]


def test_every_prefix_of_what_was_done_to_the_disk_is_a_sound_state(tmp_path: Path) -> None:
    """Killed before any step, or in the middle of a write: all that had returned is delivered, once,
    and at most the one record that was being written besides."""
    steps = record(make(tmp_path / "whole"))
    assert len(steps) > 60
    assert returned(steps) == list(range(ROWS))
    server = Inside(tmp_path / "server")
    replay = Replay(tmp_path / "replay")
    for number, files in states(steps):
        had = returned(steps[:number])
        for state in [files, *(torn(files, steps[number - 1]) if number else [])]:
            replay.lay(state)
            found, damaged = replay.found()
            assert found in (had, [*had, len(had)]), (number, found)
            assert not damaged
            if state is not files and not LONG:
                continue
            assert deliver(replay.folder, transport=server, clock=QUICK).delivered
            assert server.points("p", "r1", "n") == found
            assert server.store.run("p", "r1")["gaps"] == 0
            assert server.store.delete_run("p", "r1")
    server.close()


def test_power_loss_costs_what_was_not_synced_and_nothing_else(tmp_path: Path) -> None:
    """Each file keeps what was synced and any part of the rest, cut off or as zeros; files whose
    folder was not synced may be missing. What was synced is there, and what is there is delivered."""
    steps = record(make(tmp_path / "whole"))
    rng = random.Random(9)
    replay = Replay(tmp_path / "replay")
    server = Inside(tmp_path / "server")
    all_states = list(states(steps))
    for number in range(10 * KILLS):
        at, files = rng.choice(all_states)
        files, safe = without_power(files, steps[:at], rng)
        replay.lay(files)
        found, damaged = replay.found()
        assert set(safe) <= set(found), (at, found)
        assert set(found) <= set(range(ROWS))
        assert found == sorted(set(found))
        assert damaged == 0
        if number % 10 == 0:
            assert deliver(replay.folder, transport=server, clock=QUICK).delivered
            assert server.points("p", "r1", "n") == found
            assert server.store.delete_run("p", "r1")
    server.close()


def without_power(
    files: dict[str, bytes], steps: list[Step], rng: random.Random
) -> tuple[dict[str, bytes], list[int]]:
    """What a machine may find on its disk when it is back, and the steps that it must find."""
    synced = {path: int(size) for what, path, size in steps if what == "synced"}
    at = max((n for n, (what, *_) in enumerate(steps) if what == "all synced"), default=0)
    kept: dict[str, bytes] = {}
    for path, data in files.items():
        sure = synced.get(path, 0)
        if not sure and rng.random() < 0.3:
            continue
        size = rng.randint(sure, len(data))
        filler = b"\0" * (rng.randint(0, len(data) - size) if rng.random() < 0.5 else 0)
        kept[path] = data[:size] + filler
    return kept, returned(steps[:at])


def test_deliveries_one_after_the_other_hold_nothing_open(tmp_path: Path) -> None:
    """`outrider sync` goes through thousands of runs in one process; the writers of these live."""
    server = Inside(tmp_path / "server")
    held = []
    for number in range(4):
        folder = make(tmp_path / str(number))
        writer = JournalWriter(folder, "r1", writer="main")
        writer.append({"s": 0, "p": {"n": number}})
        os.close(writer.fd)
        subprocess.run([sys.executable, "-c", DIES, folder], check=True)
        deliver(folder, transport=server, clock=QUICK)
        run = RunFolder(folder)
        heads = [run.head(writer) or {} for writer in run.writers()]
        assert "streamer" in {head["role"] for head in heads}  # how a writer ended is its word
        held.append(len(os.listdir("/proc/self/fd")))
    assert len(set(held[1:])) == 1, held
    server.close()


@pytest.mark.parametrize("cut", [0.3, 0.7, 0.999])
def test_a_journal_shorter_than_what_was_acknowledged_is_told_and_doubles_nothing(
    cut: float, tmp_path: Path
) -> None:
    """The machine lost power after the server had more than the disk: the server's word stands."""
    server = Inside(tmp_path / "server")
    replay = Replay(tmp_path)
    steps = record(make(tmp_path / "whole"))
    files = list(states(steps))[-1][1]
    replay.lay(files)
    assert deliver(replay.folder, transport=server, clock=QUICK).delivered
    replay.lay({path: data[: int(len(data) * cut)] for path, data in files.items()})
    assert deliver(replay.folder, transport=server, clock=Clock(), patience=2).delivered
    assert server.points("p", "r1", "n") == list(range(ROWS))
    server.close()


def test_an_fsync_that_fails_once_is_done_again(tmp_path: Path) -> None:
    """For every one of the calls: what could not be synced is never counted as synced."""
    folder = make(tmp_path)
    writer = JournalWriter(folder, "r1", writer="main", segment_bytes=900)
    for step in range(ROWS):
        writer.append({"s": step, "p": {"n": step}})
    run = RunFolder(folder)
    watch = Watch(run)
    watch.look(thorough=True)

    def sync_with(fails: Callable[[int], bool]) -> tuple[list[str], Syncer]:
        asked: list[str] = []

        def sync(path: str, flags: int) -> bool:
            asked.append(path)
            return not fails(len(asked))

        syncer = Syncer(run, sync=sync)
        syncer.sync(watch.sizes)
        return asked, syncer

    calls, syncer = sync_with(lambda at: False)
    assert syncer.sync(watch.sizes) == 0
    assert len(calls) >= len(watch.sizes) + 3  # run.json, its folder, the journal's folder
    for failed in range(1, len(calls) + 1):
        asked, syncer = sync_with(lambda at, n=failed: at == n)  # type: ignore[misc]
        before = len(asked)
        assert syncer.sync(watch.sizes) == 0
        assert asked[failed - 1] in asked[before:]
        assert syncer.sync(watch.sizes) == 0
    os.close(writer.fd)
