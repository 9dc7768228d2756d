"""Runs whose media are all made, and all of their parts."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from outrider import api
from outrider.journal.reader import RunFolder

PATIENCE = 60.0


def made(folder: str | os.PathLike[str]) -> api.Run:
    """The run in a folder, once a file was made of everything that its records name."""
    until = time.monotonic() + PATIENCE
    while True:
        run = api.open(folder)
        waiting = [part for part in every_part(run) if part.state == "pending"]
        if not waiting or time.monotonic() > until:
            assert not waiting, (RunFolder(folder).path, waiting)
            return run
        time.sleep(0.05)


def every_part(run: api.Run) -> Iterator[api.Part]:
    """All parts with a file, masks and cells included."""
    for item in run.media():
        parts = list(item.parts)
        if item.type == "table":
            ready = all(part.sha256 for part in parts)
            rows = run.table(item.key, item.step).rows if ready else []
            parts += [cell for row in rows for cell in row if isinstance(cell, api.Part)]
        for part in parts:
            yield part
            yield from part.masks.values()
