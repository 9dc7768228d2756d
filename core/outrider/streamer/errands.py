"""Does what records of this host's writers ask for: keeping a file, encoding a picture.

A thread follows the journals for the kinds in ``HANDLERS`` and calls each kind's function, one
record after the other. Where it stands is kept in ``errands-<host>.json``; after a kill some records
are seen again, and every function does nothing for a record that has been answered.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from outrider.folder import write_file
from outrider.ids import host_label
from outrider.journal.record import Damaged, Record, decode
from outrider.streamer import cursor
from outrider.streamer.clock import Clock
from outrider.streamer.files import SPOOL, Files, Source
from outrider.streamer.log import say, trace
from outrider.streamer.process import is_of_this_host
from outrider.streamer.status import read_status

if TYPE_CHECKING:
    from outrider.journal.reader import RunFolder
    from outrider.streamer.cursor import Offsets, Place

HANDLERS: dict[str, str] = {
    "save": "outrider.streamer.saving:keep",
    "media": "outrider.streamer.encoding:encode",
}
"""Which function, as module:name, is called for the records of a kind."""

TRIES = 3
"""How often a function that raises is called for one record before it is left out."""

FOLLOW_SECONDS = 5.0
"""How often, at most, a file that is saved with ``policy="live"`` is looked at."""

_LEAST_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class ErrandContext:
    """What a function is given beside its record.

    ``source`` is the record's position; ``hold`` keeps a record, also beyond a kill, for
    ``streamer.saving.follow`` to come back to until the run is over.
    """

    folder: RunFolder
    files: Files
    meta: Mapping[str, Any]
    source: Source
    hold: Callable[[Record], None] = lambda record: None


class Errands:
    """Runs the errands of one folder. ``look`` gives the sizes of the segments there are."""

    def __init__(
        self,
        folder: RunFolder,
        files: Files,
        look: Callable[[], Mapping[Place, int]],
        *,
        clock: Clock | None = None,
    ) -> None:
        self.folder = folder
        self.files = files
        self._look = look
        self._clock = clock or Clock()
        self._path = os.path.join(folder.path, f"errands-{host_label()}.json")
        kept = read_status(self._path)
        self._done: Offsets = cursor.offsets_from_json(kept.get("done"))
        self._held = _held_from_json(kept.get("held"))
        self._due: dict[str, float] = {}
        self._torn: Offsets = {}
        self._is_ours: dict[str, bool] = {}
        self._kinds = re.compile(
            b'"k"\\s*:\\s*"(?:' + b"|".join(re.escape(k.encode()) for k in HANDLERS) + b')"'
        )
        self._writes_at = 0.0
        self._is_written = True
        self._is_untidy = True
        self._is_first = True

    # --- one round ------------------------------------------------------------------------

    def work(self, ends: threading.Event | None = None) -> bool:
        """Answer every record there is by now; whether there was one, or part of a journal."""
        if self._is_first:
            self._is_first = False
            self._clear_copies()
        sizes = self._look()
        moved = False
        for place in cursor.waiting(sizes, self._done, self._torn):
            if ends is not None and ends.is_set():
                return True
            moved = self._read(place, sizes[place], ends) or moved
        self._keep_place(now=not moved)
        return moved

    def is_drained(self, sizes: Mapping[Place, int]) -> bool:
        """Whether every record of ``sizes`` that asks for something has been answered."""
        return not self._held and not self._is_behind(sizes)

    def _is_behind(self, sizes: Mapping[Place, int]) -> bool:
        return bool(cursor.waiting(sizes, self._done, self._torn))

    def follow(self, *, is_last: bool) -> None:
        """Come back to the held records whose time it is; to all, for good, with ``is_last``."""
        sweeps = is_last and self._is_untidy and not self._is_behind(self._look())
        if not self._held and not sweeps:
            return
        from outrider.streamer import saving

        if sweeps:
            self._is_untidy = False
            saving.sweep(os.path.join(self.folder.path, SPOOL))

        for path, (source, record) in list(self._held.items()):
            tick = self._clock.tick()
            if not is_last and tick < self._due.get(path, 0.0):
                continue
            try:
                saving.follow(record, self._context(source), is_last=is_last)
            except Exception as error:
                say(f"{path} could not be followed: {trace(error)}")
            took = self._clock.tick() - tick
            self._due[path] = tick + max(FOLLOW_SECONDS, 10 * took)
            if is_last:
                del self._held[path]
                self._is_written = False
        self._keep_place(now=is_last)

    def _clear_copies(self) -> None:
        """Take away what an earlier streamer had copied when it was killed: of a large file each kill
        would leave as much on the disk, until the run ends."""
        spool = os.path.join(self.folder.path, SPOOL)
        if os.path.isdir(spool):
            from outrider.streamer import saving

            saving.clear_copies(spool)

    def _context(self, source: Source) -> ErrandContext:
        def hold(record: Record) -> None:
            self._held[str(record.body.get("path"))] = (source, record)
            self._is_written = False

        return ErrandContext(self.folder, self.files, self.folder.meta(), source, hold)

    def _read(self, place: Place, size: int, ends: threading.Event | None) -> bool:
        offset = self._done.get(place, 0)
        if not self._is_for_us(place.writer):
            self._done[place] = size
            return False
        try:
            piece = self.folder.read(place.writer, place.segment, offset)
        except OSError:
            self._torn[place] = size
            return False
        if not piece.data:
            self._torn[place] = size
            return False
        if self._kinds.search(piece.data):
            at = offset
            for line in piece.data.split(b"\n")[:-1]:
                if ends is not None and ends.is_set():
                    return True
                if self._kinds.search(line):
                    self._answer(line, Source(place.writer, place.segment, at))
                at += len(line) + 1
                self._move(place, at)
        self._move(place, piece.end)
        return True

    def _is_for_us(self, writer: str) -> bool:
        """Whether a writer is a trainer of this host, or one that names no host."""
        known = self._is_ours.get(writer)
        if known is None:
            head = self.folder.head(writer) or {}
            known = head.get("role") != "streamer" and (
                not isinstance(head.get("host"), str) or is_of_this_host(head)
            )
            self._is_ours[writer] = known
        return known

    def _answer(self, line: bytes, source: Source) -> None:
        try:
            record = decode(line)
        except Damaged:
            return  # counted as a gap by whoever stores it
        path = HANDLERS.get(record.kind)
        if path is None:
            return
        self._is_untidy = True
        for left in reversed(range(TRIES)):
            try:
                module, _, name = path.partition(":")
                function = getattr(importlib.import_module(module), name)
                function(record, self._context(source))
                return
            except Exception as error:
                if not left:
                    say(f"{record.kind} at {tuple(source)} left out: {trace(error)}")
                    if record.kind == "save":
                        self._tell_failed(record, source, error)
                    return
                threading.Event().wait(0.2 * (TRIES - left))

    def _tell_failed(self, record: Record, source: Source, error: Exception) -> None:
        """Say of a file that it is not kept, such as on a full disk, if that can be said."""
        why = f"it could not be copied: {getattr(error, 'strerror', None) or error}"
        path = str(record.body.get("path"))
        with contextlib.suppress(Exception):
            self.files.tell(path=path, role="save", state="unreadable", why=why, source=source)

    # --- where it stands --------------------------------------------------------------------

    def _move(self, place: Place, offset: int) -> None:
        if self._done.get(place, 0) < offset:
            self._done[place] = offset
            self._is_written = False
        self._keep_place()

    def _keep_place(self, *, now: bool = False) -> None:
        tick = self._clock.tick()
        if self._is_written or (not now and tick < self._writes_at):
            return
        with contextlib.suppress(OSError):
            held = [[list(source), record.body] for source, record in self._held.values()]
            kept = {"done": cursor.offsets_to_json(self._done), "held": held}
            write_file(self._path, orjson.dumps(kept))
            self._is_written = True
        took = self._clock.tick() - tick
        self._writes_at = tick + max(_LEAST_SECONDS, 20 * took)


def _held_from_json(found: object) -> dict[str, tuple[Source, Record]]:
    held: dict[str, tuple[Source, Record]] = {}
    for source, body in found if isinstance(found, list) else ():
        held[str(body.get("path"))] = (
            Source(*source),
            Record(float(body.get("t", 0)), str(body.get("k")), body),
        )
    return held
