"""Feeds a store as a streamer would: journal lines, in batches, with their offsets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from outrider.journal.line import encode

if TYPE_CHECKING:
    from outrider_server.store import Ack, Store

START = 1_763_860_000.0


def lines(*records: Mapping[str, Any]) -> bytes:
    """Records as the journal holds them."""
    return b"".join(encode(record) for record in records)


def point(step: int, time: float | None = None, **values: Any) -> dict[str, Any]:
    """A points record; a value's key may have dashes where Python's has underscores."""
    return {"t": START + step if time is None else time, "s": step, "p": values}


def head(
    writer: str, attempt: int = 1, *, primary: bool = True, t: float = START
) -> dict[str, Any]:
    """The first record of a segment."""
    return {
        "t": t,
        "k": "head",
        "v": 1,
        "w": writer,
        "n": 1,
        "a": attempt,
        "host": f"host-of-{writer}",
        "pid": 7,
        "role": "trainer",
        "primary": primary,
    }


def end(writer: str, state: str, t: float = START + 100, **more: Any) -> dict[str, Any]:
    """Somebody's word on how a writer ended."""
    return {"t": t, "k": "end", "w": writer, "a": 1, "state": state, **more}


class Feeder:
    """Sends batches into one run and remembers the offsets, as a streamer does."""

    def __init__(self, store: Store, run: str = "r1", project: str = "p", **meta: Any) -> None:
        self.store = store
        self.run = run
        self.project = project
        self.offsets: dict[tuple[str, int], int] = {}
        self.created = store.create_run(
            {"project": project, "id": run, "name": f"name of {run}", "created": START, **meta}
        )

    def send(self, data: bytes, writer: str = "w", segment: int = 1) -> Ack:
        """Send the next bytes of a segment."""
        at = self.offsets.get((writer, segment), 0)
        ack = self.send_at(at, data, writer, segment)
        self.offsets[writer, segment] = ack.offset
        return ack

    def send_at(self, offset: int, data: bytes, writer: str = "w", segment: int = 1) -> Ack:
        """Send bytes as those that begin at an offset."""
        return asyncio.run(self.store.ingest(self.project, self.run, writer, segment, offset, data))

    def log(self, *records: Mapping[str, Any], writer: str = "w") -> Ack:
        """Send records as the next batch."""
        return self.send(lines(*records), writer)

    def row(self) -> dict[str, Any]:
        """The run in full."""
        return self.store.run(self.project, self.run)

    def line(self, key: str, **how: Any) -> dict[str, Any]:
        """The line of a chart."""
        (found,) = self.store.series(self.project, key, [self.run], **how)["series"]
        return found

    def points(self, key: str, **how: Any) -> dict[str, Any]:
        """Points as logged."""
        return self.store.points(self.project, self.run, key, **how)
