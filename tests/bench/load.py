"""The load on a server: many runs that send batches at once, prepared before the clock starts.

    python load.py URL TOKEN FIRST_RUN RUNS BATCHES

Runs as a process of its own, on its own core. A batch is 20 records of 40 metrics, as a streamer
sends it: whole lines, zstd, named by its position. Prints one JSON object.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import numpy as np
import orjson
import zstandard

PROJECT = "bench"
RECORDS, METRICS = 20, 40
NAMES = [f"{part}/metric_{index:02d}" for part in ("train", "val") for index in range(METRICS // 2)]


@dataclass(slots=True)
class Sent:
    """What one connection has done."""

    seconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def run_id(number: int) -> str:
    """The id of a run of the load."""
    return f"run{number:05d}"


def meta(number: int) -> dict[str, object]:
    """What a streamer tells of a run: run.json."""
    return {
        "format": 1, "id": run_id(number), "project": PROJECT, "name": f"bench {number}",
        "mode": "online", "created": time.time(), "group": None, "job_type": None, "tags": [],
        "notes": None, "resume": None, "attempt": 1, "writer": "w", "host": "bench", "pid": 1,
        "program": "train.py", "argv": ["train.py"], "python": "3.11",
    }  # fmt: skip


def segment(number: int, batches: int) -> Iterator[tuple[bytes, int]]:
    """A run's batches, packed, each with its raw length: curves that fall, with noise.

    Half of the values are float32 (what torch gives), half are full doubles.
    """
    random = np.random.default_rng(number)
    pack = zstandard.ZstdCompressor(level=3).compress
    now, step = time.time(), 0
    level = 1 + random.random(METRICS)
    for index in range(batches):
        decay = np.exp(-np.arange(step, step + RECORDS) / 10_000)[:, None]
        values = level * decay + 0.05 * random.standard_normal((RECORDS, METRICS))
        values[:, ::2] = values[:, ::2].astype(np.float32)
        lines = []
        if index == 0:
            head = {"t": now, "k": "head", "v": 1, "run": run_id(number), "w": "w", "n": 1, "a": 1}
            head |= {"host": "bench", "pid": 1, "role": "trainer", "primary": True}
            lines.append(orjson.dumps(head))
        for row in values.tolist():
            record = {"t": now + step * 0.1, "s": step, "p": dict(zip(NAMES, row, strict=True))}
            lines.append(orjson.dumps(record))
            step += 1
        raw = b"\n".join([*lines, b""])
        yield pack(raw), len(raw)


class Client(AbstractContextManager["Client"]):
    """One connection that stays open."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}"}

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """Status and body of one request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, body or None, self._headers | named)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def create(self, number: int) -> None:
        """Make a run known."""
        body = orjson.dumps(meta(number))
        status, text = self.ask("POST", "/api/runs", body, Content_Type="application/json")
        if status != 200:
            raise RuntimeError(text.decode())

    def send(self, number: int, offset: int, packed: bytes, length: int) -> None:
        """Send one batch; raises unless the server has committed it."""
        path = f"/api/projects/{quote(PROJECT)}/runs/{run_id(number)}/journal/w/1?offset={offset}"
        status, text = self.ask(
            "POST", path, packed, Content_Type="application/x-ndjson", Content_Encoding="zstd",
            Outrider_Raw_Length=str(length),
        )  # fmt: skip
        if status != 200 or orjson.loads(text)["offset"] != offset + length:
            raise RuntimeError(f"{status} {text.decode()}")


def main(url: str, token: str, first: int, runs: int, batches: int) -> None:
    """Prepare, then send all runs at once, and print how it went."""
    numbers = range(first, first + runs)
    prepared = {number: list(segment(number, batches)) for number in numbers}
    with Client(url, token) as client:
        for number in numbers:
            client.create(number)
    sent = {number: Sent() for number in numbers}
    gate = threading.Barrier(runs + 1)

    def work(number: int) -> None:
        offset = 0
        gate.wait()
        try:
            with Client(url, token) as client:
                for packed, length in prepared[number]:
                    began = time.perf_counter()
                    client.send(number, offset, packed, length)
                    sent[number].seconds.append(time.perf_counter() - began)
                    offset += length
        except Exception as error:
            sent[number].failed.append(repr(error))

    threads = [threading.Thread(target=work, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.readline()
    own = time.process_time()
    began = time.perf_counter()
    gate.wait()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    times = sorted(second for one in sent.values() for second in one.seconds)
    report = {
        "points": len(times) * RECORDS * METRICS,
        "seconds": took,
        "own": time.process_time() - own,
        "p50": times[len(times) // 2] if times else 0.0,
        "p99": times[int(len(times) * 0.99)] if times else 0.0,
        "raw": sum(length for one in prepared.values() for _, length in one),
        "packed": sum(len(packed) for one in prepared.values() for packed, _ in one),
        "failed": [text for one in sent.values() for text in one.failed],
    }
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    if len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))
