"""Trainers, streamer, server, network and disk, in any order of whatever can befall them, against a
model that fits a page: 200 runs here, 20,000 in the soak."""

from __future__ import annotations

import errno
import itertools
import os
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from faulty import Faulty, Ticking
from harness import KILLS
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from inside import Inside, Line
from test_nth_fault import make

from outrider.journal.reader import RunFolder
from outrider.journal.writer import JournalWriter
from outrider.streamer.own import OwnJournal
from outrider.streamer.sender import Sender
from outrider.streamer.status import Status
from outrider.streamer.watch import Watch
from outrider.testing import FrozenClock
from outrider.transport import Answer

pytestmark = [pytest.mark.reliability, pytest.mark.timeout(180 + 12 * KILLS)]

PART = 1000
PLACE = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

_server: list[Inside] = []
_numbers = itertools.count()


def server(number: int) -> Inside:
    """One for many runs, as in life; each run has an id of its own."""
    if number % 200 == 199 and _server:
        _server.pop().close()
    if not _server:
        _server.append(Inside(Path(tempfile.mkdtemp(dir=PLACE)) / "server"))
    return _server[0]


ANSWERS: dict[str, Any] = {
    "lost": "lost",
    "silent": "silent",
    "500": Answer(500, {"outrider-server": "x"}, b"{}"),
    "503": Answer(503, {"outrider-server": "x", "retry-after": "1"}, b"{}"),
    "404": Answer(404, {"outrider-server": "x"}, b"{}"),
    "409": Answer(409, {"outrider-server": "x"}, b'{"offset":0}'),
    "garbage": Answer(200, {"outrider-server": "x"}, b"<html>"),
}


class World(RuleBasedStateMachine):
    """The model: for each writer the values that were kept, in order, and how many were not."""

    @initialize()
    def begin(self) -> None:
        self.place = Path(tempfile.mkdtemp(dir=PLACE))
        self.path = make(self.place)
        number = next(_numbers)
        self.run = f"r{number}"
        meta = self.place_meta()
        meta.write_bytes(meta.read_bytes().replace(b'"r1"', f'"{self.run}"'.encode()))
        self.folder = RunFolder(self.path)
        self.server = server(number)
        self.clock = FrozenClock()
        self.faults: list[Any] = []
        self.rng = random.Random(0)
        self.disk: str | None = None
        self.kept: dict[str, list[int]] = {}
        self.untold: dict[str, int] = {}
        self.lost = self.unended = 0
        self.value = 0
        self.writers: list[JournalWriter] = []
        self.sender: Sender | None = None
        self.begin_trainer()

    def place_meta(self) -> Path:
        return Path(self.path, "run.json")

    # --- the training ---------------------------------------------------------------------

    def act(self, name: str, number: int) -> int | None:
        if self.disk is None or name != "write":
            return None
        if self.disk == "short":
            self.disk = "full"
            return self.rng.randrange(0, 60)
        raise OSError(errno.ENOSPC, "No space left on device")

    @rule()
    def begin_trainer(self) -> None:
        """A rank, or a training that begins again."""
        if self.disk is not None or len(self.writers) > 2:
            return
        name = f"w{len(self.kept)}"
        self.writers.append(
            JournalWriter(
                self.path, self.run, writer=name, primary=name == "w0", segment_bytes=1000,
                clock=Ticking(), files=Faulty(self.act),
            )
        )  # fmt: skip
        self.kept[name], self.untold[name] = [], 0

    @rule(which=st.integers(0, 2), count=st.integers(1, 12))
    def log(self, which: int, count: int) -> None:
        if not self.writers:
            return
        writer = self.writers[which % len(self.writers)]
        name = writer.writer
        for _ in range(count):
            self.value += 1
            if writer.append({"s": self.value, "p": {"n": self.value}}):
                self.kept[name].append(self.value)
                if writer.lost == 0:
                    self.lost += self.untold[name]
                    self.untold[name] = 0
            else:
                self.untold[name] += 1

    @rule(which=st.integers(0, 2), tail=st.binary(max_size=40))
    def kill_trainer(self, which: int, tail: bytes) -> None:
        """In the middle of a write: so much of a line is there, without an end."""
        if not self.writers:
            return
        writer = self.writers.pop(which % len(self.writers))
        if self.disk is None and not writer.is_torn:
            os.write(writer.fd, b'{"t":17,"s":' + tail.replace(b"\n", b""))
        if writer.is_torn:  # the last one lacked its line break only, and now nobody writes it
            self.cut_last(writer)
            self.unended += 1
        os.close(writer.fd)

    def cut_last(self, writer: JournalWriter) -> None:
        data = Path(writer.path()).read_bytes()
        kept = self.kept[writer.writer]
        if kept and not data.endswith(b"\n") and data.endswith(b'"p":{"n":%d}}' % kept[-1]):
            kept.pop()

    @rule()
    def fill_disk(self) -> None:
        self.disk = "full"

    @rule(seed=st.integers(0, 99))
    def fill_disk_in_the_middle_of_a_line(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.disk = "short"

    @rule()
    def free_disk(self) -> None:
        self.disk = None

    # --- the streamer ---------------------------------------------------------------------

    @rule()
    def begin_streamer(self) -> None:
        """A new one, in the place of one that was killed: all it knows is on the disk."""
        status = Status(self.folder, self.server.url, self.clock)
        self.watch = Watch(self.folder, self.clock)  # type: ignore[arg-type]
        self.status = status
        self.sender = Sender(
            self.folder,
            lambda: Line(self.server, self.befall),
            lambda: self.watch.sizes,
            known=status.known(),
            tell_gap=OwnJournal(self.folder).append,
            clock=self.clock,  # type: ignore[arg-type]
        )

    def befall(self, number: int) -> Any:
        return self.faults.pop(0) if self.faults else None

    @precondition(lambda self: self.sender is not None)
    @rule(steps=st.integers(1, 6), told=st.booleans())
    def send(self, steps: int, told: bool) -> None:
        assert self.sender is not None
        self.watch.look(thorough=True)
        for _ in range(steps):
            self.clock.advance(40.0)  # no backoff is longer
            if self.sender.step() is None:
                break
        if told:  # it may be killed before it has written down what it knows
            self.status.write(self.sender.report, self.watch.sizes, now=True)

    @rule(faults=st.lists(st.sampled_from(sorted(ANSWERS)), min_size=1, max_size=4))
    def break_the_network(self, faults: list[str]) -> None:
        self.faults = [ANSWERS[name] for name in faults]

    # --- the server -----------------------------------------------------------------------

    @rule(dice=st.integers(0, 9))
    def kill_server(self, dice: int) -> None:
        if dice == 0:  # it costs more than all the others together
            self.server.restart()

    # --- what must hold -------------------------------------------------------------------

    @invariant()
    def nothing_is_there_twice_and_nothing_is_invented(self) -> None:
        if not hasattr(self, "sender") or self.sender is None or not self.sender.has_contact:
            return
        found = self.server.points("p", self.run, "n")
        assert len(found) == len(set(found))
        assert set(found) <= {value for values in self.kept.values() for value in values}

    def teardown(self) -> None:
        """All is well again: everything that was kept is there, in order; the rest is counted."""
        if not hasattr(self, "place"):
            return
        self.disk, self.faults = None, []
        for writer in self.writers:
            assert writer.append({"s": 0, "p": {"last": 1}})
            self.lost += self.untold[writer.writer]
            self.untold[writer.writer] = 0
            os.close(writer.fd)
        self.begin_streamer()
        assert self.sender is not None
        for _ in range(500):
            self.watch.look(thorough=True)
            self.clock.advance(40.0)
            if self.sender.step() is None:
                break
        found = self.server.points("p", self.run, "n")
        for name, values in self.kept.items():
            mine = set(values)
            assert [value for value in found if value in mine] == values, name
        assert len(found) == sum(map(len, self.kept.values()))
        gaps = self.server.store.run("p", self.run)["gaps"]
        # What a dead trainer could not tell any more may have been told in part, or not at all.
        assert gaps <= self.lost + sum(self.untold.values())
        assert gaps >= self.lost or self.unended
        shutil.rmtree(self.place)


def explore(runs: int) -> None:
    try:
        run_state_machine_as_test(
            World,
            settings=settings(
                max_examples=runs, stateful_step_count=25, deadline=None,
                suppress_health_check=list(HealthCheck), print_blob=True,
            ),
        )  # fmt: skip
    finally:
        while _server:
            _server.pop().close()


def test_whatever_befalls_them_the_store_says_what_the_model_says() -> None:
    """Kept values once and in each writer's order, lost ones counted, whatever happened between."""
    explore(200)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(1, max(1, 40 * KILLS // PART) + 1))
def test_soak_of_the_machine(part: int) -> None:
    """20,000 runs, in searches of a thousand: a long one grows slower, and says nothing before its end."""
    explore(min(PART, 40 * KILLS))
