"""Takes a sample every few seconds and hands out one averaged row per window."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import inf
from typing import Any

from outrider.sampler.guard import SHARE, Guarded
from outrider.sampler.probe import Aimed, NotHere, Probe, Target, load, log
from outrider.sampler.window import Window

Clock = Callable[[], float]
Blame = Callable[[Probe | str, str, BaseException], object]
"""Told of each failure of a probe: how it was named, where, and what it raised."""

# So that a page has something to show soon, the first window closes after this many samples.
FIRST_SAMPLES = 3
# A sample later than this many intervals (a suspended laptop, a stopped process) counts no more.
LATEST = 5.0


class Sampler:
    """Reads all probes every `sample_seconds` and averages over `average_seconds`.

    No probe can hurt it: one that raises is named in the log and skipped, after repeated
    failures for good; one that hangs is left alone in its thread until it answers; one that is
    dear is read less often. Nothing here raises.
    """

    def __init__(
        self,
        pid: int | None,
        folder: str,
        sample_seconds: float = 2.0,
        average_seconds: float = 30.0,
        probes: Sequence[Probe | str] = (),
        clock: Clock = time.monotonic,
        blame: Blame = lambda probe, where, error: None,
        share: float = SHARE,
    ) -> None:
        """``share`` is what each probe may take of the interval, as processor time."""
        self._clock = clock
        self._every = max(0.05, sample_seconds)
        self._length = max(self._every, average_seconds)
        self._closes_at = min(self._length, FIRST_SAMPLES * self._every)
        self._window = Window()
        self._next = clock()
        self._then: float | None = None
        self._target = Target(pid, folder)
        self._probes: list[Guarded] = []
        for named in probes:
            blamed = partial(blame, named)
            for probe in load([named], blamed):
                if self._take(probe, blamed):
                    self._probes.append(Guarded(probe, self._every * share, blamed))
        self.on_sample: Callable[[Mapping[str, float]], object] = lambda readings: None
        """Called with the readings of every single sample."""
        self.covered = 0.0
        """Seconds that the row returned last averages over (the record's `d`)."""

    def due(self) -> float:
        """Seconds until the next sample; 0 when it is time."""
        return max(0.0, self._next - self._clock())

    def tick(self) -> dict[str, float] | None:
        """Sample if it is time; the row of the window that this closed, else None."""
        now = self._clock()
        if now < self._next:
            return None
        self._next = max(self._next + self._every, now + self._every / 2)
        self._sample(now)
        # Half an interval of slack: the sample that is due now must not fall into the next row.
        if self._window.seconds + self._every / 2 < self._closes_at:
            return None
        return self._close()

    def flush(self) -> dict[str, float] | None:
        """Close the open window early, with one last sample; None when it would be empty."""
        now = self._clock()
        if self._then is None or now - self._then >= self._every / 10:
            self._sample(now)
        return self._close()

    def facts(self) -> dict[str, Any]:
        """What the probes know of the machine, as one dict of plain values."""
        found: dict[str, Any] = {}
        for probe in self._probes:
            found.update(probe.facts())
        return found

    def _take(self, probe: Probe, blame: Callable[[str, BaseException], object]) -> bool:
        """Aim a probe; False when it has nothing to do here."""
        try:
            if isinstance(probe, Aimed):
                probe.aim(self._target)
        except NotHere as reason:
            log.info("probe %s is left out: %s", probe.name, reason)
            return False
        except Exception as error:
            log.warning("probe %s could not be aimed", probe.name, exc_info=True)
            blame(f"aiming probe {probe.name}", error)
            return False
        return True

    def _sample(self, now: float) -> None:
        readings: dict[str, float] = {}
        for probe in self._probes:
            readings.update(probe.read())
        self.on_sample(readings)
        # The very first sample stands for the interval before it, of which nothing is known.
        elapsed = self._every if self._then is None else now - self._then
        self._then = now
        if readings and elapsed > 0:
            self._window.add(readings, min(elapsed, LATEST * self._every))

    def _close(self) -> dict[str, float] | None:
        window, self._window = self._window, Window()
        self._closes_at = self._length
        self.covered = window.seconds
        return window.row() if window else None


def sample_once(probes: Sequence[Probe | str], pid: int | None, folder: str) -> Mapping[str, float]:
    """One reading of everything, for `outrider doctor` and for people at a prompt.

    Takes a fifth of a second, because rates need two looks, however dear these are.
    """
    sampler = Sampler(pid, folder, 0.2, 0.2, probes, share=inf)
    sampler.tick()
    time.sleep(sampler.due())
    return sampler.flush() or {}
