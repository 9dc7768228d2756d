"""The routes of the run table: many runs at once, where a filter stops, Parquet."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from server_kit import Client


def test_many_runs_are_changed_and_deleted(client: Client) -> None:
    """Those that are not there are named; everything else is done."""
    for run in ("r1", "r2", "r3"):
        client.create_run(run, "many")
    path = "/api/projects/many/runs"
    answer = client.request(
        "PATCH", path, {"runs": ["r1", "r3", "no"], "archived": True, "add_tags": ["x"]}
    )
    undo = [
        {"runs": ["r1", "r3"], "remove_tags": ["x"]},
        {"runs": ["r1", "r3"], "archived": False},
    ]
    assert answer.json() == {"runs": 2, "missing": ["no"], "undo": undo}
    found = client.get(path + "?filter=archived%20%3D%20true%20and%20tags%20has%20%22x%22").json()
    assert sorted(row["id"] for row in found["runs"]) == ["r1", "r3"]
    answer = client.request("POST", path + "/delete", {"runs": ["r1", "r1", "no"]})
    assert answer.json() == {"runs": 1, "missing": ["no"]}
    assert client.get(path).json()["total"] == 2


def test_a_change_of_many_runs_says_how_to_take_it_back(client: Client) -> None:
    """Only what it changed: a run that had the tag keeps it, one that lacked it loses it."""
    path = "/api/projects/back/runs"
    for run in ("r1", "r2", "r3"):
        client.create_run(run, "back")
    client.request("PATCH", path, {"runs": ["r1"], "add_tags": ["x", "y"]})
    client.request("PATCH", path, {"runs": ["r3"], "archived": True})
    rows = "?filter=archived%20%3D%20true%20or%20archived%20%3D%20false"
    before = client.get(path + rows).json()["runs"]
    change = {"archived": True, "add_tags": ["x"], "remove_tags": ["y"]}
    answer = client.request("PATCH", path, {"runs": ["r1", "r2", "r3"], **change})
    for said in answer.json()["undo"]:
        assert client.request("PATCH", path, said).status == 200
    assert client.get(path + rows).json()["runs"] == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"runs": "r1"},
        {"runs": [1]},
        {"runs": [], "name": "x"},
        {"runs": [], "archived": 1},
        {"runs": [], "add_tags": [""]},
    ],
)
def test_what_cannot_be_done_to_many_is_refused(client: Client, body: dict[str, object]) -> None:
    """400, and nothing changes."""
    client.create_run("r1")
    assert client.request("PATCH", "/api/projects/p/runs", body).status == 400


def test_a_filter_that_stops_tells_the_place(client: Client) -> None:
    """The page marks it there."""
    client.create_run("r1")
    answer = client.get("/api/projects/p/runs?filter=state%20%3D%20running")
    assert (answer.status, answer.json()["position"]) == (400, 8)


def test_the_list_comes_as_parquet(client: Client) -> None:
    """Every run and column; lists stay lists, missing values are null."""
    parquet = pytest.importorskip("pyarrow.parquet")
    client.create_run("r1", "arrow")
    client.create_run("r2", "arrow")
    words = "&".join(f"columns={key}" for key in ("id", "tags", "config.lr", "created", "duration"))
    answer = client.get(
        f"/api/projects/arrow/runs.parquet?{words}&sort=id&filter=archived%20%3D%20false"
    )
    assert answer.status == 200
    table = parquet.read_table(io.BytesIO(answer.body)).to_pydict()
    assert table["id"] == ["r1", "r2"]
    assert table["config.lr"] == [None, None]
