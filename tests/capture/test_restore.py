"""What a run saw is what comes back, from its folder and from the server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from repositories import TRAIN, code, git, make, restore, run, tree, write

from outrider import api
from waiting import removed

if TYPE_CHECKING:
    from outrider_server.background import Background

BINARY = bytes(range(256)) * 40


def changed(folder: Path, name: str) -> Path:
    """A repository with every kind of change at once."""
    make(
        folder,
        {
            "train.py": TRAIN.format(id=name),
            "model.py": "".join(f"line {number}\n" for number in range(50)),
            "old name.py": "".join(f"value_{number} = {number}\n" for number in range(40)),
            "gone.py": "print('gone')\n",
            "run.sh": "#!/bin/sh\necho\n",
            "weights.bin": BINARY,
            "no_newline.txt": "no newline",
            "sub/deep/späte Datei.txt": "ä\r\nö\r\n",
        },
    )
    write(
        folder,
        {"model.py": (folder / "model.py").read_text().replace("line 7\n", "line seven\n\x0c\n")},
    )
    write(folder, {"weights.bin": BINARY[:5000] + b"\0changed" + BINARY[5000:]})
    write(folder, {"no_newline.txt": "still none", "sub/deep/späte Datei.txt": "ä\r\nü\r\n"})
    write(folder, {"added.py": "x = 1\n", "new.bin": os.urandom(3000), "empty.py": ""})
    git(folder, "add", "added.py", "new.bin", "empty.py")
    git(folder, "mv", "old name.py", "sub/new name.py")
    (folder / "gone.py").unlink()
    (folder / "run.sh").chmod(0o755)
    write(folder, {"untracked.py": "y = 2\n", "no end.py": "z = 3", "tool.sh": "#!/bin/sh\n"})
    (folder / "tool.sh").chmod(0o755)
    return folder


def online(server: Background) -> dict[str, str]:
    return {"OUTRIDER_MODE": "online", "OUTRIDER_URL": server.url, "OUTRIDER_API_KEY": server.token}


def test_the_folder_gives_back_the_very_tree(tmp_path: Path) -> None:
    """Files, modes, `git diff` against the commit, the index and between both."""
    origin = changed(tmp_path / "origin", "local")
    folder = run(origin)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(origin), str(clone))
    done = restore(clone, str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    assert tree(clone) == tree(origin)
    for how in (("HEAD",), (), ("--cached",)):
        assert git(clone, "diff", "--binary", *how) == git(origin, "diff", "--binary", *how), how
    assert git(clone, "branch", "--show-current").strip() == "outrider/local"
    assert "python" in done.stdout
    assert "train.py" in done.stdout


def test_the_server_gives_it_back_too(tmp_path: Path, server: Background) -> None:
    """With the run's folder gone from the machine."""
    origin = changed(tmp_path / "origin", "remote")
    folder = run(origin, **online(server))
    wanted, diff = tree(origin), git(origin, "diff", "--binary", "HEAD")
    removed(folder)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(origin), str(clone))
    done = restore(clone, "code/remote", **online(server))
    assert done.returncode == 0, done.stdout + done.stderr
    assert tree(clone) == wanted
    assert git(clone, "diff", "--binary", "HEAD") == diff


def test_redacted_lines_are_listed_and_the_exit_code_says_so(
    tmp_path: Path, server: Background
) -> None:
    """The server has no secret; the folder has the whole tree."""
    origin = make(
        tmp_path / "origin", {"train.py": TRAIN.format(id="secret"), "a.py": "a = 1\nb = 2\n"}
    )
    write(origin, {"a.py": 'a = 1\npassword = "hunter2-and-more"\nb = 2\n'})
    folder = run(origin, "--api-key", "abcdef-123456", **online(server))
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(origin), str(clone))
    done = restore(clone, "code/secret", "--url", server.url, **online(server))
    assert done.returncode == 7, done.stdout + done.stderr
    assert "a.py:2" in done.stderr
    assert (clone / "a.py").read_text() == 'a = 1\npassword = "[redacted]"\nb = 2\n'
    assert "abcdef-123456" not in done.stdout
    git(clone, "checkout", "-q", "-f", "main")
    done = restore(clone, str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    assert tree(clone) == tree(origin)
    assert git(clone, "branch", "--show-current").strip() == "outrider/secret-2"
    assert "--api-key abcdef-123456" in done.stdout


def test_a_dirty_tree_is_refused_and_force_stashes(tmp_path: Path) -> None:
    """Nobody's changes are lost."""
    origin = changed(tmp_path / "origin", "dirty")
    folder = run(origin)
    wanted = tree(origin)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(origin), str(clone))
    write(clone, {"model.py": "mine\n", "untracked.py": "mine too\n", "added.py": "and mine\n"})
    before = tree(clone)
    done = restore(clone, str(folder))
    assert done.returncode == 1
    assert "model.py" in done.stderr
    assert "--force" in done.stderr
    assert tree(clone) == before
    git(clone, "checkout", "-q", "model.py")
    done = restore(clone, str(folder))
    assert done.returncode == 1
    assert "untracked.py" in done.stderr
    assert "added.py" in done.stderr
    assert git(clone, "branch", "--show-current").strip() == "main"
    write(clone, {"model.py": "mine\n"})
    done = restore(clone, str(folder), "--force")
    assert done.returncode == 0, done.stdout + done.stderr
    assert tree(clone) == wanted
    stashed = git(clone, "stash", "show", "-p", "--include-untracked", "stash@{0}")
    stashed += git(clone, "stash", "show", "-p", "stash@{1}")
    assert "+mine\n" in stashed
    assert "+mine too\n" in stashed
    assert "+and mine\n" in stashed


def test_a_patch_that_does_not_apply_changes_nothing(tmp_path: Path) -> None:
    """A damaged patch is noticed before the branch is made."""
    origin = changed(tmp_path / "origin", "damaged")
    folder = run(origin)
    patch = folder / "code" / "diff.patch"
    patch.write_bytes(patch.read_bytes().replace(b" line 6\n", b" line sixty\n"))
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(origin), str(clone))
    before = tree(clone)
    done = restore(clone, str(folder))
    assert done.returncode == 1
    assert "does not apply" in done.stderr
    assert "hint:" in done.stderr
    assert tree(clone) == before
    assert git(clone, "branch", "--list", "outrider/*") == ""


def test_a_commit_that_is_not_in_the_clone(tmp_path: Path) -> None:
    """The hint says how to get it; with the upstream's commit there, the same tree comes from it."""
    upstream = make(
        tmp_path / "upstream", {"train.py": TRAIN.format(id="ahead"), "a.py": "a = 1\n"}
    )
    origin = tmp_path / "origin"
    git(tmp_path, "clone", "-q", str(upstream), str(origin))
    write(origin, {"a.py": "a = 2\n"})
    git(origin, "commit", "-q", "-a", "-m", "not pushed")
    write(origin, {"a.py": "a = 3\n", "b.py": "b = 1\n"})
    folder = run(origin)
    said = code(folder)
    assert said["upstream"]["ahead"] == 1
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(upstream), str(clone))
    done = restore(clone, str(folder))
    assert done.returncode == 1
    assert f"git fetch {upstream} {said['commit']}" in done.stderr.replace("\n", " ")
    assert "--upstream" in done.stderr
    assert git(clone, "branch", "--show-current").strip() == "main"
    done = restore(clone, str(folder), "--upstream")
    assert done.returncode == 0, done.stdout + done.stderr
    assert tree(clone) == tree(origin)


def test_without_git_only_files_are_fetched(tmp_path: Path) -> None:
    """Patches, sources, saved files and the config, in a folder."""
    script = TRAIN.format(id="fetched").replace(
        "core.finish()", "core.save('result.txt')\ncore.finish()"
    )
    origin = make(tmp_path / "origin", {"train.py": script, "a.py": "a = 1\n"})
    write(origin, {"a.py": "a = 2\n", "b.py": "b = 1\n", "result.txt": "42\n"})
    folder = run(origin)
    place = tmp_path / "elsewhere"
    place.mkdir()
    config = place / "config.json"
    done = restore(place, str(folder), "--no-git", "--config", str(config))
    assert done.returncode == 0, done.stdout + done.stderr
    out = place / "outrider-fetched"
    assert (out / "b.py").read_text() == "b = 1\n"
    assert "+a = 2" in (out / "code" / "diff.patch").read_text()
    assert (out / "files" / "result.txt").read_text() == "42\n"
    assert '"lr": 0.1' in config.read_text()
    done = restore(place, str(folder))
    assert done.returncode == 2
    assert "--no-git" in done.stderr


def test_what_was_kept_on_its_machine_is_not_at_the_server(
    tmp_path: Path, server: Background
) -> None:
    """The message says where it is."""
    # A patch that no other run has: contents are the project's, and one that is there is given back.
    origin = make(tmp_path / "origin", {"train.py": TRAIN.format(id="kept"), "a.py": "kept = 1\n"})
    write(origin, {"a.py": "kept = 2\n"})
    folder = run(origin, OUTRIDER_IGNORE_GLOBS="*.patch", **online(server))
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(origin), str(clone))
    done = restore(clone, "code/kept", "--url", server.url, **online(server))
    assert done.returncode == 3
    assert "ignore_globs" in done.stderr
    assert git(clone, "branch", "--show-current").strip() == "main"
    assert restore(clone, str(folder)).returncode == 0
    assert tree(clone) == tree(origin)


def test_what_the_server_lost_is_said_and_the_rest_comes_back(
    tmp_path: Path, server: Background
) -> None:
    """Without its patch a tree is not restored at all; files that are fetched are fetched."""
    saves = "open('w', 'w').write('w')\ncore.save('w')\ncore.save('a.py')\ncore.finish()"
    origin = make(tmp_path / "origin", {"a.py": "lost = 1\n", ".gitignore": "w\n"})
    write(origin, {"train.py": TRAIN.format(id="lost").replace("core.finish()", saves)})
    git(origin, "add", ".")
    git(origin, "commit", "-qm", "the script")
    write(origin, {"a.py": "lost = 2\n"})
    run(origin, **online(server))
    client = api.Client(server.url, server.token)
    files = {file.path: file for file in client.run("code/lost").files()}
    arguments = Path(f"/proc/{server.process.pid}/cmdline").read_bytes().decode().split("\0")
    stored = Path(arguments[arguments.index("--data") + 1])
    for path in ("code/diff.patch", "w"):
        for blob in stored.rglob(str(files[path].sha256)):
            blob.unlink()
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(origin), str(clone))
    done = restore(clone, "code/lost", "--url", server.url, **online(server))
    assert done.returncode == 3
    assert "not been sent yet, or is lost" in done.stderr
    assert git(clone, "branch", "--show-current").strip() == "main"
    done = restore(
        clone, "code/lost", "--no-git", "--to", "apart", "--url", server.url, **online(server)
    )
    assert done.returncode == 7
    assert "saved file w: its content has not been sent yet, or is lost" in done.stderr
    assert "the patch code/diff.patch" in done.stderr
    assert (clone / "apart" / "files" / "a.py").read_text() == "lost = 2\n"


def test_a_server_that_is_no_friend_cannot_lead_git_astray(tmp_path: Path) -> None:
    """A commit that is none, a submodule and a source outside of the tree: refused or left."""
    origin = make(tmp_path / "origin", {"train.py": TRAIN.format(id="evil"), "a.py": "a = 1\n"})
    folder = run(origin)
    (journal,) = [
        path for path in (folder / "journal").iterdir() if b'"k":"code"' in path.read_bytes()
    ]
    honest = journal.read_bytes()
    commit = git(origin, "rev-parse", "HEAD").strip().encode()
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(origin), str(clone))
    journal.write_bytes(honest.replace(commit, b"--upload-pack=touch${IFS}evil;#a"))
    done = restore(clone, str(folder))
    assert done.returncode == 1
    assert "is not in this clone" in done.stderr
    said = b'"submodules":[{"path":"../../outside","commit":"' + commit + b'"}],"left_out":'
    said = b'"untracked":{"path":"code/u.patch"},' + said
    journal.write_bytes(honest.replace(b'"untracked":null,', b"").replace(b'"left_out":', said))
    for path in ("../escaped.py", ".git/hooks/evil"):
        (folder / "code" / "u.patch").write_text(
            f"diff --git a/{path} b/{path}\nnew file mode 100755\n--- /dev/null\n+++ b/{path}\n"
            "@@ -0,0 +1 @@\n+x\n"
        )
        done = restore(clone, str(folder))
        assert done.returncode != 0, path
        assert not (tmp_path / "escaped.py").exists()
        assert not (clone / ".git" / "hooks" / "evil").exists()


def test_folder_and_server_say_the_same(tmp_path: Path, server: Background) -> None:
    """`Run.code` and `Run.environment`; the route adds the files and a link."""
    origin = make(tmp_path / "origin", {"train.py": TRAIN.format(id="same")})
    git(origin, "remote", "add", "origin", "git@git.example.com:team/model.git")
    write(origin, {"train.py": TRAIN.format(id="same") + "# more\n"})
    folder = run(origin, **online(server))
    here, client = api.open(folder), api.Client(server.url, server.token)
    there = client.run("code/same")
    assert here.code == there.code
    assert here.environment == there.environment
    assert here.code is not None
    assert here.environment is not None
    assert here.environment["packages"]["orjson"]
    assert here.environment["command"][-1].endswith("train.py")
    answer = client.ask("GET", "/api/projects/code/runs/same/code")
    assert answer["code"] == here.code
    assert answer["environment"] == here.environment
    assert answer["web"] == f"https://git.example.com/team/model/commit/{here.code['commit']}"
    assert [file["path"] for file in answer["files"]] == ["code/diff.patch"]
    assert client.ask("GET", "/api/projects/code/runs/same")["has"]["code"] is True


@pytest.mark.parametrize("remote", ["/srv/model.git", "file:///srv/model.git", "../model", "model"])
def test_a_remote_that_is_no_host_has_no_link(remote: str) -> None:
    """Only what is an address becomes one."""
    from outrider_server.routes.code import web_link

    assert web_link(remote, "a" * 40) is None
    assert web_link("https://user@git.example.com/a/b.git", "a" * 40) == (
        f"https://git.example.com/a/b/commit/{'a' * 40}"
    )
    assert web_link("https://git.example.com/a/b.git", "x") is None
