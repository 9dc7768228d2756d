"""How our own cost grows: with scalars in a call, records a second, runs at once, points and runs stored.

Each function gives rows: `x` is how much work, `series` which line it belongs to, `value` what it costs.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import log_path
import server_cost
import streamer_cost
from figures import median
from load import NAMES, PROJECT, Client, run_id
from place import own_place

Rows = list[dict[str, Any]]
SCALARS = (1, 3, 10, 30, 100, 300, 1000)
AT_ONCE = (1, 50, 500)
MILLIONS = (1, 8, 20)
STARTS = (0, 1, 8)
RUNS = (1000, 5000, 20_000)
BATCHES = 125
"""Batches of 800 points in each of ten runs: one round of load is a million points."""


def row(series: str, x: float, value: float, unit: str, **detail: Any) -> dict[str, Any]:
    """One point of a line."""
    return {"series": series, "x": x, "value": value, "unit": unit, **detail}


def scalars(quick: bool = False) -> Rows:
    """A call in a tight loop, against how many scalars it takes: beside a bare write and the least log."""
    found = []
    for count in SCALARS[::3] if quick else SCALARS:
        code = f"import sys; sys.path.insert(0, {log_path.HERE + '/peers'!r})"
        code += f"; import tight; tight.report({count})"
        for line in log_path.in_process(code).splitlines():
            name, _, rest = line.partition(" ")
            if name in ("bare", "least", "ours"):
                p50, p99 = map(float, rest.split())
                found.append(row(name, count, p50 / 1e3, "µs", p99=p99 / 1e3))
    return found


def streamer(quick: bool = False) -> Rows:
    """The streamer's processor time, memory and what is still to be sent, against records a second."""
    found = []
    for figure in streamer_cost.growth():
        told = re.match(r"streamer at ([\d,]+) records/s, (.*)", figure.what)
        if told:
            rate = int(told[1].replace(",", ""))
            found.append(
                row(told[2], rate, figure.value, figure.unit.strip(), detail=figure.detail)
            )
    return found


def ingest(quick: bool = False) -> Rows:
    """Points a second over HTTP, against how many runs send at once. A server of its own for each."""
    found = []
    total = 250 if quick else 2500
    for runs in AT_ONCE[:2] if quick else AT_ONCE:
        with own_place() as home, streamer_cost.server(home) as running:
            server_cost.pin(running)
            report = server_cost.fill(running, 0, max(1, total // runs), runs)
            rate = report["points"] / report["seconds"]
            found.append(
                row(
                    "points a second",
                    runs,
                    rate,
                    "points/s",
                    p50_ms=report["p50"] * 1e3,
                    p99_ms=report["p99"] * 1e3,
                )
            )
            own = report["points"] / report["server"]
            found.append(row("points a second of the server's processor", runs, own, "points/s"))
    return found


def charts(quick: bool = False) -> Rows:
    """One chart (a metric of ten runs, 2,500 steps each), against how many million points are stored."""
    found, rounds = [], 0
    with own_place() as home, streamer_cost.server(home) as running:
        server_cost.pin(running)
        watched = streamer_cost.Watched(running.process.pid)
        for millions in MILLIONS[:1] if quick else MILLIONS:
            while rounds < millions:
                server_cost.fill(running, rounds * server_cost.TOGETHER, BATCHES)
                rounds += 1
            time.sleep(4)  # let folding end
            with Client(running.url, running.token) as client:
                # Metrics that no one has asked for yet: the pages of the first look are not in its cache.
                first = MILLIONS.index(millions) * 12
                times, before = [], watched.seconds()
                for name in NAMES[first : first + 12]:
                    times.append(_asked(client, _chart(name)))
                busy = (watched.seconds() - before) / len(times) * 1e3
                found.append(row("first look", millions, median(times), "ms", server_ms=busy))
                times = [_asked(client, _chart(NAMES[0])) for _ in range(20)]
                found.append(row("again", millions, median(times), "ms"))
                found.append(row("server's memory", millions, watched.memory(), "MB"))
    return found


def _chart(name: str) -> str:
    runs = [("run", run_id(number)) for number in range(server_cost.TOGETHER)]
    return f"/api/projects/{PROJECT}/series?" + urlencode([("key", name), ("width", "600"), *runs])


def start(quick: bool = False) -> Rows:
    """A server's start on what is stored, until it answers, against how many million points that is."""
    found, rounds = [], 0
    with own_place() as home:
        for millions in STARTS[:2] if quick else STARTS:
            with streamer_cost.server(home) as running:
                server_cost.pin(running)
                while rounds < millions:
                    server_cost.fill(running, rounds * server_cost.TOGETHER, BATCHES)
                    rounds += 1
            walls, own, memory = [], [], []
            for _ in range(5):
                began = time.perf_counter()
                with streamer_cost.server(home) as running:
                    walls.append(time.perf_counter() - began)
                    watched = streamer_cost.Watched(running.process.pid)
                    own.append(watched.seconds())
                    memory.append(watched.memory())
            found.append(row("until it answers", millions, min(walls) * 1e3, "ms"))
            found.append(row("its processor time", millions, min(own) * 1e3, "ms"))
            found.append(row("its memory", millions, median(memory), "MB"))
    return found


def table(quick: bool = False) -> Rows:
    """The table of runs (100 rows, 20 columns), against how many runs there are."""
    found, made = [], 0
    with own_place() as home, streamer_cost.server(home) as running:
        for count in RUNS[:1] if quick else RUNS:
            with ThreadPoolExecutor(server_cost.WRITERS) as writers:
                shares = (
                    range(made + first, count, server_cost.WRITERS)
                    for first in range(server_cost.WRITERS)
                )
                list(writers.map(lambda share: server_cost.fill_table(running, share), shares))
            made = count
            with Client(running.url, running.token) as client:
                for what, query in server_cost.ASKED.items():
                    times = [_asked(client, server_cost.table_path(query)) for _ in range(15)]
                    found.append(row(what, count, median(times), "ms"))
    return found


def _asked(client: Client, path: str) -> float:
    began = time.perf_counter()
    status, body = client.ask("GET", path)
    took = (time.perf_counter() - began) * 1e3
    if status != 200:
        raise RuntimeError(body[:300].decode())
    return took


GROWTHS: dict[str, Callable[..., Rows]] = {
    "scalars": scalars, "streamer": streamer, "ingest": ingest, "charts": charts,
    "start": start, "table": table,
}  # fmt: skip
