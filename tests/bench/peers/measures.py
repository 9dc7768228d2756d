"""What is measured of each tracker: costs in turns beside ours, and what faults do to it."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from environments import Environment, torch
from inside.driver import size
from subjects import Subject
from training import Failed, Sandbox, sandbox

Round = dict[str, Any]


GRACE = 10.0
"""Seconds for a killed script's helpers to bring to the disk what they have."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how often: the whole form takes some twenty minutes, the quick one five."""

    rounds: int = 2
    calls: int = 2000
    tight_s: float = 0.7
    paced_s: float = 2.0
    steps: int = 150
    records: int = 1200
    disk_s: float = 4.0
    kills: int = 3
    patience: float = 60.0
    batches: int = 500
    ingest_s: float = 5.0
    page_steps: int = 5000

    @classmethod
    def quick(cls) -> Effort:
        """To see that it works."""
        return cls(1, 200, 0.3, 0.5, 40, 400, 2.0, 1, 30.0, 25, 2.0, 500)


def trainer(subject: Subject, environment: Environment, effort: Effort) -> Round:
    """Import, init, calls in a tight loop, memory, threads, helpers, finish."""
    with sandbox(subject, environment) as one:
        found: Round = one.run(
            "trainer", {"calls": effort.calls, "tight_s": effort.tight_s, "settle_s": 1.0}
        )
        return found


def stepped(subject: Subject, environment: Environment, effort: Effort) -> Round:
    """A hundred calls a second, and calls inside ~5 ms steps of NumPy and of torch."""
    options = {"paced_s": effort.paced_s, "steps": effort.steps, "settle_s": 1.0, "torch": torch()}
    with sandbox(subject, environment) as one:
        found: Round = one.run("stepped", options, 240)
        return found


def disk(subject: Subject, environment: Environment, effort: Effort) -> Round:
    """Bytes a point, as the difference of a longer and a shorter run: what every run has is no part of it."""
    sizes = []
    for records in (effort.records // 4, effort.records):
        with sandbox(subject, environment) as one:
            found = one.run("disk", {"records": records, "disk_s": effort.disk_s})
            one.wait_for_helpers(15)
            sizes.append((found["points"], size(one.folder.parent)))
    (fewer, small), (more, large) = sizes
    return {"bytes_point": (large - small) / (more - fewer), "bytes_run": small, "points": more}


def killed(subject: Subject, environment: Environment, effort: Effort) -> Round:
    """`kill -9` of the script at a random instant, at 200 records/s and at full speed: what is found later.

    Helpers may do what they still want to do, for ten seconds.
    """
    chance = random.Random(subject.name)
    total: Round = {}
    for pace, pause in (("paced", 0.005), ("full", 0.0)):
        returned = found = doubled = 0
        for _ in range(effort.kills):
            with sandbox(subject, environment) as one:
                process = one.start("until_killed", {"pause_s": pause})
                _wait_for(one, "returned", process)
                time.sleep(0.5 + chance.random())
                process.kill()
                process.wait()
                one.wait_for_helpers(GRACE)
                one.end_helpers()
                process.communicate()
                calls = int.from_bytes((one.folder / "returned").read_bytes(), "little")
                read = one.run("read", {}, 240)
                returned += calls
                found += min(read["found"], calls)
                doubled += read["doubled"]
        total |= {f"{pace}_returned": returned, f"{pace}_found": found, f"{pace}_doubled": doubled}
    return total | {"kills": effort.kills}


def helper_killed(subject: Subject, environment: Environment, effort: Effort) -> Round:
    """All helper processes get SIGKILL while it logs: how the training goes on, and what is kept."""
    with sandbox(subject, environment) as one:
        process = one.start("bereft", {"seconds": 4.0})
        _wait_for(one, "going", process)
        killed = one.end_helpers(process.pid)
        if not killed:
            process.kill()
            one.end_helpers()
            process.communicate()
            return {"helpers": 0}
        found = _ended(one, process, effort.patience) | {"helpers": killed}
        one.wait_for_helpers(10)
        return found | _kept(one)


def server_down(subject: Subject, environment: Environment, effort: Effort) -> Round:
    """Nothing listens where the server should be, from the start."""
    with sandbox(subject, environment) as one:
        process = one.start("bereft", {"seconds": 2.0, "url": subject.down})
        return _ended(one, process, effort.patience) | _kept(one)


def _ended(one: Sandbox, process: Any, patience: float) -> Round:
    try:
        found: Round = one.answer(process, patience)
    except Failed as error:
        path = one.folder / "so_far.json"
        found = json.loads(path.read_text()) if path.exists() else {}
        found["ended"] = str(error)
    return found


def _kept(one: Sandbox) -> Round:
    try:
        return {"found": one.run("read", {}, 60)["found"]}
    except Failed as error:
        return {"unread": str(error)}


def _wait_for(one: Sandbox, name: str, process: Any, seconds: float = 90.0) -> None:
    until = time.monotonic() + seconds
    while not (one.folder / name).exists():
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            one.end_helpers()
            said = process.communicate()[1].strip().splitlines()
            raise Failed(said[-1][:200] if said else f"no sign of life for {seconds:.0f} s")
        time.sleep(0.02)


Measure = Callable[[Subject, Environment, Effort], Round]
TIMED: dict[str, Measure] = {"trainer": trainer, "step": stepped}
"""Measured in turn with ours, several rounds."""
WAITING: dict[str, Measure] = {"disk": disk, "helper": helper_killed, "down": server_down}
"""Measured once, two trackers at a time: what does not depend on the machine's speed, and mostly waits."""
ALONE: dict[str, Measure] = {"kill": killed}
"""Measured once, by itself: a busy neighbour would make a tracker's own threads lose more."""
