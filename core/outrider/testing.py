"""For the tests of plugins: a clock that stands still, a sink that remembers, and hands to feed both.

    from outrider.testing import FrozenClock, RecordingSink, give, sampled

Nothing here is loaded by Outrider itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from outrider.journal.reader import RunFolder
from outrider.journal.record import POINTS, Record, numbers
from outrider.sampler.probe import Aimed, Target
from outrider.sampler.window import Window
from outrider.streamer.sinks import Batch

if TYPE_CHECKING:
    from outrider.sampler.probe import Probe
    from outrider.streamer.sinks import Sink

__all__ = ["Batch", "FrozenClock", "RecordingSink", "give", "sampled"]

START = 1_763_860_000.0
"""Where a frozen clock stands by default, in unix seconds."""


class FrozenClock:
    """A clock that stands still until it is moved.

    ``now()`` is unix seconds and ``tick()`` seconds that never go back, as Outrider's own clocks
    give them; called itself, it gives ``tick()``. Wherever Outrider takes a clock it takes this.
    """

    def __init__(self, at: float = START) -> None:
        self._now = float(at)
        self._tick = 0.0

    def now(self) -> float:
        """Unix seconds."""
        return self._now

    def tick(self) -> float:
        """Seconds since the clock was made."""
        return self._tick

    __call__ = tick

    def chance(self) -> float:
        """Where Outrider would take a random number: always the middle."""
        return 0.5

    def advance(self, seconds: float) -> None:
        """Let time pass. Raises ``ValueError`` for less than none."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self._now += seconds
        self._tick += seconds


class RecordingSink:
    """A sink that keeps what it is given.

    ``batches`` is every batch as it came, repeated ones included; ``records`` is each record once,
    by its position. ``failures`` sends raise ``OSError`` first, as a destination does that is away.
    """

    def __init__(self, run: Mapping[str, Any] | None = None, *, failures: int = 0) -> None:
        self.run = dict(run or {})
        self.batches: list[Batch] = []
        self.records: list[Record] = []
        self.is_closed = False
        self._failures = failures
        self._read_to: dict[tuple[str, int], int] = {}

    def send(self, batch: Batch) -> None:
        """Take a batch; what of it was there already is not counted again."""
        if self._failures > 0:
            self._failures -= 1
            raise OSError("told to fail")
        self.batches.append(batch)
        place = (batch.writer, batch.segment)
        known = self._read_to.get(place, 0)
        if batch.offset > known:
            raise AssertionError(f"bytes {known} to {batch.offset} of {place} were left out")
        new = batch.data[known - batch.offset :]
        if new:
            self.records += Batch(*place, known, new).records()
            self._read_to[place] = known + len(new)

    def close(self) -> None:
        """The run is over."""
        self.is_closed = True

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """The records of one kind (``config``, ``alert``, ``end`` …), as they were written."""
        return [record.body for record in self.records if record.kind == kind]

    def points(self, key: str) -> list[tuple[int, float]]:
        """The points of one metric in the order they were logged: (step, value)."""
        found = []
        for record in self.records:
            if record.kind == POINTS:
                value = numbers(record.body["p"]).get(key)
                if value is not None:
                    found.append((int(record.body["s"]), float(value)))
        return found


def give(
    folder: str | os.PathLike[str],
    sink: Sink,
    *,
    batch_bytes: int = 1 << 20,
    repeated: bool = False,
) -> None:
    """Give a run's folder to a sink as the streamer does: in order, in batches of whole records, one
    that raised again (ten times at most), and close it.

    ``repeated`` gives every batch a second time, together with the one behind it: what a sink may
    see after a crash, and must not write twice. Small ``batch_bytes`` give small batches.
    """
    run = RunFolder(os.fspath(folder))
    for writer, segments in sorted(run.all_segments().items()):
        for segment in segments:
            offset = before = 0
            while (piece := run.read(writer, segment, offset, batch_bytes)).data:
                batch = Batch(writer, segment, offset, piece.data)
                _send(sink, batch)
                if repeated:
                    _send(sink, batch)
                    whole = run.read(writer, segment, before, piece.end - before)
                    _send(sink, Batch(writer, segment, before, whole.data))
                before, offset = offset, piece.end
    sink.close()


def _send(sink: Sink, batch: Batch) -> None:
    for left in reversed(range(10)):
        try:
            sink.send(batch)
        except Exception:
            if not left:
                raise
        else:
            return


def sampled(
    probe: Probe | str, *, samples: int = 3, every: float = 2.0, clock: FrozenClock | None = None
) -> dict[str, float]:
    """What the sampler makes of a probe: ``samples`` readings, ``every`` seconds apart on a clock
    that is moved by hand, as one row of averages (and extremes, where a name ends so).

    What the probe raises is raised; in a run it is named in the streamer's log, and the reading is
    left out.
    """
    time = clock if clock is not None else FrozenClock()
    found = _made(probe) if isinstance(probe, str) else probe
    if isinstance(found, Aimed):
        found.aim(Target(os.getpid(), os.getcwd()))
    window = Window()
    for number in range(samples):
        if number:
            time.advance(every)
        window.add(found.read(), every)
    return window.row()


def _made(name: str) -> Probe:
    module, _, factory = name.partition(":")
    made: Probe = getattr(import_module(module), factory)()
    return made
