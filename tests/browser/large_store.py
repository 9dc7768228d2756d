"""A store that is large before its server starts: thousands of runs, and one with ten million points."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from outrider.journal.line import encode
from outrider_server.data_folder import DataFolder
from outrider_server.ingest import Stretch, Table
from outrider_server.numbered import side_by_side
from outrider_server.store import Store
from outrider_server.store.batches import _store_stretch
from outrider_server.store.records import Applying

if TYPE_CHECKING:
    from pathlib import Path

    from outrider_server.store.writer import Writing

RUNS = 5000
POINTS = 10_000_000
SPIKE = 7_654_321
TOGETHER = 500_000
HEAD = {"k": "head", "v": 1, "w": "w", "n": 1, "a": 1, "primary": True}


def fill(folder: Path) -> None:
    """Make a data folder with the projects ``crowd`` and ``long``."""
    data = DataFolder(str(folder))
    now = time.time()
    with Store.open(data.store, data.files) as store:
        store.create_run({"project": "long", "id": "long", "name": "long", "created": now})
        store._writer.call(write_points)
        make_crowd(store, now)
    data.close()


def make_crowd(store: Store, now: float) -> None:
    """Runs with config, of which the last to be made is the newest."""

    def made(number: int) -> None:
        meta = {"project": "crowd", "id": f"run-{number:04d}", "name": f"run {number:04d}"}
        store.create_run({**meta, "created": now - RUNS + number})

    async def told() -> None:
        await asyncio.gather(
            *(
                store.ingest("crowd", f"run-{number:04d}", "w", 1, 0, b"".join(map(encode, some)))
                for number in range(RUNS)
                for some in [
                    [
                        {"t": now, **HEAD},
                        {"t": now, "k": "config", "c": {"lr": number * 7919 % RUNS / RUNS}},
                        {"t": now, "k": "end", "w": "w", "a": 1, "state": "finished"},
                    ]
                ]
            )
        )

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(made, range(RUNS)))
        # Playwright's loop runs in the tests' own thread
        threads.submit(lambda: asyncio.run(told())).result()


def write_points(to: Writing) -> None:
    """Ten million points of ``loss`` on the writer's own path, without the JSON of their lines."""
    track = to.track("long", "long")
    applying = Applying(to.db, to.names, track, "w")
    for table in tables():
        _store_stretch(applying, Stretch(tables=[table], latest=float(table.times[-1])), set(), [])
    track.dirty = True


def tables() -> Iterator[Table]:
    """A stair, which packs fast, and one point a thousand times as high."""
    for first in range(0, POINTS, TOGETHER):
        steps = np.arange(first, first + TOGETHER)
        values = (steps // 1_000_000) / 8
        values[steps == SPIKE] = 1000.0
        rows = np.arange(TOGETHER, dtype=np.int32)
        times = 1.7e9 + steps * 0.001
        yield Table(("loss",), False, rows, side_by_side(steps, times, values[:, None]), {})
