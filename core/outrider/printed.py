"""Makes console records of what was printed: bounded per second, with a gap where it was too much."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

RATE = 256 << 10
"""So many bytes a second are kept for as long as it takes."""

BURST = 2 << 20
"""So many at once, after a pause."""

PIECE = 64 << 10
"""The longest text of one record, in characters."""

GAP_SECONDS = 1.0
"""How often, at most, an ongoing gap is told."""


class Bound:
    """How much may still be kept of a stream: a flood on one leaves room for a traceback on the other."""

    __slots__ = ("at", "room")

    def __init__(self) -> None:
        self.room = float(BURST)
        self.at = monotonic()

    def look(self) -> float:
        """Let room grow with time; returns the present moment."""
        now = monotonic()
        room = self.room + (now - self.at) * RATE
        self.room = min(room, BURST)
        self.at = now
        return now


class Printed:
    """Records one stream; ``append`` takes each record and never raises."""

    __slots__ = ("append", "bound", "left_out", "stream", "told_at")

    def __init__(
        self, stream: str, append: Callable[[Mapping[str, Any]], object], bound: Bound
    ) -> None:
        self.stream = stream
        self.append = append
        self.bound = bound
        self.left_out = 0
        self.told_at = 0.0

    def keep(self, text: str) -> None:
        """Record a text, as far as there is room for it; count the rest."""
        bound = self.bound
        now = bound.look()
        size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if size > bound.room:
            kept = text[: int(bound.room * len(text) / size)] if bound.room > 4096 else ""
            whole = size
            size = len(kept.encode("utf-8", "surrogatepass"))
            self._write(kept, size)
            self.left_out += whole - size
            if now - self.told_at >= GAP_SECONDS:
                self.tell_gap()
            return
        self._write(text, size)

    def _write(self, text: str, size: int) -> None:
        if not text:
            return
        if self.left_out:
            self.tell_gap()
        self.bound.room -= size
        if len(text) <= PIECE:
            self.append(record(self.stream, text))
            return
        for start in range(0, len(text), PIECE):
            self.append(record(self.stream, text[start : start + PIECE]))

    def tell_gap(self) -> None:
        """Say how much was left out since the last time."""
        count, self.left_out = self.left_out, 0
        if count:
            self.told_at = monotonic()
            self.append({"k": "console", "o": self.stream, "n": count})


def record(stream: str, text: str) -> dict[str, Any]:
    """The record of a text; what is no UTF-8 (undecodable bytes in it) goes as base64."""
    if text.isascii():
        return {"k": "console", "o": stream, "b": text}
    try:
        text.encode()
    except UnicodeEncodeError:
        from base64 import b64encode

        try:
            data = text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            data = text.encode("utf-8", "surrogatepass")
        return {"k": "console", "o": stream, "x": b64encode(data).decode()}
    return {"k": "console", "o": stream, "b": text}
