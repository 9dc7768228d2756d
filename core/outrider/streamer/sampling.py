"""Runs the sampler in a thread of the streamer, so that a probe that hangs holds nothing up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from outrider.streamer.log import say

if TYPE_CHECKING:
    from outrider.streamer.own import OwnJournal


class Sampling:
    """Writes the host's facts once, then a row of averages per window, into the own journal."""

    def __init__(
        self,
        run: Mapping[str, Any],
        folder: str,
        pid: Callable[[], int | None],
        own: OwnJournal,
        note: Callable[[Mapping[str, float]], object] = lambda readings: None,
    ) -> None:
        """``note`` is given every single sample."""
        self._run = run
        self._folder = folder
        self._pid = pid
        self._own = own
        self._note = note
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._guarded, name="sampling", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def is_stopping(self) -> bool:
        """Ask it to write the open window and stop; whether it is still about it."""
        self._ends.set()
        return self._thread.is_alive()

    def _guarded(self) -> None:
        try:
            self._work()
        except Exception as error:
            say(f"sampling stopped: {type(error).__name__}: {error}")

    def _work(self) -> None:
        from outrider import plugins
        from outrider.sampler.loop import Sampler

        settings = self._run.get("settings")
        settings = settings if isinstance(settings, dict) else {}
        answers = plugins.call_each("probes", patience=plugins.NAMING_SECONDS)
        owners: dict[Any, str] = {name: plugin for plugin, names in answers for name in names}
        sampler = Sampler(
            self._pid(),
            self._folder,
            float(settings.get("sample_seconds", 2.0)),
            float(settings.get("average_seconds", 30.0)),
            list(owners),
            blame=lambda probe, where, error: plugins.blame(owners[probe], where, error),
        )
        sampler.on_sample = self._note
        facts = sampler.facts()
        if facts:
            self._own.append({"k": "host", "c": facts})
        while not self._ends.wait(max(0.01, sampler.due())):
            self._record(sampler.tick(), sampler.covered)
        self._record(sampler.flush(), sampler.covered)

    def _record(self, row: Mapping[str, float] | None, seconds: float) -> None:
        if row:
            self._own.append({"k": "sys", "d": round(seconds, 3), "p": dict(row)})
