"""What is printed and configured leaves without its secrets, and every line keeps its place."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import planted
import pytest
from repositories import restore
from test_redaction import SEED, everything_in, server_data

from outrider import api
from outrider.capture.leaving import leaving
from outrider.capture.redact import MARK
from outrider.journal.reader import find_folders
from outrider.printed import record
from waiting import eventually, removed

if TYPE_CHECKING:
    from outrider_server.background import Background

SCRIPT = """
import json, sys
from outrider import core
said = json.load(open(sys.argv[1]))
core.init("said", id="said", config=said["config"])
for text in said["printed"]:
    print(text)
core.finish()
"""


def line_of(body: dict[str, Any]) -> bytes:
    return orjson.dumps({"t": 1.5, **body}) + b"\n"


def test_what_is_printed_and_configured_leaves_without_secrets(
    tmp_path: Path, server: Background
) -> None:
    """It is whole in the journal, and the rest of it is the same at the server."""
    rng = random.Random(SEED)
    lines = [*planted.settings_lines(rng, 40), *planted.code_lines(rng, 40)]
    settings = {f"{name}{n}": secret for n, (name, secret) in enumerate(_named(rng))}
    said = {
        "config": {"lr": 0.1, "name": "resnet", "deep": settings},
        "printed": [line.text for line in lines] + ["step 1 loss 0.5"],
    }
    (tmp_path / "said.json").write_bytes(orjson.dumps(said))
    online = {**os.environ, "OUTRIDER_URL": server.url, "OUTRIDER_API_KEY": server.token}
    subprocess.run(
        [sys.executable, "-c", SCRIPT, "said.json"], cwd=tmp_path, env=online, check=True,
        timeout=120, capture_output=True,
    )  # fmt: skip
    (folder,) = find_folders(tmp_path)
    stored = api.Client(server.url, token=server.token)

    def is_there() -> bool:
        return stored.run("said/said").console()[-1].text == "step 1 loss 0.5"

    eventually(is_there)
    found = stored.run("said/said")
    assert len(found.console()) == len(api.open(folder.path).console()) == len(said["printed"])
    assert (found.config["lr"], found.config["name"]) == (0.1, "resnet")
    secrets = [line.secret for line in lines] + list(settings.values())
    whole = everything_in(Path(folder.path, "journal")).decode()
    assert all(orjson.dumps(secret).decode()[1:-1] in whole for secret in secrets)
    left = everything_in(Path(server_data(server)))
    assert [secret for secret in secrets if secret.encode() in left] == []
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    removed(folder.path)
    done = restore(
        elsewhere, "said/said", "--no-git", "--to", "back", "--config", "config.json",
        OUTRIDER_URL=server.url, OUTRIDER_API_KEY=server.token,
    )  # fmt: skip
    assert done.returncode == 7
    assert done.stderr.count("config.deep.") == len(settings)


def _named(rng: random.Random) -> list[tuple[str, str]]:
    words = [words for words, _ in planted.arguments(rng, 40)]
    return [
        (word[0].lstrip("-").replace("-", "_"), word[1])
        for word in words
        if len(word) == 2 and word[0].startswith("--")
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password: hunter2x\n", "password: ***\n"),
        ("\x1b[32mhf_abcdefghijklmnopqrstuv\x1b[0m\n", f"\x1b[32m{MARK}\x1b[0m\n"),
        ("api_key=\x1b[1mAb9xY77zQ\x1b[0mk12Z\n", f"api_key={MARK}\n"),
        (f"50%\rtoken=ghp_{'a1B2' * 9}", f"50%\rtoken={MARK}"),
        ("ünï password=ß3cretß9xyz!\n", "ünï password=***\n"),
        ("epoch 3, max_tokens: 512, 99%\n", "epoch 3, max_tokens: 512, 99%\n"),
    ],
)
def test_a_redacted_line_is_as_long_as_it_was(text: str, shown: str) -> None:
    """Positions are a record's identity; whoever reads the line reads a record."""
    line = line_of(record("out", text))
    left = leaving(b'{"t":1.5,"p":{"a":1}}\n' + line + line)
    assert left[:22] == b'{"t":1.5,"p":{"a":1}}\n'
    assert [len(one) for one in left.split(b"\n")] == [21, len(line) - 1, len(line) - 1, 0]
    assert orjson.loads(left.split(b"\n")[1])["b"].replace(MARK, "***") == shown.replace(
        MARK, "***"
    )


def test_bytes_that_are_no_text_are_looked_through_too() -> None:
    """As base64, in which they stand."""
    line = line_of(record("err", "\udcff password=hunter22x\n"))
    left = leaving(line)
    assert len(left) == len(line)
    told = orjson.loads(left)
    from base64 import b64decode

    assert b64decode(told["x"]) == b"\xff password=***\n"


@pytest.mark.parametrize(
    "line",
    [
        b'{"t":1.5,"k":"console","o":"out","b":"password=hunter22x\n',
        b'[{"k":"console"}]\n',
        b'{"k":["console"],"x":{"k":"console"}}\n',
        b'{"t":1.5,"k":"config","c":7}\n',
        b'{"t":1.5,"k":"console","o":"out","x":"=="}\n',
    ],
)
def test_what_is_no_such_record_stays_as_it_is(line: bytes) -> None:
    assert leaving(line) == line


def test_a_line_that_is_not_terse_leaves_as_blanks_rather_than_whole() -> None:
    """Numbers may be written in ways that ours are longer than; then nothing of it leaves."""
    numbers = ",".join(["1e9"] * 50)
    line = f'{{"k":"config","c":{{"password":"hunter22x","n":[{numbers}]}}}}\n'.encode()
    left = leaving(line)
    assert len(left) == len(line)
    assert b"hunter22x" not in left
