"""Starting and stopping: clear words when it cannot start, nothing lost when it stops."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from server_kit import Client, Start, points

from outrider import credentials
from outrider.errors import OutriderError
from outrider_server.background import start_background
from waiting import eventually


def failing(data: Path, **more: Any) -> str:
    """What a server that cannot start says."""
    with pytest.raises(OutriderError) as caught:
        start_background(data, **more)
    words = str(caught.value)
    assert "hint:" in words
    assert "Traceback" not in words
    return words


def test_a_local_client_of_the_same_user_finds_the_token(start: Start) -> None:
    """By the port alone, as long as the server runs."""
    server = start()
    found = credentials.token_for(server.url)
    assert found is not None
    assert found.value == server.token
    assert Client(server.url, found.value).get("/api/me").json()["role"] == "admin"
    assert server.stop() == 0
    assert credentials.token_for(server.url) is None


def test_the_login_link_logs_a_browser_in(start: Start) -> None:
    """The one that is printed at the start."""
    server = start()
    nobody = Client(server.url)
    reply = nobody.get(server.link.removeprefix(server.url))
    assert reply.status == 303
    cookie = {"Cookie": reply.headers["set-cookie"].partition(";")[0]}
    assert nobody.get("/api/me", headers=cookie).status == 200


def test_a_port_that_another_program_has_is_named(tmp_path: Path) -> None:
    """With the program's name and process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        words = failing(tmp_path / "data", port=listener.getsockname()[1])
    assert "is taken by" in words
    assert str(os.getpid()) in words
    assert "Outrider" not in words


def test_a_port_that_an_outrider_has_is_recognised(start: Start, tmp_path: Path) -> None:
    """So that nobody looks for a stranger."""
    server = start()
    words = failing(tmp_path / "other", port=int(server.url.rpartition(":")[2]))
    assert "an Outrider server" in words
    assert str(server.process.pid) in words


def test_two_servers_cannot_share_a_data_folder(start: Start, tmp_path: Path) -> None:
    """The second says who has it; after the first has gone, even by SIGKILL, it can."""
    server = start()
    words = failing(tmp_path / "data")
    assert server.url in words
    assert str(server.process.pid) in words
    server.process.kill()
    server.process.wait()
    assert start().url


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """Nothing is written into it."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "cat.jpg").write_bytes(b"x")
    assert "cat.jpg" in failing(folder)
    assert [path.name for path in folder.iterdir()] == ["cat.jpg"]
    (tmp_path / "file").write_text("x")
    assert "not a folder" in failing(tmp_path / "file")
    for number, content in enumerate(("garbage", "[]")):
        marked = tmp_path / f"marked{number}"
        marked.mkdir()
        (marked / "outrider-server.json").write_text(content)
        assert "not an Outrider server's mark" in failing(marked)


def test_a_folder_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """Upgrading is the hint."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "outrider-server.json").write_text('{"format":99,"id":"x"}')
    assert "newer version" in failing(folder)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """/proc takes no folder, whoever asks."""
    assert "/proc/outrider" in failing(Path("/proc/outrider"), log=tmp_path / "log")


def test_nonsense_arguments_are_refused(tmp_path: Path) -> None:
    """Ports, hosts, limits and stores that cannot be."""
    data = tmp_path / "data"
    assert "not a port" in failing(data, port=70000)
    assert "address" in failing(data, host="no.such.host.invalid")
    assert "address" in failing(data, host="203.0.113.7")
    assert "limit" in failing(data, arguments=["--limit=nonsense=1"])
    assert failing(data, arguments=["--store=mysql://x"])


def test_folders_and_files_are_for_this_user_alone(start: Start, tmp_path: Path) -> None:
    """Whatever the umask."""
    before = os.umask(0)
    try:
        server = start()
        Client(server.url, server.token).create_run("r")
    finally:
        os.umask(before)
    for path in [tmp_path / "data", *(tmp_path / "data").rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def send_for_ever(client: Client, run: str, acked: list[int], stop: threading.Event) -> None:
    """Send one point after the other, as a streamer does, through every outage."""
    offset = step = 0
    while not stop.is_set():
        raw = points(step, 1)
        try:
            reply = client.append(run, offset, raw)
        except (OSError, http.client.HTTPException):  # also one that is cut off in the middle
            time.sleep(0.02)
            continue
        if reply.status == 200:
            offset = reply.json()["offset"]
            acked.append(step)
            step += 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_restart_loses_nothing_and_doubles_nothing(start: Start, number: int) -> None:
    """Every acknowledged point is there once after stops in the middle of traffic."""
    server = start()
    port = int(server.url.rpartition(":")[2])
    client = Client(server.url, server.token)
    client.create_run("r")
    acked: list[int] = []
    stop = threading.Event()
    thread = threading.Thread(target=send_for_ever, args=(client, "r", acked, stop))
    thread.start()
    try:
        for _ in range(2):
            seen = len(acked)
            eventually(lambda: len(acked) >= seen + 5)  # noqa: B023 - called here and now
            server.process.send_signal(number)
            server.process.wait(30)
            if number != signal.SIGKILL:
                assert server.process.returncode == 0
            server = start(port=port)
            # A port of one's own choice keeps its token; the first was taken at random.
            client.token = server.token
        seen = len(acked)
        eventually(lambda: len(acked) >= seen + 5)
    finally:
        stop.set()
        thread.join()
    found = client.get("/api/projects/p/runs/r/points?key=loss").json()
    stored = found["steps"]
    assert stored[: len(acked)] == acked
    assert len(stored) <= len(acked) + 1
    assert sorted(set(stored)) == stored


def test_the_local_token_and_sessions_survive_a_restart(start: Start) -> None:
    """On the same port, running streamers and open pages just go on."""
    first = start()
    port = int(first.url.rpartition(":")[2])
    first.stop()
    second = start(port=port)
    client = Client(second.url, second.token)
    cookie = {"Cookie": client.session()}
    token = client.token_of("write")[1]
    assert second.stop() == 0
    third = start(port=port)
    assert third.token == second.token
    nobody = Client(third.url)
    assert nobody.get("/api/me", headers=cookie).json()["role"] == "admin"
    assert nobody.with_token(token).get("/api/me").json()["role"] == "write"


def test_a_request_in_flight_is_finished_by_a_stop(start: Start) -> None:
    """A batch whose body is still on its way is committed and acknowledged."""
    server = start()
    client = Client(server.url, server.token)
    client.create_run("r")
    raw = points(0, 10)
    with client.socket() as connection:
        path = "/api/projects/p/runs/r/journal/main/1?offset=0"
        head = f"POST {path} HTTP/1.1\r\nHost: {client.host}\r\n"
        head += f"Authorization: Bearer {client.token}\r\nContent-Length: {len(raw)}\r\n\r\n"
        connection.sendall(head.encode() + raw[:20])
        time.sleep(0.3)
        server.process.terminate()
        time.sleep(0.5)
        connection.sendall(raw[20:])
        answer = b""
        while not answer.endswith(b"}"):
            part = connection.recv(4096)
            assert part, answer
            answer += part
        assert b" 200 " in answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"offset": len(raw)}
    assert server.process.wait(30) == 0


def test_a_client_that_never_finishes_does_not_keep_the_server(start: Start) -> None:
    """After its patience the server stops without it."""
    server = start(arguments=["--limit=stop_seconds=1"])
    client = Client(server.url, server.token)
    client.create_run("r")
    with client.socket() as connection:
        path = "/api/projects/p/runs/r/journal/main/1?offset=0"
        head = f"POST {path} HTTP/1.1\r\nHost: {client.host}\r\n"
        head += f"Authorization: Bearer {client.token}\r\nContent-Length: 1000\r\n\r\nx"
        connection.sendall(head.encode())
        time.sleep(0.2)
        server.process.terminate()
        assert server.process.wait(30) == 0


def test_a_page_that_was_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    """And appears without a restart once it is there."""
    from starlette.requests import Request

    from outrider_server.problems import Problem
    from outrider_server.static_page import Page

    def request(path: str, **headers: str) -> Request:
        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        return Request({"type": "http", "path": path, "headers": raw, "query_string": b""})

    page = Page(str(tmp_path))
    missing = page.index(request("/"))
    assert missing.status_code == 503
    assert b"hatch_build.py" in missing.body
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-AbCd1234.js").write_text("let x = 1;\n" * 500)
    (tmp_path / "secret.html").write_text("x")
    (tmp_path / "index.html").write_text("<!doctype html>built")
    index = page.index(request("/p/x"))
    assert (index.status_code, index.headers["cache-control"]) == (200, "no-cache")
    assert page.index(request("/nowhere", if_none_match=index.headers["etag"]), 404).body
    again = page.index(request("/", if_none_match=index.headers["etag"]))
    assert (again.status_code, again.body) == (304, b"")
    script = page.file(request("/assets/index-AbCd1234.js", accept_encoding="gzip, br"))
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["content-encoding"] == "gzip"
    for name in ("/assets/other.js", "/assets/../index.html", "/index.html", "/secret.html"):
        with pytest.raises(Problem):
            page.file(request(name))


def test_a_large_answer_is_sent_smaller_to_who_can_read_that(start: Start) -> None:
    """By zstd or gzip as it is accepted, the same to the byte; as it is to all others, and where small."""
    import gzip

    import zstandard

    server = start()
    client = Client(server.url, server.token)
    plain = client.get("/api/openapi.json")
    assert "content-encoding" not in plain.headers
    readers = {
        "gzip": gzip.decompress,
        "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
    }
    for form, read in readers.items():
        accepts = {"Accept-Encoding": "gzip, deflate" if form == "gzip" else "gzip, br, zstd"}
        reply = client.get("/api/openapi.json", headers=accepts)
        assert reply.headers["content-encoding"] == form
        assert reply.headers["vary"] == "accept-encoding"
        assert read(reply.body) == plain.body
        assert len(reply.body) < len(plain.body) / 2
        assert "content-encoding" not in client.get("/api/me", headers=accepts).headers
