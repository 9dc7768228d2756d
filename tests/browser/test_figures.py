"""Figures of plotly are drawn on the run's page, shut in: without network, without an origin."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import BrowserContext

    from outrider_server.background import Background

WAIT = 90_000  # the library is large, and a machine may be busy

SCRIPT = """
import sys
import numpy as np
import plotly.graph_objects as go
from outrider import core

core.init("figures", id="drawn")
rng = np.random.default_rng(0)
for step in range(2):
    xs = np.linspace(0, 6, 200)
    waves = go.Figure(layout={"title": {"text": f"waves at {step}"}})
    waves.add_scatter(x=xs, y=np.sin(xs) * (step + 1), name="sine")
    waves.add_bar(x=xs[::20], y=np.cos(xs[::20]), name="cosine")
    core.log({"waves": waves}, step=step)
core.log({"cloud": go.Figure(go.Heatmap(z=rng.random((20, 30)), colorscale="Viridis"))}, step=1)
hostile = go.Figure(layout={
    "title": {"text": '<img src="https://evil.example/a.png" onerror="top.harm=1">'
                      '<a href="javascript:top.harm=1">press</a>'},
    "images": [{"source": "https://evil.example/b.png", "x": 0, "y": 1, "sizex": 1, "sizey": 1}],
})
hostile.add_scatter(x=[1, 2], y=[3, 4], text=["<script>top.harm=1</script>", "b"], mode="text")
core.log({"hostile": hostile}, step=1)
core.finish()
"""


@pytest.fixture(scope="module")
def drawn(server: Background, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a run's media, logged by a real script with plotly."""
    folder: Path = tmp_path_factory.mktemp("figures")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OUTRIDER_")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=folder, capture_output=True, text=True, timeout=150,
        env={**clean, "OUTRIDER_URL": server.url, "OUTRIDER_API_KEY": server.token, "HOME": str(folder)},
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return f"{server.url}/p/figures/r/drawn?tab=media"


def test_a_figure_of_plotly_is_drawn_and_follows_the_step(page: Page, drawn: str) -> None:
    """Its lines, its bars and its title; another step is drawn in the same frame."""
    page.goto(f"{drawn}&find=waves")
    frame = page.frame_locator("iframe")
    title = frame.locator(".gtitle")
    expect(title).to_have_text("waves at 1", timeout=WAIT)
    expect(frame.locator(".scatterlayer path.js-line")).to_have_count(1)
    expect(frame.locator(".barlayer path")).to_have_count(10)
    assert page.locator("iframe").get_attribute("sandbox") == "allow-scripts"
    page.get_by_role("slider").first.press("Home")
    expect(title).to_have_text("waves at 0", timeout=WAIT)
    if folder := os.environ.get("OUTRIDER_TEST_PICTURES"):
        page.screenshot(path=os.path.join(folder, "plotly.png"))


def test_a_figure_in_the_dark_has_light_words(page: Page, drawn: str) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(f"{drawn}&find=cloud")
    tick = page.frame_locator("iframe").locator(".xtick text").first
    expect(tick).to_be_visible(timeout=WAIT)
    colour = tick.evaluate("e => getComputedStyle(e).fill")
    assert min(int(part) for part in colour[4:-1].split(",")) > 180
    if folder := os.environ.get("OUTRIDER_TEST_PICTURES"):
        page.screenshot(path=os.path.join(folder, "plotly-dark.png"))


def test_a_hostile_figure_reaches_neither_the_page_nor_the_network(
    context: BrowserContext, drawn: str
) -> None:
    """It is drawn; what it would fetch or run is refused by the frame's own policy."""
    page = context.new_page()
    asked: list[str] = []
    page.on("requestfinished", lambda request: asked.append(request.url))
    page.goto(f"{drawn}&find=hostile")
    frame = page.frame_locator("iframe")
    expect(frame.locator(".textpoint").first).to_be_visible(timeout=WAIT)
    assert page.evaluate("() => window.harm === undefined")
    assert frame.locator("body").evaluate(
        "() => [origin, (() => { try { return document.cookie } "
        "catch (error) { return error.name } })()]"
    ) == [
        "null",
        "SecurityError",
    ]
    assert [url for url in asked if "evil.example" in url] == []
