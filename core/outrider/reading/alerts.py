"""Reads alerts: what a script said, the same from a journal and for the server, and what it raised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

LEVELS = ("info", "warn", "error")
_LONGEST_TITLE, _LONGEST_TEXT = 256, 16384


class Alert(NamedTuple):
    """An alert of a run: time (unix seconds), level (info, warn or error), title and text.

    ``source`` is ``script``, or ``rule`` where a rule of the server raised it, whose id is ``rule``.
    """

    time: float
    level: str
    title: str
    text: str
    source: str = "script"
    rule: str | None = None


class Words(NamedTuple):
    """An alert's time, level, title and text."""

    t: float
    level: str
    title: str
    text: str


def alert_of(t: float, body: Mapping[str, Any]) -> Words:
    """The alert in a record, whatever a foreign writer put there."""
    level = str(body.get("level") or "info").lower()
    level = {"warning": "warn"}.get(level, level)
    title, text = (str(body.get(name) or "") for name in ("title", "text"))
    return Words(
        t, level if level in LEVELS else "info", title[:_LONGEST_TITLE], text[:_LONGEST_TEXT]
    )
