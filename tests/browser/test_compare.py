"""Runs beside each other: config, values at a step, charts, code, media."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browser_parts import Recorder, card, log_in
from playwright.sync_api import Page, expect
from trained_runs import Trained, train

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from outrider_server.background import Background

WAIT = 60_000


def query(page: Page) -> dict[str, list[str]]:
    """What the address holds."""
    return parse_qs(urlsplit(page.url).query)


@pytest.fixture(scope="module")
def trained(server: Background, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Two runs by a real script."""
    return train(server, tmp_path_factory.mktemp("compared"), "compared")


@pytest.fixture(scope="module")
def five(server: Background) -> str:
    """Five runs that differ in two keys, with known values; one has a NaN."""
    for i in range(5):
        run = Recorder(server, "five", f"r{i}")
        run.write(
            {"k": "config", "c": {"lr": 0.1 * (i + 1), "same": [1, {"b": 2, "a": 1}], "n": i // 4}},
            {"k": "metric", "name": "loss", "goal": "minimize"},
        )
        run.points("loss", [100.0 - 10 * s - i for s in range(10)])
        run.points("seldom", [5.0 + i], first=4)
        if i == 3:
            run.write({"t": run.created + 60, "s": 9, "p": {"loss": "NaN"}})
    return "five"


def at(server: Background, runs: str, tab: str = "", more: str = "") -> str:
    """The address of a comparison within ``five``."""
    words = "&".join(f"run=r{one}" for one in runs)
    return f"{server.url}/p/five/compare?{words}{f'&tab={tab}' if tab else ''}{more}"


def test_the_config_shows_what_differs(page: Page, server: Background, five: str) -> None:
    """Equal values are left out unless asked for; columns stand in the order of the address."""
    page.goto(at(server, "204", "overview"))
    table = page.get_by_role("table", name="Config")
    expect(table.get_by_role("rowheader")).to_have_text(["lr", "n"])
    expect(table.get_by_role("columnheader")).to_have_text(["Key", "r2", "r0", "r4"])
    expect(table.get_by_role("row").nth(2).get_by_role("cell")).to_have_text(["0", "0", "1"])
    page.get_by_role("button", name="Only what differs").click()
    expect(table.get_by_role("rowheader")).to_have_text(["lr", "n", "same"])
    page.reload()
    expect(table.get_by_role("rowheader")).to_have_text(["lr", "n", "same"])


def test_values_at_a_step_are_those_that_were_logged(
    page: Page, server: Background, five: str
) -> None:
    """At a step, or the last one before it; with the distance to the baseline, the best marked."""
    page.goto(at(server, "01", "values", "&step=6"))
    table = page.get_by_role("table", name="Values")
    expect(table.get_by_role("row").nth(1).get_by_role("cell")).to_have_text(["40", "39 best−1"])
    expect(table.get_by_role("row").nth(2).get_by_role("cell")).to_have_text(["5", "6+1"])
    page.get_by_role("slider", name="Step of the values").fill("3")
    expect(table.get_by_role("row").nth(1).get_by_role("cell")).to_have_text(["70", "69 best−1"])
    expect(table.get_by_role("row").nth(2).get_by_role("cell")).to_have_text(["not logged"] * 2)
    page.goto(at(server, "03", "values"))
    expect(table.get_by_role("row").nth(1).get_by_role("cell")).to_have_text(["10", "NaN"])


def test_charts_of_the_chosen_runs_and_runs_that_come_and_go(
    page: Page, server: Background, five: str
) -> None:
    """The charts draw these runs; adding, removing and another baseline are in the address."""
    page.goto(at(server, "01"))
    expect(card(page, "loss").locator("canvas.lines")).to_be_visible()
    page.get_by_role("button", name="Add a run").click()
    with page.expect_response(lambda answer: "/series" in answer.url and "run=r3" in answer.url):
        page.get_by_role("button", name="r3", exact=False).click()
    assert query(page)["run"] == ["r0", "r1", "r3"]
    page.get_by_role("button", name="Make r3 the baseline").click()
    page.get_by_role("button", name="Remove r0").click()
    assert query(page)["run"] == ["r3", "r1"]
    page.go_back()
    assert query(page)["run"] == ["r3", "r0", "r1"]


def test_from_a_run_to_a_comparison(page: Page, server: Background, five: str) -> None:
    """The run page offers the other runs of its project."""
    page.goto(f"{server.url}/p/five/r/r0")
    page.get_by_role("button", name="Compare with another run").click()
    page.get_by_role("textbox", name="Search runs by name").fill("r4")
    page.get_by_role("group", name="Compare with another run").get_by_role(
        "button", name=re.compile("r4")
    ).click()
    expect(page.get_by_role("heading", name="2 runs compared")).to_be_visible()
    assert query(page)["run"] == ["r0", "r4"]


def test_a_run_that_is_not_there_and_none_at_all(page: Page, server: Background, five: str) -> None:
    """The others are compared all the same; without any, the page says what to do."""
    page.goto(at(server, "01", "overview", "&run=gone"))
    expect(page.get_by_text("not here")).to_be_visible()
    expect(page.get_by_role("table", name="Config")).to_be_visible()
    page.goto(f"{server.url}/p/five/compare")
    expect(page.get_by_role("heading", name="Choose runs to compare")).to_be_visible()


def test_the_code_of_two_runs_differs_where_it_does(
    page: Page, server: Background, trained: Trained
) -> None:
    """One commit, two patches: the line that is different stands out."""
    page.goto(f"{server.url}/p/compared/compare?run=seed0&run=seed1&tab=code")
    expect(page.get_by_text("Both ran commit")).to_be_visible(timeout=WAIT)
    expect(page.locator("tr.is-removed", has_text="return 3 * x")).to_be_visible(timeout=WAIT)
    expect(page.locator("tr.is-added", has_text="return 4 * x")).to_be_visible()


def test_media_stand_side_by_side_at_one_step(
    page: Page, server: Background, trained: Trained
) -> None:
    """A key is a row with a picture of each run; the arrow keys move all of them."""
    page.goto(f"{server.url}/p/compared/compare?run=seed0&run=seed1&tab=media&find=examples")
    row = page.get_by_role("region", name="examples")
    expect(row.get_by_role("img")).to_have_count(2, timeout=WAIT)
    expect(row.get_by_text("step 20")).to_have_count(2)
    page.locator("h1").click()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(row.get_by_text("step 10")).to_have_count(2)


def test_a_comparison_fits_a_phone(browser: Browser, server: Background, five: str) -> None:
    """Tables scroll by themselves; the page does not."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    log_in(context, server)
    page = context.new_page()
    page.goto(at(server, "01234", "overview"))
    expect(page.get_by_role("table", name="Config")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_many_runs_are_compared(page: Page, server: Background, record: Any) -> None:
    """Thirty runs: thirty columns, and the names of the keys stay in sight."""
    for i in range(30):
        record("thirty", f"n{i}").write({"k": "config", "c": {"lr": i}})
    words = "&".join(f"run=n{i}" for i in range(30))
    page.goto(f"{server.url}/p/thirty/compare?{words}&tab=overview")
    table = page.get_by_role("table", name="Config")
    expect(table.get_by_role("columnheader")).to_have_count(31)
    page.get_by_role("group", name="Config").evaluate("e => e.scrollTo(9999, 0)")
    expect(table.get_by_role("rowheader", name="lr")).to_be_in_viewport()
    expect(table.get_by_role("columnheader", name="n29")).to_be_in_viewport()
