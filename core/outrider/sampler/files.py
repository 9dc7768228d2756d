"""Reads the small files of /proc and /sys: the sampler's seam to the kernel."""

from __future__ import annotations

import os
from collections.abc import Callable

Read = Callable[[str], bytes]


def read(path: str) -> bytes:
    """The whole of a kernel file, with three system calls for all but the largest.

    Raises OSError when it is not there, not ours to read, or its process died meanwhile.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.read(fd, 1 << 16)
        # A kernel file may answer in pieces of one page; only a short file ends at once.
        while len(data) >= 2048 and (piece := os.read(fd, 1 << 16)):
            data += piece
        return data
    finally:
        os.close(fd)


def number(path: str, read: Read = read) -> int | None:
    """A file that holds one number; None when it is missing, unreadable or says `max`."""
    try:
        return int(read(path))
    except (OSError, ValueError):
        return None


def table(text: bytes) -> dict[str, int]:
    """Lines of `name number` (memory.stat, cpu.stat, memory.events) as a dict."""
    rows = (line.split() for line in text.splitlines())
    return {row[0].decode(): int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}
