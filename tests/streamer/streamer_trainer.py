"""A trainer as a process of its own: logs numbers and ends as it is told."""

from __future__ import annotations

import os
import sys
import time

from outrider.folder import write_meta
from outrider.journal.reader import RunFolder
from outrider.journal.writer import JournalWriter, start_ticks
from outrider.streamer import spawn

path, run_id, how, *more = sys.argv[1:]
count = int(more[0]) if more else 20
pause = float(more[1]) if len(more) > 1 else 0.0
meta = RunFolder(path).meta()
writer = JournalWriter(path, run_id, primary=True, segment_bytes=1 << 16)
pid = os.getpid()
write_meta(path, {**meta, "writer": writer.writer, "pid": pid, "start_ticks": start_ticks(pid)})
assert spawn.start(path)
looked = time.monotonic()
for number in range(count):
    assert writer.append({"s": number, "p": {"x": number}})
    if pause:
        time.sleep(pause)
    if time.monotonic() - looked > 0.3:
        looked = time.monotonic()
        if not spawn.is_running(path):
            spawn.start(path)


def end(state: str, code: int | None) -> None:
    record = {"k": "end", "w": writer.writer, "a": 1, "state": state, "code": code}
    writer.append({**record, "signal": None, "why": None})


if how == "finish":
    end("finished", 0)
elif how == "leave":  # the interpreter's end: the code is not known yet
    end("finished", None)
    os._exit(3)
elif how.startswith("exit"):
    os._exit(int(how[4:]))
elif how.startswith("signal"):
    os.kill(pid, int(how[6:]))
    time.sleep(30)
elif how == "wait":
    time.sleep(60)
