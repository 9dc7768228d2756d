"""Nobody gets past the guard: not by another name, not from another site, not without a token."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from outrider_server.guard import Hosts

if TYPE_CHECKING:
    from server_kit import Client

FORGED = [
    "",
    "evil.example",
    "evil.example:7878",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.localhost.example",
    "localhost.",
    "LOCALHOST.evil",
    "127.0.0.1@evil.example",
    "user:pass@127.0.0.1",
    "10.0.0.1",
    "192.168.1.4:7878",
    "0.0.0.0",
    "[::ffff:10.0.0.1]",
    "[::2]",
    "[fe80::1%25eth0]",
    "128.0.0.1",
    "127.0.0.1:99999",
    "127.0.0.1:-1",
    "127.0.0.1:",
    "127.0.0.1:80:80",
    "127.0.0.1 evil",
    "127.0.0.1/evil",
    "127.0.0.1#",
    "127.0.0.1?x",
    "127.1.evil",
    "2130706433",
    "0x7f000001",
    "017700000001",
    "*",
    "-",
    "..",
]


@pytest.mark.parametrize("host", FORGED)
def test_a_forged_host_is_refused_even_with_a_good_token(client: Client, host: str) -> None:
    """DNS rebinding sends our address under the attacker's name."""
    for path in ("/api/me", "/", "/api/health", "/api/events"):
        assert client.get(path, host=host).status == 421
    assert client.append("r", 0, b"{}\n", host=host).status == 421
    assert client.post("/api/runs", {}, host=host).status == 421


def test_the_target_of_a_request_is_no_way_round_the_host(client: Client) -> None:
    """An absolute target names a host of its own, and HTTP/1.0 may name none."""
    token = f"Authorization: Bearer {client.token}\r\n"
    for head in (
        f"GET http://{client.host}/api/me HTTP/1.1\r\nHost: evil.example\r\n{token}\r\n",
        f"GET /api/me HTTP/1.0\r\n{token}\r\n",
        f"GET /api/me HTTP/1.1\r\n{token}\r\n",
        f"GET /api/me HTTP/1.1\r\nHost : {client.host}\r\n{token}\r\n",
        f"GET /api/me HTTP/1.1\r\nX: y\r\n Host: {client.host}\r\n{token}\r\n",
    ):
        with client.socket() as connection:
            connection.sendall(head.encode())
            assert connection.recv(64).split()[1] in (b"421", b"400"), head


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:9000", "localhost", "LocalHost:1", "[::1]:7878", "127.8.8.8"]
)
def test_loopback_names_are_ours_at_any_port(client: Client, host: str) -> None:
    """A tunnel may have another port than the server."""
    assert client.get("/api/me", host=host).status == 200


def test_a_second_host_header_is_refused(client: Client) -> None:
    """Two Hosts are a way past proxies."""
    assert client.get("/api/me", headers={"host": "127.0.0.1"}).status == 400


def test_a_server_on_the_network_answers_to_addresses_and_its_own_names() -> None:
    """A literal address cannot be rebound; foreign names still are refused."""
    hosts = Hosts("0.0.0.0", ["tracker.example"], "https://public.example/x")
    for good in (b"10.0.0.1:7878", b"[fd00::1]", b"tracker.example", b"public.example:443"):
        assert hosts.allow(good)
    for bad in (b"evil.example", b"tracker.example.evil", b"", b"\xff"):
        assert not hosts.allow(bad)


def test_everything_but_the_health_check_asks_for_a_token(client: Client) -> None:
    """Also on loopback: shared login nodes exist."""
    nobody = client.with_token(None)
    assert nobody.get("/api/health").json()["service"] == "outrider"
    for path in (
        "/api/me",
        "/api/projects",
        "/api/openapi.json",
        "/api/events",
        "/api/nothing",
        "/api/",
        "/api/health/",
    ):
        reply = nobody.get(path)
        assert (reply.status, reply.code) == (401, "unauthorized")
        assert reply.json()["error"]["hint"]


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic dTpw",
        "bearer x",
        "Bearer outr_local_",
        "Bearer a_b_c",
        "Token x",
    ],
)
def test_a_wrong_authorization_is_refused(client: Client, authorization: str) -> None:
    """Nothing but a known bearer token opens."""
    nobody = client.with_token(None)
    assert nobody.get("/api/me", headers={"Authorization": authorization}).status == 401


ORIGINS = [
    "own",
    None,
    "null",
    "http://evil.example",
    "http://127.0.0.1:1",
    "https://evil",
    "file://",
    "http://127.0.0.1.evil.example",
]
SITES = [None, "same-origin", "none", "same-site", "cross-site"]


def test_there_are_forty_pairs_and_thirty_hosts() -> None:
    """As many as were promised."""
    assert len(ORIGINS) * len(SITES) == 40
    assert len(FORGED) >= 30


@pytest.mark.parametrize(("origin", "site"), list(product(ORIGINS, SITES)))
def test_a_session_changes_things_only_from_our_own_page(
    client: Client, origin: str | None, site: str | None
) -> None:
    """Each pair of Origin and Sec-Fetch-Site: only what our own page sends gets through."""
    headers = {"Cookie": client.session()}
    if origin is not None:
        headers["Origin"] = client.url if origin == "own" else origin
    if site is not None:
        headers["Sec-Fetch-Site"] = site
    browser = client.with_token(None)
    can_change = origin == "own" and site in (None, "same-origin", "none")
    reply = browser.post("/api/login-codes", {}, headers=headers)
    assert reply.status == (200 if can_change else 403)
    reply = browser.request("DELETE", "/api/tokens/nobody", headers=headers)
    assert reply.status == (404 if can_change else 403)
    can_read = origin in ("own", None) and site in (None, "same-origin", "none")
    assert browser.get("/api/me", headers=headers).status == (200 if can_read else 403)
    assert stream_status(browser, headers) == (200 if can_read else 403)


def stream_status(client: Client, headers: dict[str, str]) -> int:
    """How an event stream begins."""
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    with client.socket() as connection:
        head = f"GET /api/events HTTP/1.1\r\nHost: {client.host}\r\n{''.join(lines)}\r\n"
        connection.sendall(head.encode())
        return int(connection.recv(64).split()[1])


def test_a_foreign_origin_is_refused_with_a_token_too(client: Client) -> None:
    """A stolen token is not made usable from any page."""
    for origin in ("http://evil.example", "null"):
        assert client.get("/api/me", headers={"Origin": origin}).status == 403
    assert client.get("/api/me", headers={"Origin": client.url}).status == 200


def test_no_answer_allows_another_site_to_read_it(client: Client) -> None:
    """There is no CORS header, and a preflight is not granted."""
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    preflight = client.with_token(None).request("OPTIONS", "/api/runs", headers=headers)
    assert preflight.status in (401, 403)
    for reply in (preflight, client.get("/api/me")):
        assert not [name for name in reply.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/", "/p/x/r/y", "/api/me", "/api/health", "/nothing", "/login"])
def test_every_answer_carries_the_security_headers(client: Client, path: str) -> None:
    """Also failures and the page."""
    reply = client.get(path)
    assert reply.headers["outrider-server"]
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "no-referrer"
    policy = reply.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_bytes_that_are_not_http_get_our_kind_of_answer(client: Client) -> None:
    """A streamer that reads it still sees whose server it is."""
    with client.socket() as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00 hello\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"outrider-server:" in answer.lower()
