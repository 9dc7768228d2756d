"""Time as x: chosen in a workspace, and the same for a run's own charts and its machine's."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

from browser_parts import card
from chart_parts import drawn, query, saved, zoom
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from outrider_server.background import Background

BEGAN = 1_763_860_000.0


def ticks(picture: bytes) -> set[str]:
    """The words of an SVG."""
    return {element.text or "" for element in ET.fromstring(picture).iter() if element.text}


def test_runs_of_different_days_lie_over_each_other_by_relative_time(
    page: Page, server: Background, record: Any
) -> None:
    """Chosen in the workspace: both begin at 0, the zoom is in seconds, and the address keeps it."""
    for day, name in enumerate(("monday", "tuesday")):
        run = record("relative", name, created=BEGAN + day * 86_400)
        run.points("loss", [1 / (1 + step) for step in range(201)], every=30.0)
    asked: list[dict[str, Any]] = []
    page.on(
        "response", lambda answer: asked.append(answer.json()) if "/series" in answer.url else None
    )
    page.goto(f"{server.url}/p/relative?metric=loss")
    drawn(page, "loss")
    page.get_by_label("X axis").select_option("relative")
    drawn(page, "loss")
    expect(page).to_have_url(f"{server.url}/p/relative?metric=loss&x=relative")
    _, picture = saved(page, "loss", "svg")
    assert {"0", "30m"} <= ticks(picture)
    for line in asked[-1]["series"]:
        assert (line["x"][0], line["x"][-1]) == (0.0, 6000.0)
    zoom(page, "loss", 0.25, 0.5)
    low, high = map(float, query(page)["zoom"][0].split("~"))
    assert abs(low - 1500) < 60
    assert abs(high - 3000) < 60
    page.reload()
    drawn(page, "loss")
    expect(page.get_by_label("X axis")).to_have_value("relative")


def sampled(record: Any, project: str) -> None:
    """A run of 100 minutes whose machine was sampled all the time."""
    run = record(project, "r", created=BEGAN)
    run.points("loss", [1 / (1 + step) for step in range(201)], every=30.0)
    run.write(
        *(
            {"t": BEGAN + 30.0 * at, "k": "sys", "p": {"system/cpu/use": at % 10}}
            for at in range(201)
        )
    )


def test_charts_and_system_charts_share_the_time_axis(
    page: Page, server: Background, record: Any
) -> None:
    """A window that is zoomed to in one is the other's, in clock or relative time, there and back."""
    sampled(record, "shared-axis")
    page.goto(f"{server.url}/p/shared-axis/r/r?x=relative")
    drawn(page, "loss")
    zoom(page, "loss", 0.25, 0.5)
    window = query(page)["zoom"]
    said = page.locator(".zoom .chip").inner_text()
    page.get_by_role("tab", name="System").click()
    expect(page).to_have_url(re.compile("tab=system"))
    expect(card(page, "system/cpu/use").locator("canvas.lines")).to_be_visible()
    expect(page.locator(".zoom .chip")).to_have_text(said)
    expect(page.get_by_label("Time axis")).to_have_value("relative")
    zoom(page, "system/cpu/use", 0.5, 1.01)  # out over the edge
    low, high = map(float, query(page)["zoom"][0].split("~"))
    first, last = map(float, window[0].split("~"))
    assert abs(low - (first + last) / 2) < 60
    assert abs(high - last) < 60
    page.get_by_role("tab", name="Charts").click()
    drawn(page, "loss")
    assert list(map(float, query(page)["zoom"][0].split("~"))) == [low, high]


def test_without_a_clock_on_the_charts_the_machines_zoom_by_themselves(
    page: Page, server: Background, record: Any
) -> None:
    """Steps mean nothing to a machine: a zoom in steps hides nothing of it, nor the other way round."""
    sampled(record, "own-axis")
    page.goto(f"{server.url}/p/own-axis/r/r?tab=system&zoom=50~100")
    system = card(page, "system/cpu/use")
    expect(system.locator("canvas.lines")).to_be_visible()
    expect(page.locator(".zoom .chip")).to_have_count(0)
    area = system.locator(".u-over").bounding_box()
    assert area is not None
    with page.expect_response(lambda answer: "/system?" in answer.url and "min=" in answer.url):
        page.mouse.move(area["x"] + area["width"] * 0.25, area["y"] + 30)
        page.mouse.down()
        page.mouse.move(area["x"] + area["width"] * 0.4, area["y"] + 30)
        page.mouse.move(area["x"] + area["width"] * 0.5, area["y"] + 30)
        page.mouse.up()
    chip = page.locator(".zoom .chip")
    expect(chip).to_be_visible()
    assert query(page)["zoom"] == ["50~100"]
    chip.click()
    expect(chip).to_have_count(0)
