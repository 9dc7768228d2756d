"""A whole training in which the n-th call of ``os`` fails, or is the last: ``calls.py FOLDER RESULTS PLANS``.

Each plan (``number kind``) runs in a fork of its own, with everything loaded before; without a plan the
calls are counted. ``exit`` leaves without having made the call, as a kill at this moment does;
``once`` and ``ever`` let it fail, or it and all after it. What came of it is one line of RESULTS.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import outrider.start
import outrider.training
from outrider import core, notice
from outrider.journal.files import Files

NAMES = (
    "chmod", "close", "dup2", "fchmod", "fstat", "getcwd", "link", "listdir", "lstat", "mkdir", "open",
    "readlink", "rename", "replace", "rmdir", "scandir", "stat", "symlink", "unlink", "write",
)  # fmt: skip
ROWS = 14

outrider.training.start_streamer = lambda folder, settings: False  # type: ignore[assignment]
outrider.start.start_streamer = lambda folder, settings: False  # type: ignore[attr-defined, unused-ignore]
real_write, real_exit = os.write, os._exit


class Calls:
    """Stands before the functions of ``os``."""

    def __init__(self, number: int, kind: str, code: int) -> None:
        self.number, self.kind, self.code = number, kind, code
        self.made: list[str] = []
        for name in NAMES:
            setattr(os, name, self._counting(name, getattr(os, name)))
            if hasattr(Files, name):
                setattr(Files, name, staticmethod(getattr(os, name)))

    def _counting(self, name: str, call: Any) -> Any:
        def counted(*arguments: Any, **more: Any) -> Any:
            self.made.append(name)
            at = len(self.made)
            if at == self.number and self.kind == "exit":
                real_exit(9)
            if at == self.number or (at > self.number > 0 and self.kind == "ever"):
                raise OSError(self.code, os.strerror(self.code))
            return call(*arguments, **more)

        return counted


def train(folder: str, noted: list[int]) -> None:
    run = core.init(
        project="calls", dir=folder, mode="offline", config={"lr": 0.1},
        settings={"segment_bytes": 4096},
    )  # fmt: skip
    for row in range(ROWS):
        run.log({"n": row, "x" * 300: 1.5}, step=row)  # long enough for a roll
        noted.append(row)
    run.config.update({"later": True})
    run.alert("a word")
    run.finish()


def child(folder: str, results: int, number: int, kind: str, code: int) -> None:
    said = open(os.path.join(folder, "said"), "w+", encoding="utf-8")  # noqa: SIM115
    sys.stderr = said
    notice._said.clear()
    noted: list[int] = []
    calls, raised = Calls(number, kind, code), None
    if kind == "exit":

        class Notes(list[int]):
            def append(self, row: int) -> None:
                real_write(results, b"%d %d\n" % (number, row))

        noted = Notes()
    try:
        train(os.path.join(folder, "training"), noted)
    except BaseException as error:
        raised = f"{type(error).__name__}: {error}"
    said.flush()
    said.seek(0)
    told = {"number": number, "kind": kind, "noted": noted, "raised": raised, "said": said.read()}
    real_write(results, json.dumps({**told, "calls": calls.made}).encode() + b"\n")
    real_exit(0)


def main(place: str, told: str, plans: list[str]) -> None:
    warnings.simplefilter("ignore")
    results = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.makedirs(os.path.join(place, "warm", "training"))
    train(os.path.join(place, "warm", "training"), [])  # everything is loaded now
    for plan in plans:
        number, kind, code = plan.split(":")
        folder = os.path.join(place, f"{number}-{kind}-{code}")
        os.makedirs(os.path.join(folder, "training"))
        os.environ["XDG_STATE_HOME"] = os.path.join(folder, "state")
        if os.fork() == 0:
            child(folder, results, int(number), kind, getattr(errno, code))
        os.wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]).read_text().split())
