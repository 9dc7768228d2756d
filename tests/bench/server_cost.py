"""What the server does: ingest over HTTP, a chart, the table of runs.

    python tests/bench/server_cost.py [--points 20] [--runs 20000] [--json]

Server and load are two processes, each on its own core. `--points` are the millions stored when
the chart is asked for; OUTRIDER_TEST_POINTS and OUTRIDER_TEST_RUNS say the same to tox.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from figures import Figure, main, median, quantile
from load import METRICS, NAMES, PROJECT, RECORDS, Client, run_id
from place import own_place
from streamer_cost import Watched, server

TOGETHER = 10
STEPS = 50_000
TABLE_COLUMNS = 20
WRITERS = 16
ASKED = {
    "filter + sort": {
        "filter": "config.lr < 0.05 and summary.metric_00 > 0.2",
        "sort": "-summary.metric_01",
    },
    "sort alone": {"sort": "config.option_03"},
    "newest first": {"sort": "-created"},
}
"""What is asked of the table of runs."""


def millions() -> int:
    """How many million points to store."""
    return int(os.environ.get("OUTRIDER_TEST_POINTS", "20"))


def pin(running: Any) -> None:
    """Keep the server on the first core; the load takes the last."""
    cores = os.sched_getaffinity(0)
    if len(cores) > 1:
        for thread in os.listdir(f"/proc/{running.process.pid}/task"):
            os.sched_setaffinity(int(thread), {min(cores)})


def fill(running: Any, first: int, batches: int, runs: int = TOGETHER) -> dict[str, Any]:
    """One round of load: some runs at once. The load's report and what the server took."""
    command = [sys.executable, str(Path(__file__).with_name("load.py")), running.url, running.token]
    command += [str(first), str(runs), str(batches)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError("the load did not start")
        watched = Watched(running.process.pid)
        before = watched.seconds()
        process.stdin.write("go\n")
        process.stdin.flush()
        report: dict[str, Any] = json.loads(process.stdout.readline())
    if report["failed"]:
        raise RuntimeError(report["failed"][0])
    return report | {"server": watched.seconds() - before}


def ingest_and_chart() -> Iterator[Figure]:
    """Fill the store through HTTP, then ask for charts of what is there."""
    batches = min(STEPS // RECORDS, int(millions() * 1e6 / (TOGETHER * RECORDS * METRICS)))
    rounds = max(1, round(millions() * 1e6 / (TOGETHER * STEPS * METRICS)))
    with own_place() as home, server(home) as running:
        pin(running)
        reports = []
        for turn in range(rounds):
            reports.append(fill(running, turn * TOGETHER, batches))
            print(f"round {turn + 1}: {_rate(reports[-1:]):,.0f} points/s", file=sys.stderr)
        points = sum(report["points"] for report in reports)
        taken = sum(report["server"] for report in reports)
        detail = f"{points / 1e6:.0f} M points, {TOGETHER} runs at once; load generator "
        detail += f"{sum(r['own'] for r in reports) / sum(r['seconds'] for r in reports):.0%} busy"
        yield Figure("ingest over HTTP", _rate(reports) / 1e6, " M points/s", 1.0, detail, True)
        detail = f"{taken / points * 1e9:.0f} ns a point, all threads"
        what = "ingest, points a second of the server's processor"
        yield Figure(what, points / taken / 1e6, " M points/s", 1.0, detail, True)
        last = reports[-1]
        detail = f"p99 {last['p99'] * 1e3:.1f} ms, {TOGETHER} at once"
        yield Figure("ingest, a batch's answer p50", last["p50"] * 1e3, " ms", None, detail)
        time.sleep(5)  # let folding end
        size = sum(path.stat().st_size for path in Path(home, "data").rglob("*") if path.is_file())
        raw = sum(report["raw"] for report in reports)
        log = sum(path.stat().st_size for path in Path(home, "data").rglob("*-wal"))
        detail = f"{raw / points:.1f} as JSON lines; of it the write-ahead log {log / points:.1f}"
        yield Figure("stored, bytes a point", size / points, "", None, detail)
        memory = Watched(running.process.pid).memory()
        yield Figure("server, resident after it", memory, " MB", None)
        with Client(running.url, running.token) as client:
            yield from charts(running, client, batches * RECORDS, points / 1e6)


def _rate(reports: list[dict[str, Any]]) -> float:
    return float(sum(r["points"] for r in reports) / sum(r["seconds"] for r in reports))


def charts(running: Any, client: Client, steps: int, stored: float) -> Iterator[Figure]:
    """One metric of ten runs: whole, zoomed, and one after the other of many metrics."""
    watched = Watched(running.process.pid)
    runs = [("run", run_id(number)) for number in range(TOGETHER)]
    asked = {
        "first look at each metric": [{"key": name, "width": 600} for name in NAMES[1:21]],
        "the same again": [{"key": NAMES[0], "width": 600}] * 20,
        "zoomed to 4 %": [
            {"key": NAMES[2], "width": 600, "min": int(steps * 0.4), "max": int(steps * 0.44)}
        ]
        * 20,
        "wall time": [{"key": NAMES[3], "width": 600, "x": "wall"}] * 20,
    }
    for what, queries in asked.items():
        times, before = [], watched.seconds()
        for query in queries:
            path = f"/api/projects/{PROJECT}/series?" + urlencode([*query.items(), *runs])
            began = time.perf_counter()
            status, body = client.ask("GET", path)
            times.append((time.perf_counter() - began) * 1e3)
            if status != 200 or len(orjson.loads(body)["series"]) != TOGETHER:
                raise RuntimeError(body[:500].decode())
        busy = (watched.seconds() - before) / len(queries) * 1e3
        detail = f"p90 {quantile(times, 0.9):.1f}; server's processor {busy:.1f} ms; "
        detail += f"{len(body) / 1e3:.0f} kB"
        name = f"chart, 10 × {steps:,} of {stored:.0f} M, {what}"
        yield Figure(name, median(times), " ms", 20.0, detail)


def table() -> Iterator[Figure]:
    """The runs table: filter, sort, twenty columns."""
    count = int(os.environ.get("OUTRIDER_TEST_RUNS", "20000"))
    with own_place() as home, server(home) as running:
        watched = Watched(running.process.pid)
        began = time.perf_counter()
        with ThreadPoolExecutor(WRITERS) as writers:
            shares = (range(first, count, WRITERS) for first in range(WRITERS))
            list(writers.map(lambda share: fill_table(running, share), shares))
        took = time.perf_counter() - began
        yield Figure("runs made, config and summary sent", count / took, " runs/s", None)
        page_100 = {"sort": "-summary.metric_01", "offset": str(min(9900, count // 2))}
        for what, query in (ASKED | {"page 100": page_100}).items():
            times, before = [], watched.seconds()
            path = table_path(query)
            with Client(running.url, running.token) as client:
                for _ in range(15):
                    began = time.perf_counter()
                    status, body = client.ask("GET", path)
                    times.append((time.perf_counter() - began) * 1e3)
            found = orjson.loads(body)
            if status != 200 or len(found["runs"]) < min(100, count // 4):
                raise RuntimeError(body[:500].decode())
            busy = (watched.seconds() - before) / 15 * 1e3
            detail = f"of {found['total']:,} found; server's processor {busy:.1f} ms; "
            detail += f"{len(body) / 1e3:.0f} kB"
            name = f"runs table, {count:,} runs, 20 columns, {what}"
            yield Figure(name, median(times), " ms", 50.0, detail)


def table_path(query: dict[str, str]) -> str:
    """Where a hundred rows of the table are, with twenty columns."""
    columns = [f"config.option_{index:02d}" for index in range(TABLE_COLUMNS // 2)]
    columns += [f"summary.metric_{index:02d}" for index in range(TABLE_COLUMNS // 2)]
    asked = [*query.items(), ("limit", "100"), *(("columns", column) for column in columns)]
    return f"/api/projects/{quote(PROJECT)}/runs?" + urlencode(asked)


def fill_table(running: Any, numbers: range) -> None:
    """Make runs with config and summary."""
    with Client(running.url, running.token) as client:
        for number in numbers:
            client.create(number)
            raw = _attributes(number)
            client.send(number, 0, _packed(raw), len(raw))


def _attributes(number: int) -> bytes:
    random = (number * 2654435761 % 1000) / 1000
    config: dict[str, Any] = {
        f"option_{index:02d}": (number * (index + 7)) % 1009 / 7 for index in range(15)
    }
    config |= {"lr": 0.1 * random, "optimizer": ("adam", "sgd", "lion")[number % 3], "seed": number}
    summary = {f"metric_{index:02d}": (number * (index + 3)) % 997 / 997 for index in range(20)}
    head = {"t": 1.0, "k": "head", "v": 1, "run": run_id(number), "w": "w", "n": 1, "a": 1}
    records = [
        head | {"host": "bench", "pid": 1, "role": "trainer", "primary": True},
        {"t": 2.0, "k": "config", "c": config},
        {"t": 3.0, "k": "summary", "c": summary},
        {"t": 4.0, "k": "end", "w": "w", "a": 1, "state": "finished", "code": 0},
    ]
    return b"".join(orjson.dumps(record) + b"\n" for record in records)


def _packed(raw: bytes) -> bytes:
    import zstandard

    return zstandard.compress(raw)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--points", help="millions of points stored")
    parser.add_argument("--runs", help="runs in the table")
    parser.add_argument("--only", choices=["ingest", "table"])
    known, sys.argv[1:] = parser.parse_known_args()
    for name in ("points", "runs"):
        if getattr(known, name):
            os.environ[f"OUTRIDER_TEST_{name.upper()}"] = getattr(known, name)
    chosen = {"ingest": [ingest_and_chart], "table": [table]}
    main(*chosen.get(known.only, [ingest_and_chart, table]))
