"""Keeps one probe from hurting the sampler: failures, hangs and cost are its own affair."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from outrider.sampler.probe import Probe, log

# Failures in a row after which a probe is not asked again.
PATIENCE = 5
# The share of the interval that a probe's CPU time may take before it is read less often.
SHARE = 0.005
# However dear it is, a probe is read once in so many samples.
MOST_SKIPPED = 14
# How long the streamer waits for a probe that runs in a thread, in seconds.
WAIT = 0.25


class Guarded:
    """A probe that never raises, never hangs and never takes more than its share.

    A probe that says `inline = True` (ours, that only read kernel files) is read directly. All
    others get a daemon thread of their own: a GPU that fell off the bus can leave its driver
    hanging without end, and the streamer must go on delivering.
    """

    def __init__(
        self,
        probe: Probe,
        budget: float,
        blame: Callable[[str, BaseException], object] = lambda where, error: None,
    ) -> None:
        """``budget`` is the processor time in seconds above which it is read less often; ``blame`` is
        told of each failure."""
        self.name = probe.name
        self._probe = probe
        self._blame = blame
        self._budget = budget
        self._failures = 0
        self._skip = 0
        self._aside = None if getattr(probe, "inline", False) else Aside(probe)

    @property
    def is_enabled(self) -> bool:
        """False once the probe failed too often."""
        return self._failures < PATIENCE

    def read(self) -> Mapping[str, float]:
        """The probe's readings; none when it failed, hangs, is dear or is disabled."""
        if self._skip > 0 or not self.is_enabled:
            self._skip -= 1
            return {}
        began = time.thread_time()
        try:
            readings = self._aside.read() if self._aside else self._probe.read()
        except Exception as error:
            self._fail(error)
            return {}
        self._failures = 0
        cost = self._aside.cost if self._aside else time.thread_time() - began
        self._skip = min(MOST_SKIPPED, int(cost / self._budget))
        return readings

    def facts(self) -> Mapping[str, Any]:
        """The probe's facts; none when it fails."""
        if not self.is_enabled:
            return {}
        try:
            return self._aside.facts() if self._aside else self._probe.facts()
        except Exception as error:
            self._fail(error)
            return {}

    def _fail(self, error: Exception) -> None:
        self._failures += 1
        self._blame(f"probe {self.name}", error)
        if not self.is_enabled:
            log.warning("probe %s failed %d times and is disabled", self.name, PATIENCE)
        elif self._failures == 1:
            log.warning("probe %s failed and is skipped: %r", self.name, error, exc_info=error)


class Aside:
    """Runs a probe in its own thread and waits for it only a moment."""

    def __init__(self, probe: Probe) -> None:
        self.cost = 0.0
        """CPU seconds that the last answer took."""
        self._probe = probe
        self._asked = threading.Event()
        self._answered = threading.Event()
        self._answered.set()
        self._wants_facts = False
        self._answer: Mapping[str, Any] | Exception = {}
        self._thread: threading.Thread | None = None
        self._is_late = False

    def read(self) -> Mapping[str, float]:
        """The probe's readings; none while it does not answer. Raises what the probe raised."""
        return self._ask(wants_facts=False, wait=WAIT)

    def facts(self) -> Mapping[str, Any]:
        """The probe's facts; it may take longer for them, once."""
        return self._ask(wants_facts=True, wait=8 * WAIT)

    def _ask(self, *, wants_facts: bool, wait: float) -> Mapping[str, Any]:
        if not self._answered.is_set():
            return {}
        if self._is_late:
            log.info("probe %s answers again", self._probe.name)
            self._is_late = False
        self._wants_facts = wants_facts
        self._answered.clear()
        self._asked.set()
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._work, name=f"probe {self._probe.name}", daemon=True
            )
            self._thread.start()
        if not self._answered.wait(wait):
            self._is_late = True
            log.warning("probe %s does not answer and is skipped", self._probe.name)
            return {}
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def _work(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            began = time.thread_time()
            try:
                probe = self._probe
                self._answer = probe.facts() if self._wants_facts else probe.read()
            except Exception as error:
                self._answer = error
            self.cost = time.thread_time() - began
            self._answered.set()
