"""The store of the server: everything that runs have recorded, and who may ask for it."""

from __future__ import annotations

from outrider_server.store.batches import Ack, Batch, Changes, NotWhole, OffsetAhead, UnknownRun
from outrider_server.store.runs import RunCreated
from outrider_server.store.store import Store

__all__ = [
    "Ack",
    "Batch",
    "Changes",
    "NotWhole",
    "OffsetAhead",
    "RunCreated",
    "Store",
    "UnknownRun",
]
