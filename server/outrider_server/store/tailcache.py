"""Keeps the tail's newest rows unpacked, for the fold and for charts of live runs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outrider_server.store.codec import Block

Place = tuple[int, int]
"""A run's number and a row's seq; what a place holds never changes while it is there."""


class TailCache:
    """Blocks by place, the longest unused leaving first. Safe to share among threads."""

    def __init__(self, most_bytes: int = 128 << 20) -> None:
        self._most = most_bytes
        self._held = 0
        self._blocks: OrderedDict[Place, tuple[int, Sequence[Block]]] = OrderedDict()
        self._lock = Lock()

    def put(self, place: Place, blocks: Sequence[Block]) -> None:
        """Keep a row's blocks."""
        size = 500 + sum(block.values.nbytes + 20 * len(block.steps) for block in blocks)
        with self._lock:
            self._blocks[place] = (size, blocks)
            self._held += size
            while self._held > self._most and self._blocks:
                self._held -= self._blocks.popitem(last=False)[1][0]

    def get(self, place: Place) -> Sequence[Block] | None:
        """A row's blocks, if they are still here."""
        found = self._blocks.get(place)
        return found[1] if found else None

    def drop(self, run: int, seqs: Sequence[int]) -> None:
        """Forget rows that are no more."""
        with self._lock:
            for seq in seqs:
                found = self._blocks.pop((run, seq), None)
                if found:
                    self._held -= found[0]
