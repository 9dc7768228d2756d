"""The load on a server: many runs that send batches at once, prepared before the clock starts.

    python load.py URL TOKEN FIRST_RUN RUNS BATCHES

Runs as a process of its own, on its own core. A batch is 20 records of 40 metrics, as a streamer
sends it: whole lines, zstd, named by its position. Each run has a connection and waits for an answer
before it sends on. What goes over the wire is made before the clock starts and looked after by one
thread: real streamers have machines of their own, and this one must not be what is measured.
Prints one JSON object.
"""

from __future__ import annotations

import http.client
import json
import os
import selectors
import socket
import sys
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
        status, text = self.ask(
            "POST", place(number, offset), packed, Content_Type="application/x-ndjson",
            Content_Encoding="zstd", Outrider_Raw_Length=str(length),
        )  # fmt: skip
        if status != 200 or orjson.loads(text)["offset"] != offset + length:
            raise RuntimeError(f"{status} {text.decode()}")


def place(number: int, offset: int) -> str:
    """Where a run's batch is sent."""
    return f"/api/projects/{quote(PROJECT)}/runs/{run_id(number)}/journal/w/1?offset={offset}"


@dataclass(slots=True)
class Sending:
    """One run's connection: its requests in turn, and the end of the answer to each."""

    socket: socket.socket
    requests: list[bytes]
    answers: list[bytes]
    at: int = 0
    began: float = 0.0
    seconds: list[float] = field(default_factory=list)

    def send(self) -> None:
        """Send the next request."""
        self.began = time.perf_counter()
        self.socket.sendall(self.requests[self.at])

    def read(self) -> bool:
        """Take an answer; False when it was the last. Raises unless the batch was committed."""
        answer = self.socket.recv(65536)
        while answer and not answer.endswith(b"}"):
            answer += self.socket.recv(65536)
        self.seconds.append(time.perf_counter() - self.began)
        if not answer.startswith(b"HTTP/1.1 200 ") or not answer.endswith(self.answers[self.at]):
            raise RuntimeError(answer.decode())
        self.at += 1
        return self.at < len(self.requests)


def prepared(url: str, token: str, number: int, batches: int) -> tuple[Sending, int, int]:
    """A run's connection with all that it will send; the bytes of it, raw and packed."""
    host, offset, packed_size = url.removeprefix("http://"), 0, 0
    requests, answers = [], []
    for packed, length in segment(number, batches):
        head = [
            f"POST {place(number, offset)} HTTP/1.1", f"Host: {host}", "Accept-Encoding: identity",
            f"Content-Length: {len(packed)}", f"Authorization: Bearer {token}",
            "Content-Type: application/x-ndjson", "Content-Encoding: zstd",
            f"Outrider-Raw-Length: {length}", "", "",
        ]  # fmt: skip
        requests.append("\r\n".join(head).encode() + packed)
        offset += length
        packed_size += len(packed)
        answers.append(b'{"offset":%d}' % offset)
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Sending(connection, requests, answers), offset, packed_size


def work(sendings: list[Sending]) -> None:
    """Send everything, each run as soon as it has its answer."""
    with selectors.DefaultSelector() as selector:
        for sending in sendings:
            selector.register(sending.socket, selectors.EVENT_READ, sending)
            sending.send()
        left = len(sendings)
        while left:
            ready = selector.select(60)
            if not ready:
                raise RuntimeError("no answer within 60 s")
            for key, _ in ready:
                if key.data.read():
                    key.data.send()
                else:
                    selector.unregister(key.fileobj)
                    left -= 1


def main(url: str, token: str, first: int, runs: int, batches: int) -> None:
    """Prepare, then send all runs at once, and print how it went."""
    numbers = range(first, first + runs)
    with Client(url, token) as client:
        for number in numbers:
            client.create(number)
    made = [prepared(url, token, number, batches) for number in numbers]
    sendings = [sending for sending, _, _ in made]
    print("ready", flush=True)
    sys.stdin.readline()
    own, began, failed = time.process_time(), time.perf_counter(), []
    try:
        work(sendings)
    except Exception as error:
        failed.append(repr(error))
    took = time.perf_counter() - began
    times = sorted(second for sending in sendings for second in sending.seconds)
    report = {
        "points": len(times) * RECORDS * METRICS,
        "seconds": took,
        "own": time.process_time() - own,
        "p50": times[len(times) // 2] if times else 0.0,
        "p99": times[int(len(times) * 0.99)] if times else 0.0,
        "raw": sum(raw for _, raw, _ in made),
        "packed": sum(packed for _, _, packed in made),
        "failed": failed,
    }
    print(json.dumps(report), flush=True)
    for sending in sendings:
        sending.socket.close()


if __name__ == "__main__":
    if len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))
