"""A folder and a server tell the same of media, and the server finds them by key and step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from media_parts import PATIENCE, every_part

import outrider
from outrider import api, core
from outrider.errors import NotFound, Refused
from outrider.folder import make_run_folder, write_meta
from outrider.journal.line import encode
from outrider.journal.segment import segment_name
from outrider_server.background import Background, start_background


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    folder = tmp_path_factory.mktemp("server")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CONFIG", "STATE", "DATA"):
            patch.setenv(f"XDG_{name}_HOME", str(folder / name.lower()))
        made = start_background(folder / "data")
    yield made
    made.stop()


@pytest.fixture
def client(server: Background) -> api.Client:
    return api.Client(server.url, server.token)


def path_of(run: api.Run) -> str:
    return f"/api/projects/{quote(run.project)}/runs/{run.id}"


def arrived(client: api.Client, path: str, count: int) -> api.Run:
    """The run at the server, once all media and all their files are there."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            run = client.run(path)
            files = [part.state for part in every_part(run)]
            present = [
                part["present"]
                for item in client.ask("GET", f"{path_of(run)}/media")["media"]
                for part in item["parts"]
                if "present" in part
            ]
            if len(run.media()) == count and "pending" not in files and all(present):
                return run
        except NotFound:
            assert time.monotonic() < until
        assert time.monotonic() < until, (files, present)
        time.sleep(0.1)


@pytest.fixture
def online(server: Background, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTRIDER_MODE", "online")
    monkeypatch.setenv("OUTRIDER_URL", server.url)
    monkeypatch.setenv("OUTRIDER_API_KEY", server.token)


def test_every_kind_is_the_same_from_both(client: api.Client, online: None) -> None:
    random = np.random.default_rng(0)
    picture = random.integers(0, 255, (8, 9, 3), dtype=np.uint8)
    mask = {"m": {"mask_data": picture[:, :, 0] > 99, "class_labels": {1: "x"}}}
    small = outrider.Table(columns=["n", "image"])
    for at in range(3):
        small.add_data(
            at / 3 if at else float("nan"), outrider.Image(picture + at, caption=str(at))
        )
    big = outrider.Table(columns=["at", "text"], data=[[at, f"row {at}"] for at in range(3000)])
    run = core.init(project="kinds of things")
    for _step in range(2):
        core.log(
            {
                "image": outrider.Image(picture, caption="one", masks=mask),
                "images": [outrider.Image(picture + at) for at in range(3)],
                "sound": outrider.Audio(random.normal(size=100), sample_rate=100),
                "video": outrider.Video(np.stack([picture] * 3).transpose(0, 3, 1, 2)),
                "page": outrider.Html("<b>hi</b>"),
                "text": outrider.Text("hi"),
                "texts": [outrider.Text("a"), outrider.Text("b", caption="c")],
                "spread": outrider.Histogram([1.0, 2.0, float("nan")]),
                "small": small,
                "big": big,
                "loss": 1.0,
            }
        )
    core.finish()
    remote = arrived(client, run.path, 20)
    assert run.folder is not None
    local = api.open(run.folder)
    assert local.media() == remote.media()
    assert [item.step for item in local.media("image")] == [0, 1]
    for one, two in zip(every_part(local), every_part(remote), strict=True):
        assert one == two
        assert one.sha256 is None or one.read() == two.read()
    assert local.table("big") == remote.table("big")
    assert len(local.table("big")) == 3000
    one, two = local.table("small", 0), remote.table("small", 0)
    assert one.types == two.types == ["number", "media"]
    assert [row[1] for row in one.rows] == [row[1] for row in two.rows]
    assert [row[1].caption for row in one.rows] == ["0", "1", "2"]
    assert one.rows[0][0] != one.rows[0][0]
    assert one.rows[1][0] == two.rows[1][0] == 1 / 3
    assert local.media("texts")[0].parts[1].value == {"text": "b"}
    assert client.ask("GET", path_of(remote))["has"]["media"] is True
    with pytest.raises(NotFound, match="no table"):
        remote.table("small", 99)
    with pytest.raises(NotFound, match="no table"):
        local.table("image")


class ByHand:
    """A run whose journal is written record by record."""

    def __init__(self, root: Path, run_id: str, **meta: Any) -> None:
        self.path, _ = make_run_folder(str(root / ".outrider"), run_id, shared_id=False)
        self.id = run_id
        write_meta(
            self.path,
            {"format": 1, "id": run_id, "project": "p", "name": run_id, "mode": "online",
             "server": "http://127.0.0.1:1", "created": 100.0, "tags": [], "attempt": 1,
             "writer": "w1", "host": "elsewhere", "pid": 1, **meta},
        )  # fmt: skip
        self.write({"t": 100.0, "k": "head", "v": 1, "run": run_id, "w": "w1", "n": 1, "a": 1,
                    "role": "trainer", "primary": True})  # fmt: skip

    def write(self, *records: dict[str, Any], writer: str = "w1") -> None:
        with open(f"{self.path}/journal/{segment_name(writer, 1)}", "ab") as file:
            file.writelines(map(encode, records))

    def text(self, t: float, step: int, key: str = "said", **more: Any) -> dict[str, Any]:
        return {
            "t": t, "k": "media", "s": step, "key": key, "type": "text",
            "v": {"text": f"{key} {step}"}, "parts": [], **more,
        }  # fmt: skip

    def delivered(self, server: Background, client: api.Client) -> tuple[api.Run, api.Run]:
        from outrider.credentials import Token
        from outrider.streamer.loop import deliver
        from outrider.transport import HttpTransport

        outcome = deliver(
            self.path, transport=HttpTransport(server.url, Token(server.token, "test"))
        )
        assert outcome.delivered, outcome
        return api.open(self.path), client.run(f"p/{self.id}")


def test_media_are_found_by_key_and_step_in_pages(
    server: Background, client: api.Client, tmp_path: Path
) -> None:
    made = ByHand(tmp_path, "pages")
    steps = [5, 3, 3, -7, 1 << 62, 0]
    made.write(*(made.text(101.0 + at, step) for at, step in enumerate(steps)))
    made.write(made.text(110.0, 4, key="späte/texte"))
    local, remote = made.delivered(server, client)
    assert local.media() == remote.media()
    assert [item.step for item in remote.media("said")] == sorted(steps)
    where = path_of(remote)
    assert client.ask("GET", f"{where}/media/keys")["keys"] == [
        {"key": "said", "type": "text", "count": 6, "first_step": -7, "last_step": 1 << 62},
        {"key": "späte/texte", "type": "text", "count": 1, "first_step": 4, "last_step": 4},
    ]
    found: list[int] = []
    params: dict[str, Any] = {"limit": 2, "min_step": 0, "max_step": 5}
    while True:
        page = client.ask("GET", f"{where}/media", params=params)
        found += [item["step"] for item in page["media"]]
        if page["next"] is None:
            break
        params["after"] = page["next"]
    assert found == [0, 3, 3, 4, 5]
    with pytest.raises(Refused, match="cursor"):
        client.ask("GET", f"{where}/media", params={"after": "x"})


def test_what_was_rewound_is_hidden(server: Background, client: api.Client, tmp_path: Path) -> None:
    made = ByHand(tmp_path, "rewound")
    made.write(*(made.text(101.0 + step, step) for step in range(6)))
    made.write(
        {"t": 200.0, "k": "head", "v": 1, "run": "rewound", "w": "w2", "n": 1, "a": 2,
         "role": "trainer", "primary": True},
        {"t": 200.1, "k": "attempt", "a": 2, "rewind": 2},
        made.text(201.0, 3), writer="w2",
    )  # fmt: skip
    local, remote = made.delivered(server, client)
    assert local.media() == remote.media()
    assert [(item.step, item.time) for item in remote.media()] == [
        (0, 101.0), (1, 102.0), (2, 103.0), (3, 201.0),
    ]  # fmt: skip
    (key,) = client.ask("GET", f"{path_of(remote)}/media/keys")["keys"]
    assert (key["count"], key["last_step"]) == (4, 3)


def test_a_record_that_says_what_cannot_be_is_a_gap_and_no_more(
    server: Background, client: api.Client, tmp_path: Path
) -> None:
    made = ByHand(tmp_path, "hostile")
    made.write(
        {"t": 101.0, "k": "media"},
        made.text(102.0, 1, key=""),
        {**made.text(103.0, 1), "s": 1 << 63},
        {**made.text(104.0, 1), "type": 5},
        {**made.text(105.0, 2), "parts": [5, {"spool": "x", "masks": {"m": 7}}, {"masks": []}]},
        {**made.text(106.0, 3), "type": "table", "v": {"columns": [7, {}], "data": [5, [1, 2]]}},
        {**made.text(107.0, 4), "type": "table", "v": None},
        made.text(108.0, 9),
    )
    local, remote = made.delivered(server, client)
    assert [item.step for item in remote.media()] == [2, 3, 4, 9]
    assert local.media() == remote.media()
    assert remote.gaps == 4
    assert remote.table("said", 3).rows == local.table("said", 3).rows == [[], [1, 2]]
    tables = [
        item["seq"]
        for item in client.ask("GET", f"{path_of(remote)}/media")["media"]
        if item["type"] == "table"
    ]
    with pytest.raises(NotFound, match="not arrived"):
        client.ask("GET", f"{path_of(remote)}/tables/{tables[1]}")


def test_rows_of_a_table_are_sorted_a_page_at_a_time(
    server: Background, client: api.Client, tmp_path: Path
) -> None:
    made = ByHand(tmp_path, "sorted")
    rows = [[3, "c"], [None, "a"], ["NaN", "b"], [1.5, None], [-2, "z"]]
    columns = [{"name": "n", "type": "number"}, {"name": "-t", "type": "text"}]
    value = {"columns": columns, "rows": 5, "data": rows}
    made.write({**made.text(101.0, 0), "type": "table", "v": value})
    _, remote = made.delivered(server, client)
    (item,) = client.ask("GET", f"{path_of(remote)}/media")["media"]

    def ask(**params: Any) -> Any:
        return client.ask("GET", f"{path_of(remote)}/tables/{item['seq']}", params=params)

    def numbers(**params: Any) -> list[Any]:
        return [row[0] for row in ask(**params)["rows"]]

    assert numbers() == [3, None, "NaN", 1.5, -2]
    assert numbers(sort="n") == [-2, 1.5, 3, "NaN", None]
    assert numbers(sort="-n") == ["NaN", 3, 1.5, -2, None]
    assert numbers(sort="-t") == [None, "NaN", 3, -2, 1.5]
    assert numbers(sort="n", offset=1, limit=2) == [1.5, 3]
    assert ask(limit=0)["total"] == 5
    assert ask()["columns"] == columns
    with pytest.raises(Refused, match="no column"):
        ask(sort="nowhere")
    for wrong in ("0", "x", "99999"):
        with pytest.raises(NotFound):
            client.ask("GET", f"{path_of(remote)}/tables/{wrong}")


def test_a_long_table_is_sorted_at_the_server(client: api.Client, online: None) -> None:
    order = np.random.default_rng(1).permutation(5000)
    run = core.init(project="long")
    core.log(
        {"rows": outrider.Table(columns=["at", "name"], data=[[int(i), f"é{i}"] for i in order])}
    )
    core.finish()
    remote = arrived(client, run.path, 1)
    (item,) = client.ask("GET", f"{path_of(remote)}/media")["media"]
    where = f"{path_of(remote)}/tables/{item['seq']}"
    page = client.ask("GET", where, params={"sort": "-at", "offset": 10, "limit": 3})
    assert page["rows"] == [[at, f"é{at}"] for at in (4989, 4988, 4987)]
    page = client.ask("GET", where, params={"offset": 4998})
    assert page["rows"] == [[int(at), f"é{at}"] for at in order[4998:]]
    assert page["total"] == 5000


def test_a_deleted_run_leaves_no_media_behind(
    server: Background, client: api.Client, tmp_path: Path
) -> None:
    made = ByHand(tmp_path, "deleted")
    made.write(made.text(101.0, 1))
    _, remote = made.delivered(server, client)
    client.ask("DELETE", path_of(remote))
    again = ByHand(tmp_path / "again", "deleted")
    again.write(again.text(101.0, 2))
    _, remote = again.delivered(server, client)
    assert [item.step for item in remote.media()] == [2]
