"""Lets one streamer wait for a silent server in the place of many.

A training folder in which a hundred short runs end while the server is down would otherwise keep a
hundred processes. One of them, the keeper, holds a lock in the runs' folder; the others leave once
their run is over and has waited for a while, undelivered, and the keeper adopts their runs when the
server answers.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from zlib import crc32

from outrider.streamer.lock import Holder, Latch
from outrider.streamer.log import say, stamp

if TYPE_CHECKING:
    from outrider.streamer.clock import Clock

HAND_OVER_SECONDS = 60.0
"""How long a run that is over waits for the server in a process of its own."""


class HandOver:
    """Whether this streamer may leave its undelivered run to the keeper, or is the keeper."""

    def __init__(self, run_folder: str, server: str, clock: Clock) -> None:
        self._root = os.path.dirname(run_folder)
        self._name = f"waiting-{crc32(server.encode()):08x}"
        self._clock = clock
        self._since: float | None = None
        self._latch: Latch | None = None
        self._holder: Holder | None = None

    @property
    def keeps(self) -> bool:
        """Whether this streamer is the one that waits for the others too."""
        return self._holder is not None

    def may_leave(self, is_waiting: bool) -> bool:
        """Ask once a round, from the moment nobody writes any more."""
        if not is_waiting:
            self._since = None
            return False
        if self.keeps:
            return False
        tick = self._clock.tick()
        if self._since is None:
            self._since = tick
        if tick - self._since < HAND_OVER_SECONDS:
            return False
        try:
            if self._latch is None:
                self._latch = Latch(self._root, self._name)
            self._holder = self._latch.take()
        except OSError:  # no locks here: everybody waits for himself
            self._since = tick
            return False
        if self._holder is None:
            say(f"{stamp(self._clock.now())} another streamer here waits for the server, too")
            return True
        return False
