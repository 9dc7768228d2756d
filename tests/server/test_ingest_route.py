"""Batches: committed once, refused with the offset to go on from, never half."""

from __future__ import annotations

import json
import socket
import struct
from urllib.parse import quote

import pytest
import zstandard
from server_kit import Client, meta, points
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from outrider_server.protocol import BoundedProtocol


def values(client: Client, run: str) -> list[float]:
    """The values of loss as they are stored."""
    found = client.get(f"/api/projects/p/runs/{run}/points?key=loss").json()
    return [float(value) for value in found["values"]]


def test_creating_a_run_twice_changes_nothing(client: Client) -> None:
    """A streamer whose answer was lost asks again."""
    first = client.create_run("twice")
    assert (first.status, first.json()["created"]) == (200, True)
    raw = points(0, 5)
    client.append("twice", 0, raw)
    again = client.create_run("twice").json()
    assert again["created"] is False
    assert again["offsets"] == {"main": {"1": len(raw)}}
    assert again["url"] == f"{client.url}/p/p/r/twice"
    assert client.get("/api/projects/p/runs").json()["total"] >= 1


def test_a_batch_is_stored_once_however_often_it_comes(client: Client) -> None:
    """Plain or zstd, again and overlapping: 200 with the offset, and nothing counted twice."""
    client.create_run("once")
    one, two = points(0, 10), points(10, 10)
    assert client.append("once", 0, one).json() == {"offset": len(one)}
    for _ in range(3):
        assert client.append("once", 0, one).json() == {"offset": len(one), "duplicate": True}
    overlap = client.append("once", 0, one + two).json()
    assert overlap == {"offset": len(one), "duplicate": True}
    headers = {"Content-Encoding": "zstd", "Outrider-Raw-Length": str(len(two))}
    reply = client.append("once", len(one), zstandard.compress(two), headers=headers)
    assert reply.json() == {"offset": len(one) + len(two)}
    assert values(client, "once") == [step * 0.5 for step in range(20)]


def _whole(client: Client, run: str, offset: int, raw: bytes, *more: str) -> bytes:
    """A request as it goes over the wire."""
    head = [
        f"POST /api/projects/p/runs/{run}/journal/main/1?offset={offset} HTTP/1.1",
        f"Host: {client.host}",
        f"Authorization: Bearer {client.token}",
        f"Content-Length: {len(raw)}",
        *more,
    ]
    return "\r\n".join([*head, "", ""]).encode() + raw


def _all_of(client: Client, sent: bytes) -> bytes:
    """Everything that comes back until the server closes."""
    with client.socket() as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_batches_sent_without_waiting_are_answered_in_their_order(client: Client) -> None:
    """One connection, three requests in one piece; the last asks to close."""
    client.create_run("ahead-of-answers")
    parts = [points(0, 2), points(2, 3), points(5, 1)]
    sent, at, ends = b"", 0, []
    for nth, raw in enumerate(parts):
        more = ["Connection: close"] if nth == 2 else []
        sent += _whole(client, "ahead-of-answers", at, raw, *more)
        at += len(raw)
        ends.append(b'{"offset":%d}' % at)
    back = _all_of(client, sent)
    assert back.count(b"HTTP/1.1 200 OK\r\n") == 3
    places = [back.index(end) for end in ends]
    assert places == sorted(places)
    assert values(client, "ahead-of-answers") == [step * 0.5 for step in range(6)]


def test_a_body_that_comes_in_pieces_is_taken_when_it_is_whole(client: Client) -> None:
    """Head, then byte after byte, with a second batch glued to the first one's last bytes."""
    client.create_run("pieces")
    one, two = points(0, 2), points(2, 2)
    first = _whole(client, "pieces", 0, one)
    second = _whole(client, "pieces", len(one), two)
    with client.socket() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(first) - 3):
            connection.sendall(first[at : at + 1])
        connection.sendall(first[-3:] + second[:-5])
        assert b'{"offset":%d}' % len(one) in connection.recv(65536)
        connection.sendall(second[-5:])
        assert b'{"offset":%d}' % len(one + two) in connection.recv(65536)
    assert values(client, "pieces") == [step * 0.5 for step in range(4)]


def test_a_client_that_leaves_before_its_answer_harms_nobody(client: Client) -> None:
    """What it sent is stored; whoever comes next is answered."""
    client.create_run("leaves")
    at = 0
    for step in range(20):
        raw = points(step, 1)
        with client.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(_whole(client, "leaves", at, raw))
        reply = client.append("leaves", at, raw)
        assert reply.status == 200, reply
        at += len(raw)
        assert reply.json()["offset"] == at
    assert values(client, "leaves") == [step * 0.5 for step in range(20)]


@pytest.mark.parametrize("length", [65_000, 66_000, 300_000, 2_000_000])
def test_small_and_large_batches_end_alike(client: Client, length: int) -> None:
    """Taken at once, or by a task of their own, unpacked here or in a thread: one answer, one store."""
    run = f"long-{length}"
    client.create_run(run)
    count = length // len(points(10_000, 1))
    raw = points(0, count)
    assert client.append(run, 0, raw).json() == {"offset": len(raw)}
    assert client.append(run, 0, raw).json() == {"offset": len(raw), "duplicate": True}
    more = points(count, count)
    packed = {"Content-Encoding": "zstd", "Outrider-Raw-Length": str(len(more))}
    reply = client.append(run, len(raw), zstandard.compress(more), headers=packed)
    assert reply.json() == {"offset": len(raw) + len(more)}
    assert client.append(run, 5, raw).json()["offset"] == len(raw) + len(more)
    assert client.append(run, 10**9, raw).status == 409
    assert client.append(f"{run}-never", 0, raw).status == 404
    assert values(client, run) == [step * 0.5 for step in range(2 * count)]


def test_uvicorn_asks_a_connection_before_it_makes_a_task() -> None:
    """Else each small batch would go the long way, right and slower, and nobody would notice."""
    assert "_start_asgi_task" in vars(HttpToolsProtocol)
    assert BoundedProtocol._start_asgi_task is not HttpToolsProtocol._start_asgi_task


def test_the_answer_to_a_batch_has_the_headers_of_every_answer(client: Client) -> None:
    """It is put together once a second, for connections that stay; those that close go the long way."""
    client.create_run("headers")
    raw = points(0, 1)
    stays = _whole(client, "headers", 0, raw)
    closes = _whole(client, "headers", 0, raw, "Connection: close")
    one, two = _all_of(client, stays + closes).split(b"HTTP/1.1 200 OK\r\n")[1:]
    names = [
        sorted(line.partition(b":")[0] for line in answer.split(b"\r\n\r\n")[0].split(b"\r\n"))
        for answer in (one, two)
    ]
    assert sorted([*names[0], b"connection"]) == names[1]
    assert {b"content-security-policy", b"x-frame-options", b"cache-control"} <= set(names[0])


def test_a_batch_ahead_of_the_store_is_refused_with_the_offset(client: Client) -> None:
    """409, and where to go on."""
    client.create_run("ahead")
    client.append("ahead", 0, points(0, 3))
    reply = client.append("ahead", 10_000, points(3, 3))
    assert (reply.status, reply.code) == (409, "offset_ahead")
    assert reply.json()["offset"] == len(points(0, 3))


def test_an_unknown_run_is_404_and_says_what_to_do(client: Client) -> None:
    """The streamer creates it and sends again."""
    reply = client.append("never", 0, points(0, 1))
    assert (reply.status, reply.code) == (404, "not_found")
    assert "POST /api/runs" in reply.json()["error"]["hint"]
    assert client.get("/api/projects/p/runs/never").status == 404
    assert client.get("/api/projects/never/runs").status in (200, 404)


@pytest.mark.parametrize(
    "path",
    [
        "runs/r/journal/w/0",
        "runs/r/journal/w/-1",
        "runs/r/journal/w/x",
        "runs/r/journal/w/1e3",
        "runs/r/journal/w/99999999999",
        "runs/r/journal/W/1",
        "runs/r/journal/../1",
        "runs/.r/journal/w/1",
        "runs/r r/journal/w/1",
        "files/r/journal/w/1",
    ],
)
def test_names_that_cannot_be_are_404(client: Client, path: str) -> None:
    """No name of a client's choosing gets further than its check."""
    client.create_run("r")
    reply = client.post(f"/api/projects/p/{quote(path)}?offset=0", points(0, 1))
    assert reply.status == 404


@pytest.mark.parametrize(
    "query", ["", "?offset=", "?offset=-1", "?offset=x", "?offset=1e9", "?o=1"]
)
def test_an_offset_is_a_whole_number(client: Client, query: str) -> None:
    """400 for anything else."""
    client.create_run("r")
    path = f"/api/projects/p/runs/r/journal/offsets/1{query}"
    assert client.post(path, points(0, 1)).status == 400


def test_a_batch_of_half_a_line_is_refused(client: Client) -> None:
    """Only whole lines have an offset to go on from."""
    client.create_run("half")
    for raw in (b"", b"x", points(0, 2)[:-1]):
        assert client.append("half", 0, raw).status == 400
    assert client.append("half", 0, points(0, 2)).status == 200


def test_lines_that_cannot_be_read_never_block_a_run(client: Client) -> None:
    """They are stored as counted gaps; what follows arrives."""
    client.create_run("damaged")
    raw = points(0, 2) + b"garbage\n\x00\xff\n[]\n" + points(2, 2)
    assert client.append("damaged", 0, raw).json() == {"offset": len(raw)}
    assert values(client, "damaged") == [0.0, 0.5, 1.0, 1.5]
    assert client.get("/api/projects/p/runs/damaged").json()["gaps"] == 3


@pytest.mark.parametrize("project", ["Größe 1", "a&b?c#d", "日本", "x%2Fy", "p.q", "%"])
def test_any_project_name_survives_the_url(client: Client, project: str) -> None:
    """Percent-encoded names come out as they went in."""
    reply = client.post("/api/runs", meta("r", project))
    assert reply.status == 200
    escaped = quote(project, safe="")
    assert reply.json()["url"] == f"{client.url}/p/{escaped}/r/r"
    path = f"/api/projects/{escaped}/runs/r"
    assert client.post(f"{path}/journal/w/1?offset=0", points(0, 1)).status == 200
    assert client.get(path).json()["project"] == project
    names = [item["name"] for item in client.get("/api/projects").json()["projects"]]
    assert project in names


def test_name_tags_and_notes_can_be_edited_and_nothing_else(client: Client) -> None:
    """PATCH takes what a person may change."""
    client.create_run("edit")
    path = "/api/projects/p/runs/edit"
    changed = client.request("PATCH", path, {"name": "n", "tags": ["a", "b"], "notes": "why"})
    assert changed.status == 200
    found = client.get(path).json()
    assert (found["name"], sorted(found["tags"]), found["notes"]) == ("n", ["a", "b"], "why")
    for bad in (
        {},
        {"id": "x"},
        {"name": ""},
        {"name": 3},
        {"tags": "a"},
        {"tags": [1]},
        {"notes": "x" * 70000},
        {"state": "finished"},
    ):
        assert client.request("PATCH", path, bad).status == 400, json.dumps(bad)[:50]
    assert client.request("PATCH", "/api/projects/p/runs/never", {"name": "x"}).status == 404


def test_a_deleted_run_is_gone_and_stays_unknown(client: Client) -> None:
    """Everything of it; a batch that comes later finds no run."""
    client.create_run("gone")
    client.append("gone", 0, points(0, 3))
    path = "/api/projects/p/runs/gone"
    assert client.request("DELETE", path).json() == {"deleted": True}
    assert client.request("DELETE", path).status == 404
    assert client.get(path).status == 404
    assert client.append("gone", len(points(0, 3)), points(3, 1)).status == 404
