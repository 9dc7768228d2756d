"""A run's folder whose errands run here and now, training scripts, and a real server."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outrider.folder import make_run_folder, write_meta
from outrider.journal.reader import RunFolder
from outrider.journal.record import Damaged
from outrider.journal.writer import JournalWriter, boot_id, start_ticks
from outrider.keeping import keep_files
from outrider.streamer.cursor import Place
from outrider.streamer.errands import Errands
from outrider.streamer.files import Files
from outrider.streamer.own import OwnJournal

if TYPE_CHECKING:
    from outrider_server.background import Background


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Run:
    """A run whose trainer and streamer are both this process, so that each step can be looked at."""

    def __init__(self, root: Path, run_id: str = "r1") -> None:
        path, _ = make_run_folder(str(root / ".outrider"), run_id, shared_id=True)
        write_meta(
            path,
            {
                "format": 1,
                "id": run_id,
                "project": "p",
                "name": run_id,
                "mode": "offline",
                "server": "http://127.0.0.1:9",
                "created": time.time(),
                "attempt": 1,
                "writer": "main",
                "host": os.uname().nodename,
                "pid": os.getpid(),
                "start_ticks": start_ticks(os.getpid()),
                "boot_id": boot_id(),
            },
        )
        self.path = Path(path)
        self.folder = RunFolder(path)
        self.writer = JournalWriter(path, run_id, writer="main", primary=True)
        self.streamer()

    def streamer(self) -> None:
        """A new streamer, which knows nothing but what lies in the folder."""
        self.files = Files(self.folder, OwnJournal(self.folder), server="http://127.0.0.1:9")
        self.errands = Errands(self.folder, self.files, self.sizes)

    def sizes(self) -> dict[Place, int]:
        return {
            Place(writer, number): self.folder.size(writer, number)
            for writer, numbers in self.folder.all_segments().items()
            for number in numbers
        }

    def save(self, path: Any, base: Any = None, policy: str = "now", **more: Any) -> list[str]:
        return keep_files(str(self.path), path, base, policy, self.writer.append, **more)

    def work(self, *, is_last: bool = False) -> None:
        """Do what is asked for by now."""
        while self.errands.work():
            pass
        self.errands.follow(is_last=is_last)

    def records(self, kind: str) -> list[dict[str, Any]]:
        return [
            record.body
            for _, _, _, record in self.folder.records()
            if not isinstance(record, Damaged) and record.kind == kind
        ]

    def told(self) -> list[dict[str, Any]]:
        """The ``file`` records, in order."""
        return sorted(self.records("file"), key=lambda body: float(body["t"]))

    def content(self, told: dict[str, Any]) -> bytes:
        return Path(self.files.place(told["sha256"])).read_bytes()


def environment(server: Background) -> dict[str, str]:
    """What a script or a command needs to find the server."""
    return {**os.environ, "OUTRIDER_URL": server.url, "OUTRIDER_API_KEY": server.token}


def script(folder: Path, text: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a training script in a folder, to its end."""
    return subprocess.run(
        [sys.executable, "-c", text],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def command(folder: Path, env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an ``outrider`` command in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "outrider.cli", *arguments],
        cwd=folder,
        env={**env, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
