"""Who writes a run, and when nobody does any more."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from outrider.journal.line import encode
from outrider.journal.writer import JournalWriter
from outrider.streamer.clock import Clock
from outrider.streamer.cursor import Place
from outrider.streamer.roster import EMPTY_SECONDS, QUIET_SECONDS, Roster
from outrider.streamer.watch import Watch

if TYPE_CHECKING:
    import pytest
    from streamer_kit import Run


class Told:
    """A roster with a clock that is set by hand."""

    def __init__(self, run: Run) -> None:
        self.time = 1000.0
        clock = Clock(lambda: self.time, lambda: self.time, lambda: 0.5)
        self.watch = Watch(run.folder, clock)
        self.roster = Roster(run.folder, clock=clock)

    def tick(self, seconds: float = 1.0) -> list[str]:
        self.time += seconds
        states = []
        for _ in range(2):
            self.watch.look(thorough=True)
            for member, end in self.roster.tick(self.watch.sizes):
                states.append(end.state)
                self.roster.told(member)
        return states


def test_a_head_that_is_just_being_written_is_waited_for(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writer must not be taken for a stranger: the streamer's own journal would be awaited."""
    run.log(1)
    run.end()
    told = Told(run)
    path = run.folder.segment_path("own", 1)
    whole = run.folder.head
    head = encode({"t": 1.0, "k": "head", "w": "own", "n": 1, "role": "streamer"})
    open(path, "wb").close()

    def late(writer: str) -> Mapping[str, Any] | None:
        found = whole(writer)
        if writer == "own" and found is None:
            with open(path, "wb") as file:  # between the two looks
                file.write(head)
        return found

    monkeypatch.setattr(run.folder, "head", late)
    assert told.tick() == []
    assert told.roster.members["own"].is_awaited is False
    assert told.roster.is_over()


def test_a_run_is_over_when_all_its_writers_ended(run: Run) -> None:
    """By their own word, as long as their process lives."""
    run.log(1)
    second = JournalWriter(run.path, run.id, writer="second")
    told = Told(run)
    told.tick()
    run.end()
    told.tick()
    assert not told.roster.is_over()
    second.append({"k": "end", "w": "second", "a": 1, "state": "finished", "code": 0})
    assert told.tick() == []
    assert told.roster.is_over()


def test_an_end_that_does_not_know_its_code_waits_for_the_process(run: Run) -> None:
    """The interpreter's exit writes it; what the kernel says may be worse."""
    run.log(1)
    run.end("finished", None)
    told = Told(run)
    told.tick()
    assert not told.roster.is_over()


def test_a_writer_in_another_language_ends_by_its_word_or_by_silence(run: Run) -> None:
    """It names no process: an hour without a line is an end that nobody saw."""
    head = encode({"t": 1.0, "k": "head", "v": 1, "w": "far", "n": 1, "role": "foreign"})
    path = run.folder.segment_path("far", 1)
    with open(path, "wb") as file:
        file.write(head)
    told = Told(run)
    assert told.tick() == []
    told.tick(QUIET_SECONDS - 10)
    with open(path, "ab") as file:
        file.write(encode({"t": 2.0, "s": 1, "p": {"x": 1}}))
    assert told.tick(5) == []
    assert told.tick(QUIET_SECONDS - 10) == []
    assert not told.roster.is_over()
    assert told.tick(20) == ["lost"]
    assert told.roster.is_over()


def test_a_folder_without_writers_is_left_after_a_while(run: Run) -> None:
    """A trainer that asked the server and then refused to start leaves nothing behind."""
    told = Told(run)
    told.tick()
    assert not told.roster.is_over()
    told.tick(EMPTY_SECONDS)
    assert told.roster.is_over()


def test_what_an_earlier_streamer_told_is_not_told_again(run: Run) -> None:
    """Its journal is read at the start."""
    run.log(1)
    assert run.writer is not None
    dead = b'"pid":%d,' % (1 << 22)
    with open(run.writer.path(), "r+b") as file:
        text = file.read().replace(b'"pid":%d,' % os.getpid(), dead)
        file.seek(0)
        file.write(text)
    before = JournalWriter(run.path, run.id, writer="before", role="streamer")
    before.append({"k": "end", "w": "main", "a": 1, "state": "killed", "code": None, "signal": 9})
    before.append({"k": "gap", "n": 1, "why": "gone", "of": ["main", 7]})
    told = Told(run)
    assert told.tick() == []
    assert told.roster.is_over()
    assert told.roster.gaps_told == {Place("main", 7)}
