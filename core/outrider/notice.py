"""Says things to the person at the terminal, on stderr, without ever raising.

In the training process nothing of ours may raise after ``init()``: what goes wrong is said once
and counted. With ``OUTRIDER_RAISE=1`` (our own tests set it) it is raised again instead, so that
no fault hides.
"""

from __future__ import annotations

import os
import sys

_said: dict[str, int] = {}


def say(text: str) -> None:
    """Write one line to stderr, if there is a stderr that takes it."""
    try:
        sys.stderr.write(f"outrider: {text}\n")
        sys.stderr.flush()
    except Exception:
        pass


def say_once(key: str, text: str) -> None:
    """Say something the first time that ``key`` comes up; count every time."""
    count = _said.get(key, 0)
    _said[key] = count + 1
    if not count:
        say(text)


def times_said(key: str) -> int:
    """How often ``key`` came up in this process."""
    return _said.get(key, 0)


def swallow(where: str, error: BaseException) -> None:
    """Keep an internal error away from the training: say it once, or raise it under test."""
    if os.environ.get("OUTRIDER_RAISE"):
        raise error
    say_once(
        f"{where}: {type(error).__name__}",
        f"{where}: {type(error).__name__}: {error} (training goes on; said once)",
    )
