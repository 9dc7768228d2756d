"""The tools of the trade, outside the default run: coverage-guided bytes, and the API's own document.

``tox -e security`` installs and runs them; ``OUTRIDER_TEST_ATTACKS`` says how often, and
``OUTRIDER_TEST_ATTACK_SECONDS`` how long schemathesis goes on at most (1800).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mutating import COUNT, JOURNAL, SEED
from route_table import VALUES
from server_kit import Client, Start, points

HERE = Path(__file__).parent
SECONDS = int(os.environ.get("OUTRIDER_TEST_ATTACK_SECONDS", "1800"))
OURS = "events set_webhook logout delete_run delete_runs login append_journal"
"""A stream without an end, an address that would be posted to, what would end the attack, and the
journal, whose lines schemathesis cannot write (``test_mutations`` does)."""


@pytest.mark.fuzz
def test_what_atheris_finds(tmp_path: Path) -> None:
    """Every parser of foreign bytes, guided by what its code did with the bytes before."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, line in enumerate(JOURNAL):
        (corpus / str(number)).write_bytes(b"\0" + line + b"\n")
    (corpus / "names").write_bytes(b"\2config.lr > 0.1 and tags:a")
    command = [sys.executable, str(HERE / "fuzz_parsers.py"), f"-runs={COUNT}", f"-seed={SEED}"]
    command += ["-max_len=4096", "-timeout=30", "-rss_limit_mb=1024", str(corpus)]
    paths = [str(HERE), *(path for path in sys.path if path)]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True, text=True, timeout=3000, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert "Done" in done.stderr


@pytest.mark.fuzz
@pytest.mark.timeout(SECONDS + 1800)
def test_what_schemathesis_finds(start: Start, tmp_path: Path) -> None:
    """From the OpenAPI document: values that fit it and values that do not; never a 500."""
    log = tmp_path / "server.log"
    server = start(log=log)
    client = Client(server.url, server.token)
    client.create_run("roles")
    client.append("roles", 0, points(0, 50))
    document = client.get("/api/openapi.json").json()
    operations = sum(map(len, document["paths"].values()))
    for operation in (one for methods in document["paths"].values() for one in methods.values()):
        for parameter in operation["parameters"]:  # what is there is found; the rest is varied
            if parameter["in"] == "path" and parameter["name"] in VALUES:
                parameter["schema"] = {"type": "string", "enum": [VALUES[parameter["name"]]]}
    schema = tmp_path / "openapi.json"
    schema.write_text(json.dumps(document))
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(schema), "--url", server.url]
    command += [
        "--header",
        f"Authorization:Bearer {server.token}",
        "--checks",
        "not_a_server_error",
    ]
    command += ["--max-examples", str(max(5, COUNT // 10 // operations)), "--seed", str(SEED)]
    command += ["--phases", "examples,fuzzing", "--workers", "2", "--no-color"]
    command += [
        "--max-redirects",
        "0",
        "--suppress-health-check",
        "all",
        "--max-time",
        str(SECONDS),
    ]
    for name in OURS.split():
        command += ["--exclude-operation-id", name]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS + 1700, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert client.get("/api/health").status == 200
    assert server.stop() == 0
    assert "Traceback" not in log.read_text(errors="replace")
