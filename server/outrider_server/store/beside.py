"""How the store's threads share a processor with the one that answers."""

from __future__ import annotations

import os
from contextlib import suppress


def work_beside() -> None:
    """Let the calling thread begin when there is room, and push no other aside.

    Linux lets a thread that has something to do again take the processor from one that works. With
    threads of which only one at a time can hold the interpreter that was three switches a batch, most
    of them back and forth; with the writer a "batch" thread it is one, and a batch takes a twentieth
    less of the processor. Whoever started the server with another policy keeps it.
    """
    with suppress(AttributeError, OSError):  # not Linux; not allowed
        if os.sched_getscheduler(0) == os.SCHED_OTHER:
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
