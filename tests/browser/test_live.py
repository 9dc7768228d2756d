"""What an open page does while runs grow, end and their server goes away."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from browser_parts import Recorder, card, log_in
from playwright.sync_api import Page, expect

from outrider_server.main import start_background
from waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Response

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
    second = start_background(tmp_path / "data", port=urlsplit(first.url).port or 0)
    try:
        run = Recorder(second, "lost", "later")
        expect(page.get_by_role("status", name=re.compile("^Live"))).to_be_visible(timeout=15_000)
        expect(page.get_by_role("link", name="later")).to_be_visible()
    finally:
        second.stop()
        context.close()


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
