"""Waiting for something to come about, in the place of timing it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def eventually(
    condition: Callable[[], Any], what: object = "", seconds: float = 60.0, pause: float = 0.02
) -> Any:
    """Wait until something holds; what it returned. ``what`` is shown where it does not come about;
    where it is a function, what it says then."""
    until = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < until, (
            f"it did not come about in time: {what() if callable(what) else what}"
        )
        time.sleep(pause)


def removed(folder: Path | str) -> None:
    """Remove a run's folder, in which its streamer may still be at work."""
    eventually(lambda: shutil.rmtree(folder, ignore_errors=True) or not Path(folder).exists())
