"""Whatever the umask: what is recorded, stored and remembered is for this user alone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from server_kit import Client, Start

from outrider import credentials
from outrider.settings import write_folder_setting
from waiting import eventually

if TYPE_CHECKING:
    from outrider_server.background import Background

SCRIPT = Path(__file__).parent / "trained.py"


@pytest.fixture
def open_umask() -> Iterator[None]:
    """The umask that hides nothing."""
    before = os.umask(0)
    yield
    os.umask(before)


def wrong_modes(top: Path) -> list[str]:
    """What is not 0700 or 0600 below a folder, itself included."""
    found = []
    for path in [top, *top.rglob("*")]:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            continue
        wanted = 0o700 if stat.S_ISDIR(status.st_mode) else 0o600
        if stat.S_IMODE(status.st_mode) != wanted:
            found.append(f"{path}: {stat.S_IMODE(status.st_mode):o}")
    return found


def train(folder: Path, server: Background, umask: str) -> None:
    """Run the script with a umask of its own, in a repository, until all has arrived."""
    env = {**os.environ, "OUTRIDER_URL": server.url, "OUTRIDER_API_KEY": server.token}
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), umask], cwd=folder, env=env, capture_output=True, text=True,
        timeout=150, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def delivered(client: Client) -> bool:
    """Whether the run and its files are at the server."""
    runs = client.get("/api/projects/modes/runs").json().get("runs", [])
    if not runs or runs[0]["state"] != "finished":
        return False
    files = client.get(f"/api/projects/modes/runs/{runs[0]['id']}/files").json()["files"]
    return any(one["path"] == "kept.txt" and one["present"] for one in files)


@pytest.mark.parametrize("umask", ["000", "277"])
def test_a_run_its_server_and_its_state_are_closed_to_others(
    start: Start, tmp_path: Path, umask: str, open_umask: None
) -> None:
    """At a umask that hides nothing, and at one that would hide too much from ourselves."""
    server = start()
    client = Client(server.url, server.token)
    folder = tmp_path / "training"
    folder.mkdir(0o777)
    train(folder, server, umask)
    eventually(lambda: delivered(client), "the run did not arrive")
    assert wrong_modes(tmp_path / "data") == []
    assert stat.S_IMODE((tmp_path / "data.log").stat().st_mode) == 0o600
    runs = [path for path in (folder / ".outrider" / "runs").iterdir() if path.name != "by-id"]
    assert len(runs) == 1
    assert list((runs[0] / "files").rglob("*"))
    assert wrong_modes(folder / ".outrider") == []
    for name in ("state", "config"):
        home = Path(os.environ["HOME"]) / name
        assert wrong_modes(home / "outrider") == [] if (home / "outrider").exists() else True


def test_what_is_remembered_is_closed_to_others(tmp_path: Path, open_umask: None) -> None:
    """Tokens, local servers and a folder's settings."""
    credentials.store("http://a.example", "one")
    credentials.write_local_server(9, url="http://x", token="t", data="/d", pid=1)
    write_folder_setting(str(tmp_path / "training"), "mode", "offline")
    home = Path(os.environ["HOME"])
    assert wrong_modes(home / "config" / "outrider") == []
    assert wrong_modes(home / "state" / "outrider") == []
    assert wrong_modes(tmp_path / "training" / ".outrider") == []


def test_a_data_folder_that_others_may_enter_is_closed(
    start: Start, tmp_path: Path, open_umask: None
) -> None:
    """One that was made by hand: else others could put another store in the place of ours."""
    (tmp_path / "data").mkdir(0o777)
    start()
    assert wrong_modes(tmp_path / "data") == []
