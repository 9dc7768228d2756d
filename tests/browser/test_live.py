"""What an open page does while runs grow, end and their server goes away."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from browser_parts import Recorder, card, log_in
from playwright.sync_api import Page, expect

from outrider_server.main import start_background
from waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Response

    from outrider_server.background import Background


def test_new_points_appear_by_themselves_and_change_nothing_else(
    page: Page, server: Background, record: Any
) -> None:
    """A live append refetches only what grew and keeps zoom, scroll and selection."""
    run = record("live", "growing")
    run.points("a/loss", [1.0, 0.5, 0.4])
    run.points("b/acc", [0.1, 0.2])
    page.goto(f"{server.url}/p/live?shut=b")
    expect(page.get_by_role("status", name=re.compile("^Live"))).to_be_visible()
    expect(card(page, "a/loss").locator("canvas.lines")).to_be_visible()
    before = page.url
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer) if "/series" in answer.url else None)
    run.points("a/loss", [0.3, 0.2], first=3)
    eventually(  # waiting as the browser does lets its answers come in
        lambda: (
            any(answer.json()["series"][0]["total"] == 5 for answer in answers)
            or page.wait_for_timeout(50)
        )
    )
    run.points("c/new", [1.0, 2.0])
    expect(card(page, "c/new").locator("canvas.lines")).to_be_visible()
    run.end("failed", code=3)
    expect(page.locator(".run-row .state-bad")).to_be_visible()
    assert page.url == before


def test_a_lost_server_is_seen_and_the_page_catches_up(browser: Browser, tmp_path: Path) -> None:
    """While nothing answers, the page says so and keeps what it shows; then it catches up."""
    first = start_background(tmp_path / "data")
    run = Recorder(first, "lost", "steady")
    run.points("loss", [1.0, 0.5, 0.4])
    context = browser.new_context()
    log_in(context, first)
    page = context.new_page()
    page.goto(f"{first.url}/p/lost")
    expect(page.get_by_role("status", name=re.compile("^Live"))).to_be_visible()
    expect(card(page, "loss").locator("canvas.lines")).to_be_visible()
    first.stop()
    expect(page.get_by_role("status", name=re.compile("^Reconnecting"))).to_be_visible()
    expect(card(page, "loss").locator("canvas.lines")).to_be_visible()
    expect(page.get_by_role("link", name="steady")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
    second = start_background(tmp_path / "data", port=urlsplit(first.url).port or 0)
    try:
        run = Recorder(second, "lost", "later")
        expect(page.get_by_role("status", name=re.compile("^Live"))).to_be_visible(timeout=15_000)
        expect(page.get_by_role("link", name="later")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
    finally:
        second.stop()
        context.close()


def test_a_run_that_is_deleted_while_it_is_looked_at_leaves_the_view(
    page: Page, server: Background, record: Any
) -> None:
    """Shown alone, pinned and the baseline: the others are shown again, and nothing asks for it."""
    for name in ("stays", "goes"):
        record("deleted", name).points("loss", [1.0, 0.5])
    page.goto(f"{server.url}/p/deleted?only=goes&top=goes&baseline=goes&x=wall")
    expect(page.get_by_text("1 line shown")).to_be_visible()
    expect(page.get_by_role("status", name=re.compile("^Live"))).to_be_visible()
    headers = {"Authorization": f"Bearer {server.token}"}
    url = f"{server.url}/api/projects/deleted/runs/goes"
    assert requests.delete(url, headers=headers, timeout=30).ok
    expect(page.locator('.run-row[data-run="goes"]')).to_have_count(0)
    expect(page).to_have_url(f"{server.url}/p/deleted?x=wall")
    expect(page.get_by_text("1 line shown")).to_be_visible()
    expect(page.locator('.run-row[data-run="stays"]')).to_be_visible()


def test_fifty_pages_of_a_browser_are_all_live_over_one_stream(
    context: BrowserContext, server: Background, record: Any
) -> None:
    """A browser has six connections to a server: with a stream each, the seventh page would wait for ever."""
    runs = [record(f"tab-{i % 2}", f"run-{i % 2}") for i in range(2)]
    pages = [context.new_page() for _ in range(50)]
    for i, one in enumerate(pages):
        one.goto(f"{server.url}/p/tab-{i % 2}?pane=runs", wait_until="commit")
    for i, one in enumerate(pages):
        expect(one.get_by_role("link", name=f"run-{i % 2}")).to_be_visible()
        expect(one.get_by_role("status", name=re.compile("^Live"))).to_be_visible()
    for run in runs:
        run.end("failed", code=3)
    for one in pages:
        expect(one.locator(".run-row .state-bad")).to_be_visible()
    pages[0].close()
    pages[2].reload()
    expect(pages[2].get_by_role("status", name=re.compile("^Live"))).to_be_visible()


def test_a_session_that_is_revoked_asks_for_a_login_and_comes_back_to_the_view(
    browser: Browser, server: Background, record: Any
) -> None:
    """The page says so by itself, in every tab; after a new login it is where it was."""
    record("revoked", "mine").points("loss", [2.0, 1.0])
    context = browser.new_context()
    log_in(context, server)
    page = context.new_page()
    page.goto(f"{server.url}/p/revoked?x=wall")
    expect(page.get_by_role("status", name=re.compile("^Live"))).to_be_visible()
    headers = {"Authorization": f"Bearer {server.token}"}
    tokens = requests.get(f"{server.url}/api/tokens", headers=headers, timeout=30).json()["tokens"]
    newest = max(
        (one for one in tokens if one["kind"] == "session"), key=lambda one: one["created"]
    )
    url = f"{server.url}/api/tokens/{newest['id']}"
    assert requests.delete(url, headers=headers, timeout=30).ok
    expect(page.get_by_role("heading", name="Log in to Outrider")).to_be_visible()
    log_in(context, server)
    expect(card(page, "loss").locator("canvas.lines")).to_be_visible()
    expect(page).to_have_url(f"{server.url}/p/revoked?x=wall")
    context.close()


def test_an_hour_between_the_clocks_changes_nothing_that_is_shown(
    page: Page, server: Background, record: Any
) -> None:
    """A browser an hour behind still tells how long ago by the server's clock; so does one ahead."""
    record("skew", "quarter", created=time.time() - 15 * 60 - 20)
    record("skew", "future", created=time.time() + 3600)
    for hours in (-1, 1):
        shift = f"const D = Date.now; Date.now = () => D() + {hours * 3_600_000};"
        other = page.context.new_page()
        other.add_init_script(shift)
        other.goto(f"{server.url}/p/skew?pane=runs")
        expect(other.locator('.run-row[data-run="quarter"]')).to_contain_text("15m ago")
        expect(other.locator('.run-row[data-run="future"]')).to_contain_text("just now")
        expect(other.get_by_role("status", name="Live, updated just now")).to_be_visible()
        other.close()


TRAINING = """
import math, time
from outrider import core

core.init(project="trained", name="by-script", config={"lr": 0.1})
for step in range(60):
    core.log({"train/loss": math.exp(-step / 20)})
    time.sleep(0.05)
core.finish()
"""


def test_a_script_that_logs_is_seen_while_it_runs(
    page: Page, server: Background, tmp_path: Path
) -> None:
    """From ``core.log()`` through the streamer and the server to a line on an open page."""
    page.goto(f"{server.url}/p/trained")
    expect(page.locator(".list-area")).to_contain_text("No runs yet")
    environment = {**os.environ, "OUTRIDER_URL": server.url, "OUTRIDER_API_KEY": server.token}
    script = subprocess.Popen([sys.executable, "-c", TRAINING], cwd=tmp_path, env=environment)
    try:
        expect(page.get_by_role("link", name="by-script")).to_be_visible(timeout=30_000)
        expect(card(page, "train/loss").locator("canvas.lines")).to_be_visible(timeout=30_000)
        assert script.wait(60) == 0
        expect(page.locator(".run-row .state-good")).to_be_visible(timeout=30_000)
    finally:
        script.kill()
        script.wait()
