"""The webhook: each alert posted at least once, with an id, to the admin's address and to no other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alert_parts import START, Hook, Watched

from outrider.api import Client
from outrider.errors import UsageError
from outrider.journal.line import encode
from outrider_server.background import Background, start_background
from outrider_server.webhook import Poster, body, check_url, masked
from waiting import eventually

DIED = {"t": START, "k": "end", "w": "w", "a": 1, "state": "killed", "signal": 9}
ALERT = {"t": START, "k": "alert", "title": "look", "text": "here", "level": "INFO"}


def send(server: Background, *records: dict[str, Any], run: str = "r", at: int = 0) -> int:
    """Records of a run; returns the offset behind them."""
    client = Client(server.url, server.token)
    described = {"project": "p q", "id": run, "name": "a <!channel> & b", "created": START}
    client.ask("POST", "/api/runs", json={**described, "writer": "w"})
    path = f"/api/projects/p%20q/runs/{run}/journal/w/1"
    raw = b"".join(encode(record) for record in records)
    answer = client.ask("POST", path, params={"offset": at}, data=raw)
    return int(answer["offset"])


def test_an_alert_is_posted_as_documented(server: Background, hook: Hook) -> None:
    """Told in Slack's field, and in fields of its own; the page's address leads to the run."""
    send(server, ALERT)
    (post,) = eventually(lambda: hook.posts)
    assert len(post.pop("id")) == 32
    assert post.pop("text") == (
        "\N{INFORMATION SOURCE} *look* in p q / a &lt;!channel&gt; &amp; b\nhere\n"
        f"{server.url}/p/p%20q/r/r"
    )
    assert post == {
        "title": "look",
        "message": "here",
        "level": "info",
        "project": "p q",
        "run": "r",
        "run_name": "a <!channel> & b",
        "time": START,
        "source": "script",
        "rule": None,
        "url": f"{server.url}/p/p%20q/r/r",
    }
    assert hook.headers[0]["user-agent"].startswith("Outrider/")
    assert hook.headers[0]["content-type"] == "application/json"
    assert not {"authorization", "cookie"} & set(hook.headers[0])


def test_rules_are_made_over_http_and_time_raises_their_alerts(
    server: Background, hook: Hook
) -> None:
    """A run that falls silent and one that died, seen by a running server."""
    client = Client(server.url, server.token)
    rules = "/api/projects/p%20q/rules"
    client.ask("POST", rules, json={"kind": "silent", "minutes": 0.005})
    made = client.ask("POST", rules, json={"kind": "died"})
    assert [rule["kind"] for rule in client.ask("GET", rules)["rules"]] == ["silent", "died"]
    send(server, {"t": START, "s": 0, "p": {"loss": 1.0}})
    eventually(lambda: hook.posts)
    assert hook.posts[0]["title"] == "nothing was heard of the run for 0.3 seconds"
    send(server, DIED, run="q")
    eventually(lambda: "the run died" in [post["title"] for post in hook.posts])
    found = [post for post in hook.posts if post["title"] == "the run died"]
    assert [post["message"] for post in found] == ["killed by signal 9 (SIGKILL)."]
    assert found[0]["rule"] == made["id"]
    client.ask("DELETE", f"{rules}/{made['id']}")
    assert [rule["kind"] for rule in client.ask("GET", rules)["rules"]] == ["silent"]


def test_a_post_that_fails_is_done_again_and_no_redirect_is_followed(
    server: Background, hook: Hook
) -> None:
    """Until the address takes it; its id stays, so that a repetition can be told."""
    hook.answers = [
        (500, {}),
        (302, {"Location": hook.url}),
        (404, {}),
        (429, {"Retry-After": "0"}),
    ]
    send(server, ALERT)
    eventually(lambda: len(hook.posts) == 5)
    assert len({post["id"] for post in hook.posts}) == 1
    assert hook.gets == 0
    client = Client(server.url, server.token)
    eventually(lambda: client.ask("GET", "/api/webhook")["waiting"] == 0)
    said = client.ask("GET", "/api/webhook")
    assert said["last"]["problem"] is None
    assert said["url"] == hook.url.partition("/services")[0] + "/…"
    assert len(hook.posts) == 5


def test_what_waits_survives_a_kill_of_the_server(tmp_path: Path, hook: Hook) -> None:
    """Alerts that came while the address was down are posted by the next server, in order."""
    url = hook.url
    hook.stop()
    first = start_background(
        tmp_path / "data", arguments=["--webhook", url, "--limit", "webhook_seconds=0.5"]
    )
    at = send(first, {**ALERT, "title": "one"})
    send(first, {**ALERT, "title": "two"}, at=at)
    client = Client(first.url, first.token)
    eventually(lambda: client.ask("GET", "/api/webhook")["last"])
    assert client.ask("GET", "/api/webhook")["last"]["problem"] == "ConnectionError"
    assert client.ask("GET", "/api/webhook")["waiting"] == 2
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait()
    later = Hook()
    try:
        second = start_background(
            tmp_path / "data",
            arguments=["--webhook", later.url, "--limit", "webhook_seconds=0.1"],
        )
        try:
            eventually(lambda: len(later.posts) >= 2)
            assert {post["title"] for post in later.posts} == {"one", "two"}
        finally:
            second.stop()
    finally:
        later.stop()


def test_without_an_address_nothing_is_kept_for_it(tmp_path: Path, hook: Hook) -> None:
    """An address that is set later gets what comes from then on; one removed gets nothing more."""
    server = start_background(tmp_path / "data", arguments=["--limit", "webhook_seconds=0.1"])
    try:
        client = Client(server.url, server.token)
        assert client.ask("GET", "/api/webhook") == {"url": None, "waiting": 0, "last": None}
        at = send(server, {**ALERT, "title": "before"})
        client.ask("PUT", "/api/webhook", json={"url": hook.url})
        at = send(server, {**ALERT, "title": "during"}, at=at)
        eventually(lambda: hook.posts)
        client.ask("PUT", "/api/webhook", json={"url": None})
        send(server, {**ALERT, "title": "after"}, at=at)
        assert client.ask("GET", "/api/webhook")["waiting"] == 0
        assert [post["title"] for post in hook.posts] == ["during"]
        with pytest.raises(Exception, match="http or https"):
            client.ask("PUT", "/api/webhook", json={"url": "file:///etc/passwd"})
    finally:
        server.stop()


def test_an_address_that_cannot_be_is_refused_at_the_start(tmp_path: Path) -> None:
    """The server says so and does not start."""
    command = [sys.executable, "-m", "outrider_server", "--port", "0"]
    command += ["--data", str(tmp_path / "data"), "--webhook", "ftp://example.com/x"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "the webhook must be an http or https URL" in done.stderr


@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        "",
        "example.com",
        "ftp://example.com",
        "file:///etc/passwd",
        "http://",
        "http://:80/",
        "http://example.com:99999/",
        "http://user:word@example.com/",
        "http://example.com/a b",
        "http://example.com/\r\nHost: other",
        "https://example.com/" + "x" * 3000,
    ],
)
def test_what_is_no_address_is_refused(url: object) -> None:
    """With what it must be."""
    with pytest.raises(UsageError):
        check_url(url)


def test_an_address_is_shown_without_its_secret() -> None:
    """The path of a webhook is what lets one post there."""
    assert masked("https://hooks.example.com:8443/T0/B0/secret?k=v") == (
        "https://hooks.example.com:8443/…"
    )
    assert masked(None) is None


def test_a_post_is_given_up_in_the_end_and_the_queue_is_bounded(
    watched: Watched, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many tries, with pauses that double; beyond the bound nothing is queued."""
    monkeypatch.setattr("outrider_server.store.alerts.MOST_WAITING", 3)
    watched.store.alerts.set_webhook(hook.url)
    for number in range(5):
        watched.send("r", {**ALERT, "title": str(number)})
    assert watched.store.alerts.waiting() == 3
    assert len(watched.alerts("r")) == 5
    poster = Poster(watched.store.alerts, "http://page", pause=5.0, clock=lambda: watched.now)
    hook.answers = [(500, {})] * 1000
    pauses = []
    for _ in range(200):
        seconds = poster.step()
        if not watched.store.alerts.waiting():
            break
        pauses.append(seconds)
        watched.now += seconds
    assert pauses[:4] == [5.0, 10.0, 20.0, 40.0]
    assert max(pauses) == 3600.0
    assert len(hook.posts) == 60
    assert poster.step() == 3600.0


def test_a_body_is_bounded() -> None:
    """Slack cuts what is longer by itself; the message is whole in its own field."""
    alert = {
        "id": "i",
        "level": "warn",
        "project": "p",
        "run": "r",
        "run_name": None,
        "title": "t",
        "text": "x" * 16384,
        "t": 1.0,
        "source": "script",
        "rule": None,
    }
    made = body(alert, "https://example.com/")
    assert len(made["text"]) < 2200
    assert len(made["message"]) == 16384
    assert made["url"] == "https://example.com/p/p/r/r"
