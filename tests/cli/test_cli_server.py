"""Commands against a real server: sync, clean, login, tokens, and reading from afar."""

from __future__ import annotations

import shutil
import socket
from typing import TYPE_CHECKING

import orjson
import pytest

from outrider import credentials
from outrider_server.background import Background, start_background

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cli_shell import Shell


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Background]:
    """A server of this very user, so that its token is found."""
    made = start_background(tmp_path / "data")
    yield made
    made.stop()


@pytest.fixture
def online(recorded: Shell, server: Background) -> Shell:
    """A folder with two undelivered runs, and a server to send them to."""
    recorded.env["OUTRIDER_URL"] = server.url
    return recorded


def test_sync_sends_everything_once(online: Shell) -> None:
    local = online("show", "two", "--json").json()
    first = online("sync", "--json").json()
    assert [(one["id"], one["delivered"], one["behind"]) for one in first] == [
        ("one", True, 0),
        ("two", True, 0),
    ]
    assert online("status", "--check").code == 0
    assert online("sync").out == "everything is delivered\n"
    (folder,) = online.folder.glob(".outrider/runs/*-two")
    again = online("sync", str(folder))
    assert (again.code, "nothing was missing" in again.out) == (0, True)

    listed = online("runs", "--server", "--json").json()
    assert sorted(run["id"] for run in listed) == ["one", "two"]
    (folder / "run.json").unlink()
    remote = online("show", "mnist/two", "--json").json()
    assert remote["origin"].startswith("http")
    for name in ("id", "name", "state", "config", "summary", "metrics", "tags", "gaps"):
        assert remote[name] == local[name], name


def test_a_copied_folder_is_sent_from_elsewhere(online: Shell, tmp_path: Path) -> None:
    (folder,) = online.folder.glob(".outrider/runs/*-one")
    shutil.copytree(folder, tmp_path / "copy")
    assert online("sync", str(tmp_path / "copy")).code == 0
    assert len(online("export", "one", "--url", online.env["OUTRIDER_URL"]).out.splitlines()) == 4


def test_a_killed_run_is_sent_with_its_end(shell: Shell, server: Background) -> None:
    script = (
        "import os, signal; from outrider import core\n"
        "core.init('mnist', id='dead', mode='offline')\n"
        "for step in range(100): core.log({'a': step})\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert shell.python(script).code == -9
    shell.env["OUTRIDER_URL"] = server.url
    shown = shell("sync")
    assert shown.code == 0, shown.out + shown.err
    found = shell("show", "mnist/dead", "--url", server.url, "--json").json()
    assert (found["state"], found["summary"]["a"]) == ("killed", 99.0)
    rows = shell("tail", "mnist/dead", "--url", server.url, "-n", "3", "--json").out.splitlines()
    assert [orjson.loads(row)["a"] for row in rows] == [97.0, 98.0, 99.0]


def test_export_is_the_same_from_both_sides(online: Shell) -> None:
    online("sync")
    for form in ("jsonl", "csv"):
        here = online("export", "two", "-f", form)
        there = online("export", "two", "-f", form, "--url", online.env["OUTRIDER_URL"])
        assert here.out == there.out
        assert here.code == there.code == 0


def test_clean_removes_what_the_server_has_and_nothing_else(online: Shell) -> None:
    folders = sorted(online.folder.glob(".outrider/runs/2*"))
    shown = online("clean", "--dry-run")
    assert shown.out.count("stays: the server does not have it") == 2
    (one,) = online.folder.glob(".outrider/runs/*-one")
    assert online("sync", str(one)).code == 0
    with open(next((one / "journal").glob("*.jsonl")), "ab") as file:
        file.write(b'{"t":1e9,"s":99,"p":{"late":1}}\n')
    assert "32 B are not delivered" in online("clean", "--dry-run").out
    assert online("sync").code == 0
    assert online("clean").code == 2
    assert sorted(online.folder.glob(".outrider/runs/2*")) == folders
    shown = online("clean", "--yes")
    assert (shown.code, "2 removed" in shown.out) == (0, True)
    assert list(online.folder.glob(".outrider/runs/*")) == [online.folder / ".outrider/runs/by-id"]
    assert list(online.folder.glob(".outrider/runs/by-id/*")) == []
    assert online("show", "one", "--json").json()["id"] == "one"


def test_clean_keeps_what_the_server_lost(online: Shell) -> None:
    from outrider.api import Client

    assert online("sync").code == 0
    client = Client(online.env["OUTRIDER_URL"])
    client.ask("DELETE", "/api/projects/mnist/runs/one")
    said = {row["id"]: row for row in online("clean", "--yes", "--json").json()}
    assert said["one"]["kept_because"] == "the server does not have it"
    assert (said["one"]["removed"], said["two"]["removed"]) == (False, True)


def test_runs_are_filtered_sorted_and_shown_with_columns(online: Shell) -> None:
    online("sync")
    shown = online("runs", "-f", "config.lr > 0.01", "--sort", "-summary.acc", "-c", "summary.acc")
    rows = [line.split() for line in shown.out.splitlines()[1:]]
    assert [(row[2], row[-1]) for row in rows] == [("two", "0.4"), ("one", "0.2")]
    shown = online("runs", "--filter", "config.lr >")
    assert shown.code == 1
    assert "error:" in shown.err


def test_tokens_are_made_listed_and_revoked(online: Shell) -> None:
    made = online("tokens", "create", "ci", "--role", "read", "--project", "mnist", "--json").json()
    listed = online("tokens", "list", "--json").json()
    assert ("ci", "read", ["mnist"]) in [
        (item["name"], item["role"], item["projects"]) for item in listed
    ]
    reader = {"OUTRIDER_API_KEY": made["token"]}
    assert online("runs", "--server", "--json", **reader).code == 0
    refused = online("sync", **reader)
    assert refused.code in (5, 6)
    assert online("tokens", "list", **reader).code == 5
    assert online("tokens", "revoke", made["id"]).code == 0
    shown = online("runs", "--server", **reader)
    assert shown.code == 5
    assert "outrider login" in shown.err
    assert online("tokens", "revoke", "nothing").code == 3


def test_login_keeps_a_token_that_works_and_only_that(online: Shell, server: Background) -> None:
    token = online("tokens", "create", "me", "--json").json()["token"]
    path = credentials.credentials_path()
    assert path is not None
    wrong = online("login", server.url, "--renew", "--no-browser", stdin="nonsense\n")
    assert wrong.code == 5
    assert credentials.token_for(server.url) != token
    right = online("login", server.url, "--renew", "--no-browser", stdin=token + "\n")
    assert right.code == 0, right.err
    assert "logged in" in right.out
    assert token not in right.out + right.err
    found = credentials.token_for(server.url)
    assert found is not None
    assert found.value == token
    del online.env["OUTRIDER_URL"]
    assert online("status", "--json").json()["url"] == server.url
    assert "forgotten" in online("login", server.url, "--forget").out


def test_login_to_ones_own_server_gives_a_link(online: Shell, server: Background) -> None:
    shown = online("login", "--no-browser")
    assert shown.code == 0
    assert f"{server.url}/login?code=" in shown.out
    assert server.token not in shown.out


def test_login_where_somebody_else_answers_sends_no_token(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        import threading

        heard: list[bytes] = []

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                heard.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        shown = shell("login", url, "--no-browser", stdin="my-token\n")
        thread.join()
    assert shown.code == 4
    assert "not as an Outrider server" in shown.err
    assert b"my-token" not in heard[0]


def test_doctor_is_content_with_a_server_and_a_token(online: Shell) -> None:
    shown = online("doctor", "--json")
    assert shown.code == 0, shown.out
    states = {check["name"]: check["state"] for check in shown.json()["checks"]}
    assert states["server"] == states["token"] == "good"
    assert states["delivery"] == "note"
    shown = online("doctor", OUTRIDER_API_KEY="nonsense")
    assert shown.code == 1
    assert "login --renew" in shown.out


def test_an_occupied_port_is_a_message_and_a_hint(shell: Shell, server: Background) -> None:
    port = server.url.rpartition(":")[2]
    shown = shell("server", "--port", port, "--data", str(shell.folder / "data"))
    assert shown.code == 1
    assert "error:" in shown.err
    assert "hint:" in shown.err
    assert "Traceback" not in shown.err
