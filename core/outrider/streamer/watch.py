"""Sees what grows in a run's folder, and syncs it to disk about once a second.

New segments come to notice through watchdog, asked for creations and moves only (with its default
mask every write of the trainer costs 2.4 times as much); growth through ``stat``, about every
100 ms while something grows and more rarely while nothing does. The folder is listed every second
in any case: where inotify does not work (NFS, an overflow, no watches left) the result is the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from outrider.streamer.clock import Clock
from outrider.streamer.cursor import Place
from outrider.streamer.log import say

if TYPE_CHECKING:
    from outrider.journal.reader import RunFolder

QUICK_SECONDS = 0.1
SLOW_SECONDS = 0.4
LIST_SECONDS = 1.0
SYNC_SECONDS = 1.0
_SEALED_SECONDS = 1.0


class Watch:
    """The sizes of a folder's segments. ``sizes`` is replaced, never changed, when one grew."""

    def __init__(self, folder: RunFolder, clock: Clock | None = None) -> None:
        self.folder = folder
        self.sizes: Mapping[Place, int] = {}
        self.exists = True
        self.pause = QUICK_SECONDS
        self._clock = clock or Clock()
        self._segments: dict[str, list[int]] = {}
        self._lists_at = 0.0
        self._sealed_at = 0.0
        self._observer: Any = None

    def observe(self, noticed: Callable[[], None] = lambda: None) -> bool:
        """Let watchdog say when a segment appears; False where it cannot (polling goes on)."""
        try:
            from watchdog.events import FileCreatedEvent, FileMovedEvent, FileSystemEventHandler
            from watchdog.observers import Observer

            watch = self

            class Handler(FileSystemEventHandler):
                def on_any_event(self, event: Any) -> None:
                    watch._lists_at = 0.0
                    noticed()

            observer = Observer()
            observer.schedule(
                Handler(), self.folder.journal, event_filter=[FileCreatedEvent, FileMovedEvent]
            )
            observer.daemon = True
            observer.start()
        except Exception as error:
            say(f"watching by polling alone: {type(error).__name__}: {error}")
            return False
        self._observer = observer
        return True

    def is_observed(self) -> bool:
        """Whether watchdog tells of new segments."""
        return self._observer is not None

    def close(self) -> None:
        """Stop watchdog's threads."""
        if self._observer is not None:
            self._observer.stop()
            self._observer = None

    def look(self, *, thorough: bool = False) -> bool:
        """Take a look; whether anything grew. ``thorough`` looks at everything now."""
        tick = self._clock.tick()
        if thorough or tick >= self._lists_at:
            self._lists_at = tick + LIST_SECONDS
            self._segments = self.folder.all_segments()
            self.exists = bool(self._segments) or os.path.isdir(self.folder.path)
        sealed_too = thorough or tick >= self._sealed_at
        if sealed_too:
            self._sealed_at = tick + _SEALED_SECONDS
        sizes: dict[Place, int] = {}
        for writer, numbers in self._segments.items():
            for number in numbers:
                place = Place(writer, number)
                known = self.sizes.get(place)
                # A sealed segment may still get the line of a thread that was inside its write.
                if known is None or sealed_too or number == numbers[-1]:
                    try:
                        sizes[place] = os.stat(self.folder.segment_path(writer, number)).st_size
                    except OSError:
                        continue
                else:
                    sizes[place] = known
        grew = sizes != self.sizes
        if grew:
            self.sizes = sizes
        self.pause = QUICK_SECONDS if grew else min(SLOW_SECONDS, self.pause * 1.25)
        return grew


class Syncer:
    """Sees to it that what was written survives the machine: fdatasync of what grew.

    ``sync`` does it, for a path and the flags to open it with, and says whether it succeeded.
    """

    def __init__(
        self,
        folder: RunFolder,
        clock: Clock | None = None,
        *,
        sync: Callable[[str, int], bool] | None = None,
    ) -> None:
        self._folder = folder
        self._sync = sync or _sync
        self._clock = clock or Clock()
        self._synced: dict[Place, int] = {}
        self._places: set[Place] = set()
        self._at = 0.0
        self._meta: tuple[int, int] | None = None

    def due(self) -> bool:
        """Whether a second has passed since the last time."""
        return self._clock.tick() >= self._at

    def sync(self, sizes: Mapping[Place, int]) -> int:
        """Sync every segment that grew, run.json once and the folder after a new file; how many
        could not be synced (they are tried again)."""
        self._at = self._clock.tick() + SYNC_SECONDS
        failed = 0
        for place, size in sizes.items():
            if self._synced.get(place, -1) == size:
                continue
            if self._sync(self._folder.segment_path(*place), os.O_RDONLY):
                self._synced[place] = size
            else:
                failed += 1
        failed += self._sync_meta()
        if self._places != sizes.keys():
            if self._sync(self._folder.journal, os.O_RDONLY | os.O_DIRECTORY):
                self._places = set(sizes)
            else:
                failed += 1
        return failed

    def _sync_meta(self) -> int:
        path = os.path.join(self._folder.path, "run.json")
        try:
            status = os.stat(path)
        except OSError:
            return 0
        version = (status.st_mtime_ns, status.st_ino)
        if version == self._meta:
            return 0
        done = self._sync(path, os.O_RDONLY) and self._sync(
            self._folder.path, os.O_RDONLY | os.O_DIRECTORY
        )
        if done:
            self._meta = version
        return not done


def _sync(path: str, flags: int) -> bool:
    try:
        fd = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        if hasattr(os, "fdatasync") and not flags & os.O_DIRECTORY:
            os.fdatasync(fd)
        else:
            os.fsync(fd)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True
