"""What the jobs of the writer thread write with, and what they note for those who read."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from outrider_server.store.attributes import Names
from outrider_server.store.batches import UnknownRun, keep_fresh
from outrider_server.store.database import connect
from outrider_server.store.moving import find_home
from outrider_server.store.track import Track, load
from outrider_server.store.watching import Watcher

if TYPE_CHECKING:
    from pathlib import Path

    from outrider_server.store.cache import Cache


class Writing:
    """What a job writes with: the connection, the tracks of runs, the numbers of keys.

    Readers keep what they read of runs: a job notes in ``changed`` each run of which it changes what
    the list of runs shows, filters or sorts by, and in ``listed`` each project that a run came to or
    went from.
    """

    def __init__(self, path: Path, cache: Cache) -> None:
        self.db = connect(path)
        # where a file system is not made for a write-ahead log, SQLite does without one
        self.has_log = self.db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        if self.has_log:  # ``acks`` syncs it
            self.db.execute("PRAGMA synchronous=NORMAL")
        self.names = Names()
        self.cache = cache
        self.tracks: OrderedDict[tuple[str, str], Track] = OrderedDict()
        self.busy: dict[tuple[str, str], Track] = {}
        self.fresh: list[Any] = []
        self.changed: set[int] = set()
        self.listed: set[int] = set()
        self.told = False
        self.watcher = Watcher(self.db)

    def track(self, project: str, run: str) -> Track:
        """A run's track, read from the store if need be. Raises ``UnknownRun``."""
        name = (project, run)
        found = self.tracks.get(name)
        if found is None:
            found = load(self.db, project, run)
            if found is None:
                raise UnknownRun(f"no run {project}/{run}")
            found.watcher = self.watcher
            self.tracks[name] = found
        self.tracks.move_to_end(name)
        self.busy[name] = found
        return found

    def arriving(self, project: str, run: str) -> Track:
        """The track of a run that its streamer names, wherever it was moved. Raises ``UnknownRun``."""
        try:
            return self.track(project, run)
        except UnknownRun:
            home = find_home(self.db, project, run)
            if home is None:
                raise
            return self.track(home, run)

    def drop(self, project: str, run: str) -> None:
        """Forget one run."""
        self.tracks.pop((project, run), None)
        self.busy.pop((project, run), None)

    def committed(self) -> None:
        """What was done is on disk: readers may keep new rows, and must read changed runs again."""
        keep_fresh(self.cache, self.fresh)
        self.fresh.clear()
        self.cache.changes.commit(told=self.told)
        self.told = False
        if self.changed or self.listed:
            self.cache.changes.note(self.changed, self.listed)
            self.changed.clear()
            self.listed.clear()

    def forget(self) -> None:
        """Drop everything in memory: what it says may have been rolled back."""
        self.tracks.clear()
        self.busy.clear()
        self.names.forget()
        self.fresh.clear()
        self.changed.clear()
        self.listed.clear()
        self.watcher.reload(self.db)
