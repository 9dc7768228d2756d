"""Thousands of runs, and a metric of ten million points."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from browser_parts import card
from chart_parts import drawn, query, zoom
from large_store import POINTS, RUNS, SPIKE, fill
from playwright.sync_api import Page, expect

from outrider_server.main import start_background
from waiting import eventually

if TYPE_CHECKING:
    from outrider_server.background import Background


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    """A server whose store was large before it started."""
    folder = tmp_path_factory.mktemp("large-server")
    fill(folder / "data")
    env = {name: value for name, value in os.environ.items() if not name.startswith("OUTRIDER_")}
    started = start_background(folder / "data", env={**env, "HOME": str(folder)})
    yield started
    started.stop()


def test_five_thousand_runs_are_a_few_elements_in_list_and_table(
    page: Page, server: Background
) -> None:
    """Any of them is reached by scrolling, sorting or searching, and only what is seen is drawn."""
    last = f"run {RUNS - 1:04d}"
    for pane in ("both", "runs"):
        page.goto(f"{server.url}/p/crowd?pane={pane}&col=config.lr")
        expect(page.get_by_text(f"{RUNS:,} runs")).to_be_visible()
        expect(page.get_by_role("link", name=last)).to_be_visible()
        rows = page.locator(".vlist")
        rows.evaluate("element => element.scrollTo(0, element.scrollHeight / 2)")
        expect(page.get_by_role("link", name="run 2490")).to_be_attached()
        rows.evaluate("element => element.scrollTo(0, element.scrollHeight)")
        expect(page.get_by_role("link", name="run 0000")).to_be_visible()
        assert page.locator(".run-row").count() < 80
    page.goto(f"{server.url}/p/crowd?pane=runs&col=config.lr&sort=-config.lr")
    expect(page.locator(".run-row").first).to_contain_text("0.9998")
    page.get_by_role("textbox", name="Search runs by name").fill("run 123")
    expect(page.get_by_text("10 runs", exact=True)).to_be_visible()


def test_one_point_of_ten_million_is_seen_and_found_by_zooming(
    page: Page, server: Background
) -> None:
    """The spike reaches over its chart; each zoom is asked anew, until points come one by one."""
    answers: list[dict[str, Any]] = []
    page.on(
        "response",
        lambda answer: answers.append(answer.json()["series"][0]) if "/series" in answer.url else 0,
    )

    def last() -> dict[str, Any]:
        page.wait_for_timeout(50)
        return answers[-1] if answers else {}

    page.goto(f"{server.url}/p/long?size=l")
    chart = drawn(page, "loss")
    eventually(lambda: last().get("total") == POINTS)
    assert max(answers[-1]["max"]) == 1000.0
    assert len(answers[-1]["x"]) < 2000
    assert spike_height(chart) > 0.8
    across = SPIKE / POINTS
    zoom(page, "loss", across - 0.05, across + 0.05)
    eventually(lambda: last()["total"] < POINTS / 8)
    low, high = map(float, query(page)["zoom"][0].split("~"))
    assert low < SPIKE < high
    assert max(answers[-1]["max"]) == 1000.0
    page.goto(f"{server.url}/p/long?size=l&zoom={SPIKE - 40}~{SPIKE + 40}")
    eventually(lambda: last()["total"] == 81)
    assert answers[-1]["exact"]
    assert answers[-1]["last"][answers[-1]["step"].index(SPIKE)] == 1000.0
    drawn(page, "loss")
    assert spike_height(card(page, "loss")) > 0.8


def spike_height(chart: Any) -> float:
    """How high the highest coloured pixel of a chart's lines is, as a share of its height."""
    chart.page.wait_for_timeout(300)
    return float(chart.evaluate(HIGHEST))


HIGHEST = """element => {
    const canvas = element.querySelector("canvas.lines");
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    const first = data.findIndex((one, i) => i % 4 === 3 && one > 60);
    return first < 0 ? 0 : 1 - Math.floor(first / 4 / width) / height;
}"""
