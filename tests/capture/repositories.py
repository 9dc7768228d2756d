"""Real repositories, trainers that run in them, and what a folder holds."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outrider import api
from outrider.ids import host_label
from outrider.journal.reader import find_folders
from outrider.streamer.lock import is_held
from outrider.streamer.status import read_status
from waiting import eventually

TRAIN = """\
import sys
from outrider import core
core.init("code", id={id!r}, config={{"lr": 0.1}})
core.log({{"loss": 1.0}})
core.finish()
"""
PATIENCE = 60.0
IDENTITY = {
    "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "init.defaultBranch", "GIT_CONFIG_VALUE_0": "main",
    "GIT_CONFIG_KEY_1": "protocol.file.allow", "GIT_CONFIG_VALUE_1": "always",
}  # fmt: skip


def git(folder: Path, *arguments: str) -> str:
    """What git prints; a test fails where it says no."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env={**os.environ, **IDENTITY}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"git {arguments}: {done.stderr}"
    return done.stdout


def make(folder: Path, files: dict[str, bytes | str], *, commit: bool = True) -> Path:
    """A repository with these files in one commit."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q")
    write(folder, files)
    if commit:
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", "first")
    return folder


def write(folder: Path, files: dict[str, bytes | str]) -> None:
    """Write files, their folders with them."""
    for parent in {(folder / name).parent for name in files}:
        parent.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        with open(folder / name, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())


def tree(folder: Path) -> dict[str, tuple[bool, str]]:
    """Every file of a work tree: whether it is a program, and its hash."""
    found = {}
    for path in _files(folder):
        data = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        is_program = not path.is_symlink() and bool(path.stat().st_mode & 0o100)
        found[str(path.relative_to(folder))] = (is_program, hashlib.sha256(data).hexdigest())
    return found


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in (".git", ".outrider"):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        else:
            yield path


def untouched(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Everything below .git: size, time, inode; the same before and after means nobody wrote."""
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            status = os.lstat(os.path.join(at, name))
            found[os.path.join(at, name)] = (status.st_size, status.st_mtime_ns, status.st_ino)
    return found


def run(
    folder: Path, *arguments: str, script: str = "train.py", cwd: Path | None = None, **env: str
) -> Path:
    """Run a training in a folder until its streamer is done; returns the run's folder."""
    cwd = cwd or folder
    done = subprocess.run(
        [sys.executable, str(folder / script), *arguments],
        cwd=cwd, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "OUTRIDER_SAMPLE_SECONDS": "60", "OUTRIDER_MODE": "offline", **env},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (found,) = find_folders(Path(env.get("OUTRIDER_DIR", cwd)))
    path = Path(found.path)
    status = path / f"delivery-{host_label()}.json"
    eventually(
        lambda: read_status(str(status)).get("done") and not is_held(found.path),
        lambda: (path / "streamer.log").read_text(),
    )
    return path


def code(folder: Path) -> dict[str, Any]:
    """What was captured of a run in a folder."""
    found = api.open(folder).code
    assert found is not None, (folder / "streamer.log").read_text()
    return found


def restore(cwd: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The command, as a person runs it in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "outrider.cli", "restore", *arguments],
        cwd=cwd, env={**os.environ, **IDENTITY, **env}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
