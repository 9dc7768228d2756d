"""What the store alone costs, without HTTP: batches in, charts out, as ratios to reading the JSON.

    python tests/bench/ingest_store.py [--points 4] [--json]

Ten runs at once, batches of 20 records of 40 metrics, an fsync for each commit. Processor time is
that of the writer thread; the JSON's is measured beside it, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import zstandard
from figures import Figure, main, median
from load import METRICS, NAMES, RECORDS, meta, segment
from place import own_place

from outrider_server.store import Store

RUNS = 10
KINDS: dict[str, dict[str, Any]] = {
    "whole": {},
    "by wall time": {"x": "wall"},
    "zoomed to 4 %": {"part": (0.40, 0.44)},
    "smoothed": {"smooth": "ema:0.9"},
}


def own_seconds() -> float:
    """Processor seconds of this thread."""
    used = resource.getrusage(resource.RUSAGE_THREAD)
    return used.ru_utime + used.ru_stime


def reading(bodies: list[bytes]) -> float:
    """Seconds to read a batch's JSON, line breaks replaced, and nothing more."""
    began = own_seconds()
    for body in bodies:
        orjson.loads(b"[" + body.replace(b"\n", b",")[:-1] + b"]")
    return (own_seconds() - began) / len(bodies)


class Filled:
    """A store that was filled, with what that took."""

    def __init__(self, place: str, points: float) -> None:
        self.batches = max(10, int(points / (RUNS * RECORDS * METRICS)))
        unpack = zstandard.ZstdDecompressor().decompress
        self.bodies = [
            unpack(packed, max_output_size=length) for packed, length in segment(0, self.batches)
        ]
        self.store = Store.open(Path(place))
        self.raw = sum(map(len, self.bodies)) * RUNS
        self.points = self.batches * RUNS * RECORDS * METRICS
        self.runs = [f"run{number}" for number in range(RUNS)]
        for run in self.runs:
            self.store.create_run({**meta(0), "id": run, "project": "bench"})
        before, wall = self._writer_seconds(), time.perf_counter()
        asyncio.run(self._feed())
        self.wall = time.perf_counter() - wall
        self.writer = self._writer_seconds() - before

    async def _feed(self) -> None:
        await asyncio.gather(*(self._feed_one(run) for run in self.runs))

    async def _feed_one(self, run: str) -> None:
        offset = 0
        for body in self.bodies:
            offset = (await self.store.ingest("bench", run, "w", 1, offset, body)).offset

    def _writer_seconds(self) -> float:
        writer = self.store._writer
        stat = Path(f"/proc/self/task/{writer.native_id}/stat").read_text().rpartition(")")[2]
        user, system = stat.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def measure() -> Iterator[Figure]:
    """All figures of the store."""
    points = float(os.environ.get("OUTRIDER_TEST_STORE_POINTS", "4")) * 1e6
    with own_place() as place:
        filled = Filled(place, points)
        json = reading(filled.bodies[:500])
        count = filled.batches * RUNS
        each = filled.writer / count
        detail = f"{each * 1e6:.0f} µs a batch of {RECORDS * METRICS}; its JSON {json * 1e6:.0f} µs"
        yield Figure("store, writer thread ÷ reading the JSON", each / json, "×", None, detail)
        detail = f"{filled.points / 1e6:.1f} M points, wall, fsync each commit"
        rate = filled.points / filled.wall / 1e6
        yield Figure("store, ingest without HTTP", rate, " M points/s", None, detail)
        yield from charts(filled)
        filled.store.close()
        size = sum(path.stat().st_size for path in Path(place).rglob("*") if path.is_file())
        detail = f"{filled.raw / filled.points:.1f} as JSON lines"
        yield Figure("store, bytes a point", size / filled.points, "", None, detail)


def charts(filled: Filled) -> Iterator[Figure]:
    """One metric of all runs, in the ways that a page asks."""
    steps = filled.batches * RECORDS
    for what, how in KINDS.items():
        asked = dict(how)
        part = asked.pop("part", None)
        if part is not None:
            asked |= {"low": part[0] * steps, "high": part[1] * steps}
        walls, own = [], []
        for name in NAMES[:12]:
            before, wall = own_seconds(), time.perf_counter()
            filled.store.series("bench", name, filled.runs, **asked)
            walls.append((time.perf_counter() - wall) * 1e3)
            own.append((own_seconds() - before) * 1e3)
        detail = f"wall {median(walls):.1f} ms"
        name = f"store, chart of {RUNS} × {steps:,} steps, {what}, processor"
        yield Figure(name, median(own), " ms", 20.0, detail)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--points", help="millions of points stored")
    known, sys.argv[1:] = parser.parse_known_args()
    if known.points:
        os.environ["OUTRIDER_TEST_STORE_POINTS"] = known.points
    main(measure)
