"""Writes delivery-<host>.json: what is acknowledged, what waits and why, for whoever looks."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from outrider.folder import write_file
from outrider.ids import host_label
from outrider.streamer.clock import Clock
from outrider.streamer.cursor import Offsets, Place, behind, offsets_from_json, offsets_to_json
from outrider.streamer.log import stamp

if TYPE_CHECKING:
    from outrider.journal.reader import RunFolder
    from outrider.streamer.sender import Report

LEAST_SECONDS = 0.5


class Status:
    """The file of this host, written at most twice a second and at each change of state."""

    def __init__(
        self,
        folder: RunFolder,
        server: str,
        clock: Clock | None = None,
        say: Callable[[str], object] = lambda text: None,
        *,
        is_beside: bool = False,
    ) -> None:
        """``is_beside`` is for who delivers while the run's streamer works: in a file of its own."""
        self._main = os.path.join(folder.path, f"delivery-{host_label()}.json")
        beside = os.path.join(folder.path, f"delivery-{host_label()}-sync.json")
        self.path = beside if is_beside else self._main
        self.server = server
        self.capture = "going on"
        self._clock = clock or Clock()
        self._say = say
        self._at = 0.0
        self._last: dict[str, Any] = {}

    def known(self) -> Offsets:
        """What an earlier streamer of this host had acknowledged by the same server."""
        found: Offsets = {}
        for path in {self._main, self.path}:
            said = read_status(path)
            if said.get("server") == self.server:
                for place, offset in offsets_from_json(said.get("acked")).items():
                    found[place] = max(offset, found.get(place, 0))
        return found

    def write(
        self,
        report: Report,
        sizes: Mapping[Place, int],
        *,
        done: bool = False,
        now: bool = False,
        files: tuple[int, int] = (0, 0),
    ) -> None:
        """Write what changed; never raises (the disk may be full). ``files`` says how many
        contents wait to be sent, and their bytes."""
        told: dict[str, Any] = {
            "pid": os.getpid(),
            "state": report.state,
            "reason": report.reason,
            "hint": report.hint,
            "server": self.server,
            "retry_at": report.retry_at,
            "acked": offsets_to_json(report.acked),
            "behind_bytes": behind(sizes, report.acked),
            "behind_records": 0 if behind(sizes, report.acked) == 0 else None,
            "gaps": report.gaps,
            "files_left": files[0],
            "file_bytes_left": files[1],
            "capture": self.capture,
            "done": done,
        }
        if told == self._last:
            return
        tick = self._clock.tick()
        changed = told["state"] != self._last.get("state") or done != self._last.get("done")
        if not (now or changed) and tick < self._at:
            return
        self._at = tick + LEAST_SECONDS
        try:
            write_file(self.path, orjson.dumps({"t": self._clock.now(), **told}))
        except OSError:
            return
        if changed or told["reason"] != self._last.get("reason"):
            self._say(f"{stamp(self._clock.now())} {told['state']} {told['reason'] or ''}".rstrip())
        self._last = told


def read_status(path: str) -> dict[str, Any]:
    """What a delivery file says, or nothing."""
    try:
        with open(path, "rb") as file:
            found = orjson.loads(file.read())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
