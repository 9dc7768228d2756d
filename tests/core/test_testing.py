"""What plugin authors test with: it behaves as what it stands for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from outrider import core
from outrider.errors import JournalError
from outrider.journal.reader import RunFolder
from outrider.journal.writer import JournalWriter
from outrider.streamer.watch import Watch
from outrider.testing import Batch, FrozenClock, RecordingSink, give, sampled


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A run of 30 points and an alert, by two writers."""
    with core.init(project="p", mode="offline", dir=tmp_path, settings={"quiet": True}) as run:
        for step in range(30):
            run.log({"x": step, "y": float("nan")})
        run.alert("look", "here")
    assert run.folder is not None
    second = JournalWriter(run.folder, run.id, writer="second")
    second.append({"s": 99, "p": {"x": 1}})
    return run.folder


def test_a_frozen_clock_moves_by_hand_alone() -> None:
    """Both of its times, and never back."""
    clock = FrozenClock(5.0)
    assert (clock.now(), clock.tick(), clock()) == (5.0, 0.0, 0.0)
    clock.advance(2.5)
    assert (clock.now(), clock.tick(), clock()) == (7.5, 2.5, 2.5)
    assert clock.chance() == 0.5
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)


def test_a_frozen_clock_is_taken_where_ours_is(folder: str) -> None:
    """It has what the streamer's own clock has."""
    watch = Watch(RunFolder(folder), FrozenClock())  # type: ignore[arg-type]
    assert watch.look()


@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize("batch_bytes", [1, 200, 1 << 20])
def test_a_recording_sink_has_every_record_once(
    folder: str, batch_bytes: int, repeated: bool
) -> None:
    """However the batches are cut, and whether they come again."""
    sink = RecordingSink({"id": "r"}, failures=2)
    give(folder, sink, batch_bytes=batch_bytes, repeated=repeated)
    by_step = sorted(sink.points("x"))
    assert by_step == [*((step, float(step)) for step in range(30)), (99, 1.0)]
    assert len(sink.points("y")) == 30
    assert [body["title"] for body in sink.of_kind("alert")] == ["look"]
    assert [body["state"] for body in sink.of_kind("end")] == ["finished"]
    assert sink.is_closed
    assert sink.run == {"id": "r"}
    if batch_bytes == 1:
        assert all(batch.data.count(b"\n") == 1 for batch in sink.batches[:1])


def test_what_is_left_out_is_noticed() -> None:
    """A sink that is given a batch without the one before it says so."""
    with pytest.raises(AssertionError, match="bytes 0 to 10"):
        RecordingSink().send(Batch("w", 1, 10, b"{}\n"))


def test_a_sink_that_never_takes_a_batch_fails_the_test(folder: str) -> None:
    """With its own error, after some tries."""
    with pytest.raises(OSError, match="told to fail"):
        give(folder, RecordingSink(failures=11))


def test_a_probe_is_read_as_the_sampler_reads_it() -> None:
    """Means of its values and extremes where the name says so; what it raises is seen."""

    class Counting:
        name = "counting"

        def __init__(self) -> None:
            self.reads = 0

        def read(self) -> dict[str, float]:
            self.reads += 1
            return {"a": float(self.reads), "a.max": float(self.reads)}

        def facts(self) -> dict[str, str]:
            return {}

    class Broken(Counting):
        def read(self) -> dict[str, float]:
            raise OSError("gone")

    class Aimed(Counting):
        def aim(self, target: Any) -> None:
            self.reads = target.pid

    assert sampled(Counting(), samples=3) == {"a": 2.0, "a.max": 3.0}
    assert sampled(Aimed(), samples=1)["a"] == os.getpid() + 1
    assert "system/memory/used_bytes" in sampled("outrider.sampler.host:MemoryProbe")
    with pytest.raises(OSError, match="gone"):
        sampled(Broken())


def test_a_folder_without_a_run_gives_nothing(tmp_path: Path) -> None:
    """Or the reader's own error; never something made up."""
    sink = RecordingSink()
    try:
        give(os.fspath(tmp_path), sink)
    except (JournalError, OSError):
        return
    assert sink.records == []
