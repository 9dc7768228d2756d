"""Answers the writer's jobs once what they did is on the disk.

The writer commits without waiting for the disk: a commit is whole in the write-ahead log, which is
synced here, by a thread of its own, while the writer goes on with the next group. One sync is good
for all that was committed before it began. That keeps what ``synchronous=FULL`` keeps: after a power
failure SQLite takes the log up to its last whole commit, and nothing behind a sync was answered.
"""

from __future__ import annotations

import logging
import os
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from outrider.errors import StoreError

if TYPE_CHECKING:
    from outrider_server.store.batches import Ack, Batch
    from outrider_server.store.writing import Writing

_log = logging.getLogger(__name__)

Done = Callable[["Ack | None", "BaseException | None"], None]
"""Takes an ack, or what kept a batch from being stored."""


@dataclass(slots=True)
class Deliver:
    """A batch to store; ``done`` is called on the event loop that waits for it."""

    batch: Batch
    loop: AbstractEventLoop
    done: Done


@dataclass(slots=True)
class Call:
    """Something to do inside a transaction; its answer goes to the thread that waits for it."""

    do: Callable[[Writing], Any]
    answer: Future[Any]


Job = Deliver | Call
Outcome = tuple[Job, Any, BaseException | None]
"""A job with what came of it: an answer, or an error."""

_sync = getattr(os, "fdatasync", os.fsync)


class Acks:
    """The answers of one store."""

    def __init__(self, log: Path | None) -> None:
        """``log`` is the write-ahead log, which is there as long as a connection is open; None where
        each commit is on the disk by itself."""
        self._log = None if log is None else os.open(log, os.O_RDWR)
        self._waiting: SimpleQueue[tuple[Sequence[Outcome], Callable[[], object] | None] | None]
        self._waiting = SimpleQueue()
        self._failed: OSError | None = None
        self._thread = Thread(target=self._work, name="store-acks", daemon=True)
        self._thread.start()

    def give(self, outcomes: Sequence[Outcome], then: Callable[[], object] | None = None) -> None:
        """Answer these, all of which is committed, and then do ``then``, once that is on the disk."""
        self._waiting.put((outcomes, then))

    def close(self) -> None:
        """Answer what waits, and stop."""
        self._waiting.put(None)
        self._thread.join()
        if self._log is not None:
            os.close(self._log)

    def _work(self) -> None:
        going = True
        while going:
            found = [self._waiting.get()]
            try:
                while found[-1] is not None:
                    found.append(self._waiting.get_nowait())
            except Empty:
                pass
            going = found[-1] is not None
            given = [each for each in found if each is not None]
            self._answer([outcome for outcomes, _ in given for outcome in outcomes])
            for _, then in given:
                try:
                    if then is not None and self._failed is None:
                        then()
                except Exception:
                    _log.exception("nobody could be told of an alert")

    def _answer(self, outcomes: list[Outcome]) -> None:
        try:
            if self._log is not None and self._failed is None and outcomes:
                _sync(self._log)
        except OSError as error:
            # what the kernel could not write it may have let go of, and a second sync would not tell:
            # only a restart, which reads the log again, shows what is there
            _log.exception("the store's log could not be synced: nothing is acknowledged any more")
            self._failed = error
        if self._failed is not None:
            refusal = StoreError(
                f"the disk did not take what was written: {self._failed}",
                hint="when the disk is well again, start the server again",
            )
            outcomes = [(job, None, error or refusal) for job, _, error in outcomes]
        _tell_all(outcomes)


def _tell_all(outcomes: Iterable[Outcome]) -> None:
    """Tell everybody who waits; one call into an event loop for all of its answers."""
    by_loop: dict[AbstractEventLoop, list[tuple[Done, Any, BaseException | None]]] = {}
    for job, value, error in outcomes:
        if isinstance(job, Deliver):
            by_loop.setdefault(job.loop, []).append((job.done, value, error))
        elif error is not None:
            job.answer.set_exception(error)
        else:
            job.answer.set_result(value)
    for loop, answers in by_loop.items():
        try:
            loop.call_soon_threadsafe(_tell, answers)
        except RuntimeError:  # the loop was closed: nobody waits any more
            continue


def _tell(answers: list[tuple[Done, Any, BaseException | None]]) -> None:
    for done, value, error in answers:
        try:
            done(value, error)
        except Exception:
            _log.exception("an ack could not be given")
