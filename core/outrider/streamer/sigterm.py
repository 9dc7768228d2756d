"""Learns who sends SIGTERM to the streamer: a scheduler sends it to the whole job, the trainer too."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable
from typing import Any

Tell = Callable[[dict[str, Any]], object]


def listen(tell: Tell) -> None:
    """Call ``tell`` with what is known of the sender of every SIGTERM from now on, in a thread.

    To be called in the main thread before any other is started: the signal is blocked in all of
    them, and waited for in one, because a handler is not told who sent it.
    """
    if not hasattr(signal, "sigwaitinfo"):  # another system: a handler, which knows no sender
        signal.signal(signal.SIGTERM, lambda number, frame: tell({}))
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    threading.Thread(target=_wait, args=(tell,), name="sigterm", daemon=True).start()


def _wait(tell: Tell) -> None:
    while True:
        try:
            info = signal.sigwaitinfo([signal.SIGTERM])
        except InterruptedError:
            continue
        tell(sender_of(info.si_pid, info.si_uid))


def sender_of(pid: int, uid: int) -> dict[str, Any]:
    """A process by its number, its user and, where it still lives, its name; empty for the kernel
    and for one outside of our namespace."""
    if pid <= 0:
        return {}
    found: dict[str, Any] = {"pid": pid, "uid": uid}
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="utf-8") as file:
        found["name"] = file.read().strip()
    return found
