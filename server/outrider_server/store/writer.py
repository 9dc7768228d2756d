"""The one thread that writes: it takes what waits and commits it together.

Answers leave once that is on the disk, which the writer does not wait for (``acks``). If anything in
a group fails, the group is rolled back and each of its jobs is done again by itself, so that one that
cannot be done harms no other.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from outrider.errors import NotFound, StoreError, UsageError
from outrider_server.store.acks import Acks, Call, Deliver, Job, Outcome
from outrider_server.store.batches import NotWhole, OffsetAhead, UnknownRun, store_batch
from outrider_server.store.beside import work_beside
from outrider_server.store.checkpoints import Checkpoints
from outrider_server.store.flush import flush, fold_tail
from outrider_server.store.writing import Writing

if TYPE_CHECKING:
    from outrider_server.store.cache import Cache
    from outrider_server.store.track import Track

T = TypeVar("T")
_log = logging.getLogger(__name__)

GROUP_JOBS, GROUP_BYTES = 64, 32 << 20
"""How much is committed together at most."""

FLUSH_SECONDS = 1.0
"""How far counts and the summary may lag behind the points of a busy run."""

TRACKS = 4096
"""How many runs are kept in memory."""

FEW = 50
"""So many runs can be flushed while somebody waits to read."""

FOLD_TOGETHER = 8
"""So many runs are folded in one transaction: it spares them a commit each, and batches wait for it."""

RETRY_SECONDS = 60.0
"""How long the store's own work on a run rests after it failed."""

_REFUSALS = (UnknownRun, OffsetAhead, NotWhole, NotFound, UsageError)
"""Errors that are raised before anything was changed."""


MEASURED = {"points", "metrics", "system", "console"}
"""Kinds of records that say nothing of a run by which it could be grouped or found."""

_GROWN = MEASURED - {"metrics"}
"""Kinds that change nothing of what the list of runs shows before the next flush."""


class Writer(Thread):
    """The writer thread. ``submit`` and ``call`` may be used from any thread."""

    def __init__(self, path: Path, cache: Cache) -> None:
        super().__init__(name="store-writer", daemon=True)
        self._to = Writing(path, cache)
        self.checkpoints = Checkpoints(path)
        self._acks = Acks(path.with_name(path.name + "-wal") if self._to.has_log else None)
        self._queue: SimpleQueue[Sequence[Job] | None] = SimpleQueue()
        self._closed = False
        self._resting: dict[tuple[str, str], float] = {}
        self.on_alert: Callable[[], object] = lambda: None

    def must_be_open(self) -> None:
        """Raise ``StoreError`` once the store is closed."""
        if self._closed:
            raise StoreError("the store is closed")

    def submit(self, jobs: Sequence[Deliver]) -> None:
        """Queue batches."""
        self.must_be_open()
        self._queue.put(jobs)

    def call(self, do: Callable[[Writing], T]) -> T:
        """Do something in a transaction and return what it returns, once it is committed."""
        self.must_be_open()
        answer: Future[T] = Future()
        self._queue.put((Call(do, answer),))
        return answer.result()

    def settle(self) -> None:
        """Let readers see the counts and the summary of all that is stored, if that is quick.

        Where many runs are busy they may see them as of ``FLUSH_SECONDS`` ago.
        """
        # a run leaves ``busy`` only after its flush is committed
        if not self._closed and 0 < len(self._to.busy) <= FEW:
            self.call(lambda _: self._flush(late=0.0))

    def close(self) -> None:
        """Finish what was queued, then stop."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self.join()

    def run(self) -> None:
        """The thread's life: groups of jobs, and between them folds and flushes that are due."""
        work_beside()
        self._recount()
        going = True
        while going:
            group, going = self._next_group()
            if group:
                self._do_group(group)
            self._tidy(all_of_it=not going)
            self.checkpoints.settle(self._to.db)
        self._acks.close()
        self.checkpoints.close()
        self._to.db.close()

    def _recount(self) -> None:
        """Take up the runs whose newest points were not counted before the store stopped."""
        behind = self._to.db.execute(
            "SELECT p.name, r.id FROM run r JOIN project p ON p.project = r.project"
            " JOIN (SELECT run, max(seq) AS newest FROM tail GROUP BY run) t ON t.run = r.run"
            " WHERE t.newest > r.counted"
        ).fetchall()
        for project, run in behind:
            self._to.track(project, run)

    def _start_over(self) -> None:
        """After a rollback what is in memory may be wrong, and what is on disk is right."""
        if self._to.db.in_transaction:
            self._to.db.execute("ROLLBACK")
        self._to.forget()
        try:
            self._recount()
        except sqlite3.Error:
            _log.exception("the store could not count again")

    def _next_group(self) -> tuple[list[Job], bool]:
        """Wait for jobs, then take along what waits beside them; False when it is time to stop."""
        dirty = bool(self._to.busy)
        group: list[Job] = []
        size = 0
        try:
            jobs = self._queue.get(timeout=FLUSH_SECONDS if dirty else None)
            while True:
                if jobs is None:
                    return group, False
                group += jobs
                size += sum(len(job.batch.raw) for job in jobs if isinstance(job, Deliver))
                if len(group) >= GROUP_JOBS or size >= GROUP_BYTES:
                    return group, True
                jobs = self._queue.get_nowait()
        except Empty:
            return group, True

    def _do_group(self, group: list[Job]) -> None:
        try:
            done = self._commit(group)
        except Exception as error:
            if len(group) == 1:
                done = [(group[0], None, _plain(error))]
            else:
                done = []
                for job in group:
                    try:
                        done += self._commit([job])
                    except Exception as alone:
                        done.append((job, None, _plain(alone)))
        raised, self._to.watcher.raised = self._to.watcher.raised, False
        self._acks.give(done, self.on_alert if raised else None)

    def _commit(self, group: list[Job]) -> list[Outcome]:
        """Do the jobs in one transaction. Raises after a rollback; then nothing was done."""
        to = self._to
        done: list[Outcome] = []
        to.db.execute("BEGIN IMMEDIATE")
        try:
            for job in group:
                try:
                    done.append((job, self._do(job), None))
                except _REFUSALS as error:
                    done.append((job, None, error))
            self._flush(late=FLUSH_SECONDS)
            to.db.execute("COMMIT")
        except BaseException:
            self._start_over()
            raise
        to.committed()
        self.checkpoints.wrote(sum(len(job.batch.raw) for job in group if isinstance(job, Deliver)))
        return done

    def _do(self, job: Job) -> Any:
        to = self._to
        if isinstance(job, Call):
            to.told = True
            return job.do(to)
        track = to.arriving(job.batch.project, job.batch.run)
        ack = store_batch(to.db, to.names, track, job.batch, to.fresh)
        to.told |= not ack.changes.kinds <= MEASURED
        if not ack.changes.kinds <= _GROWN:
            to.changed.add(track.run)
        return ack

    def _flush(self, *, late: float) -> None:
        """Flush the runs whose last flush is this many seconds ago, or that have ended."""
        now = monotonic()
        for track in self._to.busy.values():
            if track.dirty and (now - track.flushed_at >= late or track.state != "running"):
                flush(self._to.db, self._to.names, track)
                self._to.changed.add(track.run)
                track.flushed_at = now

    def _tidy(self, *, all_of_it: bool) -> None:
        """Fold tails that are long and flush counts that wait, in transactions of their own."""
        to = self._to
        self._fold_due()
        idle = self._queue.empty()
        if (idle or all_of_it) and any(track.dirty for track in to.busy.values()):
            self._alone(lambda: self._flush(late=0.0 if all_of_it else FLUSH_SECONDS), None)
        for name in [
            name for name, track in to.busy.items() if not track.dirty and not _is_over(track)
        ]:
            del to.busy[name]
        while len(to.tracks) > TRACKS and next(iter(to.tracks)) not in to.busy:
            to.tracks.popitem(last=False)

    def _fold_due(self) -> None:
        """Fold some tails together, or all that are due while nobody waits.

        If that fails, each is tried by itself, so that one run harms no other.
        """
        while True:
            idle, now = self._queue.empty(), monotonic()
            due = [
                name
                for name, track in self._to.busy.items()
                if (track.fold_is_due() or (idle and _is_over(track)))
                and self._resting.get(name, 0.0) <= now
            ][:FOLD_TOGETHER]
            if due and not self._alone(partial(self._fold, due), None):
                for name in due:
                    self._alone(partial(self._fold, [name]), name)
            if not due or not idle:
                return

    def _fold(self, names: Sequence[tuple[str, str]]) -> None:
        to = self._to
        for name in names:
            track = to.track(*name)
            seqs = fold_tail(to.db, to.names, track, to.cache)
            to.changed.add(track.run)
            track.flushed_at = monotonic()
            to.cache.tail.drop((track.run, seq) for seq in seqs)

    def _alone(self, do: Callable[[], None], name: tuple[str, str] | None) -> bool:
        """Do the store's own work; if it fails, points stay in the tail and it is tried later."""
        to = self._to
        try:
            to.db.execute("BEGIN IMMEDIATE")
            do()
            to.db.execute("COMMIT")
            to.committed()
        except Exception:
            _log.exception("the store could not tidy up %s", name or "many runs together")
            self._start_over()
            if name is not None:
                self._resting[name] = monotonic() + RETRY_SECONDS
            return False
        return True


def _is_over(track: Track) -> bool:
    """Has the run ended, with points that wait to be folded?"""
    return bool(track.tail) and track.state != "running"


def _plain(error: Exception) -> Exception:
    """SQLite's errors as the store's, so that nobody outside needs to know the driver."""
    if isinstance(error, sqlite3.Error):
        return StoreError(
            f"the store could not write: {error}", hint="is the disk full? it is tried again"
        )
    return error
