"""What is captured in every kind of repository, and that git never writes into one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from repositories import TRAIN, code, git, make, restore, run, tree, untouched, write

from outrider import api
from outrider.capture import changes
from outrider.capture.code import Capture
from outrider.journal.reader import RunFolder, find_folders
from waiting import eventually

if TYPE_CHECKING:
    from outrider_server.background import Background


def test_the_repository_is_never_written_to(tmp_path: Path) -> None:
    """Nothing below .git changes, though git would like to refresh its index and run filters."""
    origin = make(
        tmp_path / "origin",
        {
            "train.py": TRAIN.format(id="r"),
            "a.py": "a = 1\n",
            ".gitattributes": "*.big filter=evil\n",
        },
    )
    marker = tmp_path / "ran"
    for name in ("filter.evil.clean", "diff.external", "core.fsmonitor", "diff.evil.textconv"):
        git(origin, "config", name, f"touch {marker}; cat")
    git(origin, "config", "core.untrackedCache", "true")
    write(origin, {"a.py": "a = 2\n", "b.py": "b = 1\n"})
    for path in origin.glob("*.py"):
        os.utime(path, (1e9, 1e9))
    before = untouched(origin / ".git")
    folder = run(origin)
    assert untouched(origin / ".git") == before
    assert not marker.exists()
    said = code(folder)
    assert (said["dirty"], said["changed"]) == (True, 1)
    assert said["commit"] == git(origin, "rev-parse", "HEAD").strip()
    assert (folder / "code" / "diff.patch").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (folder / "code").iterdir() if path.suffix == ".tmp"] == []


def test_touched_files_are_no_changes(tmp_path: Path) -> None:
    """A file with another time and the same content is as it was."""
    origin = make(tmp_path / "origin", {"train.py": TRAIN.format(id="r"), "a.py": "a = 1\n"})
    os.utime(origin / "a.py", (1e9, 1e9))
    said = code(run(origin))
    assert (said["dirty"], said["changed"], said["patch"]) == (False, 0, None)
    assert said["program"] == "train.py"


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    """What is staged is the patch, the rest are sources; it comes back in an empty repository."""
    origin = make(
        tmp_path / "origin", {"train.py": TRAIN.format(id="r"), "a.py": "a\n"}, commit=False
    )
    git(origin, "add", "a.py")
    folder = run(origin)
    said = code(folder)
    assert (said["commit"], said["branch"], said["dirty"]) == (None, "main", True)
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "-q")
    done = restore(empty, str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    assert tree(empty) == tree(origin)
    other = make(tmp_path / "other", {"x": "x"})
    done = restore(other, str(folder))
    assert done.returncode == 1
    assert "git init" in done.stderr


def test_detached_and_shallow(tmp_path: Path) -> None:
    """No branch, no history: the commit is known all the same."""
    origin = make(tmp_path / "origin", {"train.py": TRAIN.format(id="r"), "a.py": "a = 1\n"})
    write(origin, {"a.py": "a = 2\n"})
    git(origin, "commit", "-q", "-a", "-m", "second")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{origin}", str(shallow))
    git(shallow, "checkout", "-q", "--detach")
    write(shallow, {"a.py": "a = 3\n"})
    folder = run(shallow)
    said = code(folder)
    assert (said["branch"], said["shallow"]) == (None, True)
    assert said["commit"] == git(origin, "rev-parse", "HEAD").strip()
    done = restore(origin, str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    assert tree(origin) == tree(shallow)


def test_a_worktree_and_a_folder_below_the_top(tmp_path: Path) -> None:
    """The whole tree is captured wherever in it the script runs."""
    origin = make(tmp_path / "origin", {"exp/train.py": TRAIN.format(id="r"), "a.py": "a = 1\n"})
    other = tmp_path / "other"
    git(origin, "worktree", "add", "-q", str(other))
    write(other, {"a.py": "a = 2\n"})
    folder = run(other, script="exp/train.py", cwd=other / "exp")
    said = code(folder)
    assert (said["branch"], said["folder"], said["program"]) == ("other", "exp", "exp/train.py")
    done = restore(origin, str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (origin / "a.py").read_text() == "a = 2\n"
    assert "cd exp && " in done.stdout


def test_submodules(tmp_path: Path) -> None:
    """Each one's commit and changes come back, those within another's, too."""
    inner = make(tmp_path / "inner", {"i.py": "i = 1\n"})
    middle = make(tmp_path / "middle", {"m.py": "m = 1\n"})
    git(middle, "submodule", "--quiet", "add", str(inner), "inner")
    git(middle, "commit", "-q", "-m", "with inner")
    origin = make(tmp_path / "origin", {"train.py": TRAIN.format(id="r")})
    git(origin, "submodule", "--quiet", "add", str(middle), "libs/middle")
    git(origin, "submodule", "--quiet", "update", "--init", "--recursive")
    git(origin, "commit", "-q", "-m", "with middle")
    write(origin, {"libs/middle/m.py": "m = 2\n", "libs/middle/inner/i.py": "i = 2\n"})
    folder = run(origin)
    said = code(folder)
    assert [(one["path"], one["dirty"]) for one in said["submodules"]] == [
        ("libs/middle", True),
        ("libs/middle/inner", True),
    ]
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(origin), str(clone))
    done = restore(clone, str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    assert tree(clone) == tree(origin)


def test_ten_thousand_changed_files_are_bounded(tmp_path: Path) -> None:
    """So many are kept as the bound says; what is left out is counted and said."""
    names = [f"d{number % 100}/file {number}.txt" for number in range(10_000)]
    origin = make(tmp_path / "origin", dict.fromkeys(names, "one\n") | {"big.txt": "x\n"})
    write(origin, dict.fromkeys(names, "two\n"))
    write(origin, {"big.txt": "y" * (changes.FILE_BYTES + 1)})
    folder = tmp_path / "run"
    (folder / "files").mkdir(parents=True)
    capture = Capture(str(folder), {"cwd": str(origin), "attempt": 1, "host": os.uname().nodename})
    said = capture.run()
    assert said["changed"] == 10_001
    assert said["whole"] is False
    left = "\n".join(said["left_out"])
    assert f"{10_000 - changes.PATCH_FILES} changed files (more than {changes.PATCH_FILES}" in left
    assert "1 changed file (longer than 8 MiB): big.txt" in left
    patch = (folder / "code" / "diff.patch").read_bytes()
    assert patch.count(b"diff --git ") == changes.PATCH_FILES
    assert len(orjson.dumps(said)) < 64 << 10


def test_without_a_repository_the_program_is_kept(tmp_path: Path) -> None:
    """And where git is not installed, which is said."""
    plain = tmp_path / "plain"
    write(plain, {"train.py": TRAIN.format(id="r")})
    folder = run(plain)
    said = code(folder)
    assert said["commit"] is None
    assert [one["path"] for one in said["apart"]] == ["code/program.patch"]
    place = tmp_path / "place"
    place.mkdir()
    done = restore(place, str(folder), "--no-git")
    assert done.returncode == 0, done.stdout + done.stderr
    assert tree(place / "outrider-r") == tree(plain)
    assert "no repository" in restore(make(tmp_path / "any", {"x": "x"}), str(folder)).stderr

    bare = tmp_path / "bare"
    write(bare, {"train.py": TRAIN.format(id="r")})
    git(bare, "init", "-q")
    nowhere = tmp_path / "bin"
    nowhere.mkdir()
    folder = run(bare, PATH=str(nowhere))
    assert any("git is not installed" in one for one in code(folder)["left_out"])
    assert (folder / "code" / "program.patch").exists()


def test_untracked_files_that_are_no_sources_stay_out(tmp_path: Path) -> None:
    """Data, links, long files, and documents whose name says that they hold secrets."""
    origin = make(
        tmp_path / "origin", {"train.py": TRAIN.format(id="r"), ".gitignore": "hidden.py\n"}
    )
    write(origin, {
        "data.csv": "1,2\n", "hidden.py": "x\n", "credentials.json": "{}", "tokenizer.json": "{}\n",
        "long.py": "#" * (changes.SOURCE_BYTES + 1), "nul.py": b"\0", "configs/new.yaml": "a: 1\n",
        "Dockerfile": "FROM scratch\n",
    })  # fmt: skip
    (origin / "link.py").symlink_to("/etc/hostname")
    folder = run(origin)
    patch = (folder / "code" / "untracked.patch").read_text()
    names = sorted(line[6:] for line in patch.splitlines() if line.startswith("+++ b/"))
    assert names == ["Dockerfile", "configs/new.yaml", "tokenizer.json"]
    left = "\n".join(code(folder)["left_out"])
    for name in ("data.csv", "credentials.json", "long.py", "nul.py", "link.py"):
        assert name in left
    assert "hidden.py" not in left


def test_lfs_files_are_left_to_lfs(tmp_path: Path) -> None:
    """A file whose content a filter keeps elsewhere is named, and its filter is not run."""
    origin = make(
        tmp_path / "origin",
        {
            "train.py": TRAIN.format(id="r"),
            "w.pt": "pointer\n",
            ".gitattributes": "*.pt filter=lfs\n",
        },
    )
    write(origin, {"w.pt": "other weights\n"})
    git(origin, "config", "filter.lfs.clean", "false")
    git(origin, "config", "filter.lfs.required", "true")
    said = code(run(origin))
    assert (said["whole"], said["patch"]) == (False, None)
    assert "filter 'lfs'): w.pt" in said["left_out"][0]


def test_each_attempt_is_captured_once(tmp_path: Path) -> None:
    """A resumed run has its own code; a streamer that is started again captures nothing twice."""
    script = TRAIN.format(id="r").replace("config=", "resume='allow', config=")
    origin = make(tmp_path / "origin", {"train.py": script, "a.py": "a = 1\n"})
    write(origin, {"a.py": "a = 2\n"})
    folder = run(origin)
    subprocess.run([sys.executable, "-m", "outrider.streamer", str(folder)], check=True, timeout=60)
    assert len(api.open(folder).records("code")) == 1
    write(origin, {"a.py": "a = 3\n"})
    run(origin)
    eventually(lambda: len(api.open(folder).records("code")) == 2)
    assert "+a = 2" in (folder / "code" / "diff.patch").read_text()
    said = code(folder)
    assert "+a = 3" in (folder / said["patch"]["path"]).read_text()


def test_an_attempt_without_capture_does_not_show_an_earlier_ones_code(
    tmp_path: Path, server: Background
) -> None:
    """Switched off for the second attempt: neither folder nor server say what the first one ran."""
    script = TRAIN.format(id="switched").replace("config=", "resume='allow', config=")
    origin = make(tmp_path / "origin", {"train.py": script, "a.py": "a = 1\n"})
    write(origin, {"a.py": "a = 2\n"})
    online = {
        "OUTRIDER_MODE": "online",
        "OUTRIDER_URL": server.url,
        "OUTRIDER_API_KEY": server.token,
    }
    folder = run(origin, **online)
    assert code(folder)["dirty"] is True
    run(origin, OUTRIDER_DISABLE_CODE="true", **online)
    stored = api.Client(server.url, token=server.token)
    eventually(lambda: len(api.open(folder).records("code")) == 2)
    assert api.open(folder).code is None
    eventually(lambda: stored.run("code/switched").code is None)
    shown = stored.ask("GET", "/api/projects/code/runs/switched/code")
    assert (shown["code"], shown["files"], shown["environment"]["command"][1][-8:]) == (
        None,
        [],
        "train.py",
    )


def test_an_attempt_is_captured_when_it_is_known_which_it_is(tmp_path: Path) -> None:
    """A run that may be a server's next attempt, and the server is silent for longer than it waits."""
    script = TRAIN.format(id="asked").replace("config=", "resume='allow', config=")
    origin = make(tmp_path / "origin", {"train.py": script})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        told = {"OUTRIDER_MODE": "online", "OUTRIDER_URL": url, "OUTRIDER_API_KEY": "o" * 43}
        told |= {"OUTRIDER_FINISH_SECONDS": "0"}
        subprocess.run(
            [sys.executable, "train.py"], cwd=origin, check=True, env={**os.environ, **told}
        )
        (folder,) = find_folders(origin)
        record = api.open(folder.path).records
        eventually(lambda: record("environment"))
        assert [one["a"] for one in record("code")] == [one["a"] for one in record("attempt")]


@pytest.mark.parametrize("mode", ["online", "offline"])
def test_where_nothing_outlives_the_trainer_its_end_waits_for_the_capture(
    mode: str, tmp_path: Path, server: Background
) -> None:
    """A container's first process, or a job: when it has left, the code is where it belongs."""
    origin = make(tmp_path / "origin", {"train.py": TRAIN.format(id=f"pod{mode}"), "a.py": "1\n"})
    write(origin, {"a.py": "2\n"})
    slow = tmp_path / "bin" / "git"
    write(tmp_path, {"bin/git": f'#!/bin/sh\nsleep 0.2\nexec {shutil.which("git")} "$@"\n'})
    slow.chmod(0o755)
    subprocess.run(
        [sys.executable, "train.py"], cwd=origin, check=True, timeout=120, capture_output=True,
        env={
            **os.environ,
            "PATH": f"{slow.parent}{os.pathsep}{os.environ['PATH']}",
            "KUBERNETES_SERVICE_HOST": "10.0.0.1",
            "OUTRIDER_MODE": mode,
            "OUTRIDER_URL": server.url,
            "OUTRIDER_API_KEY": server.token,
        },
    )  # fmt: skip
    (folder,) = find_folders(origin)
    assert api.open(folder.path).code is not None
    if mode == "online":
        found = api.Client(server.url, token=server.token).run(f"code/pod{mode}")
        assert found.code is not None
        assert b"+2" in next(one for one in found.files("code") if "diff" in one.path).read()


@pytest.mark.parametrize(
    ("globs", "is_told", "against"),
    [
        ("", True, None),
        ("a.py", True, "it holds a patch that was not sent as it is"),
        ("", False, "it holds a patch that was not sent as it is"),
    ],
    ids=["sent whole", "partly withheld", "never told"],
)
def test_clean_keeps_the_only_whole_copy_of_a_patch(
    globs: str, is_told: bool, against: str | None, tmp_path: Path, server: Background
) -> None:
    """What decides are the patch's bytes: the same must have been sent."""
    origin = make(tmp_path / "origin", {"train.py": "", "a.py": "1\n", "b.py": "1\n"})
    name = f"clean{len(globs)}{is_told}"
    write(origin, {"train.py": TRAIN.format(id=name), "a.py": "2\n", "b.py": "2\n"})
    online = {
        "OUTRIDER_MODE": "online",
        "OUTRIDER_URL": server.url,
        "OUTRIDER_API_KEY": server.token,
    }
    folder = run(origin, OUTRIDER_IGNORE_GLOBS=globs, **online)
    if not is_told:  # a kill came between a patch and its record
        (folder / "code" / "upstream.patch").write_text("diff")

    def cleaned() -> dict[str, Any] | None:
        done = subprocess.run(
            [sys.executable, "-m", "outrider.cli", "clean", "--yes", "--json"],
            cwd=origin, check=True, timeout=60, capture_output=True, env={**os.environ, **online},
        )  # fmt: skip
        (said,) = orjson.loads(done.stdout)
        # a script as short as this one ends before its streamer is there, and starts another
        return None if said["kept_because"] == "its streamer is at work" else said

    said = eventually(cleaned)
    assert (said["kept_because"], folder.exists()) == (against, against is not None)


def test_the_notebook_is_kept(tmp_path: Path) -> None:
    """Where Jupyter says which one it is."""
    plain = tmp_path / "plain"
    write(plain, {"train.py": TRAIN.format(id="r"), "first look.ipynb": '{"cells": []}\n'})
    folder = run(plain, JPY_SESSION_NAME="first look.ipynb")
    said = code(folder)
    assert said["notebook"] == "first look.ipynb"
    assert "code/notebook.patch" in [one["path"] for one in said["apart"]]


def test_the_environment_says_job_container_and_variables(tmp_path: Path) -> None:
    """And no variable that is not on the list."""
    plain = tmp_path / "plain"
    write(plain, {"train.py": TRAIN.format(id="r")})
    folder = run(
        plain, SLURM_JOB_ID="123", SLURM_JOB_NAME="big", CUDA_VISIBLE_DEVICES="0,1", MY_OWN="x1y2",
        CONTAINER_IMAGE="registry.example.com/team/image:1", OUTRIDER_FINISH_SECONDS="0",
        TF_VAR_password="abc",
    )  # fmt: skip
    said = api.open(folder).environment
    assert said is not None
    assert said["job"]["slurm"] == {"SLURM_JOB_ID": "123", "SLURM_JOB_NAME": "big"}
    assert said["variables"]["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert said["container"]["image"] == "registry.example.com/team/image:1"
    assert b"x1y2" not in orjson.dumps(said)
    assert "TF_VAR_password" not in said["variables"]
    assert said["python"]["version"] == ".".join(map(str, sys.version_info[:3]))


def test_a_plugins_facts_stand_below_its_name(tmp_path: Path) -> None:
    """They pass the redaction, too; a plugin that raises spoils nothing."""
    site = tmp_path / "site"
    write(site, {
        "mine.py": "from outrider.hooks import hookimpl\n@hookimpl\ndef outrider_capture(context):\n"
        "    return {'project': context['project'], 'api_key': 'abcdef-1234'}\n",
        "bad.py": "from outrider.hooks import hookimpl\n@hookimpl\ndef outrider_capture(context):\n"
        "    raise RuntimeError('no')\n",
        "mine-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n",
        "mine-1.0.dist-info/entry_points.txt": "[outrider]\nmine = mine\nbad = bad\n",
    })  # fmt: skip
    plain = tmp_path / "plain"
    write(plain, {"train.py": TRAIN.format(id="r")})
    said = api.open(run(plain, PYTHONPATH=str(site))).environment
    assert said is not None
    assert said["mine"] == {"project": "code", "api_key": "[redacted]"}
    assert said["packages"]["mine"] == "1.0"


def test_a_folder_that_vanished_is_no_failure(tmp_path: Path) -> None:
    """The record says that there is nothing."""
    folder = tmp_path / "run"
    (folder / "files").mkdir(parents=True)
    (tmp_path / "gone").mkdir()
    shutil.rmtree(tmp_path / "gone")
    capture = Capture(str(folder), {"cwd": str(tmp_path / "gone"), "program": "/nowhere/x.py"})
    assert capture.run()["commit"] is None
    assert RunFolder(str(folder)).writers() == []
