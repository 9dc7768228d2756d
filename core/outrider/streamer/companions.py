"""What the streamer starts beside its loop once it is ready: sampling, capture, sinks, watchdog, hooks."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from outrider.streamer.log import say, stamp, trace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outrider.streamer.loop import Streamer

PATIENCE_SECONDS = 5.0
"""How long their start and the sampler's last row are waited for at the end."""

SINK_SECONDS = 30.0
"""How long plugins' sinks may take to drain at the end."""


class Companions:
    """Started after the loop is ready, since their imports are dear; none can hold the loop up."""

    def __init__(self, streamer: Streamer) -> None:
        self._streamer = streamer
        self._sampling: Any = None
        self._capturing: Any = None
        self._sinks: list[Any] = []
        self._thread: threading.Thread | None = None
        self._said: set[str] = set()
        self._told = False
        self._patience_ends: float | None = None
        self._xids: Any = None
        self._were_finished = False

    def start(self) -> None:
        """Start them, the dear imports in a thread."""
        self._thread = threading.Thread(target=self._start, name="starting", daemon=True)
        self._thread.start()

    def _start(self) -> None:
        streamer = self._streamer
        try:
            from outrider import plugins
            from outrider.streamer.blame import Blame

            plugins.listeners.append(Blame(streamer.folder.path))
            plugins.manager()  # whole, before another thread asks it
            self._sample()
            if not streamer.is_adopted:
                from outrider.streamer.capturing import Capturing

                self._capturing = Capturing(streamer)
                self._capturing.look()
            self._feed_sinks()
            patience = plugins.WORKING_SECONDS
            plugins.call("run_started", patience=patience, run=dict(streamer.meta))
        except Exception as error:
            self.say_once("helpers", trace(error))

    def _sample(self) -> None:
        streamer = self._streamer
        if streamer.is_adopted or not streamer.roster.has_living():
            return
        from outrider.streamer.sampling import Sampling
        from outrider.streamer.xid import XidListener

        if not streamer.watch.is_observed():
            streamer.watch.observe(streamer.wake)
        self._sampling = Sampling(
            streamer.meta,
            streamer.folder.path,
            streamer.roster.pid,
            streamer.own,
            streamer.witness.note_sample,
        )
        self._sampling.start()
        if self._xids is None or not self._xids.is_listening():
            self._xids = XidListener(streamer.witness.note_xid)
            self._xids.start()

    def _feed_sinks(self) -> None:
        from outrider import plugins
        from outrider.streamer.plugin import HTTP_SINK
        from outrider.streamer.sinks import SinkThread

        streamer = self._streamer
        answers = plugins.call_each(
            "sinks", patience=plugins.NAMING_SECONDS, settings=dict(streamer.meta)
        )
        for plugin, names in answers:
            blame = partial(plugins.blame, plugin)
            for name in names:
                if name != HTTP_SINK:
                    sink = SinkThread(
                        name, streamer.folder, streamer.meta, lambda: streamer.sizes, blame=blame
                    )
                    self._sinks.append(sink)
                    sink.start()

    def go_on(self) -> None:
        """Somebody writes. Where the run seemed over and its end was begun, take everything up
        again: a rank that came late is sampled and delivered like the first."""
        if self._patience_ends is None or not self.have_started():
            return
        if self._sampling is not None and self._sampling.is_stopping():
            return  # its last row first
        self._patience_ends = None
        try:
            self._sample()
            if self._were_finished:
                self._were_finished = False
                self._feed_sinks()
        except Exception as error:
            self.say_once("helpers again", trace(error))

    def have_started(self) -> bool:
        """Whether the dear imports are done."""
        return self._thread is not None and not self._thread.is_alive()

    def look(self) -> None:
        """run.json has changed: a further attempt has code of its own."""
        if self._capturing is not None:
            self._capturing.look()

    def has_captured(self) -> bool:
        """Whether code and environment are in the journal, or will never be."""
        if self._capturing is None:
            return self.have_started()
        return not self._capturing.is_under_way()

    def is_capturing(self) -> bool:
        """Whether code and environment are still being captured."""
        return self._capturing is not None and self._capturing.is_busy()

    def is_sampling(self) -> bool:
        """Ask the sampler to stop; whether it is still writing its last row. A probe that hangs
        is not waited for."""
        tick = self._streamer.clock.tick()
        if self._patience_ends is None:
            self._patience_ends = tick + PATIENCE_SECONDS
        if tick > self._patience_ends:
            return False
        if self._thread is not None and self._thread.is_alive():
            return True
        return self._sampling is not None and self._sampling.is_stopping()

    def finish_sinks(self) -> None:
        """Let the plugins' sinks drain."""
        if self._sinks:
            from outrider.streamer.sinks import finish_all

            finish_all(self._sinks, SINK_SECONDS)
            self._sinks = []
            self._were_finished = True

    def tell_ended(self, meta: Mapping[str, Any]) -> None:
        """Call the hook, once."""
        if self._told:
            return
        self._told = True
        try:
            from outrider import plugins

            state, patience = self._streamer.roster.state(), plugins.WORKING_SECONDS
            plugins.call("run_ended", patience=patience, run=dict(meta), state=state)
        except Exception as error:
            self.say_once("run_ended", f"{type(error).__name__}: {error}")

    def say_once(self, key: str, text: str) -> None:
        """Write a line to the log the first time."""
        if key not in self._said:
            self._said.add(key)
            say(f"{stamp(self._streamer.clock.now())} {text}")
