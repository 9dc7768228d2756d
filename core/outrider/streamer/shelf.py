"""Knows which contents wait to be sent to a server and which it has: ``uploads-<host>.jsonl``.

One line is added for each content that the server has confirmed whole; a line that is torn by a
kill only means that the content is offered once more, and the server says that it has it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from outrider.ids import host_label

if TYPE_CHECKING:
    from outrider.contents import Stored


class Shelf:
    """The contents of one run that are to be sent to one server, in the order they came."""

    def __init__(self, folder: str, server: str | None) -> None:
        self.path = os.path.join(folder, f"uploads-{host_label()}.jsonl")
        self.server = server
        self.failed: dict[str, str] = {}
        self.sent_of_first = 0
        self._lock = threading.Lock()
        self._sent = sent_to(self.path, server)
        self._waiting: dict[str, Stored] = {}

    def want(self, stored: Stored) -> None:
        """A content is to be sent, if it was not yet; nothing without a server."""
        with self._lock:
            if self.server is not None and stored.sha256 not in self._sent:
                self._waiting.setdefault(stored.sha256, stored)

    def next(self) -> Stored | None:
        """The content whose turn it is, or None."""
        with self._lock:
            return next(iter(self._waiting.values()), None)

    def first(self, most: int) -> list[Stored]:
        """Some of those that wait, the next first."""
        with self._lock:
            return list(islice(self._waiting.values(), most))

    def confirm(self, *some: Stored) -> None:
        """The server has these."""
        with self._lock:
            for stored in some:
                self._waiting.pop(stored.sha256, None)
            self.sent_of_first = 0
            new = [stored for stored in some if stored.sha256 not in self._sent]
            self._sent.update(stored.sha256 for stored in new)
        lines = [
            orjson.dumps(
                {"server": self.server, "sha256": stored.sha256, "size": stored.size},
                option=orjson.OPT_APPEND_NEWLINE,
            )
            for stored in new
        ]
        if lines:
            _append(self.path, b"".join(lines))

    def fail(self, stored: Stored, why: str) -> None:
        """It cannot be sent by this process, ever: not tried again before the next ``sync``."""
        with self._lock:
            self._waiting.pop(stored.sha256, None)
            self.failed[stored.sha256] = why

    def confirmed(self, some: Iterable[str]) -> list[str]:
        """Those of these contents that the server has confirmed."""
        with self._lock:
            return [sha256 for sha256 in some if sha256 in self._sent]

    def want_again(self, stored: Stored) -> None:
        """The server does not have it any more."""
        with self._lock:
            self._sent.discard(stored.sha256)
        self.want(stored)

    def is_waiting(self) -> bool:
        """Whether something is still to be sent."""
        return bool(self._waiting)

    def left(self) -> tuple[int, int]:
        """How many contents wait, and their bytes."""
        with self._lock:
            total = sum(stored.size for stored in self._waiting.values())
            return len(self._waiting), max(0, total - self.sent_of_first)


ANY = "*"


def sent_to(path: str, server: str | None = ANY) -> set[str]:
    """The contents that a file of confirmations names for a server, or for any."""
    found: set[str] = set()
    try:
        with open(path, "rb") as file:
            for line in file:
                record = _read(line)
                if isinstance(record.get("sha256"), str) and server in (ANY, record.get("server")):
                    found.add(record["sha256"])
    except OSError:
        return found
    return found


def _read(line: bytes) -> dict[str, Any]:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return record if isinstance(record, dict) else {}


def _append(path: str, line: bytes) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        fd = os.open(path, flags, 0o600)
    except OSError:
        return
    try:
        os.write(fd, line)
    except OSError:
        return
    finally:
        os.close(fd)
