"""``save()`` on a file system that shares blocks (XFS, Btrfs), made for the test in a file."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from files_kit import Run, script

from outrider import api, keeping
from outrider.journal.reader import find_folders

KINDS = {"xfs": ("mkfs.xfs", "-q", "-m", "reflink=1"), "btrfs": ("mkfs.btrfs", "-q")}


@pytest.fixture(scope="module", params=KINDS)
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A mounted file system with reflinks; a skip that says why where none can be made."""
    command = KINDS[request.param]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    folder = tmp_path_factory.mktemp(request.param)
    image, place = folder / "image", folder / "mounted"
    with image.open("wb") as file:
        file.truncate(400 << 20)
    place.mkdir()
    for words in ([*command, str(image)], ["mount", "-o", "loop", str(image), str(place)]):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"{words[0]} is not possible here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)  # a streamer may still look in


@pytest.fixture
def there(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run there, its folder the working folder."""
    monkeypatch.setattr(keeping, "_no_reflinks", set())
    folder = shared / os.urandom(4).hex()
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Run(folder)


def test_what_save_saw_is_kept_whatever_is_written_next(there: Run) -> None:
    """Frozen inside ``save()``: rewritten in place at once, with the same length, and removed."""
    old = os.urandom(8 << 20)
    Path("model").write_bytes(old)
    before = os.statvfs(".").f_bavail
    there.save("model")
    taken = (before - os.statvfs(".").f_bavail) * os.statvfs(".").f_frsize
    assert taken < 1 << 20  # no block was copied
    with open("model", "r+b") as file:
        file.write(os.urandom(len(old)))
    os.unlink("model")
    (asked,) = there.records("save")
    assert "held" not in asked
    there.work()
    (told,) = there.told()
    assert (told["state"], there.content(told)) == ("ok", old)
    assert list((there.path / "files" / "spool").iterdir()) == []


def test_a_file_that_is_copied_later_is_shared_too(there: Run) -> None:
    """``live`` and ``end``: the streamer's copy is one call, and one state."""
    size = 8 << 20
    Path("log").write_bytes(os.urandom(size))
    there.save("log", policy="end")
    os.sync()
    before = os.statvfs(".").f_bavail
    there.work(is_last=True)
    assert (before - os.statvfs(".").f_bavail) * os.statvfs(".").f_frsize < size // 2
    (told,) = there.told()
    assert (told["state"], there.content(told)) == ("ok", Path("log").read_bytes())


def test_from_another_file_system_it_is_copied(there: Run, tmp_path: Path) -> None:
    """Neither shared nor linked: the copy is compared as anywhere, the next one not even tried."""
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(b"elsewhere")
    there.save(str(tmp_path / "*"))
    assert len(keeping._no_reflinks) == 1
    assert all("spool" not in asked and "held" not in asked for asked in there.records("save"))
    there.work()
    assert [(told["state"], there.content(told)) for told in there.told()] == 2 * [
        ("ok", b"elsewhere")
    ]


def test_a_script_of_its_own_keeps_what_it_saved(there: Run) -> None:
    """A real trainer and its streamer: 20 states of one file, each as it was."""
    program = """
import os
from outrider import core
run = core.init("p", id="own", mode="offline")
with open("state", "w+b") as file:
    for number in range(20):
        file.seek(0)
        file.write(b"%04d" % number * 5000)
        file.flush()
        core.save("state")
core.finish()
"""
    done = script(Path.cwd(), program, dict(os.environ))
    assert done.returncode == 0, done.stderr
    (folder,) = (found for found in find_folders(Path.cwd()) if found.meta()["id"] == "own")
    versions = api.open(folder.path).files("save", versions=True)
    assert [file.state for file in versions] == 20 * ["ok"]
    assert sorted(file.read() for file in versions) == [b"%04d" % n * 5000 for n in range(20)]
