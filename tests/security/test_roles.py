"""Roles and project limits hold on every route there is."""

from __future__ import annotations

from typing import Any

import pytest
from route_table import NEEDS, RANK, ask, routes
from server_kit import Client, meta


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


def test_head_is_no_way_round(client: Client) -> None:
    """What GET needs, HEAD needs too, and so does every method that a proxy may be told to make of it."""
    client.create_run("roles")
    nobody = client.with_token(None)
    reader = client.with_token(client.token_of("read")[1])
    for name, method, path in routes(client):
        if method != "GET" or NEEDS[name] is None:
            continue
        assert nobody.request("HEAD", path).status == 401, name
        if NEEDS[name] != "read":
            assert reader.request("HEAD", path).status == 403, name
    for word in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        headers = {word: "DELETE"}
        assert reader.post("/api/projects/p/runs/roles", {}, headers=headers).status == 405
    assert reader.get("/api/projects/p/runs/roles").status == 200


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
