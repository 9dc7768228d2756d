"""Packs many small contents into one request: for those the way to the server costs more than they do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from outrider.contents import Stored
    from outrider.streamer.files import Files

SMALL = 64 << 10
"""The longest content that travels in a bundle; a longer one has requests of its own."""

MOST = 256
MOST_BYTES = 1 << 20


def chosen(waiting: list[Stored], apart: set[str], most: int) -> list[Stored]:
    """The small contents at the front of those that wait, ``most`` of them and 1 MiB at most;
    ``apart`` are those that need a request of their own."""
    found: list[Stored] = []
    size = 0
    for stored in waiting:
        if stored.size > SMALL or stored.sha256 in apart:
            continue
        if len(found) == most or size + stored.size > MOST_BYTES:
            break
        found.append(stored)
        size += stored.size
    return found


def packed(files: Files, some: list[Stored]) -> tuple[bytes, list[Stored]]:
    """A bundle, and what is in it: a content that cannot be read here, or has another length, is not."""
    inside: list[Stored] = []
    pieces: list[bytes] = []
    for stored in some:
        try:
            flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW  # a link was planted, never ours
            fd = os.open(files.place(stored.sha256), flags)
            try:
                data = os.pread(fd, stored.size + 1, 0)
            finally:
                os.close(fd)
        except OSError:
            continue
        if len(data) == stored.size:
            inside.append(stored)
            pieces.append(data)
    head = orjson.dumps([[stored.sha256, stored.size] for stored in inside])
    return b"".join([head, b"\n", *pieces]), inside
