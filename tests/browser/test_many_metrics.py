"""A project of five hundred metrics: only what is seen is asked for, and axes that change with a press."""

from __future__ import annotations

import contextlib
import math
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browser_parts import Recorder, card
from chart_parts import drawn, query, saved
from playwright.sync_api import Error, Page, Route, expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from outrider_server.background import Background

METRICS = [f"part{number // 25:02d}/metric_{number:03d}" for number in range(500)]

# A wheel that is turned fast: forty frames from the top to the end.
SCROLL = """async () => {
    const box = document.querySelector(".charts-scroll");
    for (let i = 1; i <= 40; i++) {
        box.scrollTop = i / 40 * box.scrollHeight;
        await new Promise(requestAnimationFrame);
    }
}"""

# Charts on the screen whose canvas is still empty.
BLANK = """() => [...document.querySelectorAll(".card")].filter((card) => {
    const { top, bottom } = card.getBoundingClientRect();
    const box = card.closest(".charts-scroll").getBoundingClientRect();
    const isDrawn = card.querySelector("canvas.lines") && !card.querySelector(".card-wait");
    return bottom > box.top && top < box.bottom && !isDrawn;
}).length"""


@pytest.fixture(scope="module")
def wide(server: Background) -> str:
    """Three runs of five hundred metrics."""
    for number in range(3):
        run = Recorder(server, "wide", f"wide-{number}")
        run.write(
            *(
                {"s": step, "p": {name: math.sin(step / 9 + at) for at, name in enumerate(METRICS)}}
                for step in range(20)
            )
        )
    return "wide"


def test_only_charts_that_are_seen_are_asked_for(page: Page, server: Background, wide: str) -> None:
    """Who scrolls past four hundred charts waits for none of them, and finds the last ones drawn."""
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "/series" in one.url else None)
    page.goto(f"{server.url}/p/{wide}")
    drawn(page, METRICS[0])
    expect(page.locator(".card")).to_have_count(500)
    page.wait_for_timeout(300)
    first = len(asked)
    assert first < 30
    page.evaluate(SCROLL)
    drawn(page, METRICS[-1])
    for _ in range(600):
        if page.evaluate(BLANK) == 0:
            break
        page.wait_for_timeout(50)
    assert page.evaluate(BLANK) == 0
    keys = {parse_qs(urlsplit(url).query)["key"][0] for url in asked}
    assert {METRICS[0], METRICS[-1]} <= keys
    assert len(keys) < 250


def wait_until(page: Page, is_so: Callable[[], bool]) -> None:
    """Wait as the browser does, which lets its messages come in."""
    for _ in range(600):
        if is_so():
            return
        page.wait_for_timeout(50)
    assert is_so()


def test_a_reload_and_a_return_find_the_place_again(
    page: Page, server: Background, wide: str
) -> None:
    """Who reads the two hundredth chart, reloads, looks at a run and comes back is at that chart."""
    page.goto(f"{server.url}/p/{wide}")
    drawn(page, METRICS[0])
    page.evaluate("document.querySelector('.charts-scroll').scrollTop = 9000")

    def is_there() -> bool:
        return page.evaluate("document.querySelector('.charts-scroll')?.scrollTop") == 9000

    wait_until(page, is_there)
    page.reload()
    wait_until(page, is_there)
    page.get_by_role("link", name="wide-1").click()
    expect(page.get_by_role("heading", name="wide-1")).to_be_visible()
    page.get_by_role("link", name=wide, exact=True).click()
    wait_until(page, is_there)


def test_charts_that_have_left_the_screen_are_not_waited_for(
    page: Page, server: Background, wide: str
) -> None:
    """Where answers are slow, who scrolls on gets the connections for what is in sight now."""
    held: list[Route] = []
    ended: set[str] = set()
    page.route(re.compile(r"/series\?key=part00"), lambda one: held.append(one))
    page.on("requestfailed", lambda one: ended.add(one.url))
    page.goto(f"{server.url}/p/{wide}")
    wait_until(page, lambda: len(held) == 4)
    expect(page.locator(".card-wait").first).to_be_visible()
    page.evaluate(SCROLL)
    drawn(page, METRICS[-1])
    wait_until(page, lambda: {one.request.url for one in held} <= ended)
    assert len(held) == 4
    for one in held:  # Playwright waits for a word of each
        with contextlib.suppress(Error):
            one.abort()


def test_a_step_that_grows_forty_charts_is_one_request(
    page: Page, server: Background, record: Any
) -> None:
    """Not one a chart: an open page asks once a tick, and each chart gets its new point."""
    names = [f"part/metric_{number:02d}" for number in range(40)]
    run = record("ticks", "live")
    run.write({"s": 0, "p": dict.fromkeys(names, 1.0)})
    page.set_viewport_size({"width": 1440, "height": 9000})
    page.goto(f"{server.url}/p/ticks")
    expect(page.locator(".card canvas.lines")).to_have_count(40)
    expect(page.locator(".card-wait")).to_have_count(0)
    expect(page.get_by_role("status", name=re.compile("^Live"))).to_be_visible()
    answers: list[Any] = []
    page.on("response", lambda one: answers.append(one) if "/series" in one.url else None)
    for step in (1, 2, 3):
        run.write({"s": step, "p": dict.fromkeys(names, 1.0 + step)})
        wait_until(page, lambda step=step: len(answers) >= step)
        said = [one["series"][0] for one in answers[step - 1].json()["answers"]]
        assert [one["total"] for one in said] == [step + 1] * 40
    page.wait_for_timeout(300)
    assert len(answers) == 3


def ticks(picture: bytes) -> set[str]:
    """The words of an SVG."""
    return {element.text or "" for element in ET.fromstring(picture).iter() if element.text}


def test_log_axes_and_outliers_change_what_the_axes_say(
    page: Page, server: Background, record: Any
) -> None:
    """Log x is decades; cutting outliers gives the many the room that one took; a reload keeps both."""
    values: list[Any] = [1 + (step % 10) / 10 for step in range(1, 1001)]
    values[500] = 5000.0
    record("axes", "one").points("loss", values, first=1)
    page.goto(f"{server.url}/p/axes")
    drawn(page, "loss")
    _, before = saved(page, "loss", "svg")
    assert "4,000" in ticks(before) or "4000" in ticks(before) or "4k" in ticks(before)
    page.get_by_role("button", name="Log x").click()
    page.get_by_role("button", name="Cut outliers").click()
    assert query(page)["log"] == ["x"]
    page.reload()
    drawn(page, "loss")
    expect(page.get_by_role("button", name="Cut outliers")).to_have_attribute(
        "aria-pressed", "true"
    )
    _, after = saved(page, "loss", "svg")
    assert not {"4,000", "4000", "4k"} & ticks(after)
    assert {"1", "10", "100"} <= ticks(after)
    expect(card(page, "loss").locator("canvas.lines")).to_be_visible()
