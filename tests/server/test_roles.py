"""Roles and project limits hold on every route there is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from server_kit import Client, meta, points

NEEDS = {
    "openapi": "read",
    "me": "read",
    "create_login_code": "read",
    "logout": "read",
    "list_projects": "read",
    "list_runs": "read",
    "list_columns": "read",
    "show_run": "read",
    "read_series": "read",
    "read_groups": "read",
    "list_views": "read",
    "show_view": "read",
    "keep_view": "write",
    "delete_view": "write",
    "read_system": "read",
    "read_points": "read",
    "read_records": "read",
    "list_files": "read",
    "read_content": "read",
    "show_code": "read",
    "content_state": "write",
    "send_content": "write",
    "send_contents": "write",
    "missing_contents": "write",
    "read_console": "read",
    "search_console": "read",
    "list_media": "read",
    "list_media_keys": "read",
    "read_table": "read",
    "events": "read",
    "create_run": "write",
    "append_journal": "write",
    "edit_run": "write",
    "delete_run": "admin",
    "edit_runs": "write",
    "table_parquet": "read",
    "delete_runs": "admin",
    "list_tokens": "admin",
    "create_token": "admin",
    "revoke_token": "admin",
    "list_alerts": "read",
    "list_run_alerts": "read",
    "list_rules": "read",
    "add_rule": "write",
    "delete_rule": "write",
    "show_webhook": "admin",
    "set_webhook": "admin",
    "health": None,
    "login": None,
    "page_0": None,
    "page_1": None,
    "plot_frame": None,
    "file_0": None,
    "file_1": None,
}
RANK = ["read", "write", "admin"]
BODIES: dict[str, Any] = {
    "create_run": meta("roles", "p"),
    "append_journal": points(0, 1),
    "edit_run": {"name": "x"},
    "edit_runs": {"runs": []},
    "delete_runs": {"runs": []},
    "create_token": {"name": "x", "role": "read"},
    "create_login_code": {},
    "add_rule": {"kind": "died"},
    "set_webhook": {"url": None},
    "missing_contents": {"sha256": []},
    "send_content": b"",
    "send_contents": b"[]\n",
    "keep_view": {"state": "?x=wall"},
}
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
VALUES = {
    "project": "p",
    "run": "roles",
    "writer": "w",
    "segment": "1",
    "seq": "1",
    "token": "nobody",
    "sha256": EMPTY,
}
QUERIES = {
    "append_journal": "?offset=0",
    "read_series": "?key=loss&run=roles",
    "read_groups": "?key=loss&by=config.lr",
    "read_points": "?key=loss",
    "search_console": "?q=x",
    "content_state": "?size=0",
    "send_content": "?offset=0&size=0",
    "login": "?code=x",
}


def routes(client: Client) -> list[tuple[str, str, str]]:
    """Every operation of the document: its name, method and a path that can be asked for."""
    found = []
    for path, methods in client.get("/api/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            name = operation["operationId"]
            filled = re.sub(r"{(\w+)}", lambda match: VALUES.get(match[1], "x"), path)
            found.append((name, method.upper(), filled + QUERIES.get(name, "")))
    return found


def ask(client: Client, name: str, method: str, path: str, **more: Any) -> int:
    """The status of an operation; a stream is not read."""
    if name != "events":
        return client.request(method, path, BODIES.get(name), **more).status
    with client.socket() as connection:
        token = f"Authorization: Bearer {client.token}\r\n" if client.token else ""
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {client.host}\r\n{token}\r\n".encode())
        return int(connection.recv(64).split()[1])


def test_this_table_knows_every_route(client: Client) -> None:
    """A route without a line here is a route whose role nobody thought about."""
    assert {name for name, _, _ in routes(client)} == set(NEEDS)


@pytest.mark.parametrize("role", RANK)
def test_a_role_opens_what_it_should_and_nothing_else(client: Client, role: str) -> None:
    """403 for each operation beyond the role, no 401 or 403 for each within it."""
    client.create_run("roles")
    theirs = client.with_token(client.token_of(role)[1])
    for name, method, path in routes(client):
        needed = NEEDS[name]
        status = ask(theirs, name, method, path)
        if name == "login":
            assert status == 403  # the code is wrong
        elif needed is None or RANK.index(role) >= RANK.index(needed):
            assert status not in (401, 403), (name, status)
        else:
            assert status == 403, (name, status)


def test_without_a_token_nothing_opens_that_has_a_role(client: Client) -> None:
    """401 everywhere, whatever the names in the path."""
    nobody = client.with_token(None)
    for name, method, path in routes(client):
        if NEEDS[name] is not None:
            assert ask(nobody, name, method, path) == 401, name


def test_a_project_limit_holds_on_every_route(client: Client) -> None:
    """An admin of one project is nobody in another, nor of the server."""
    client.create_run("roles")
    client.create_run("other", "q")
    theirs = client.with_token(client.token_of("admin", ["q"])[1])
    for name, method, path in routes(client):
        if name == "events":
            path += "?project=p"
        if ("/p/" in path and path.startswith("/api")) or name in ("create_run", "events"):
            assert ask(theirs, name, method, path) == 403, name
        if name in ("list_tokens", "create_token", "revoke_token", "show_webhook", "set_webhook"):
            assert ask(theirs, name, method, path) == 403, name
    assert theirs.get("/api/projects/q/runs/other").status == 200
    listed = theirs.get("/api/projects").json()["projects"]
    assert [project["name"] for project in listed] == ["q"]
    assert theirs.get("/api/me").json()["projects"] == ["q"]


def test_a_project_that_is_not_there_looks_like_one_that_is_forbidden(client: Client) -> None:
    """Names of projects are not to be guessed."""
    theirs = client.with_token(client.token_of("read", ["q"])[1])
    there, absent = theirs.get("/api/projects/p/runs"), theirs.get("/api/projects/never/runs")
    assert (there.status, there.body) == (absent.status, absent.body)


def test_a_session_has_the_role_of_its_token(client: Client) -> None:
    """A reader's browser reads."""
    reader = client.with_token(client.token_of("read", ["p"])[1])
    browser = {"Cookie": reader.session(), "Origin": client.url}
    nobody = client.with_token(None)
    found = nobody.get("/api/me", headers=browser).json()
    assert (found["role"], found["projects"]) == ("read", ["p"])
    assert nobody.post("/api/runs", meta("x"), headers=browser).status == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": 1},
        {"name": "x" * 200},
        {"name": "x", "role": "root"},
        {"name": "x", "role": 3},
        {"name": "x", "projects": []},
        {"name": "x", "projects": "p"},
        {"name": "x", "projects": ["../etc"]},
        {"name": "x", "projects": [1]},
    ],
)
def test_a_token_that_makes_no_sense_is_refused(client: Client, body: dict[str, Any]) -> None:
    """400, in our form."""
    reply = client.post("/api/tokens", body)
    assert (reply.status, reply.code) == (400, "bad_request")
