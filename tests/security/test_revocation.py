"""A revocation takes effect at once: also on what is open, coming in or going out."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
from typing import Any

import pytest
from route_table import BODIES, NEEDS, ask, routes
from server_kit import Client, meta

from waiting import eventually

MEGABYTE = 1 << 20


def opened(client: Client, method: str, path: str, length: int, token: str) -> socket.socket:
    """A request whose body is still to come."""
    connection = client.socket()
    head = f"{method} {path} HTTP/1.1\r\nHost: {client.host}\r\nAuthorization: Bearer {token}\r\n"
    connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode())
    return connection


def rest_of(connection: socket.socket) -> bytes:
    """Everything until the connection ends; empty where it was reset."""
    found = b""
    try:
        while piece := connection.recv(1 << 16):
            found += piece
    except ConnectionResetError:
        pass
    return found


def last_used(client: Client, token_id: str) -> Any:
    """When the server last met a token: its request has then passed the guard."""
    listed = client.get("/api/tokens").json()["tokens"]
    return next(one["last_used"] for one in listed if one["id"] == token_id)


def bodies(client: Client) -> list[tuple[str, str, str, bytes]]:
    """Every operation that takes a body, with one that it would take."""
    found = []
    for name, method, path in routes(client):
        if method in ("POST", "PUT", "PATCH") and NEEDS[name] is not None:
            body = BODIES.get(name, b"")
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            path = path.replace("size=0", "size=10")  # of a content that is still to come
            found.append((name, method, path, data or bytes(10)))
    return found


def test_every_body_on_its_way_is_refused(client: Client) -> None:
    """On each route that takes one: the token was good when the request began, and is not now."""
    client.create_run("roles")
    before = client.get("/api/projects/p/runs/roles").json()
    routes_with_bodies = bodies(client)
    assert len(routes_with_bodies) >= 10
    token_id, token = client.token_of("admin")
    waiting = [
        (name, opened(client, method, path, len(body), token), body)
        for name, method, path, body in routes_with_bodies
        if name != "logout"  # reads no body: its answer is there before the body
    ]
    for _, connection, body in waiting:
        connection.sendall(body[:1])
    eventually(lambda: last_used(client, token_id), "the requests did not arrive")
    # One more over each path's way in, so that all of them have passed the guard: they were sent
    # before it, and the server reads its connections in turn.
    for _ in range(3):
        client.get("/api/me")
    assert client.request("DELETE", f"/api/tokens/{token_id}").status == 200
    for name, connection, body in waiting:
        with connection:
            connection.sendall(body[1:])
            assert b" 401 " in connection.recv(4096), name
    after = client.get("/api/projects/p/runs/roles").json()
    assert after["name"] == before["name"]
    assert not client.get("/api/projects/p/views").json()["views"]


def test_no_route_opens_for_a_revoked_token(client: Client) -> None:
    """Each operation, one after the other: 401 from the moment the revocation was answered."""
    client.create_run("roles")
    token_id, token = client.token_of("admin")
    theirs = client.with_token(token)
    assert theirs.get("/api/me").status == 200
    client.request("DELETE", f"/api/tokens/{token_id}")
    for name, method, path in routes(client):
        if NEEDS[name] is not None:
            assert ask(theirs, name, method, path) == 401, name


def test_an_upload_under_way_ends(client: Client) -> None:
    """What had arrived before may stay as a part; it never becomes a content of the run."""
    client.create_run("roles")
    data = bytes(4 * MEGABYTE)
    name = hashlib.sha256(data).hexdigest()
    token_id, token = client.token_of("write")
    path = f"/api/projects/p/runs/roles/blobs/{name}"
    target = f"{path}?offset=0&size={len(data)}"
    with opened(client, "PUT", target, len(data), token) as connection:
        connection.sendall(data[: 2 * MEGABYTE])
        state = f"{path}/state?size={len(data)}"
        eventually(lambda: client.get(state).json()["offset"] > 0, "nothing arrived")
        client.request("DELETE", f"/api/tokens/{token_id}")
        with contextlib.suppress(OSError):  # it may be cut off already
            connection.sendall(data[2 * MEGABYTE :])
        answer = rest_of_head(connection)
    assert answer in (b"", b"401")
    assert client.get(state).json()["complete"] is False
    assert client.get(path).status == 404


def rest_of_head(connection: socket.socket) -> bytes:
    """The status of the answer, or nothing."""
    try:
        return connection.recv(4096)[9:12]
    except ConnectionResetError:
        return b""


def test_a_download_under_way_ends(client: Client) -> None:
    """No more than what lay in the buffers arrives afterwards."""
    client.create_run("roles")
    data = bytes(32 * MEGABYTE)
    name = hashlib.sha256(data).hexdigest()
    path = f"/api/projects/p/runs/roles/blobs/{name}"
    for at in range(0, len(data), 8 * MEGABYTE):
        piece = data[at : at + 8 * MEGABYTE]
        reply = client.request("PUT", f"{path}?offset={at}&size={len(data)}", piece)
        assert reply.status == 200
    token_id, token = client.token_of("read")
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        address, _, port = client.host.rpartition(":")
        connection.connect((address, int(port)))
        head = f"GET {path} HTTP/1.1\r\nHost: {client.host}\r\nAuthorization: Bearer {token}\r\n"
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        assert b" 200 " in connection.recv(4096)
        client.request("DELETE", f"/api/tokens/{token_id}")
        got = len(rest_of(connection))
    assert got < len(data) - MEGABYTE
    assert client.get("/api/health").status == 200


@pytest.mark.parametrize("how", ["token", "logout"])
def test_a_session_and_its_stream_end_with_their_token(client: Client, how: str) -> None:
    """By the token that it came from, or by its own logout in another tab."""
    token_id, token = client.token_of("read")
    cookie = client.with_token(token).session()
    browser = client.with_token(None)
    with client.socket() as stream:
        head = f"GET /api/events HTTP/1.1\r\nHost: {client.host}\r\nCookie: {cookie}\r\n\r\n"
        stream.sendall(head.encode())
        assert b" 200 " in stream.recv(4096)
        if how == "token":
            assert client.request("DELETE", f"/api/tokens/{token_id}").status == 200
        else:
            headers = {"Cookie": cookie, "Origin": client.url}
            assert browser.post("/api/logout", headers=headers).status == 200
        rest_of(stream)
    assert browser.get("/api/me", headers={"Cookie": cookie}).status == 401


def test_a_login_link_dies_with_the_token_that_made_it(client: Client) -> None:
    """A link that was not used yet opens nothing any more."""
    token_id, token = client.token_of("admin")
    link = client.with_token(token).post("/api/login-codes", {}).json()["url"]
    client.request("DELETE", f"/api/tokens/{token_id}")
    reply = client.with_token(None).get(link.removeprefix(client.url))
    assert reply.status == 403
    assert "set-cookie" not in reply.headers


def test_a_revoked_token_makes_no_new_one(client: Client) -> None:
    """Its creations before it stay, as they are tokens of their own; after it there are none."""
    token_id, token = client.token_of("admin")
    theirs = client.with_token(token)
    kept = theirs.token_of("read")[1]
    client.request("DELETE", f"/api/tokens/{token_id}")
    assert theirs.post("/api/tokens", {"name": "x", "role": "admin"}).status == 401
    assert theirs.post("/api/runs", meta("late")).status == 401
    assert client.with_token(kept).get("/api/me").status == 200
