"""A training that is there to be killed: notes each record in a file of its own after log() returned.

``logger.py FOLDER NOTES COUNT PAUSE EXIT [settings as name=value …]``: logs ``{"n": i, "twice": 2 * i}``
at step ``i`` for ``COUNT`` records (0: until killed) with ``PAUSE`` seconds between them, and leaves
with the exit code ``EXIT``. ``leave=_exit`` leaves by ``os._exit``; ``on_term=finish`` finishes the run
at a SIGTERM, as a training does that knows its scheduler.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from outrider import core

folder, notes, count, pause, code, *more = sys.argv[1:]
settings = dict(word.split("=", 1) for word in more)
leave, on_term = settings.pop("leave", ""), settings.pop("on_term", "")
note = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
run = core.init(project="reliability", dir=folder, settings=settings)
os.write(note, f"run {run.id}\n".encode())
number, wanted, seconds = 0, int(count), float(pause)
terminated: list[int] = []
if on_term:
    signal.signal(signal.SIGTERM, lambda number, frame: terminated.append(number))
while not terminated and (not wanted or number < wanted):
    run.log({"n": number, "twice": 2 * number}, step=number)
    os.write(note, b"%d\n" % number)
    number += 1
    if seconds:
        time.sleep(seconds)
if leave:
    os._exit(int(code))
if int(code):
    sys.exit(int(code))
run.finish()
os.write(note, b"done\n")
