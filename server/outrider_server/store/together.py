"""Hands batches to the writer: read, and those that came together in one piece.

What a batch holds is worked out here while the writer commits and the disk works. Handed over one by
one, the first of ten would be committed alone while nine are still being read: a commit for one batch,
which the nine then wait for.

Those that came together are unpacked one right after the other, and then read one right after the
other: a processor does the same again faster than each step between two others.
"""

from __future__ import annotations

from asyncio import get_running_loop
from typing import TYPE_CHECKING

from outrider.errors import StoreError
from outrider_server.repeating import Repeating
from outrider_server.store.acks import Deliver

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from collections.abc import Callable

    from outrider_server.store.acks import Done
    from outrider_server.store.batches import Ack, Batch
    from outrider_server.store.writer import Writer

_READ_AT_ONCE = 128 << 10
"""So many bytes are read in less than a millisecond. The writer reads longer batches, one at a time:
what they hold may be many times as large."""

_TOGETHER = 6
"""So many are handed over at once: ten runs that always wait for one commit together would leave the
processor idle while the disk works."""


class Together:
    """The batches of each event loop, until a turn of it brings no more. Every loop may use it for
    its own."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._reader = Repeating()
        self._waiting: dict[AbstractEventLoop, list[tuple[Callable[[], Batch], Done]]] = {}

    def hand_in(self, make: Callable[[], Batch], done: Done) -> None:
        """Queue the batch that ``make`` gives, at the latest when a turn of its loop brought no other.

        ``done`` is called on that loop, with the ack or with what ``make`` or the writer raised. Raises
        ``StoreError`` once the writer is closed.
        """
        self._writer.must_be_open()
        loop = get_running_loop()
        waiting = self._waiting.get(loop)
        if waiting is None:
            waiting = self._waiting[loop] = []
            loop.call_soon(self._look, loop, 0)
        waiting.append((make, done))
        if len(waiting) >= _TOGETHER:
            self._hand_over(loop)

    async def store(self, batch: Batch) -> Ack:
        """Hand in a batch and wait for its commit. Raises what the writer does, and ``StoreError``."""
        answer: Future[Ack] = get_running_loop().create_future()

        def done(ack: Ack | None, error: BaseException | None) -> None:
            if answer.done():  # nobody waits any more
                return
            if ack is not None:
                answer.set_result(ack)
            else:
                answer.set_exception(error or StoreError("the store gave no word"))

        self.hand_in(lambda: batch, done)
        return await answer

    def _look(self, loop: AbstractEventLoop, seen: int) -> None:
        """At the end of a turn: wait for another one as long as each brings batches."""
        count = len(self._waiting.get(loop, ()))
        if count > seen:
            loop.call_soon(self._look, loop, count)
        else:
            self._hand_over(loop)

    def _hand_over(self, loop: AbstractEventLoop) -> None:
        jobs: list[Deliver] = []
        for make, done in self._waiting.pop(loop, ()):
            try:
                jobs.append(Deliver(make(), loop, done))
            except Exception as error:  # whose batch it is will say so
                done(None, error)
        short = [job.batch for job in jobs if len(job.batch.raw) <= _READ_AT_ONCE]
        found = self._reader.read([((batch.run, batch.writer), batch.raw) for batch in short])
        for batch, known in zip(short, found, strict=True):
            batch.known = known
        try:
            if jobs:
                self._writer.submit(jobs)
        except StoreError as error:
            for job in jobs:
                job.done(None, error)
