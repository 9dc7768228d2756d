"""A real Chromium against a real server, with runs that are posted as a streamer posts them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from browser_parts import Recorder, log_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from outrider_server.background import Background

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# The headless shell first, where there is one: the same engine without the windows of a browser, and
# the tests take half the time. It is also what Playwright takes when it brings its own.
NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser, and shares one server."""
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program; without one, a skip here and a failure in CI."""
    found = os.environ.get("OUTRIDER_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), "")
    if not found:
        why = f"no browser: put one of {', '.join(NAMES)} on PATH or set OUTRIDER_CHROMIUM"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    return found


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all tests; each test has its own context."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # on a busy machine a chart takes its time
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    """A server of its own, on a free port."""
    from outrider_server.main import start_background

    folder = tmp_path_factory.mktemp("browser-server")
    env = {name: value for name, value in os.environ.items() if not name.startswith("OUTRIDER_")}
    started = start_background(folder / "data", env={**env, "HOME": str(folder)})
    yield started
    started.stop()


@pytest.fixture
def record(server: Background) -> Any:
    """Make a run: ``record("project", "run", **meta)``."""

    def make(project: str, run: str, **meta: Any) -> Recorder:
        return Recorder(server, project, run, **meta)

    return make


@pytest.fixture
def context(browser: Browser, server: Background) -> Iterator[BrowserContext]:
    """A browser context that is logged in, as by the login link."""
    opened = browser.new_context(viewport={"width": 1440, "height": 900})
    log_in(opened, server)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page; the test fails if anything on it raised, or broke the content security policy."""
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on(
        "console",
        lambda message: (
            wrong.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    yield opened
    assert wrong == []
