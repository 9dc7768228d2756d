"""Hands batches to the writer: read, and those that came together in one piece.

What a batch holds is worked out here while the writer waits for the disk. Handed over one by one,
the first of ten would be committed alone while nine are still being read: an fsync for one batch,
which the nine then wait for.
"""

from __future__ import annotations

from asyncio import get_running_loop
from typing import TYPE_CHECKING

from outrider.errors import StoreError
from outrider_server.ingest import read_batch
from outrider_server.store.writer import Deliver

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

    from outrider_server.store.batches import Ack, Batch
    from outrider_server.store.writer import Writer

_READ_AT_ONCE = 128 << 10
"""So many bytes are read in less than a millisecond. The writer reads longer batches, one at a time:
what they hold may be many times as large."""

_TOGETHER = 4
"""So many are handed over before the turn ends: ten runs that always wait for one commit together
would leave the processor idle while the disk works."""


class Together:
    """The batches of each event loop, until its turn ends. Every loop may use it for its own."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting: dict[AbstractEventLoop, list[Deliver]] = {}

    async def store(self, batch: Batch) -> Ack:
        """Queue a batch, at the latest at the end of its loop's turn, and wait for its commit.

        Raises what the writer does, and ``StoreError`` once that is closed.
        """
        self._writer.must_be_open()
        if len(batch.raw) <= _READ_AT_ONCE:
            batch.known = read_batch(batch.raw)
        loop = get_running_loop()
        answer: Future[Ack] = loop.create_future()
        waiting = self._waiting.get(loop)
        if waiting is None:
            waiting = self._waiting[loop] = []
            loop.call_soon(self._hand_over, loop)
        waiting.append(Deliver(batch, loop, answer))
        if len(waiting) >= _TOGETHER:
            self._hand_over(loop)
        return await answer

    def _hand_over(self, loop: AbstractEventLoop) -> None:
        for job in self._waiting.pop(loop, ()):
            try:
                self._writer.submit(job)
            except StoreError as error:
                if not job.answer.done():
                    job.answer.set_exception(error)
