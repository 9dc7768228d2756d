"""What Outrider costs a training before its first step: import, init(), memory and threads.

    python tests/bench/start_up.py [--json]

Each figure comes from fresh interpreters, ours and the one to compare with in turn; medians.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator

from figures import Figure, main, median
from log_path import in_process
from place import environment

TURNS = 15
IMPORT = "from outrider import core"
BARE = "import typing"
CLOCKED = f"""
{BARE}
import time
began = time.perf_counter()
{IMPORT}
print((time.perf_counter() - began) * 1e3)
"""
STATED = """
import os
def state():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(os.listdir("/proc/self/task"))
"""
STARTED = (
    STATED
    + """
import sys, time, typing
{before}
memory, threads = state()
from outrider import core
began, busy = time.perf_counter(), time.process_time()
core.init(project="bench", mode={mode!r}, settings={{"url": "http://127.0.0.1:9"}})
took, busy = (time.perf_counter() - began) * 1e3, (time.process_time() - busy) * 1e3
for step in range(1000):
    core.log({{"loss": 0.5, "accuracy": 0.25}})
more, now = state()
print(took, busy, more - memory, now - threads)
os._exit(0)
"""
)


def imports() -> Iterator[Figure]:
    """The import, by itself and as a whole process."""
    in_process(CLOCKED)  # compiles what an edit made stale
    alone = [float(in_process(CLOCKED)) for _ in range(TURNS)]
    yield Figure(f"`{IMPORT}`, typing loaded", median(alone), " ms", 5.0, f"least {min(alone):.2f}")
    bare, ours = [], []
    for _ in range(TURNS):
        bare.append(_process(BARE))
        ours.append(_process(f"{BARE}; {IMPORT}"))
    detail = f"{median(ours):.1f} against {median(bare):.1f} ms"
    yield Figure("the same, whole process more", median(ours) - median(bare), " ms", 5.0, detail)
    command = [sys.executable, "-X", "importtime", "-c", f"{BARE}; {IMPORT}"]
    done = subprocess.run(command, env=environment("/"), capture_output=True, text=True, check=True)
    rows = re.findall(r"(\d+) \|\s+(\d+) \|( +)(\S+)", done.stderr.partition(" typing\n")[2])
    dearest = sorted(((int(own), name) for own, _, _, name in rows), reverse=True)[:3]
    total = sum(int(own) for own, *_ in rows) / 1e3
    detail = f"{len(rows)} modules; " + ", ".join(
        f"{name} {own / 1e3:.1f}" for own, name in dearest
    )
    yield Figure("the same, -X importtime", total, " ms", 5.0, detail)


def init() -> Iterator[Figure]:
    """How long it takes to start a run, and what the trainer carries after it and 1,000 log() calls."""
    for what, before, budget in (("numpy loaded", "import numpy", 10.0), ("bare", "", 30.0)):
        for mode in ("online", "offline"):
            code = STARTED.format(before=before, mode=mode)
            in_process(code)
            rows = [_last_line(in_process(code)) for _ in range(TURNS)]
            times, busy, memory, threads = zip(*rows, strict=True)
            detail = f"least {min(times):.1f}, most {max(times):.1f}; "
            detail += f"its own processor {median(busy):.1f} (least {min(busy):.1f})"
            yield Figure(f"init(mode={mode}), {what}", median(times), " ms", budget, detail)
        yield Figure(f"memory added to the trainer, {what}", median(memory), " MB", 5.0)
        yield Figure(f"threads added to the trainer, {what}", max(threads), "", 0)


def _last_line(text: str) -> list[float]:
    return [float(field) for field in text.strip().splitlines()[-1].split()]


def _process(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=environment("/"), check=True)
    return (time.perf_counter() - began) * 1e3


if __name__ == "__main__":
    main(imports, init)
