"""Tokens are in no URL, no log, no record, no command line and no error page, on either side."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from attack_kit import Wire, request
from route_table import BODIES, routes
from server_kit import Client, Start
from test_modes import SCRIPT, delivered
from test_tokens import Rows

from outrider_server.login import LoginCodes
from outrider_server.tokens import Principal, Role, Tokens
from waiting import eventually


def processes_that_say(word: bytes) -> list[str]:
    """Command lines, which every user of a machine can read, that hold a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if word in line:
            found.append(line.decode(errors="replace"))
    return found


def test_a_token_is_nowhere_to_be_read_after_a_run(start: Start, tmp_path: Path) -> None:
    """Trained, streamed, listed, failed: then every file that came of it is searched."""
    log = tmp_path / "server.log"
    server = start(log=log)
    client = Client(server.url, server.token)
    token = client.token_of("write")[1]
    folder = tmp_path / "training"
    folder.mkdir()
    env = {**os.environ, "OUTRIDER_URL": server.url, "OUTRIDER_API_KEY": token}
    env["OUTRIDER_NOTES"] = "notes"
    training = subprocess.Popen(
        [sys.executable, str(SCRIPT)], cwd=folder, env=env, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    said = processes_that_say(token.encode())
    output = training.communicate(timeout=150)[0]
    said += processes_that_say(token.encode())
    assert training.returncode == 0, output
    eventually(lambda: delivered(client), "the run did not arrive")
    for command in (["runs"], ["status"], ["doctor"], ["runs", "--url", "http://127.0.0.1:9"]):
        done = subprocess.run(
            [sys.executable, "-m", "outrider.cli", *command], cwd=folder, env=env,
            capture_output=True, timeout=120, check=False,
        )  # fmt: skip
        output += done.stdout + done.stderr
    for name, method, path in routes(client):
        if name not in ("events", "logout", "delete_run", "delete_runs"):
            reply = client.with_token(token).request(method, path, BODIES.get(name))
            output += reply.body + repr(reply.headers).encode()
    secret = token.split("_", 2)[2].encode()
    assert said == []
    assert secret not in output
    server.stop()
    places = [folder / ".outrider", tmp_path / "data", Path(os.environ["HOME"])]
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in [*files, log]:
        assert secret not in path.read_bytes(), path


def test_no_error_page_repeats_a_token(client: Client) -> None:
    """On each route, in each place that a failure may quote: query, body, header, path."""
    token = client.token_of("write")[1]
    theirs = client.with_token(token)
    secret = token.split("_", 2)[2].encode()
    requests = []
    for name, method, path in routes(client):
        if name in ("events", "login"):
            continue
        joint = "&" if "?" in path else "?"
        body = b'{"broken": '
        requests.append(request(theirs, method, f"{path}{joint}limit=x&offset=x&width=x", body))
        requests.append(request(theirs, method, path, body, "Accept: text/html", "Range: x"))
    for reply in Wire(theirs).ask(requests):
        assert reply.status != 0
        assert secret not in reply.body
        assert secret not in repr(reply.headers).encode()


def test_no_url_that_is_made_holds_a_token(client: Client, start: Start) -> None:
    """The printed link, a link for another, and where a login leads."""
    server = start()
    mine = Client(server.url, server.token)
    link = mine.post("/api/login-codes", {}).json()["url"]
    reply = mine.with_token(None).get(link.removeprefix(server.url))
    for url in (server.link, link, reply.headers["location"]):
        for part in (server.token, server.token.split("_", 2)[2], "outr_"):
            assert part not in url


def test_tokens_codes_and_sessions_have_256_even_bits() -> None:
    """No letter at any place is likelier than another, and no two of many thousand are alike."""
    tokens, codes = Tokens(Rows()), LoginCodes()
    who = Principal("x", "x", Role.READ, None, b"", 0.0)
    secrets = [tokens.create("x", Role.READ)[1].split("_", 2)[2] for _ in range(2000)]
    secrets += [codes.create(who)[0] for _ in range(900)]
    assert len(set(secrets)) == len(secrets)
    for place in range(42):  # the 43rd letter holds the last four bits only
        counts = Counter(secret[place] for secret in secrets)
        bits = -sum(n / len(secrets) * math.log2(n / len(secrets)) for n in counts.values())
        assert len(counts) == 64
        assert bits > 5.9, place
