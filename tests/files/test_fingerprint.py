"""A data set's fingerprint: names and contents, and nothing else."""

from __future__ import annotations

import hashlib
import os
import pty
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from files_kit import script, sha256

from outrider import core, fingerprinting
from outrider.fingerprinting import Unreadable, fingerprint_of
from outrider.journal.reader import find_folders
from waiting import eventually

if TYPE_CHECKING:
    from outrider_server.background import Background


@pytest.fixture
def data(training: Path) -> Path:
    """A small data set."""
    folder = training / "data"
    for name in ("a.txt", "b/c.bin", "b/ünï.txt"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def test_a_files_is_what_sha256sum_prints(training: Path) -> None:
    Path("one").write_bytes(b"content")
    assert core.fingerprint("one") == f"sha256:{sha256(b'content')}"
    assert core.fingerprint(Path("one")) == core.fingerprint("./one")
    Path("none").write_bytes(b"")
    assert core.fingerprint("none") == f"sha256:{sha256(b'')}"


def test_a_folders_is_made_as_the_docs_say(data: Path) -> None:
    tree = hashlib.sha256()
    for name in sorted(("a.txt", "b/c.bin", "b/ünï.txt"), key=str.encode):
        tree.update(name.encode() + b"\0" + hashlib.sha256(name.encode()).digest())
    assert core.fingerprint(data) == f"sha256-tree:{tree.hexdigest()}"


def test_names_and_contents_count_and_nothing_else(data: Path, training: Path) -> None:
    before = core.fingerprint(data)
    copy = training / "copy"
    shutil.copytree(data, copy)
    os.utime(copy / "a.txt", (0, 0))
    (copy / "a.txt").chmod(0o600)
    (copy / "empty folder").mkdir()
    assert core.fingerprint(copy) == core.fingerprint(f"{copy}/") == before
    seen = {before}
    (copy / "a.txt").write_text("b.txt")
    seen.add(core.fingerprint(copy))
    (copy / "a.txt").rename(copy / "z.txt")
    seen.add(core.fingerprint(copy))
    (copy / "new").write_text("")
    seen.add(core.fingerprint(copy))
    assert len(seen) == 4


def test_a_folder_of_links_is_the_same_data_set(data: Path, training: Path) -> None:
    """As a cache of a hub makes them."""
    links = training / "links"
    links.mkdir()
    (links / "a.txt").symlink_to(data / "a.txt")
    (links / "b").symlink_to(data / "b")
    assert core.fingerprint(links) == core.fingerprint(data)
    (training / "all").symlink_to(data)
    assert core.fingerprint(training / "all") == core.fingerprint(data)


def test_nothing_is_stored(data: Path, training: Path) -> None:
    before = sorted(training.rglob("*"))
    core.fingerprint(data)
    assert sorted(training.rglob("*")) == before


def test_holes_are_zeros(training: Path) -> None:
    with open("sparse", "wb") as file:
        file.write(b"x")
        file.truncate(3 << 20)
    assert core.fingerprint("sparse") == f"sha256:{sha256(b'x' + bytes((3 << 20) - 1))}"


@pytest.mark.parametrize("what", ["nothing", "dangling", "fifo", "circle", "device"])
def test_what_cannot_be_read_is_said_once_and_never_raised(
    data: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = data
    if what == "nothing":
        path = data / "nothing"
    elif what == "dangling":
        (data / "dangling").symlink_to("nowhere")
    elif what == "fifo":
        os.mkfifo(data / "fifo")
    elif what == "circle":
        (data / "b" / "circle").symlink_to("..")
    else:
        path = Path("/dev/null")
    with pytest.raises(Unreadable):
        fingerprint_of(path)
    assert core.fingerprint(path) is None
    assert core.fingerprint(path) is None
    said = capsys.readouterr().err
    assert said.count("fingerprint():") == 1
    assert what in said or what == "device"
    assert "hint:" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_said(data: Path) -> None:
    (data / "a.txt").chmod(0)
    with pytest.raises(Unreadable, match="Permission denied"):
        fingerprint_of(data)


def test_a_file_that_changes_meanwhile_has_none(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fingerprinting.contents.pieces

    def meddled(fd: int, size: int) -> object:
        yield from real(fd, size)
        (data / "a.txt").write_text("other")

    monkeypatch.setattr(fingerprinting.contents, "pieces", meddled)
    with pytest.raises(Unreadable, match="changed while it was read"):
        fingerprint_of(data / "a.txt")


def test_progress_is_shown_when_it_takes_long(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bar on a terminal, a line elsewhere, nothing within the first second."""
    core.fingerprint(data)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(fingerprinting, "BAR_AFTER", 0.0)
    core.fingerprint(data)
    assert "fingerprint of data [" in capsys.readouterr().err
    shown, terminal = pty.openpty()
    with os.fdopen(terminal, "w") as err, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", err)
        core.fingerprint(data)
        bar = ""
        while not bar.endswith("\n"):
            bar += os.read(shown, 4096).decode()
    os.close(shown)
    assert bar.startswith("\routrider: fingerprint of data [")
    assert "3/3 files" in bar
    assert bar.rstrip("\r").endswith("\n")


def test_all_runs_of_one_data_set_are_found(
    server: Background, env: dict[str, str], data: Path, training: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """By a filter on the config, at the server."""
    from outrider import api

    program = """
from outrider import core
core.init("sets", id="{id}")
core.config.update({{"data": core.fingerprint("data")}})
core.finish()
"""
    for run in ("one", "two"):
        assert script(training, program.format(id=run), env).returncode == 0
    name = core.fingerprint("data")
    (data / "a.txt").write_text("changed")
    assert script(training, program.format(id="three"), env).returncode == 0
    monkeypatch.setenv("OUTRIDER_API_KEY", server.token)
    client = api.Client(server.url)
    eventually(lambda: all("data" in run.config for run in client.runs("sets")))
    found = client.runs("sets", filter=f'config.data = "{name}"')
    assert sorted(run.id for run in found) == ["one", "two"]
    assert len(find_folders(training)) == 3
