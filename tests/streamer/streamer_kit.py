"""Runs with real folders, a real server that misbehaves, real processes."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from outrider.folder import make_run_folder, write_meta
from outrider.journal.reader import RunFolder
from outrider.journal.writer import JournalWriter, boot_id, start_ticks
from outrider.streamer.loop import Outcome, deliver
from outrider.transport import HttpTransport

TRAINER = Path(__file__).parent / "streamer_trainer.py"


class Run:
    """A run's folder in the making."""

    def __init__(self, root: Path, server: str, run_id: str, **more: Any) -> None:
        path, _ = make_run_folder(str(root / ".outrider"), run_id, shared_id=True)
        self.id = run_id
        self.path = path
        self.folder = RunFolder(path)
        self.meta: dict[str, Any] = {
            "format": 1,
            "id": run_id,
            "project": "p r",
            "name": run_id,
            "mode": "online",
            "server": server,
            "created": time.time(),
            "attempt": 1,
            "resume": None,
            "writer": "main",
            "host": os.uname().nodename,
            "pid": os.getpid(),
            "start_ticks": start_ticks(os.getpid()),
            "boot_id": boot_id(),
            "argv": [],
            "settings": {"sample_seconds": 0.2, "average_seconds": 0.5},
            "origins": {"url": "argument"},
            **more,
        }
        self.write_meta()
        self.writer: JournalWriter | None = None

    def write_meta(self, **changes: Any) -> None:
        self.meta.update(changes)
        write_meta(self.path, self.meta)

    def open(self, writer: str = "main", **more: Any) -> JournalWriter:
        self.writer = JournalWriter(self.path, self.id, writer=writer, primary=True, **more)
        return self.writer

    def log(self, *values: Any) -> None:
        writer = self.writer or self.open()
        for value in values:
            assert writer.append({"s": 0, "p": {"x": value}})

    def end(self, state: str = "finished", code: int | None = 0) -> None:
        assert self.writer is not None
        record = {"k": "end", "w": self.writer.writer, "a": 1, "state": state, "code": code}
        self.writer.append({**record, "signal": None, "why": None})

    def deliver(self, **more: Any) -> Outcome:
        transport = HttpTransport(self.meta["server"], more.pop("token", None))
        return deliver(self.folder, transport=transport, **more)

    def delivery(self) -> dict[str, Any]:
        from outrider.ids import host_label
        from outrider.streamer.status import read_status

        return read_status(os.path.join(self.path, f"delivery-{host_label()}.json"))

    def __str__(self) -> str:
        """What a failing test should show of it."""
        return f"{self.delivery()} {sorted(os.listdir(self.path))}\n{self.log_text()}"

    def log_text(self) -> str:
        try:
            return Path(self.path, "streamer.log").read_text()
        except FileNotFoundError:
            return ""
