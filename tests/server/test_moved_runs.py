"""Moved runs over HTTP: who may move, and where the old address leads."""

from __future__ import annotations

from server_kit import Client, points


def test_the_old_address_leads_to_the_run_for_those_who_may_see_where_it_is(client: Client) -> None:
    """Reading and editing; its streamer needs no right to the new project."""
    client.create_run("wanders")
    client.append("wanders", 0, points(0, 5))
    moved = client.post("/api/projects/p/runs/move", {"runs": ["wanders"], "to": "elsewhere"})
    assert moved.json() == {"runs": 1, "missing": [], "taken": []}
    old = "/api/projects/p/runs/wanders"
    assert client.get(old).json()["project"] == "elsewhere"
    assert client.request("PATCH", old, {"name": "far"}).json()["name"] == "far"
    streamer = client.with_token(client.token_of("write", ["p"])[1])
    at = len(points(0, 5))
    assert streamer.append("wanders", at, points(5, 5)).status == 200
    assert streamer.create_run("wanders").json()["offsets"]["main"]["1"] > at
    assert streamer.get(old).status == 404
    found = client.get("/api/projects/elsewhere/runs/wanders/points?key=loss").json()
    assert found["steps"] == list(range(10))
    assert client.request("DELETE", old).status == 404  # what is deleted is named where it is


def test_moving_needs_a_right_to_both_projects(client: Client) -> None:
    """And a name that a project can have."""
    client.create_run("stays")
    theirs = client.with_token(client.token_of("write", ["p"])[1])
    body = {"runs": ["stays"], "to": "forbidden"}
    assert theirs.post("/api/projects/p/runs/move", body).status == 403
    assert client.post("/api/projects/p/runs/move", {"runs": ["stays"], "to": "a/b"}).status == 400
    assert client.post("/api/projects/p/runs/move", {"runs": ["stays"], "to": 7}).status == 400
    assert client.get("/api/projects/p/runs/stays").status == 200
