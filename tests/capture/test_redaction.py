"""No secret leaves the machine, and innocent text does."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import planted
import pytest
from repositories import TRAIN, git, make, run, write

from outrider.capture.naming import Suspicion, suspicion
from outrider.capture.patch import copy_patch
from outrider.capture.redact import MARK, redact, redact_all, redact_arguments

if TYPE_CHECKING:
    from outrider_server.background import Background

SEED = int(os.environ.get("OUTRIDER_TEST_SEED", "1"))
KEY = "PRIVATE" + " KEY"  # in two, or checks for keys find one here


def everything_in(*folders: Path) -> bytes:
    """All bytes of all files, compressed ones unpacked as far as zstd packed them."""
    import zstandard

    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                data = path.read_bytes()
                found.append(data)
                if b"\x28\xb5\x2f\xfd" in data:
                    for piece in data.split(b"\x28\xb5\x2f\xfd")[1:]:
                        try:
                            unpacked = zstandard.ZstdDecompressor().decompressobj()
                            found.append(unpacked.decompress(b"\x28\xb5\x2f\xfd" + piece))
                        except zstandard.ZstdError:
                            continue
    return b"\0".join(found)


def test_three_hundred_planted_secrets_do_not_leave(tmp_path: Path, server: Background) -> None:
    """Arguments, remotes, added lines, untracked sources, environment: none in journal or store."""
    rng = random.Random(SEED)
    lines = planted.code_lines(rng, 122)
    settings = planted.settings_lines(rng, 60)
    arguments = planted.arguments(rng, 60)
    fresh = planted.code_lines(rng, 45)
    variables = {
        f"CUDA_{name.upper()}": planted.code_lines(rng, 2)[1].secret + "x"
        for name in planted.CERTAIN
    }
    remote = planted.code_lines(rng, 3)[2].secret
    origin = make(
        tmp_path / "origin",
        {"train.py": TRAIN.format(id=f"s{SEED}"), "a.py": "a\nb\n", "s.yaml": "a: 1\n"},
    )
    git(origin, "remote", "add", "origin", f"https://me:{remote}@git.example.com/team/model.git")
    write(origin, {
        "a.py": "a\n" + "".join(line.text + "\n" for line in lines) + "b\n",
        "s.yaml": "a: 1\n" + "".join(line.text + "\n" for line in settings),
        "fresh.py": "".join(line.text + "\n" for line in fresh),
    })  # fmt: skip
    words = [word for words, _ in arguments for word in words]
    online = {
        "OUTRIDER_MODE": "online",
        "OUTRIDER_URL": server.url,
        "OUTRIDER_API_KEY": server.token,
    }
    folder = run(origin, *words, **online, **variables)
    secrets = [line.secret for line in (*lines, *settings, *fresh)]
    secrets += [secret for _, secret in arguments] + [*variables.values(), remote]
    assert len(secrets) >= 300
    data = Path(server_data(server))
    left = everything_in(folder / "journal", folder / "files", data)
    assert b"[redacted]" in left
    leaked = [secret for secret in secrets if secret.encode() in left]
    assert not leaked, (SEED, leaked)
    assert all(
        secret in (origin / "a.py").read_text() for secret in (line.secret for line in lines)
    )
    assert lines[0].secret in (folder / "code" / "diff.patch").read_text()


def server_data(server: Background) -> str:
    """Where a server keeps everything."""
    arguments = Path(f"/proc/{server.process.pid}/cmdline").read_bytes().split(b"\0")
    return arguments[arguments.index(b"--data") + 1].decode()


def test_innocent_text_is_left_as_it_is() -> None:
    """At most one line in a hundred of programs, settings and command lines."""
    lines = planted.innocent_lines()
    for is_data in (False, True):
        changed = [line for line in lines if redact(line, is_data=is_data).found]
        assert len(changed) <= len(lines) / 100, changed
    handwritten = planted.INNOCENT.splitlines()
    assert [line for line in handwritten if redact(line).found] == []
    for line in planted.INNOCENT_ARGUMENTS.splitlines():
        assert redact_arguments(line.split()) == line.split()


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_planted_is_found(seed: int) -> None:
    """The same kinds of secrets, other ones each time."""
    rng = random.Random(SEED + seed)
    for line in planted.code_lines(rng, 100):
        assert line.secret not in redact(line.text).text, (SEED, line)
    for line in planted.settings_lines(rng, 50):
        assert line.secret not in redact(line.text, is_data=True).text, (SEED, line)
    for words, secret in planted.arguments(rng, 50):
        assert not any(secret in word for word in redact_arguments(words)), (SEED, words)


def test_a_private_key_goes_line_by_line() -> None:
    """However it is written, and the number of lines stays."""
    body = [planted.ALNUM * 1 for _ in range(6)]
    text = "\n".join(
        ["x = 1", f"-----BEGIN RSA {KEY}-----", *body, f"-----END RSA {KEY}-----", "y"]
    )
    shown = redact(text)
    assert body[0] not in shown.text
    assert shown.text.count("\n") == text.count("\n")
    assert shown.text.startswith("x = 1\n-----BEGIN RSA")
    assert shown.text.endswith(f"-----END RSA {KEY}-----\ny")
    one_line = f'key = "-----BEGIN {KEY}-----\\n{body[0]}\\n-----END {KEY}-----\\n"'
    assert body[0] not in redact(one_line).text
    innocent = f'if line.startswith("-----BEGIN {KEY}-----"):\n    return parse(line)\n'
    assert redact(innocent) == (innocent, 0)
    unfinished = "\n".join([f"-----BEGIN OPENSSH {KEY}-----", *body])
    assert body[3] not in redact(unfinished).text


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("password", Suspicion.CERTAIN), ("HF_TOKEN", Suspicion.CERTAIN),
        ("awsSecretAccessKey", Suspicion.CERTAIN),
        ("max_tokens", Suspicion.NONE), ("pad_token", Suspicion.NONE), ("tokenizer", Suspicion.NONE),
        ("sort_key", Suspicion.PERHAPS), ("token", Suspicion.PERHAPS), ("token_file", Suspicion.NONE),
        ("author", Suspicion.NONE), ("forward_pass", Suspicion.NONE), ("key_value_heads", Suspicion.NONE),
    ],
)  # fmt: skip
def test_a_name_tells_how_sure_it_is(name: str, wanted: Suspicion) -> None:
    """Words decide, not letters that happen to stand in one."""
    assert suspicion(name) is wanted


def test_plain_data_is_redacted_throughout() -> None:
    """Whatever a plugin hands over."""
    told = {"a": ["--password", 1], "db": {"password": "x9"}, "n": 1.5, "none": None}
    assert redact_all(told) == {
        "a": ["--password", 1],
        "db": {"password": MARK},
        "n": 1.5,
        "none": None,
    }


def test_only_added_lines_of_a_patch_change(tmp_path: Path) -> None:
    """Context and removed lines stay, odd lines too, and the patch still applies."""
    origin = make(tmp_path / "origin", {
        "a.py": 'old_password = "hunter2-old"\ncontext_password = "hunter2-context"\nx\n',
        "ignored.py": "secret\n", "crlf.txt": "a\r\nb\r\n",
    })  # fmt: skip
    write(origin, {
        "a.py": 'new_password = "hunter2-new"\ncontext_password = "hunter2-context"\nx\n'
        "+++ b/x\n@@ -1 +1 @@\n",
        "ignored.py": "changed\n", "crlf.txt": b"a\r\nb\r\npassword: hunter2-crlf\r\n\xff\xfe \x85 no end",
    })  # fmt: skip
    patch, copy = tmp_path / "whole.patch", tmp_path / "copy.patch"
    patch.write_bytes(subprocess.run(
        ["git", "-C", str(origin), "diff", "--binary", "HEAD"], capture_output=True, check=True
    ).stdout)  # fmt: skip
    seen = copy_patch(str(patch), str(copy), lambda path: path == "ignored.py")
    assert (seen.files, seen.redacted, seen.left_out) == (2, 2, ["ignored.py"])
    assert sorted(seen.places) == [("a.py", 1), ("crlf.txt", 3)]
    text = copy.read_bytes()
    for kept in (b"hunter2-old", b"hunter2-context"):
        assert kept in text
    for gone in (b"hunter2-new", b"hunter2-crlf", b"ignored.py"):
        assert gone not in text
    git(origin, "checkout", "-q", "-f")
    git(origin, "apply", "--whitespace=nowarn", str(copy))
    assert (
        origin / "crlf.txt"
    ).read_bytes() == b"a\r\nb\r\npassword: [redacted]\r\n\xff\xfe \x85 no end"
    whole = copy_patch(str(patch), str(copy), lambda path: False)
    assert whole.files == 3
    assert orjson.dumps(whole.places)


def test_nothing_of_the_code_is_left_with_disable_code(tmp_path: Path, server: Background) -> None:
    """Neither the commit nor a line of the diff, in the folder, in the server or between them."""
    origin = make(tmp_path / "origin", {"train.py": TRAIN.format(id=f"d{SEED}"), "a.py": "a = 1\n"})
    write(origin, {"a.py": "a = 1\nremarkable_line = 'zebra'\n", "new.py": "another_zebra = 1\n"})
    sha = git(origin, "rev-parse", "HEAD").strip()
    online = {
        "OUTRIDER_MODE": "online",
        "OUTRIDER_URL": server.url,
        "OUTRIDER_API_KEY": server.token,
    }
    folder = run(origin, OUTRIDER_DISABLE_CODE="true", **online)
    left = everything_in(folder, Path(server_data(server)))
    for part in (sha, sha[:12], "remarkable_line", "another_zebra"):
        assert part.encode() not in left
    assert b'"k":"environment"' in left
    assert not (folder / "code").exists()


def test_ignored_files_stay_on_the_machine(tmp_path: Path, server: Background) -> None:
    """`*.patch` keeps every patch in the folder; the name of a source keeps its part of it there."""
    origin = make(
        tmp_path / "origin",
        {"train.py": TRAIN.format(id=f"i{SEED}"), "a.py": "a = 1\n", "b.py": "b\n"},
    )
    write(
        origin,
        {
            "a.py": "a = 1\nzebra_stays = 1\n",
            "b.py": "b\nlion_leaves = 1\n",
            "c.py": "zebra_too = 1\n",
        },
    )
    online = {
        "OUTRIDER_MODE": "online",
        "OUTRIDER_URL": server.url,
        "OUTRIDER_API_KEY": server.token,
    }
    data = Path(server_data(server))
    folder = run(origin, OUTRIDER_IGNORE_GLOBS="*.patch,*.txt", **online)
    assert "zebra_stays" in (folder / "code" / "diff.patch").read_text()
    stored = everything_in(data)
    for part in (b"zebra_stays", b"zebra_too", b"lion_leaves"):
        assert part not in stored
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(origin), str(other))
    write(other, {name: (origin / name).read_text() for name in ("a.py", "b.py", "c.py")})
    write(other, {"train.py": TRAIN.format(id=f"j{SEED}")})
    folder = run(other, OUTRIDER_IGNORE_GLOBS="a.py,c.py", **online)
    assert "zebra_stays" in (folder / "code" / "diff.patch").read_text()
    stored = everything_in(data)
    assert b"lion_leaves" in stored
    for part in (b"zebra_stays", b"zebra_too"):
        assert part not in stored
