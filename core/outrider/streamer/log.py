"""The streamer's log: lines on its standard output, which is streamer.log in the run's folder."""

from __future__ import annotations

import time


def say(text: str) -> None:
    """Write a line."""
    print(text, flush=True)


def stamp(now: float) -> str:
    """A time for the log, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))


def trace(error: BaseException) -> str:
    """An error of ours, in full."""
    import traceback

    return "".join(traceback.format_exception(type(error), error, error.__traceback__))
