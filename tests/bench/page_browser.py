"""A Chromium that is measured: when charts are drawn, how long frames take, what heap and bytes it costs."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-precise-memory-info",
)  # fmt: skip

# The first stroke on each canvas of lines is when its chart is seen; frames are counted when asked for.
METER = """
globalThis.meter = { charts: [], frames: [], tasks: [] };
{
    const seen = new WeakSet();
    const stroke = CanvasRenderingContext2D.prototype.stroke;
    CanvasRenderingContext2D.prototype.stroke = function (...words) {
        if (!seen.has(this.canvas) && this.canvas.classList.contains("lines")) {
            seen.add(this.canvas);
            meter.charts.push(performance.now());
        }
        return stroke.apply(this, words);
    };
    new PerformanceObserver((list) => meter.tasks.push(...list.getEntries().map((one) => one.duration)))
        .observe({ entryTypes: ["longtask"] });
    meter.watch = () => {
        let before = performance.now();
        meter.frames = [];
        meter.tasks = [];
        const next = (now) => {
            meter.frames.push(now - before);
            before = now;
            meter.timer = requestAnimationFrame(next);
        };
        meter.timer = requestAnimationFrame(next);
    };
    meter.stop = () => {
        cancelAnimationFrame(meter.timer);
        return { frames: meter.frames.slice(1), tasks: meter.tasks };
    };
}
"""


def found() -> str | None:
    """The browser's program, or None."""
    return os.environ.get("OUTRIDER_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found(), args=list(ARGUMENTS))
        yield opened
        opened.close()


@contextmanager
def person(browser: Browser, running: Any, height: int = 900) -> Iterator[BrowserContext]:
    """Somebody who has logged in and has an empty cache."""
    context = browser.new_context(viewport={"width": 1440, "height": height})
    headers = {"Authorization": f"Bearer {running.token}"}
    answer = requests.post(running.url + "/api/login-codes", headers=headers, timeout=30)
    context.request.get(answer.json()["url"])  # the cookie alone: no page of it is in the cache
    yield context
    context.close()


def metered(context: BrowserContext) -> Page:
    """A page with the meter in it."""
    page = context.new_page()
    page.add_init_script(METER)
    return page


def until(page: Page, condition: str, seconds: float = 120.0) -> None:
    """Wait for a condition of the page, whose policy forbids ``wait_for_function`` to evaluate there."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        if time.monotonic() > end:
            raise RuntimeError(f"it did not come in {seconds:.0f} s: {condition}")
        page.wait_for_timeout(50)


class Costs:
    """What the browser says of a page: processor seconds, heap, elements, bytes."""

    def __init__(self, page: Page) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)
        self.bytes: dict[str, int] = {}
        self._paths: dict[str, str] = {}
        self._session.send("Performance.enable")
        self._session.send("Network.enable")
        self._session.on("Network.requestWillBeSent", self._asked)
        self._session.on("Network.loadingFinished", self._came)

    def _asked(self, event: dict[str, Any]) -> None:
        self._paths[event["requestId"]] = event["request"]["url"]

    def _came(self, event: dict[str, Any]) -> None:
        path = self._paths.get(event["requestId"], "")
        kind = "data" if "/api/" in path else "page"
        self.bytes[kind] = self.bytes.get(kind, 0) + int(event["encodedDataLength"])

    def metrics(self) -> dict[str, float]:
        """Chromium's own counters."""
        told = self._session.send("Performance.getMetrics")["metrics"]
        return {one["name"]: one["value"] for one in told}

    def heap(self) -> float:
        """Megabytes of the heap that are in use after a collection."""
        for _ in range(3):
            self._session.send("HeapProfiler.collectGarbage")
        return float(self._session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6
