"""Connections that hold a place without using it are dropped, and soon."""

from __future__ import annotations

import http.client
import time
from contextlib import suppress

import pytest
from server_kit import Client, Start, points

LIMITS = [
    "--limit=header_seconds=1",
    "--limit=body_idle_seconds=1",
    "--limit=body_seconds=3",
    "--limit=write_seconds=1",
    "--limit=connections=20",
]


@pytest.fixture
def client(start: Start) -> Client:
    """A server of one's own, with short patience."""
    server = start(arguments=LIMITS)
    return Client(server.url, server.token)


def test_silent_and_trickling_connections_are_dropped(client: Client) -> None:
    """Nothing sent, half a header, a header for ever, half a body, a body for ever."""
    client.create_run("r")
    path = "/api/projects/p/runs/r/journal/w/1?offset=0"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {client.host}\r\nAuthorization: Bearer {client.token}\r\n"
    )
    body = head.encode() + b"Content-Length: 100000\r\n\r\n"
    cases = [(b"", b""), (body[:50], b""), (head.encode(), b"a: b\r\n"), (body, b""), (body, b"x")]
    for first, again in cases:
        with client.socket() as connection:
            connection.sendall(first)
            connection.settimeout(0.3)
            end = time.monotonic() + 30
            while True:
                assert time.monotonic() < end, (first, again)
                try:
                    if again:
                        connection.sendall(again)
                    if connection.recv(4096) == b"":
                        break
                except TimeoutError:
                    continue
                except OSError:
                    break


@pytest.fixture
def restless(start: Start) -> Client:
    """A server of one's own where a connection may not rest long."""
    server = start(arguments=["--limit=rest_seconds=3"])
    return Client(server.url, server.token)


def test_a_connection_that_rests_is_closed_and_one_that_is_used_is_not(restless: Client) -> None:
    """Whether its last request was answered by a task, or at once; a line break is no request."""
    client = restless
    client.create_run("r")
    token = {"Authorization": f"Bearer {client.token}"}
    path, offset = "/api/projects/p/runs/r/journal/w/1?offset=", 0
    for what in ("GET", "POST"):
        connection = http.client.HTTPConnection(client.host, timeout=60)
        used = set()
        for step in range(40):  # for longer than it may rest
            if what == "GET":
                connection.request("GET", "/api/health")
            else:
                batch = points(step, 1)
                connection.request("POST", f"{path}{offset}", batch, token)
                offset += len(batch)
            used.add(connection.sock)
            with connection.getresponse() as answer:
                assert answer.status == 200
                answer.read()
            time.sleep(0.1)
        (socket,) = used
        socket.settimeout(0.3)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                socket.sendall(b"\r\n")
                if socket.recv(4096) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            pytest.fail("the connection was kept")
        connection.close()


def test_an_answer_that_lasts_longer_is_no_rest(restless: Client) -> None:
    """Events, on a connection that was used before."""
    client = restless
    connection = http.client.HTTPConnection(client.host, timeout=60)
    connection.request("GET", "/api/health")
    with connection.getresponse() as answer:
        answer.read()
    used = connection.sock
    connection.request("GET", "/api/events", headers={"Authorization": f"Bearer {client.token}"})
    assert connection.sock is used
    used.settimeout(0.5)
    end = time.monotonic() + 6
    while time.monotonic() < end:
        with suppress(TimeoutError):
            assert used.recv(4096) != b""
    connection.close()


def test_a_slow_reader_gets_all_of_an_answer_that_was_made_long_ago(restless: Client) -> None:
    """What rests is closed behind its last byte."""
    client = restless
    client.create_run("r")
    client.append("r", 0, points(0, 150_000))
    connection = http.client.HTTPConnection(client.host, timeout=60)
    connection.request(
        "GET",
        "/api/projects/p/runs/r/points?key=loss",
        headers={"Authorization": f"Bearer {client.token}"},
    )
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.read(1000)
    time.sleep(6)  # all is on its way, and the connection rests for longer than it may
    while answer.read(65536):
        pass
    assert answer.length in (None, 0)
    connection.close()


def test_a_header_without_end_is_refused(client: Client) -> None:
    """One header of many megabytes, or very many small ones, in one piece or in many."""
    for line in (b"x-long: " + b"y" * 400_000, b"x: y\r\n" * 40_000):
        for piece in (len(line), 1000):
            with client.socket() as connection:
                try:
                    connection.sendall(b"GET /api/health HTTP/1.1\r\n")
                    for start in range(0, len(line), piece):
                        connection.sendall(line[start : start + piece])
                    answer = connection.recv(4096)
                except OSError:
                    continue
                assert answer[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 400", b"")


def test_a_client_that_reads_nothing_is_dropped(client: Client) -> None:
    """Answers pile up in its own buffers, not in the server."""
    client.create_run("r")
    client.append("r", 0, points(0, 20_000))
    request = f"GET /api/projects/p/runs/r/points?key=loss HTTP/1.1\r\nHost: {client.host}\r\n"
    request += f"Authorization: Bearer {client.token}\r\n\r\n"
    with client.socket() as connection:
        for _ in range(50):
            try:
                connection.sendall(request.encode())
            except OSError:
                break
        end = time.monotonic() + 30
        while time.monotonic() < end:
            time.sleep(0.5)
            try:
                connection.sendall(b"GET ")
            except OSError:
                break
        else:
            pytest.fail("the connection was kept")
    assert client.get("/api/health").status == 200


def test_more_connections_than_the_limit_are_told_to_come_again(client: Client) -> None:
    """503 with Retry-After, and room again once others leave."""
    held = [client.socket() for _ in range(20)]
    try:
        deadline = time.monotonic() + 20
        while True:
            reply = client.get("/api/health")
            if reply.status == 503:
                break
            assert time.monotonic() < deadline
        assert reply.headers["retry-after"]
        assert reply.headers["outrider-server"]
    finally:
        for connection in held:
            connection.close()
    deadline = time.monotonic() + 20
    while client.get("/api/health").status != 200:
        assert time.monotonic() < deadline
