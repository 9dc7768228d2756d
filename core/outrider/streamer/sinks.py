"""Carries records to the sinks of plugins, each in a thread of its own, so that none holds another up.

A sink is made by ``factory(run)`` with what run.json says, and is given batches in order, each at
least once: its cursor lies in ``sink-<name>-<host>.json`` of the run's folder and moves when
``send`` has returned. One that raises is given the same batch again later; after repeated failures
in a row it is left out until the next streamer.
"""

from __future__ import annotations

import importlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from outrider.capture.leaving import leaving
from outrider.folder import write_file
from outrider.ids import host_label
from outrider.journal.record import Damaged, Record, decode, lines
from outrider.streamer import cursor
from outrider.streamer.clock import Clock
from outrider.streamer.log import say
from outrider.streamer.retry import backoff
from outrider.streamer.status import read_status

if TYPE_CHECKING:
    from outrider.journal.reader import RunFolder
    from outrider.streamer.cursor import Offsets, Place

ALLOWED_FAILURES = 10


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one segment; ``data`` is whole lines, from byte ``offset`` on."""

    writer: str
    segment: int
    offset: int
    data: bytes

    def records(self) -> list[Record]:
        """The records that can be read."""
        found = []
        for line in lines(self.data):
            try:
                found.append(decode(line))
            except Damaged:
                continue
        return found


class Sink(Protocol):
    """A destination of records."""

    def send(self, batch: Batch) -> None:
        """Take a batch; raise to be given it again."""
        ...

    def close(self) -> None:
        """The run is over, or the streamer ends."""
        ...


class SinkThread:
    """Feeds one sink until ``stop``."""

    def __init__(
        self,
        path: str,
        folder: RunFolder,
        run: Mapping[str, Any],
        look: Callable[[], Mapping[Place, int]],
        clock: Clock | None = None,
        blame: Callable[[str, BaseException], object] = lambda where, error: None,
    ) -> None:
        """``blame`` is told of each failure."""
        self.path = path
        self._blame = blame
        self.failures = 0
        self._folder = folder
        self._run = run
        self._look = look
        self._clock = clock or Clock()
        name = "".join(part if part.isalnum() else "-" for part in path)[:80]
        self._file = os.path.join(folder.path, f"sink-{name}-{host_label()}.json")
        self._acked: Offsets = cursor.offsets_from_json(read_status(self._file).get("acked"))
        self._torn: Offsets = {}
        self._last: Place | None = None
        self._ends = threading.Event()
        self._hurries = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"sink {path}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self, seconds: float) -> bool:
        """Let it drain for some time; whether it got everything."""
        self._hurries.set()
        self._thread.join(seconds)
        self._ends.set()
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            module, _, factory = self.path.partition(":")
            sink: Sink = getattr(importlib.import_module(module), factory)(self._run)
        except Exception as error:
            self._say(f"could not be made: {type(error).__name__}: {error}")
            self._blame(f"sink {self.path}", error)
            return
        while not self._ends.is_set():
            seconds = self._step(sink)
            if seconds is None and self._hurries.is_set():
                break
            if self.failures >= ALLOWED_FAILURES:
                self._say(f"is left out after {self.failures} failures in a row")
                break
            self._ends.wait(1.0 if seconds is None else seconds)
        try:
            sink.close()
        except Exception as error:
            self._say(f"close: {type(error).__name__}: {error}")
            self._blame(f"closing sink {self.path}", error)

    def _step(self, sink: Sink) -> float | None:
        """Send one batch; seconds to wait, None when nothing is waiting."""
        sizes = self._look()
        places = cursor.waiting(sizes, self._acked, self._torn)
        if not places:
            return None
        place = self._last = cursor.next_place(places, self._last)
        offset = self._acked.get(place, 0)
        try:
            piece = self._folder.read(place.writer, place.segment, offset, cursor.BATCH_BYTES)
        except OSError:
            piece = None
        if piece is None or not piece.data:
            self._torn[place] = sizes[place]
            return 0.0
        try:
            sink.send(Batch(place.writer, place.segment, offset, leaving(piece.data)))
        except Exception as error:
            self.failures += 1
            self._say(f"{type(error).__name__}: {error}")
            self._blame(f"sink {self.path}", error)
            return backoff(self.failures, self._clock.chance())
        self.failures = 0
        self._acked[place] = piece.end
        try:
            write_file(self._file, orjson.dumps({"acked": cursor.offsets_to_json(self._acked)}))
        except OSError as error:
            self._say(f"its cursor could not be kept: {error.strerror}")
        return 0.0

    def _say(self, text: str) -> None:
        say(f"sink {self.path} {text}")


def finish_all(sinks: list[SinkThread], seconds: float) -> None:
    """Let all sinks drain, for ``seconds`` in all."""
    until = time.monotonic() + seconds
    for sink in sinks:
        sink.finish(max(0.0, until - time.monotonic()))
