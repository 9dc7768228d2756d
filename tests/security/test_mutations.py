"""Thousands of mutated journals and requests (100,000 with ``tox -e security``): nothing falls over.

A seed makes the same ones again: ``OUTRIDER_TEST_SEED``, ``OUTRIDER_TEST_ATTACKS``.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attack_kit import NOTHING, Wire, request
from mutating import COUNT, JOURNAL, SEED, journals, mutated
from route_table import BODIES, routes
from server_kit import Client, Start, meta, points

from outrider import api
from outrider.errors import OutriderError
from outrider.journal.record import Damaged, decode, lines
from outrider_server.ingest import read_batch
from outrider_server.store import Store

PART = 2000
PARTS = range(max(1, COUNT // PART))


def decoded(data: bytes) -> list[Any]:
    """What a reader makes of some bytes: bodies of records, and None for each damaged line."""
    found: list[Any] = []
    for line in lines(data):
        try:
            found.append(decode(line).body)
        except Damaged:
            found.append(None)
    return found


@pytest.mark.parametrize("part", PARTS)
def test_no_mutated_segment_hides_or_invents_a_whole_record(part: int) -> None:
    """Every line that was left alone is read as it was, in order; the server's reading agrees."""
    for data, kept in journals(PART, SEED + part):
        found = decoded(data)
        rest = iter(found)
        assert all(any(body == wanted for body in rest) for wanted in map(json.loads, kept)), data
        whole = data[: data.rfind(b"\n") + 1]
        stretches = read_batch(whole)
        records = sum(len(stretch.others) + (stretch.opening is not None) for stretch in stretches)
        rows = {int(row) for s in stretches for table in s.tables for row in table.rows}
        damaged = sum(len(stretch.damaged) for stretch in stretches)
        assert damaged == found.count(None), data
        assert records + len(rows) + damaged <= len(found), data


def test_a_mutated_folder_is_read_and_stored(tmp_path: Path) -> None:
    """Some of them as real folders and as batches of a real store: both go on, both say the same."""
    store = Store.open(str(tmp_path / "store.sqlite"), str(tmp_path / "files"))
    folder = tmp_path / "run"
    (folder / "journal").mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({**meta("r"), "mode": "offline"}))
    segment = folder / "journal" / "w-000001.jsonl"
    try:
        for number, (data, _) in enumerate(journals(max(60, COUNT // 100), SEED - 1)):
            segment.write_bytes(data)
            run = api.open(folder)
            try:
                here = [row.get("loss") for row in run.history(["loss"]).rows()]
                assert run.overview.name
            except OutriderError as error:  # said, not thrown about
                here = [str(error)]
            store.create_run({**meta(f"r{number}"), "project": "p"})
            whole = data[: data.rfind(b"\n") + 1]
            ack = asyncio.run(store.ingest("p", f"r{number}", "w", 1, 0, whole))
            assert ack.offset == len(whole), data
            row = store.run("p", f"r{number}")
            assert row["id"] == f"r{number}"
            assert isinstance(here, list)
    finally:
        store.close()


# --- requests ------------------------------------------------------------------------------------

LEFT_OUT = {"events", "set_webhook", "logout", "delete_run", "delete_runs"}
"""A stream has no end, a webhook's address is not to be guessed at, and the run has to stay."""


def bases(client: Client) -> list[tuple[str, str, bytes]]:
    """Each operation as it should be asked for."""
    found = []
    for name, method, path in routes(client):
        if name not in LEFT_OUT:
            body = BODIES.get(name, b"")
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            found.append((method, path, data))
    found.append(("DELETE", "/api/projects/p/runs/gone", b""))
    segment = b"\n".join(JOURNAL) + b"\n"
    run = "/api/projects/p/runs/roles"
    found += [("POST", f"{run}/journal/w{n}/1?offset=0", segment) for n in range(3)]
    for query in (
        "runs?filter=config.lr>0.1 and state=finished&sort=-summary.loss&columns=metric.loss&limit=9",
        "runs?filter=name~/a.*b/ or tags:x&by=config.lr",
        "series?key=loss&run=roles&width=100&smooth=ema:0.6&min=0&max=9&x=time",
        "series?expr=loss/2%2Bacc*log(x)&run=roles",
        "groups?key=loss&by=config.lr&band=minmax",
    ):
        found.append(("GET", "/api/projects/p/" + query.replace(" ", "%20"), b""))
    for below in ("console?from=0&limit=5", "console/search?q=a.*b", "media?key=image", "files?prefix=a",
                  "records?kind=config&limit=3", "points?key=loss&cursor=x"):  # fmt: skip
        found.append(("GET", f"{run}/{below}", b""))
    return found


SAFE = frozenset(range(0x21, 0x7F))
HEADERS = (
    "Range If-None-Match Content-Encoding Accept-Encoding Outrider-Raw-Length Sec-Fetch-Dest "
    "Content-Type Cookie"
).split()


def as_target(data: bytes) -> str:
    """Bytes as they may stand in a request's first line."""
    return "".join(chr(byte) if byte in SAFE else f"%{byte:02x}" for byte in data) or "/"


def framed(client: Client, count: int, seed: int) -> Iterator[bytes]:
    """Whole requests with mutated targets, bodies and headers, each of which has an answer."""
    chance = random.Random(seed)
    known = bases(client)
    for _ in range(count):
        method, path, body = chance.choice(known)
        which = chance.randrange(3)
        if which != 1:
            path = as_target(mutated(chance, path.encode(), 2))
            path = path if path.startswith("/") else "/" + path
        if which != 0 and body:
            body = mutated(chance, body)
        more = []
        if chance.random() < 0.3:
            name = chance.choice(HEADERS)
            value = as_target(mutated(chance, b"bytes=0-10,20-30; a=b", 3))
            more.append(f"{name}: {value[:2000]}")
        if "/api/events" in path or "webhook" in path:
            continue
        yield request(client, method, path[:20_000], body, *more)


@pytest.fixture
def attacked(start: Start, tmp_path: Path) -> Iterator[Client]:
    """A server of one's own with a run; afterwards it lives, and its log tells of no failure."""
    log = tmp_path / "server.log"
    server = start(log=log)
    client = Client(server.url, server.token)
    client.create_run("roles")
    client.append("roles", 0, points(0, 50))
    yield client
    assert client.get("/api/health").status == 200
    client.create_run("after")
    assert client.append("after", 0, points(0, 5)).status == 200
    assert client.get("/api/projects/p/runs/after/points?key=loss").json()["steps"] == [*range(5)]
    assert server.stop() == 0
    text = log.read_text(errors="replace")
    assert "Traceback" not in text, text[-4000:]


def test_no_mutated_request_makes_the_server_fail(attacked: Client) -> None:
    """As an admin, so that nothing stands before the routes: each has an answer, none is a 500."""
    wire = Wire(attacked)
    answered = 0
    for first in range(0, COUNT, PART):
        asked = list(framed(attacked, PART, SEED + first))
        for one, reply in zip(asked, wire.ask(asked), strict=True):
            if reply is NOTHING:
                continue
            answered += 1
            failed = reply.status >= 500 and reply.status not in (501, 503, 507)
            assert not failed, (one, reply)
    assert answered > COUNT * 0.7


def test_bytes_that_are_hardly_requests_harm_nobody(attacked: Client) -> None:
    """The raw bytes of requests, mutated anywhere, and cut; the answer, if any, is not waited for."""
    chance = random.Random(SEED)
    known = [request(attacked, *base) for base in bases(attacked)]
    for number in range(COUNT // 4):
        data = mutated(chance, chance.choice(known), 6)
        with attacked.socket() as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                continue
        if number % 200 == 0:
            assert attacked.get("/api/health").status == 200
