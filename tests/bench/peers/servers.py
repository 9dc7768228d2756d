"""The servers of those who have one that starts without an account: ingest, and a metric read back.

The same points for each, ten runs at once and one alone: batches of twenty records of forty metrics, each
by the request that its HTTP interface has for many values, prepared before the clock starts; then one
metric of 20,000 points, asked for as its page does.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import load
import requests
from inside.driver import crew_memory, size
from requests.adapters import HTTPAdapter
from training import Failed, Sandbox, sandbox
from urllib3.util import Retry

if TYPE_CHECKING:
    from environments import Environment
    from measures import Effort, Measure, Round
    from subjects import Subject

RUNS, LAST, LONG = 10, 99, 20_000
BATCH = load.RECORDS * load.METRICS
PATIENCE = 180.0
LOG = "server.log"
Send = Callable[[], None]


@dataclass(slots=True)
class Served:
    """A server that answers, and how to reach it."""

    url: str
    token: str = ""
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One request's JSON. Raises ``Failed`` unless it is answered well."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        named = {"Content-Type": "application/json"} | {
            k.replace("_", "-"): v for k, v in headers.items()
        }
        answer = self.session.request(method, self.url + path, data=data, headers=named, timeout=60)
        if not answer.ok:
            raise Failed(f"{answer.status_code} {answer.text[:100]}")
        return answer.json()


class Outrider:
    """Ours: what a streamer sends."""

    @contextmanager
    def started(self, one: Sandbox) -> Iterator[Served]:
        """A server with a folder of its own."""
        from outrider_server.main import start_background

        running = start_background(str(one.folder / "data"), env=one.env)
        try:
            yield Served(running.url, running.token)
        finally:
            running.stop()

    def batches(self, server: Served, run: int, count: int) -> Iterator[Send]:
        """Whole lines, zstd, named by their position."""
        client, offset = load.Client(server.url, server.token), 0
        client.create(run)
        for packed, length in load.segment(run, count):
            yield lambda o=offset, p=packed, n=length: client.send(run, o, p, n)  # type: ignore[misc]
            offset += length

    def fill(self, server: Served) -> None:
        """One metric of many points."""
        import zstandard

        client, offset = load.Client(server.url, server.token), 0
        client.create(LAST)
        head = {"t": 1.0, "k": "head", "v": 1, "run": load.run_id(LAST), "w": "w", "n": 1, "a": 1}
        lines = [head | {"host": "bench", "pid": 1, "role": "trainer", "primary": True}]
        lines += [{"t": 2.0 + step, "s": step, "p": {"loss": value}} for step, value in curve()]
        for first in range(0, len(lines), 5000):
            raw = b"".join(
                json.dumps(line).encode() + b"\n" for line in lines[first : first + 5000]
            )
            client.send(LAST, offset, zstandard.compress(raw), len(raw))
            offset += len(raw)

    def read(self, server: Served) -> int:
        """What a chart asks."""
        asked = urlencode({"key": "loss", "width": 600, "run": load.run_id(LAST)})
        path = f"/api/projects/{load.PROJECT}/series?{asked}"
        found = server.ask("GET", path, Authorization=f"Bearer {server.token}")["series"][0]
        return max((len(part) for part in found.values() if isinstance(part, list)), default=0)


class Mlflow:
    """MLflow's server as it starts by itself, on SQLite; `log-batch`, which takes 1,000 metrics.

    Its supervisor kills each worker that does not answer within five seconds of its start, and importing
    MLflow takes longer on a busy machine: none would ever come up.
    """

    api = "/api/2.0/mlflow"

    @contextmanager
    def started(self, one: Sandbox) -> Iterator[Served]:
        """The server, once it answers."""
        port = free_port()
        command = [
            "-m",
            "mlflow",
            "server",
            "--backend-store-uri",
            f"sqlite:///{one.folder}/mlflow.db",
            "--uvicorn-opts",
            "--timeout-worker-healthcheck 120",
        ]
        with process(one, *command, "--host", "127.0.0.1", "--port", str(port)) as running:
            server = Served(f"http://127.0.0.1:{port}", session=patient())
            wait_until(one, running, lambda: answers(f"{server.url}/health"))
            yield server

    def _run(self, server: Served, number: int) -> str:
        body = {
            "experiment_id": "0",
            "start_time": 1_700_000_000_000,
            "run_name": load.run_id(number),
        }
        found = server.ask("POST", f"{self.api}/runs/create", body)
        return str(found["run"]["info"]["run_id"])

    def batches(self, server: Served, run: int, count: int) -> Iterator[Send]:
        """800 metrics a request."""
        name, own = self._run(server, run), Served(server.url, session=patient())
        for first in range(0, count * load.RECORDS, load.RECORDS):
            metrics = [
                {
                    "key": key,
                    "value": 1 / (step + 1),
                    "timestamp": 1_700_000_000_000 + step,
                    "step": step,
                }
                for step in range(first, first + load.RECORDS)
                for key in load.NAMES
            ]
            body = json.dumps({"run_id": name, "metrics": metrics}).encode()
            yield lambda b=body: own.ask("POST", f"{self.api}/runs/log-batch", b)  # type: ignore[misc]

    def fill(self, server: Served) -> None:
        """One metric of many points."""
        self.long = self._run(server, LAST)
        points = [
            {"key": "loss", "value": value, "timestamp": 1_700_000_000_000 + step, "step": step}
            for step, value in curve()
        ]
        for first in range(0, LONG, 1000):
            body = {"run_id": self.long, "metrics": points[first : first + 1000]}
            server.ask("POST", f"{self.api}/runs/log-batch", body)

    def read(self, server: Served) -> int:
        """What a chart of its page asks: a sample of 320 points."""
        asked = urlencode({"run_ids": self.long, "metric_key": "loss", "max_results": 320})
        found = server.ask("GET", f"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{asked}")
        return len(found["metrics"])


def patient() -> requests.Session:
    """Asks again as MLflow's own client does: several runs at once find its SQLite file locked, a 503."""
    refused = [429, 500, 502, 503, 504]
    again = Retry(7, backoff_factor=2, status_forcelist=refused, allowed_methods=None)
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=again))
    return session


class Trackio:
    """trackio's dashboard, which takes what clients send: `bulk_log`."""

    @contextmanager
    def started(self, one: Sandbox) -> Iterator[Served]:
        """The dashboard, and the token that its address carries."""
        port = free_port()
        code = (
            "import sys, time, trackio; print(trackio.show(open_browser=False, block_thread=False,"
        )
        code += f" host='127.0.0.1', server_port={port})[3], flush=True); time.sleep(1e6)"
        with process(one, "-c", code) as running:
            url = f"http://127.0.0.1:{port}"
            wait_until(one, running, lambda: answers(f"{url}/version"))
            token = wait_until(
                one, running, lambda: re.search(r"write_token=([^&\s]+)\s", printed(one))
            )
            yield Served(url, token[1])

    def _send(self, server: Served, entries: list[dict[str, Any]]) -> Send:
        body = json.dumps({"kwargs": {"logs": entries, "hf_token": None}}).encode()
        own = Served(server.url)
        return lambda: own.ask("POST", "/api/bulk_log", body, X_Trackio_Write_Token=server.token)

    def batches(self, server: Served, run: int, count: int) -> Iterator[Send]:
        """Twenty rows a request."""
        for first in range(0, count * load.RECORDS, load.RECORDS):
            yield self._send(server, [
                {"project": "bench", "run": load.run_id(run), "step": step, "config": None,
                 "metrics": dict.fromkeys(load.NAMES, 1 / (step + 1))}
                for step in range(first, first + load.RECORDS)
            ])  # fmt: skip

    def fill(self, server: Served) -> None:
        """One metric of many points."""
        rows = [
            {
                "project": "bench",
                "run": "long",
                "step": step,
                "config": None,
                "metrics": {"loss": value},
            }
            for step, value in curve()
        ]
        for first in range(0, LONG, 1000):
            self._send(server, rows[first : first + 1000])()

    def read(self, server: Served) -> int:
        """What its page asks: at most 3,000 rows."""
        found = server.ask("POST", "/api/get_logs", {"kwargs": {"project": "bench", "run": "long"}})
        return len(found["data"])


SERVERS = {"outrider": Outrider, "mlflow": Mlflow, "trackio": Trackio}


def server(subject: Subject, environment: Environment, effort: Effort) -> Round:
    """Ingest for some seconds, memory, disk, and a metric read back."""
    kind = SERVERS[subject.server or ""]()
    with sandbox(subject, environment) as one, kind.started(one) as running:
        before = size(one.folder.parent)
        found = ingest(kind, running, effort, range(RUNS))
        alone = ingest(kind, running, effort, range(RUNS, RUNS + 1))
        found["points"] += alone["points"]
        found |= {"ingest_one": alone["ingest"], "call_one_ms": alone["call_ms"]}
        time.sleep(3)  # let it do what it put off
        found |= crew_memory(one.helpers())
        found["bytes_point"] = (size(one.folder.parent) - before) / found["points"]
        kind.fill(running)
        time.sleep(3)
        times = []
        for _ in range(8):
            began = time.perf_counter()
            found["points_read"] = kind.read(running)
            times.append((time.perf_counter() - began) * 1e3)
        return found | {"query_ms": median(times), "first_query_ms": times[0]}


def ingest(kind: Any, running: Served, effort: Effort, runs: range) -> Round:
    """Runs at once, each over a connection of its own, until the batches or the seconds are over."""
    prepared = [list(kind.batches(running, run, effort.batches)) for run in runs]
    gate, until = threading.Barrier(len(runs)), time.perf_counter() + effort.ingest_s
    times: list[float] = []
    failed: list[str] = []

    def work(sends: list[Send]) -> None:
        gate.wait()
        try:
            for send in sends:
                began = time.perf_counter()
                if began > until:
                    break
                send()
                times.append(time.perf_counter() - began)
        except Exception as error:
            failed.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=work, args=(sends,)) for sends in prepared]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    if failed:
        raise Failed(failed[0])
    points = len(times) * BATCH
    return {"ingest": points / took, "call_ms": median(times) * 1e3, "points": points}


def curve() -> Iterator[tuple[int, float]]:
    """The long metric: it falls, and no two values are the same."""
    for step in range(LONG):
        yield step, 1 / (1 + step / 100) + 1e-6 * (step * 7919 % 1000)


def free_port() -> int:
    """A port that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(one: Sandbox, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server in the sandbox, which ends it with all that it started. What it prints goes into a file."""
    with open(one.folder.parent / LOG, "wb") as log:
        running = subprocess.Popen(
            [one.environment.python, *arguments], cwd=one.folder, env=one.env,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            yield running
        finally:
            one.end_helpers()
            running.wait()


def printed(one: Sandbox) -> str:
    """What the server in a sandbox has printed so far."""
    return (one.folder.parent / LOG).read_text(errors="replace")


def answers(url: str) -> bool:
    """Whether somebody does, and well."""
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def wait_until(one: Sandbox, running: subprocess.Popen[bytes], condition: Callable[[], Any]) -> Any:
    """What a condition says at last. Raises ``Failed`` with the server's last word where it never does."""
    until = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > until or running.poll() is not None:
            last = [line for line in printed(one).splitlines() if line.strip()][-1:]
            raise Failed(f"the server does not start: {' '.join(last)[:150]}")
        time.sleep(0.2)
    return found


SERVED: dict[str, Measure] = {"server": server}
"""Measured once: what takes seconds of both cores."""
