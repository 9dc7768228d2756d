"""One training through one tracker, shut in a folder of its own, and what became of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inside.driver import MARK, marked
from place import own_place
from subjects import QUIET, Subject

if TYPE_CHECKING:
    from environments import Environment

INSIDE = Path(__file__).with_name("inside")
KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


class Failed(Exception):
    """A work did not come to an end: what the tracker said, or that it hung."""


class Sandbox:
    """A home, a folder to work in and an environment, for as many trainings as share them.

    No proxy is handed on and nothing of who runs it; OPENBLAS works with one thread, so that a step does not
    take the core on which a tracker's helpers run.
    """

    def __init__(self, place: str, subject: Subject, environment: Environment) -> None:
        self.subject, self.environment = subject, environment
        self.folder = Path(place, "work")
        self.mark = Path(place).name
        for name in ("work", "home", "tmp"):
            Path(place, name).mkdir(exist_ok=True)
        home = f"{place}/home"
        self.env = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.env |= {
            f"XDG_{name}_HOME": f"{home}/{name}" for name in ("STATE", "DATA", "CONFIG", "CACHE")
        }
        self.env |= {
            "HOME": home, "TMPDIR": f"{place}/tmp", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
            "OUTRIDER_BENCH_TRAINING": self.mark, **QUIET, **subject.env,
        }  # fmt: skip

    def start(self, work: str, options: dict[str, Any], **more: str) -> subprocess.Popen[str]:
        """A training under way."""
        command = [self.environment.python, str(INSIDE / "driver.py"), self.subject.adapter, work]
        return subprocess.Popen(
            [*command, json.dumps(options)], cwd=self.folder, env=self.env | more, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True, errors="replace",
        )  # fmt: skip

    def run(self, work: str, options: dict[str, Any], limit: float = 120.0, **more: str) -> Any:
        """A training to its end: its answer. Raises ``Failed``."""
        return self.answer(self.start(work, options, **more), limit)

    def answer(self, process: subprocess.Popen[str], limit: float) -> Any:
        """What a training that was started answers. Raises ``Failed``, and kills it then."""
        try:
            out, said = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            self.end_helpers()  # they may hold the pipes
            process.communicate()
            raise Failed(f"hung for {limit:.0f} s") from None
        if MARK not in out:
            last = [line for line in said.splitlines() if line.strip()]
            raise Failed(last[-1].strip()[:200] if last else f"exit code {process.returncode}")
        return json.loads(out.rpartition(MARK)[2].splitlines()[0])

    def helpers(self, *but: int) -> list[int]:
        """The processes that a training has started and that live."""
        return marked(self.mark, {os.getpid(), *but})

    def wait_for_helpers(self, seconds: float) -> None:
        """Give them time to do what they still have to do."""
        until = time.monotonic() + seconds
        while self.helpers() and time.monotonic() < until:
            time.sleep(0.1)

    def end_helpers(self, *but: int) -> int:
        """Kill them; how many there were."""
        found = self.helpers(*but)
        for pid in found:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        return len(found)


@contextmanager
def sandbox(subject: Subject, environment: Environment) -> Iterator[Sandbox]:
    """A sandbox; afterwards it is gone, with all that was started in it."""
    with own_place() as place:
        one = Sandbox(place, subject, environment)
        try:
            yield one
        finally:
            for _ in range(3):  # one that is being started may have been overlooked
                if not one.end_helpers():
                    break
                time.sleep(0.05)


def said(text: str) -> None:
    """Tell who watches how far it is."""
    print(text, file=sys.stderr, flush=True)
