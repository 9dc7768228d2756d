"""Run folders made by hand, record by record, and by the real writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from outrider.folder import make_run_folder, write_meta
from outrider.journal.line import encode
from outrider.journal.segment import segment_name

if TYPE_CHECKING:
    from pathlib import Path


class Made:
    """A run's folder and the means to write into its journals."""

    def __init__(self, root: Path, run_id: str = "abc", **meta: Any) -> None:
        self.path, _ = make_run_folder(str(root / ".outrider"), run_id, shared_id=False)
        self.meta = {
            "format": 1,
            "id": run_id,
            "project": "mnist",
            "name": "brisk-otter-41",
            "mode": "offline",
            "server": "http://127.0.0.1:7878",
            "created": 100.0,
            "tags": ["a"],
            "notes": None,
            "attempt": 1,
            "writer": "w1",
            "host": "elsewhere",
            "pid": 1,
            **meta,
        }
        write_meta(self.path, self.meta)

    def write(self, *records: dict[str, Any] | bytes, writer: str = "w1", segment: int = 1) -> None:
        """Append records (or bytes, as they are) to one segment."""
        with open(f"{self.path}/journal/{segment_name(writer, segment)}", "ab") as file:
            file.writelines(
                record if isinstance(record, bytes) else encode(record) for record in records
            )

    def head(self, writer: str = "w1", attempt: int = 1, t: float = 100.0, **more: Any) -> None:
        """Write a writer's first record."""
        record = {"t": t, "k": "head", "v": 1, "run": self.meta["id"], "w": writer, "n": 1}
        facts = {"a": attempt, "role": "trainer", "primary": True, **more}
        self.write({**record, **facts}, writer=writer)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A run with one writer whose head is written."""
    run = Made(tmp_path)
    run.head()
    return run


def point(t: float, step: int, **values: Any) -> dict[str, Any]:
    """A points record."""
    return {"t": t, "s": step, "p": values}


def line(record: dict[str, Any]) -> bytes:
    """A record's bytes without its newline."""
    return orjson.dumps(record)
