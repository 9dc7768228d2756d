"""Remembers, while a run lives, what will be asked when it dies: the evidence of its end record.

Memory as the sampler saw it last, the GPUs' Xid errors, who sent a SIGTERM to the job, the last
lines on the console, and the counters of kills for lack of memory.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from outrider.journal.record import Damaged, decode, lines
from outrider.streamer.clock import Clock
from outrider.streamer.ends import PREEMPTION_SECONDS
from outrider.streamer.oom import OomCounters

if TYPE_CHECKING:
    from outrider.journal.reader import RunFolder
    from outrider.streamer.cursor import Place
    from outrider.streamer.ends import Death

SAMPLES = 15
"""So many samples of memory are kept: half a minute, as the sampler is set by default."""

CONSOLE_LINES = 20
_LINE_CHARACTERS = 300
_CONSOLE_BYTES = 1 << 16
_MOST_XIDS = 16
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


class Witness:
    """What is known of the run's surroundings; noted from any thread."""

    def __init__(self, folder: RunFolder, clock: Clock | None = None, root: str = "") -> None:
        self.oom = OomCounters(root)
        self._folder = folder
        self._clock = clock or Clock()
        self._lock = threading.Lock()
        self._memory: deque[tuple[float, float, float | None, float | None]] = deque(maxlen=SAMPLES)
        self._xids: list[tuple[float, int, int]] = []
        self._sender: tuple[float, dict[str, Any]] | None = None
        self._terminated: float | None = None

    # -- noted while the run lives

    def note_sample(self, readings: Mapping[str, float]) -> None:
        """One sample of the machine: keep what it says of memory."""
        seen = memory_of(readings)
        if seen is not None:
            with self._lock:
                self._memory.append((self._clock.tick(), *seen))

    def note_xid(self, gpu: int, xid: int) -> None:
        """A GPU reported an Xid error."""
        with self._lock:
            if len(self._xids) < _MOST_XIDS:
                self._xids.append((self._clock.tick(), gpu, xid))

    def note_sigterm(self, sender: Mapping[str, Any] | None = None) -> None:
        """A SIGTERM came to the streamer, as a scheduler sends it to the whole job."""
        self._terminated = self._clock.tick()
        if sender:
            self._sender = (self._terminated, dict(sender))

    def terminated_ago(self) -> float | None:
        """How many seconds ago the last SIGTERM came."""
        return None if self._terminated is None else self._clock.tick() - self._terminated

    # -- asked at the end

    def evidence(self, death: Death, sizes: Mapping[Place, int]) -> dict[str, Any]:
        """All that can be said of a death that this streamer tells; only what is known is in it."""
        found = self.notable()
        if not found.get("oom_kills") and death.signal == 9 and (n := self.oom.machine_kills()):
            found["machine_oom_kills"] = n
        with self._lock:
            memory, sender = list(self._memory), self._sender
        if any(process for *_, process in memory):
            while not memory[-1][3]:  # taken when its processes were gone, and their memory
                memory.pop()
        if memory:
            found["memory"] = [self._sample(*one) for one in memory]
        by_signal = death.signal in (9, 15) or death.code in (137, 143)
        if sender is not None and by_signal:
            tick, who = sender
            if self._clock.tick() - tick <= PREEMPTION_SECONDS:
                found["signal_from"] = who
        console = last_console(self._folder, sizes)
        if console:
            found["last_console"] = console
        return found

    def notable(self) -> dict[str, Any]:
        """What is worth telling even of a run that said itself how it ended."""
        found: dict[str, Any] = {}
        kills = self.oom.kills()
        if kills:
            found["oom_kills"] = kills
        with self._lock:
            xids = list(self._xids)
        if xids:
            now = self._clock.tick()
            found["xid"] = [
                {"gpu": gpu, "xid": xid, "ago": round(now - tick, 1)} for tick, gpu, xid in xids
            ]
        return found

    def _sample(
        self, tick: float, used: float, limit: float | None, process: float | None
    ) -> dict[str, Any]:
        ago = round(self._clock.tick() - tick, 1)
        return {"ago": ago, "used": used, "limit": limit, "process": process}


def memory_of(readings: Mapping[str, float]) -> tuple[float, float | None, float | None] | None:
    """Bytes used, their limit, and those of the training's processes: the cgroup's where it has a
    limit, else the machine's."""
    process = readings.get("system/process/rss_bytes")
    limit = readings.get("system/cgroup/memory_limit_bytes")
    used = readings.get("system/cgroup/memory_used_bytes")
    if used is not None and limit is not None:
        return used, limit, process
    used = readings.get("system/memory/used_bytes")
    available = readings.get("system/memory/available_bytes")
    if used is None:
        return None
    return used, None if available is None else used + available, process


def last_console(folder: RunFolder, sizes: Mapping[Place, int]) -> list[str]:
    """The last lines that the run's processes here printed, without colours and overwritten text,
    and without secrets; oldest first."""
    pieces: list[tuple[float, str]] = []
    latest: dict[str, list[Place]] = {}
    for place in sorted(sizes):
        latest.setdefault(place.writer, []).append(place)
    for places in latest.values():
        for place in places[-2:]:
            at = max(0, sizes[place] - _CONSOLE_BYTES)
            try:
                data = folder.read(place.writer, place.segment, at, _CONSOLE_BYTES).data
            except OSError:
                continue
            for line in lines(data):
                if b'"k":"console"' not in line:
                    continue
                try:
                    record = decode(line)
                except Damaged:
                    continue
                if record.kind == "console" and isinstance(record.body.get("b"), str):
                    pieces.append((record.t, record.body["b"]))
    pieces.sort(key=lambda piece: piece[0])
    return tail_of("".join(text for _, text in pieces))


def tail_of(text: str) -> list[str]:
    """The last lines of what was printed, as a terminal would have left them (nearly)."""
    found: deque[str] = deque(maxlen=CONSOLE_LINES)
    for line in _ANSI.sub("", text).replace("\r\n", "\n").split("\n"):
        shown = next((part for part in reversed(line.split("\r")) if part.strip()), "")
        shown = "".join(sign for sign in shown.rstrip() if sign.isprintable() or sign == "\t")
        if shown:
            found.append(shown[:_LINE_CHARACTERS])
    if not found:
        return []
    from outrider.capture.redact import redact

    return redact("\n".join(found)).text.split("\n")
