"""A home and a folder for one measurement, and an end for the streamers that work in it."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def own_place() -> Iterator[str]:
    """A temporary folder; afterwards it is gone, with all streamers of runs in it.

    A streamer whose server is gone tries for ever, as it should: but not into the next
    measurement, and not on the machine of who runs this.
    """
    place = tempfile.mkdtemp(prefix="outrider-bench-")
    try:
        yield place
    finally:
        for _ in range(3):  # one that is being started may have been overlooked
            for pid in _working_in(place):
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        shutil.rmtree(place, ignore_errors=True)


def environment(place: str, **more: str) -> dict[str, str]:
    """An environment in which nothing outside the place is read or written.

    But compiled modules are, as they are for any user: without them each start would compile
    what an edit made stale, and that is not what is measured.
    """
    kept = {name: text for name, text in os.environ.items() if not name.startswith("OUTRIDER_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    homes = {f"XDG_{name}_HOME": place for name in ("STATE", "DATA", "CONFIG", "CACHE")}
    return {**kept, "HOME": place, **homes, "OUTRIDER_DIR": place, **more}


def _working_in(place: str) -> list[int]:
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            line = (folder / "cmdline").read_bytes()
            if f"{place}/".encode() in line and int(folder.name) != os.getpid():
                found.append(int(folder.name))
    return found
