"""The streamer's own journal: it is a writer of the run like any other, made when it has a word."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from outrider.journal.record import Damaged, decode, lines
from outrider.journal.writer import JournalWriter
from outrider.streamer.log import say

if TYPE_CHECKING:
    from outrider.journal.reader import RunFolder

_WORTH_DECODING = (b'"k":"end"', b'"k":"gap"')


class OwnJournal:
    """Appends the streamer's records; the file is made by the first one. Never raises."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._writer: JournalWriter | None = None
        self._lock = threading.Lock()  # lives in the streamer, not in the training process

    @property
    def writer(self) -> str | None:
        """The id of the streamer as a writer, None before its first record."""
        return self._writer.writer if self._writer is not None else None

    def position(self) -> tuple[str, int, int] | None:
        """Where its next record will lie: writer, segment and offset; None before the first."""
        return self._writer.position() if self._writer is not None else None

    def append(self, record: Mapping[str, Any]) -> bool:
        """Write one record; False where it could not be kept."""
        with self._lock:
            if self._writer is None:
                try:
                    meta = self._folder.meta()
                    self._writer = JournalWriter(
                        self._folder.path,
                        meta["id"],
                        attempt=int(meta.get("attempt") or 1),
                        role="streamer",
                    )
                except Exception as error:
                    say(f"no journal of our own: {type(error).__name__}: {error}")
                    return False
        return self._writer.append(record)

    def close(self) -> None:
        """Give the file back; nothing is appended any more."""
        with self._lock:
            if self._writer is not None and self._writer.fd >= 0:
                os.close(self._writer.fd)
                self._writer.fd = -1


def told_before(folder: RunFolder) -> Iterator[dict[str, Any]]:
    """The ends and gaps that earlier streamers of this run wrote, to write none twice."""
    for writer in folder.writers():
        head = folder.head(writer)
        if head is None or head.get("role") != "streamer":
            continue
        for segment in folder.segments(writer):
            offset = 0
            while (piece := folder.read(writer, segment, offset)).data:
                for line in lines(piece.data):
                    if any(mark in line for mark in _WORTH_DECODING):
                        try:
                            yield decode(line).body
                        except Damaged:
                            continue
                offset = piece.end
