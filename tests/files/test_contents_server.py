"""The server's side of contents: chunks, hashes, ranges, types, and who may ask for what."""

from __future__ import annotations

import http.client
import json
import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from files_kit import sha256

from outrider_server.background import start_background
from outrider_server.routes.files import CHUNK_BYTES, file_name, shown_as
from waiting import eventually

if TYPE_CHECKING:
    from outrider_server.background import Background


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """A client of one run."""

    def __init__(self, server: Background, run: str, project: str = "p") -> None:
        self.server = server
        self.run = run
        self.project = project
        made = self.ask("POST", "/api/runs", {"project": project, "id": run, "writer": "w"})
        assert made.status == 200

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        if not path.startswith("/"):
            path = f"/api/projects/{self.project}/runs/{self.run}/{path}"
        if isinstance(body, dict):
            body = json.dumps(body)
        host = self.server.url.removeprefix("http://")
        with closing(http.client.HTTPConnection(host, timeout=60)) as connection:
            headers = {"Authorization": f"Bearer {self.server.token}", **headers}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, found, answer.read())

    def put(self, name: str, offset: int, size: int, data: bytes) -> Reply:
        return self.ask("PUT", f"blobs/{name}?offset={offset}&size={size}", data)

    def send(self, data: bytes) -> str:
        reply = self.put(sha256(data), 0, len(data), data)
        assert reply.json() == {"offset": len(data), "complete": True}, reply
        return sha256(data)

    def state(self, name: str, size: int) -> Any:
        return self.ask("GET", f"blobs/{name}/state?size={size}").json()

    def tell(self, *bodies: dict[str, Any]) -> None:
        """Append ``file`` records to the journal, whatever is there."""
        lines = b"".join(
            json.dumps({"t": 1.0 + n, "k": "file", **body}).encode() + b"\n"
            for n, body in enumerate(bodies)
        )
        at = self.ask("POST", "/api/runs", {"project": self.project, "id": self.run}).json()
        offset = at["offsets"].get("w", {}).get("1", 0)
        assert self.ask("POST", f"journal/w/1?offset={offset}", lines).status == 200

    def files(self, query: str = "") -> Any:
        return self.ask("GET", f"files{query}").json()


def test_a_content_arrives_in_chunks(server: Background, stored: Path) -> None:
    data = os.urandom(300_000)
    name, size = sha256(data), len(data)
    client = Client(server, "chunks")
    assert client.state(name, size) == {"offset": 0, "complete": False}
    assert client.put(name, 0, size, data[:100_000]).json() == {
        "offset": 100_000,
        "complete": False,
    }
    assert client.state(name, size) == {"offset": 100_000, "complete": False}
    for wrong in (0, 99_999, 100_001, size):
        reply = client.put(name, wrong, size, data[wrong : wrong + 10])
        assert (reply.status, reply.json()["offset"]) == (409, 100_000)
    assert client.ask("GET", f"blobs/{name}").status == 404
    assert client.put(name, 100_000, size, data[100_000:]).json() == {
        "offset": size, "complete": True,
    }  # fmt: skip
    assert client.state(name, size) == {"offset": size, "complete": True}
    assert client.put(name, 0, size, data[:10]).json() == {"offset": size, "complete": True}
    assert client.put(name, size, size, b"").json() == {"offset": size, "complete": True}
    assert client.ask("GET", f"blobs/{name}").body == data
    assert not [path for path in (stored / "incoming").iterdir() if name in path.name]


def bundle(*contents: tuple[str, bytes]) -> bytes:
    head = json.dumps([[name, len(data)] for name, data in contents]).encode()
    return head + b"\n" + b"".join(data for _, data in contents)


def test_a_bundle_keeps_what_is_right_in_it(server: Background, stored: Path) -> None:
    """Each content for itself, also twice and again; of a wrong one nothing stays."""
    client = Client(server, "bundle")
    right = [(sha256(data), data) for data in (b"", b"one", os.urandom(5000))]
    wrong = (sha256(b"other"), b"wrong")
    for _ in range(2):
        reply = client.ask("PUT", "blobs", bundle(*right, wrong, right[1]))
        assert reply.json() == {"kept": sorted(name for name, _ in right), "wrong": [wrong[0]]}
        for name, data in right:
            assert client.ask("GET", f"blobs/{name}").body == data
            (at,) = stored.glob(f"*/{name[:2]}/{name}")
            assert (at.read_bytes(), at.stat().st_mode & 0o777) == (data, 0o600)
    assert client.ask("GET", f"blobs/{wrong[0]}").status == 404
    assert list((stored / "incoming").glob("*.*")) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"no line", 400),
        (b"{}\n", 400),
        (b'[["../x", 1]]\nx', 400),
        (f'[["{"0" * 64}", -1]]\n'.encode(), 400),
        (f'[["{"0" * 64}", 2]]\nx'.encode(), 400),
        (f'[["{"0" * 64}", 1]]\nxx'.encode(), 400),
        (f'[["{"0" * 64}", true]]\nx'.encode(), 400),
        (b"[]\n" + bytes(CHUNK_BYTES), 413),
    ],
    ids=["empty", "no line", "no list", "path", "negative", "short", "long", "truth", "too long"],
)
def test_a_bundle_that_makes_no_sense_is_refused(
    body: bytes, status: int, server: Background, stored: Path
) -> None:
    before = set(stored.glob("*/*/*"))
    reply = Client(server, "nonsense").ask("PUT", "blobs", body)
    assert reply.status == status
    assert set(stored.glob("*/*/*")) == before


def test_a_wrong_content_is_thrown_away_and_may_be_sent_again(server: Background) -> None:
    data = os.urandom(1000)
    client = Client(server, "wrong")
    reply = client.put(sha256(data), 0, 1000, data[:-1] + bytes([data[-1] ^ 1]))
    assert (reply.status, reply.json()["offset"]) == (422, 0)
    reply = client.put(sha256(data), 0, 10, data)  # more than was announced
    assert reply.status == 422
    assert client.state(sha256(data), 1000) == {"offset": 0, "complete": False}
    client.send(data)


def test_an_empty_content_is_one(server: Background) -> None:
    client = Client(server, "empty")
    name = client.send(b"")
    reply = client.ask("GET", f"blobs/{name}")
    assert (reply.status, reply.body) == (200, b"")


def test_what_arrives_before_a_connection_breaks_stays(server: Background) -> None:
    data = os.urandom(2 << 20)
    client = Client(server, "broken")
    host = server.url.removeprefix("http://")
    with closing(http.client.HTTPConnection(host, timeout=60)) as connection:
        path = f"/api/projects/p/runs/broken/blobs/{sha256(data)}?offset=0&size={len(data)}"
        connection.putrequest("PUT", path)
        connection.putheader("Authorization", f"Bearer {server.token}")
        connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data[: 3 << 19])
    offset = eventually(lambda: client.state(sha256(data), len(data))["offset"])
    assert 0 < offset <= 3 << 19

    def rest() -> bool:  # the broken connection may still hold it for a moment
        at = client.state(sha256(data), len(data))["offset"]
        reply = client.put(sha256(data), at, len(data), data[at:])
        return reply.status == 200 and reply.json()["complete"]

    eventually(rest)
    assert client.ask("GET", f"blobs/{sha256(data)}").body == data


def test_an_upload_goes_on_after_the_server_was_killed(tmp_path: Path) -> None:
    """What had arrived is hashed anew."""
    data = os.urandom(500_000)
    name, size = sha256(data), len(data)
    first = start_background(tmp_path / "data")
    assert Client(first, "r").put(name, 0, size, data[:400_000]).status == 200
    first.process.kill()
    first.process.wait()
    second = start_background(tmp_path / "data")
    try:
        client = Client(second, "r")
        assert client.state(name, size) == {"offset": 400_000, "complete": False}
        assert client.put(name, 400_000, size, data[400_000:]).json()["complete"]
        assert client.ask("GET", f"blobs/{name}").body == data
    finally:
        assert second.stop() == 0


def test_contents_of_no_run_go_when_the_server_starts(tmp_path: Path) -> None:
    """What a server that was killed while it deleted left behind."""
    server = start_background(tmp_path / "data")
    client = Client(server, "r")
    kept = client.send(b"kept")
    server.stop()
    (place,) = (tmp_path / "data" / "files").glob(f"*/*/{kept}")
    orphan = place.parent.parent / "aa" / ("a" * 64)
    orphan.parent.mkdir()
    orphan.write_bytes(b"orphan")
    for path in (place, orphan):
        os.utime(path, (1e9, 1e9))
    server = start_background(tmp_path / "data")
    try:
        eventually(lambda: not orphan.exists())
        assert place.read_bytes() == b"kept"
    finally:
        server.stop()


def test_chunks_are_bounded(server: Background) -> None:
    client = Client(server, "bounded")
    size = CHUNK_BYTES + 1
    reply = client.put("0" * 64, 0, size, bytes(size))
    assert reply.status == 413
    assert client.put("0" * 64, 0, CHUNK_BYTES * 2, bytes(CHUNK_BYTES)).status == 200


@pytest.mark.parametrize(
    "path",
    ["blobs/abc", "blobs/" + "A" * 64, "blobs/..%2F..%2Fserver.lock", "blobs/" + "0" * 63 + "%00"],
)
def test_only_a_sha256_names_a_content(server: Background, path: str) -> None:
    client = Client(server, "names")
    assert client.ask("GET", path).status == 404
    assert client.ask("PUT", path + "?offset=0&size=1", b"x").status == 404
    assert client.ask("GET", path + "/state?size=1").status == 404


def test_a_range_is_given(server: Background) -> None:
    data = os.urandom(10_000)
    client = Client(server, "ranges")
    name = client.send(data)
    reply = client.ask("GET", f"blobs/{name}", Range="bytes=100-199")
    assert (reply.status, reply.body) == (206, data[100:200])
    assert reply.headers["content-range"] == "bytes 100-199/10000"
    assert client.ask("GET", f"blobs/{name}", Range="bytes=20000-").status == 416


def test_what_a_browser_may_show_is_a_short_list(server: Background) -> None:
    """And everything is under a sandbox, of no other type, and never kept without asking."""
    client = Client(server, "types")
    name = client.send(b"<script>alert(1)</script>")
    for kind, path in (("image/png", "a.png"), ("image/svg+xml", "a.svg"), ("text/html", "a.htm")):
        client.tell({"path": path, "sha256": name, "size": 25, "type": kind, "role": "save"})
        reply = client.ask("GET", f"blobs/{name}?name=%E4%B8%AD%0D%0Ax%22.{path}&download=0")
        how = reply.headers["content-disposition"].partition(";")[0]
        is_picture = kind == "image/png"
        assert how == ("inline" if is_picture else "attachment"), kind
        expected = "image/png" if is_picture else "application/octet-stream"
        assert reply.headers["content-type"] == expected
        assert "filename*=utf-8''%E4%B8%ADx%22.a." in reply.headers["content-disposition"]
        assert "sandbox" in reply.headers["content-security-policy"]
        assert "nosniff" in reply.headers["x-content-type-options"]
    assert shown_as("text/x-python") == "text/plain; charset=utf-8"
    for kind in (None, "text/html", "image/svg+xml", "application/pdf", "text/xml", "text/css"):
        assert shown_as(kind) is None
    assert file_name("../../etc/passwd") == "passwd"
    assert file_name("a\\b\r\nc") == "bc"


def test_a_run_gives_only_what_is_its_own(server: Background) -> None:
    """A content of another run of the project is not found, until this run has it too; that of
    another project cannot even be asked for."""
    data = os.urandom(1000)
    one = Client(server, "mine")
    name = one.send(data)
    two = Client(server, "yours")
    assert two.ask("GET", f"blobs/{name}").status == 404
    assert two.state(name, 1000) == {"offset": 1000, "complete": True}
    assert two.put(name, 1000, 1000, b"").json() == {"offset": 1000, "complete": True}
    assert two.ask("GET", f"blobs/{name}").body == data
    far = Client(server, "far", "elsewhere")
    assert far.state(name, 1000) == {"offset": 0, "complete": False}
    missing = far.ask("POST", "blobs/missing", {"sha256": [name]}).json()
    assert missing == {"missing": [name]}
    three = Client(server, "third")
    absent = "0" * 64
    reply = three.ask("POST", "blobs/missing", {"sha256": [name, absent]})
    assert reply.json() == {"missing": [absent]}
    assert three.ask("GET", f"blobs/{name}").body == data


def test_files_are_listed_by_path(server: Background) -> None:
    """The latest of each, or all versions; by role, by prefix, page by page."""
    client = Client(server, "listed")
    there = client.send(b"there")
    gone = "1" * 64
    client.tell(
        {"path": "b/x", "sha256": gone, "size": 9, "role": "save", "state": "ok"},
        {"path": "a", "sha256": there, "size": 5, "role": "save", "m": {"score": 1}},
        {"path": "b/x", "sha256": there, "size": 5, "role": "save", "state": "changed", "why": "y"},
        {"path": "b/x", "sha256": gone, "size": 1, "role": "media", "spool": "w-1.png"},
        {"path": "c", "sha256": None, "size": None, "role": "save", "state": "vanished"},
        {"path": "b", "sha256": gone, "size": 3, "role": "code", "state": "local"},
    )
    found = client.files()["files"]
    assert [(file["path"], file["role"]) for file in found] == [
        ("a", "save"), ("b", "code"), ("b/x", "save"), ("b/x", "media"), ("c", "save"),
    ]  # fmt: skip
    assert [file["present"] for file in found] == [True, False, True, False, False]
    assert found[0]["meta"] == {"score": 1}
    assert (found[2]["state"], found[2]["why"]) == ("changed", "y")
    assert len(client.files("?versions=1")["files"]) == 6
    assert [file["path"] for file in client.files("?role=save")["files"]] == ["a", "b/x", "c"]
    assert [file["path"] for file in client.files("?prefix=b/")["files"]] == ["b/x", "b/x"]
    paths, query = [], "?limit=2"
    while True:
        page = client.files(query)
        paths += [file["path"] for file in page["files"]]
        if page["next"] is None:
            break
        query = f"?limit=2&after={page['next']}"
    assert paths == ["a", "b", "b/x", "b/x", "c"]
    assert client.ask("GET", "files?after=nonsense").status == 400
    detail = client.ask("GET", "/api/projects/p/runs/listed").json()
    assert detail["has"]["files"] == 3


@pytest.mark.parametrize(
    "body",
    [
        {"path": "", "sha256": None},
        {"path": 3},
        {"path": "a", "sha256": "../../x", "size": 1},
        {"path": "a", "sha256": "0" * 64, "size": -1},
        {"path": "a", "sha256": "0" * 64, "size": True},
    ],
    ids=str,
)
def test_a_record_that_tells_nonsense_is_a_gap(server: Background, body: dict[str, Any]) -> None:
    client = Client(server, f"nonsense-{abs(hash(str(body))) % 10**8}")
    client.tell(body)
    assert client.files() == {"files": [], "next": None}
    assert client.ask("GET", f"/api/projects/p/runs/{client.run}").json()["gaps"] == 1
