"""Adopts older runs of the same training folder whose delivery was left undone.

Each is given a streamer of its own, one after the other, and only once the server has answered ours.
What was recorded offline, or meant for another server, leaves only by an explicit ``outrider sync``.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from outrider.errors import OutriderError
from outrider.journal.reader import RunFolder, find_folders
from outrider.streamer import spawn
from outrider.streamer.cursor import Place, behind
from outrider.streamer.log import say
from outrider.streamer.process import Process, is_of_this_host
from outrider.streamer.roster import QUIET_SECONDS
from outrider.streamer.status import Status, read_status

ADOPTED = "adopted"
"""The word that tells a streamer to adopt no others and to sample nothing."""

_PATIENCE_SECONDS = 15.0

_AGAIN_SECONDS = 30.0
"""How long the keeper waits before it tries again what the server did not take."""


def is_meant_for(meta: Mapping[str, Any], server: str) -> bool:
    """Whether a run may be sent to ``server`` without being asked: online, from here, to it."""
    return meta.get("mode") == "online" and meta.get("server") == server and is_of_this_host(meta)


def is_left_undone(folder: RunFolder, server: str) -> bool:
    """Whether all writers of a run are gone and something of it is not acknowledged."""
    status = Status(folder, server)
    sizes: dict[Place, int] = {}
    latest = 0.0
    for writer, numbers in folder.all_segments().items():
        head = folder.head(writer) or {}
        if isinstance(head.get("host"), str) and not is_of_this_host(head):
            continue
        for number in numbers:
            sizes[Place(writer, number)] = folder.size(writer, number)
            latest = max(latest, _changed(folder.segment_path(writer, number)))
        if head.get("role") == "streamer":
            continue
        process = Process.of_head(head)
        if process is None:
            if time.time() - latest < QUIET_SECONDS:
                return False
        elif process.death() is None:
            process.close()
            return False
    if not sizes:
        return False
    return behind(sizes, status.known()) > 0 or not read_status(status.path).get("done", False)


def _changed(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


def orphans(own: RunFolder, server: str) -> Iterator[RunFolder]:
    """The runs beside ours that nobody delivers, oldest first."""
    for folder in find_folders(os.path.dirname(own.path)):
        if folder.path == own.path:
            continue
        try:
            if not is_meant_for(folder.meta(), server) or spawn.is_running(folder.path):
                continue
            if is_left_undone(folder, server):
                yield folder
        except (OutriderError, OSError):
            continue


class Adoption:
    """Goes through the orphans in a thread; ``is_busy`` until it is done."""

    def __init__(
        self, own: RunFolder, server: str, keeps: Callable[[], bool] = lambda: False
    ) -> None:
        self._own = own
        self._server = server
        self._keeps = keeps
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._work, name="adoption", daemon=True)
        self.has_started = False

    def start(self) -> None:
        """Begin, once."""
        if not self.has_started:
            self.has_started = True
            self._thread.start()

    def is_busy(self) -> bool:
        """Whether runs are still being adopted."""
        return self._thread.is_alive()

    def _work(self) -> None:
        try:
            while self._adopt_all() and self._keeps():
                self._ends.wait(_AGAIN_SECONDS)
        except Exception as error:
            say(f"adoption stopped: {type(error).__name__}: {error}")

    def _adopt_all(self) -> bool:
        """Go through them once; whether the server was silent to one of them."""
        met_silence = False
        for folder in orphans(self._own, self._server):
            say(f"adopting {folder.path}")
            if spawn.start(folder.path, flags=[ADOPTED]):
                self._await(folder)
                state = read_status(Status(folder, self._server).path).get("state")
                met_silence |= state == "waiting"
        return met_silence

    def _await(self, folder: RunFolder) -> None:
        """Until its streamer is done, or waits for something, or has not appeared for a while."""
        path = Status(folder, self._server).path
        since = time.monotonic()
        seen = False
        while not self._ends.wait(0.2):
            is_running = spawn.is_running(folder.path)
            seen = seen or is_running
            waited = time.monotonic() - since
            if (seen and not is_running) or (not seen and waited > _PATIENCE_SECONDS):
                return
            if read_status(path).get("state") in ("waiting", "refused"):
                if waited > _PATIENCE_SECONDS:
                    return
            else:
                since = time.monotonic() if seen else since
