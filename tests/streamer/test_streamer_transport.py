"""The seam for HTTP: whom a token is told, what counts as an answer, why nobody answered."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamer_ingest import Handler, Ingest

from outrider import transport as module
from outrider.capture.redact import redact_arguments
from outrider.credentials import Token
from outrider.errors import NotFound, Refused, ServerError, Unauthorized, Unreachable
from outrider.streamer.describe import description
from outrider.transport import Answer, HttpTransport, SomebodyElse, check, is_loopback

TOKEN = Token("secret-token", "test")


@pytest.fixture
def seen(ingest: Ingest) -> list[dict[str, str]]:
    """The headers of every request."""
    found: list[dict[str, str]] = []

    def note(handler: Handler, path: str, body: bytes) -> bool:
        found.append(dict(handler.headers))
        return False

    ingest.fault = note
    return found


@pytest.fixture
def http(ingest: Ingest) -> Iterator[HttpTransport]:
    """A transport to the server."""
    made = HttpTransport(ingest.url, TOKEN)
    yield made
    made.close()


def test_a_token_is_sent_to_its_server_and_no_netrc_is_read(
    http: HttpTransport, ingest: Ingest, seen: list[dict[str, str]]
) -> None:
    """Also without a token of ours, another program's password is not sent."""
    Path(os.environ["HOME"], ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    Path(os.environ["HOME"], ".netrc").chmod(0o600)
    http.request("GET", "/x")
    bare = HttpTransport(ingest.url)
    bare.request("GET", "/x")
    bare.close()
    assert seen[0]["Authorization"] == "Bearer secret-token"
    assert "Authorization" not in seen[1]


def test_a_redirect_is_not_followed(http: HttpTransport, ingest: Ingest) -> None:
    """A token never travels to where an answer points."""
    other = Ingest()
    ingest.fault = lambda handler, path, body: bool(
        handler.answer(307, b"", ours=False, Location=other.url + "/steal") or True
    )
    with pytest.raises(SomebodyElse, match="answered 307") as caught:
        http.request("POST", "/api/runs", json={})
    other.stop()
    assert other.requests == []
    assert other.url in str(caught.value)


def test_a_loopback_server_is_not_asked_through_a_proxy(
    http: HttpTransport, seen: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token would be told to it; for any other server the proxy is used."""
    proxy = Ingest()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    http.request("GET", "/x")
    assert len(seen) == 1
    far = HttpTransport("http://tracker.example")
    far.request("GET", "/y")
    far.close()
    proxy.stop()
    assert proxy.requests == ["GET http://tracker.example/y"]


@pytest.mark.parametrize(
    ("url", "is_ours"),
    [
        ("http://127.0.0.1:1", True),
        ("http://127.8.9.1", True),
        ("http://localhost:7878", True),
        ("http://[::1]:1", True),
        ("http://127.0.0.1.example.org", False),
        ("http://localhost.example.org", False),
        ("https://example.org", False),
    ],
)
def test_loopback_is_told_from_what_looks_like_it(url: str, is_ours: bool) -> None:
    """A name that only begins like one is another machine."""
    assert is_loopback(url) is is_ours


def test_an_answer_without_our_header_is_somebody_elses(
    http: HttpTransport, ingest: Ingest
) -> None:
    """Whatever its status and its body say."""
    ingest.fault = lambda handler, path, body: bool(
        handler.answer(200, {"offset": 5}, ours=False) or True
    )
    with pytest.raises(SomebodyElse) as caught:
        http.request("GET", "/x")
    assert caught.value.hint
    assert caught.value.answer.status == 200


def test_an_answer_is_bounded(
    http: HttpTransport, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In length, also after decompression, and in time."""
    monkeypatch.setattr(module, "MAX_ANSWER", 100_000)
    ingest.fault = lambda handler, path, body: bool(handler.answer(200, b"x" * 200_000) or True)
    with pytest.raises(ServerError, match="longer than"):
        http.request("GET", "/x")

    def trickle(handler: Handler, path: str, body: bytes) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        for _ in range(1000):
            handler.wfile.write(b"x" * 1000)
            time.sleep(0.02)
        return True

    ingest.fault = trickle
    with pytest.raises(Unreachable) as caught:
        http.request("GET", "/x", timeout=(1.0, 0.02))
    assert caught.value.kind == "timeout"


def _refused() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_why_nobody_answered_is_told(ingest: Ingest) -> None:
    """Refused, an unknown name, no TLS, broken: each with a hint."""
    ingest.fault = lambda handler, path, body: bool(handler.reset() or True)
    for url, kind in (
        (_refused(), "refused"),
        ("http://no-such-host.invalid", "dns"),
        (ingest.url.replace("http:", "https:"), "tls"),
        (ingest.url, "reset"),
    ):
        http = HttpTransport(url)
        with pytest.raises(Unreachable) as caught:
            http.request("GET", "/x")
        http.close()
        assert caught.value.kind == kind
        assert caught.value.hint
        assert url in caught.value.message


def test_a_server_that_hangs_is_given_up() -> None:
    """It accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        http = HttpTransport(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(Unreachable) as caught:
            http.request("GET", "/x", timeout=(1.0, 0.2))
        http.close()
    assert caught.value.kind == "timeout"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, Unauthorized),
        (403, Unauthorized),
        (404, NotFound),
        (400, Refused),
        (422, Refused),
        (429, ServerError),
        (500, ServerError),
    ],
)
def test_a_refusal_is_raised_in_the_servers_words(
    status: int, error: Callable[..., Exception]
) -> None:
    """With its hint; a body that says nothing is no failure."""
    body = {"error": {"code": "x", "message": "that was it", "hint": "do this"}}
    with pytest.raises(error) as caught:  # type: ignore[call-overload]
        check(Answer(status, {}, json.dumps(body).encode()))
    assert "that was it" in str(caught.value)
    assert "do this" in str(caught.value)
    with pytest.raises(error):  # type: ignore[call-overload]
        check(Answer(status, {}, b"<html>"))
    assert check(Answer(204, {}, b"")).status == 204


def test_a_command_lines_secrets_stay_here() -> None:
    """Values of options that name a secret are masked, whichever way they are written."""
    argv = ["train.py", "--lr", "1", "--hf-token", "abc", "--password=xyz", "API_KEY=q", "--token"]
    masked = redact_arguments(argv)
    assert masked == [
        "train.py", "--lr", "1", "--hf-token", "[redacted]", "--password=[redacted]",
        "API_KEY=[redacted]", "--token",
    ]  # fmt: skip
    told = description({"id": "a", "argv": argv, "origins": {"url": "/home/x"}})
    assert told == {"id": "a", "argv": masked}


def test_importing_the_seam_is_cheap() -> None:
    """Requests comes in with the first request."""
    script = "import sys, outrider.transport; sys.exit('requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_threads_may_use_their_own(ingest: Ingest) -> None:
    """One transport a thread."""
    statuses: list[int] = []

    def ask() -> None:
        http = HttpTransport(ingest.url)
        statuses.extend(http.request("GET", "/x").status for _ in range(5))
        http.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [404] * 20
