"""Tokens: unguessable, unreadable at rest, and gone the moment they are revoked."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest
from server_kit import Client, Start, points

from outrider_server import tokens as module
from outrider_server.login import LoginCodes
from outrider_server.problems import Problem
from outrider_server.tokens import Role, Tokens


class Rows:
    """A store's token tables, in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}

    def tokens_add(self, row: dict[str, Any]) -> None:
        self.rows[row["id"]] = json.loads(json.dumps(row))

    def tokens_all(self) -> list[dict[str, Any]]:
        return list(self.rows.values())

    def tokens_revoke(self, token_id: str) -> bool:
        return self.rows.pop(token_id, None) is not None


class Clock:
    """Time that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_token_has_256_random_bits_and_no_two_are_alike() -> None:
    """43 letters of base64 hold 256 bits."""
    made = [Tokens(Rows()).create("x", Role.READ)[1] for _ in range(200)]
    secrets = {text.split("_", 2)[2] for text in made}
    assert len(secrets) == 200
    assert all(len(secret) == 43 for secret in secrets)
    assert {letter for secret in secrets for letter in secret} >= set("abcxyzABCXYZ0189-_")


def test_only_the_hash_is_kept() -> None:
    """What is stored does not hold the token, and opens nothing."""
    rows = Rows()
    tokens = Tokens(rows)
    principal, text = tokens.create("x", Role.ADMIN)
    kept = json.dumps(rows.tokens_all())
    assert text not in kept
    assert text.split("_", 2)[2] not in kept
    assert rows.rows[principal.id]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert tokens.find(rows.rows[principal.id]["sha256"]) is None


def test_every_guess_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Known id or not, one compare_digest of two SHA-256 decides."""
    tokens = Tokens(Rows())
    _, text = tokens.create("x", Role.READ)
    compared: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return real(one, other)

    monkeypatch.setattr(module, "hmac", type("H", (), {"compare_digest": staticmethod(compare)}))
    for guess in (text, text[:-1] + "!", "outr_nobody_x", "", "x", "ä\ud800"):
        before = len(compared)
        tokens.find(guess)
        assert len(compared) == before + 1
    assert set(compared) == {(32, 32)}


def test_tokens_and_sessions_survive_a_restart_and_expired_sessions_do_not() -> None:
    """Memory is filled from the store; what has expired leaves it."""
    rows, clock = Rows(), Clock()
    tokens = Tokens(rows, clock)
    parent, text = tokens.create("x", Role.WRITE, ["a", "b"])
    _, session = tokens.create("s", Role.READ, ["a"], parent=parent)
    again = Tokens(rows, clock)
    found = again.find(text)
    assert found is not None
    assert (found.role, found.projects) == (Role.WRITE, {"a", "b"})
    assert again.find(session) is not None
    clock.now += module.SESSION_SECONDS + 1
    assert again.find(session) is None
    later = Tokens(rows, clock)
    assert later.find(text) is not None
    assert len(rows.rows) == 1


def test_sessions_die_with_the_token_they_came_from() -> None:
    """Down to the sessions that a session made."""
    tokens = Tokens(Rows())
    revoked: set[str] = set()
    tokens.on_revoke = revoked.update
    parent, _ = tokens.create("x", Role.ADMIN)
    child, one = tokens.create("s", Role.ADMIN, parent=parent)
    _, two = tokens.create("t", Role.ADMIN, parent=child)
    _, other = tokens.create("y", Role.ADMIN)
    tokens.revoke(parent.id)
    assert tokens.find(one) is None
    assert tokens.find(two) is None
    assert tokens.find(other) is not None
    assert len(revoked) == 3
    assert not tokens.is_valid(child)
    with pytest.raises(Problem):
        tokens.create("z", Role.READ, parent=child)


def test_the_local_token_is_kept_over_a_restart_but_never_stored() -> None:
    """Streamers of this user go on; the tables never see it."""
    rows = Rows()
    tokens = Tokens(rows)
    _, text = tokens.adopt_local()
    assert tokens.adopt_local(text)[1] == text
    for poor in ("x", "outr_local_", "outr_local_short", "outr_abc_" + "x" * 43):
        assert tokens.adopt_local(poor)[1] != poor
    assert rows.rows == {}
    with pytest.raises(Problem):
        tokens.revoke("local")


def test_a_login_code_works_once_and_not_for_ever() -> None:
    """Used, expired and unknown codes are worth nothing."""
    clock = Clock()
    codes = LoginCodes(clock)
    who, _ = Tokens(Rows()).create("x", Role.WRITE, ["a"])
    code, expires = codes.create(who, seconds=10)
    assert expires == clock.now + 10
    assert codes.redeem("x") is None
    assert codes.redeem(code) is not None
    assert codes.redeem(code) is None
    code, _ = codes.create(who, seconds=10)
    clock.now += 11
    assert codes.redeem(code) is None


def test_a_login_code_is_worth_no_more_than_its_maker() -> None:
    """A role or projects beyond the token's own are cut to it."""
    codes = LoginCodes()
    who, _ = Tokens(Rows()).create("x", Role.WRITE, ["a", "b"])
    code, _ = codes.create(who, role=Role.ADMIN, projects=frozenset("bc"))
    grant = codes.redeem(code)
    assert grant is not None
    assert (grant.role, grant.projects) == (Role.WRITE, {"b"})


def test_login_codes_do_not_pile_up() -> None:
    """A loop of requests cannot fill the memory."""
    codes = LoginCodes()
    who, _ = Tokens(Rows()).create("x", Role.READ)
    for _ in range(1000):
        codes.create(who)
    with pytest.raises(Problem) as caught:
        codes.create(who)
    assert caught.value.status == 429


def test_a_login_link_opens_a_session_once(client: Client) -> None:
    """The cookie is HttpOnly and strict; the second use of the link is refused."""
    link = client.post("/api/login-codes", {}).json()["url"].removeprefix(client.url)
    nobody = client.with_token(None)
    first = nobody.get(link)
    assert (first.status, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert cookie.startswith("outrider_session")
    assert nobody.get(link).status == 403
    mine = {"Cookie": first.headers["set-cookie"].partition(";")[0]}
    assert nobody.get(link, headers=mine).status == 303
    assert nobody.get("/api/me", headers=mine).json()["role"] == "admin"
    for bad in ("/login", "/login?code=", "/login?code=x", "/login?code=" + "x" * 500):
        assert nobody.get(bad).status in (400, 403)


def test_a_login_link_leads_to_a_project_and_nowhere_else(client: Client) -> None:
    """What it opens is a project's name, and stands nowhere in the link."""
    link = client.post("/api/login-codes", {"opens": "a b"}).json()["url"].removeprefix(client.url)
    assert client.with_token(None).get(link).headers["location"] == "/p/a%20b"
    for elsewhere in ("//example.org", "https://example.org", "..", "a/b", "a\r\nb", "", 7, ["x"]):
        assert client.post("/api/login-codes", {"opens": elsewhere}).status == 400


def test_a_logout_ends_the_session(client: Client) -> None:
    """The cookie is worthless afterwards, wherever it was copied to."""
    mine = {"Cookie": client.session(), "Origin": client.url}
    browser = client.with_token(None)
    assert browser.get("/api/me", headers=mine).status == 200
    assert browser.post("/api/logout", headers=mine).status == 200
    assert browser.get("/api/me", headers=mine).status == 401


def test_a_session_is_no_bearer_token_and_a_token_is_no_cookie(client: Client) -> None:
    """What leaks from one place does not work in the other."""
    name, _, value = client.session().partition("=")
    assert client.with_token(value).get("/api/me").status == 401
    cookie = {"Cookie": f"{name}={client.token}"}
    assert client.with_token(None).get("/api/me", headers=cookie).status == 401


def test_a_revoked_token_stops_at_once_and_so_does_its_event_stream(client: Client) -> None:
    """Its streams end, and the batch that was on its way is refused."""
    client.create_run("revoked")
    token_id, text = client.token_of("write")
    theirs = client.with_token(text)
    assert theirs.append("revoked", 0, points(0, 3)).status == 200
    with client.socket() as stream, client.socket() as slow:
        head = f"HTTP/1.1\r\nHost: {client.host}\r\nAuthorization: Bearer {text}\r\n"
        stream.sendall(f"GET /api/events {head}\r\n".encode())
        assert b"200 OK" in stream.recv(4096)
        raw = points(3, 3)
        path = "/api/projects/p/runs/revoked/journal/late/1?offset=0"
        slow.sendall(f"POST {path} {head}Content-Length: {len(raw)}\r\n\r\n".encode() + raw[:10])
        time.sleep(0.2)
        assert client.request("DELETE", f"/api/tokens/{token_id}").status == 200
        assert theirs.get("/api/me").status == 401
        slow.sendall(raw[10:])
        assert b" 401 " in slow.recv(4096)
        while stream.recv(4096):
            pass


def test_tokens_are_nowhere_to_be_read(client: Client, start: Start, tmp_path: Path) -> None:
    """Not in the data folder, not in the log, not in listings or failures."""
    log = tmp_path / "log"
    server = start(log=log)
    mine = Client(server.url, server.token)
    _, text = mine.token_of("write")
    session = mine.session().partition("=")[2]
    assert text not in mine.get("/api/tokens").body.decode()
    for path in ("/api/nothing", f"/api/projects/{text}/runs?filter=((", "/login?code=wrong"):
        reply = mine.with_token(text + "x").get(path)
        assert text not in reply.body.decode().replace(path, "")
    server.stop()
    code = server.link.partition("code=")[2]
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert files
    for path in [*files, log]:
        content = path.read_bytes()
        for secret in (text, session, server.token, code):
            assert secret.encode() not in content, path
            assert secret.split("_", 2)[-1].encode() not in content, path
