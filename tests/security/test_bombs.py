"""Bodies without end, bodies that unfold, and answers that do: nobody grows, others are served."""

from __future__ import annotations

import gzip
import hashlib
import json
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import cache
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest
from attack_kit import Hostile, Wire, request
from route_table import BODIES, routes
from server_kit import Client, points

if TYPE_CHECKING:
    from outrider_server.background import Background

MEGABYTE = 1 << 20
GIGABYTE = 1 << 30
CHUNK = b"100000\r\n" + bytes(MEGABYTE) + b"\r\n"


def takers(client: Client) -> list[tuple[str, str, str]]:
    """Every operation that takes a body."""
    found = [
        one for one in routes(client) if one[1] in ("POST", "PUT", "PATCH") and one[0] in BODIES
    ]
    assert {"create_run", "append_journal", "send_content", "keep_view"} <= {n for n, _, _ in found}
    return found


def peak(shared: Background) -> int:
    """The most memory that the server ever held, in bytes."""
    with open(f"/proc/{shared.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


def pour(client: Client, method: str, path: str, total: int) -> tuple[int, bytes]:
    """Send a body without a length until the server has answered; how much went out, its answer."""
    with client.socket() as connection:
        head = f"{method} {path} HTTP/1.1\r\nHost: {client.host}\r\nTransfer-Encoding: chunked\r\n"
        connection.sendall(f"{head}Authorization: Bearer {client.token}\r\n\r\n".encode())
        sent = 0
        while sent < total and not select.select([connection], [], [], 0)[0]:
            try:
                connection.sendall(CHUNK)
            except OSError:
                break
            sent += MEGABYTE
        try:
            return sent, connection.recv(4096)
        except OSError:
            return sent, b""


def test_a_gigabyte_is_refused_everywhere_while_others_are_served(
    client: Client, shared: Background
) -> None:
    """With 200 slow clients beside it: on each route that takes a body, announced or not."""
    client.create_run("roles")
    before = peak(shared)
    head = (
        f"POST /api/projects/p/runs/roles/journal/w/1?offset=0 HTTP/1.1\r\nHost: {client.host}\r\n"
        f"Authorization: Bearer {client.token}\r\nContent-Length: 1000000\r\n\r\n"
    ).encode()
    line = points(1, 1)
    with ExitStack() as held:
        slow = [held.enter_context(client.socket()) for _ in range(200)]
        for number, connection in enumerate(slow):
            connection.sendall(head + b"x" if number % 2 else head[:40])
        for number, (name, method, path) in enumerate(takers(client)):
            with client.socket() as connection:
                announced = f"{method} {path} HTTP/1.1\r\nHost: {client.host}\r\n"
                announced += f"Authorization: Bearer {client.token}\r\n"
                connection.sendall(f"{announced}Content-Length: {GIGABYTE}\r\n\r\n".encode())
                assert connection.recv(4096)[9:12] == b"413", name
            sent, answer = pour(client, method, path, GIGABYTE)
            assert sent < 128 * MEGABYTE, name
            # A chunk of a content is refused as soon as it is longer than it was said to be, and a
            # bundle that does not say its length at once.
            assert answer[9:12] in (b"411", b"413", b"422", b""), name
            for connection in slow:
                with suppress(OSError):  # on a slow machine it may be dropped for its slowness
                    connection.sendall(b"x")
            assert client.append("roles", number * len(line), line).status == 200, name
            assert client.get("/api/projects/p/runs/roles").status == 200
    assert peak(shared) - before < 200 * MEGABYTE


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "x-gzip", "gzip, zstd"])
def test_only_batches_unfold_and_only_from_zstd(client: Client, encoding: str) -> None:
    """A compressed body on any other route, or in any other way, is refused unread."""
    bomb = gzip.compress(bytes(64 * MEGABYTE), 9)
    client.create_run("roles")
    asked = [
        (name, request(client, method, path, bomb, f"Content-Encoding: {encoding}"))
        for name, method, path in takers(client)
        if (name, encoding) != ("append_journal", "zstd")
    ]
    replies = Wire(client).ask([one for _, one in asked])
    for (name, _), reply in zip(asked, replies, strict=True):
        assert reply.status == 415, (name, reply)


def json_bombs() -> Iterator[bytes]:
    """Small texts that cost much where they are read carelessly."""
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")):
        count = 900_000 // len(opening + closing)
        yield opening * count
        yield opening * count + b"1" + closing * count
    yield b'{"project":"p","id":"x","tags":[' + b"[]," * 300_000 + b"[]]}"
    yield b'{"project":"p","id":"x","n":' + b"9" * 900_000 + b"}"
    yield b'{"project":"p","id":"x","n":1e' + b"9" * 900_000 + b"}"
    yield b'{"project":"p","id":"x","name":"' + b"\\u0000" * 140_000 + b'"}'
    yield b"{" + b",".join(b'"%d":0' % number for number in range(80_000)) + b"}"
    yield b"{" + b",".join([b'"a":{"a":{}}'] * 70_000) + b"}"
    yield b'{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}},"project":"p","id":"x"}'


def test_no_json_bomb_harms(client: Client, shared: Background) -> None:
    """On each route that reads JSON: an answer, no failure, and hardly more memory."""
    client.create_run("roles")
    before = peak(shared)
    names = [
        (name, method, path)
        for name, method, path in takers(client)
        if name not in ("append_journal", "send_content", "set_webhook")
    ]
    for bomb in json_bombs():
        requests = [request(client, method, path, bomb) for _, method, path in names]
        for (name, _, _), reply in zip(names, Wire(client).ask(requests), strict=True):
            assert reply.status < 500, (name, bomb[:40], reply)
    assert peak(shared) - before < 150 * MEGABYTE


def test_no_record_is_a_bomb(client: Client, shared: Background) -> None:
    """The same as records of a run, and very many names in one: each costs itself, no more."""
    client.create_run("bombs")
    before = peak(shared)
    many = {f"metric/{number}": number for number in range(20_000)}
    records = [b.replace(b"\n", b" ") for b in json_bombs()]
    records.append(json.dumps({"t": 1.0, "s": 1, "p": many}).encode())
    records.append(b'{"t":1.0,"k":"config","c":' + b'{"a":' * 900 + b"1" + b"}" * 901)
    offset = 0
    for record in records:
        reply = client.append("bombs", offset, record + b"\n")
        assert reply.status == 200, (record[:40], reply)
        offset = reply.json()["offset"]
    assert client.append("bombs", offset, points(5, 3)).status == 200
    assert client.get("/api/projects/p/runs/bombs").status == 200
    assert client.get("/api/projects/p/runs/bombs/points?key=loss").json()["steps"] == [5, 6, 7]
    assert peak(shared) - before < 200 * MEGABYTE


def test_many_ranges_of_a_content_cost_no_more_than_one(client: Client) -> None:
    """A header of thousands of ranges is answered; it took quadratic time in an old Starlette."""
    data = bytes(100_000)
    client.create_run("roles")
    path = f"/api/projects/p/runs/roles/blobs/{hashlib.sha256(data).hexdigest()}"
    assert client.request("PUT", f"{path}?offset=0&size={len(data)}", data).status == 200
    for ranges in (
        ",".join(f"{at}-" for at in range(9_000)),
        ",".join(f"{at}-{at}" for at in range(0, 12_000, 2)),
        ",".join(["0-0"] * 12_000),
        ",".join(["-1"] * 15_000),
    ):
        reply = client.get(path, headers={"Range": f"bytes={ranges[:60_000]}"})
        assert reply.status in (200, 206, 400, 416, 431), reply.status
        assert len(reply.body) < 4 * MEGABYTE
    assert client.get("/api/health").status == 200


ASKER = """
import sys
from outrider.credentials import Token
from outrider.errors import OutriderError
from outrider.transport import HttpTransport, check
transport = HttpTransport(sys.argv[1], Token("secret", "test"))
for path in sys.argv[2:]:
    try:
        check(transport.request("GET", path)).json()
    except OutriderError as error:
        print(path, type(error).__name__)
    else:
        print(path, "read")
# Not getrusage(): its peak is inherited over exec, from a test process that may be large itself.
status = open("/proc/self/status").read()
print(int(status.partition("VmHWM:")[2].split()[0]) // 1024)
"""


@cache
def packed() -> bytes:
    """128 MiB of zeros."""
    return gzip.compress(bytes(128 * MEGABYTE), 6)


def answers(handler: BaseHTTPRequestHandler) -> None:
    """Each path is another bomb, from a server that says it is one of ours."""
    bodies: dict[str, tuple[str, bytes]] = {
        "/gzip": ("gzip", packed()),
        "/members": ("gzip", packed() * 8),
        "/twice": ("gzip, gzip", gzip.compress(packed() * 16, 9)),
        "/deep": ("identity", b"[" * MEGABYTE),
    }
    encoding, body = bodies[handler.path]
    handler.send_response(200)
    handler.send_header("Outrider-Server", "0")
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Encoding", encoding)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def test_an_answer_that_unfolds_is_cut_off() -> None:
    """A client of a hostile server holds what an answer may have at most, and says what was wrong."""
    hostile = Hostile(answers)
    paths = ["/gzip", "/members", "/twice", "/deep"]
    try:
        done = subprocess.run(
            [sys.executable, "-c", ASKER, hostile.url, *paths],
            capture_output=True, text=True, timeout=150, check=True,
        )  # fmt: skip
    finally:
        hostile.stop()
    *lines, megabytes = done.stdout.split("\n")[:-1]
    assert [line.split()[0] for line in lines] == paths
    assert all(line.split()[1] != "read" for line in lines), lines
    assert int(megabytes) < 400
