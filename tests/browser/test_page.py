"""The page does what its controls say, against a real server with real runs."""

from __future__ import annotations

import math
import re
import struct
import time
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from browser_parts import Recorder, card, log_in
from playwright.sync_api import Page, expect

from waiting import eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

    from outrider_server.background import Background

HOSTILE = '<img src=x onerror="document.title=1"> "\'/ü🚀'


def hover(page: Page, metric: str, across: float = 0.5, down: float = 0.5) -> None:
    """Point at a place of a chart, given as shares of its plotting area."""
    area = card(page, metric).locator(".u-over")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * across - 3, box["y"] + box["height"] * down)
    page.mouse.move(box["x"] + box["width"] * across, box["y"] + box["height"] * down)


def query(page: Page) -> dict[str, list[str]]:
    """The view in the address."""
    return parse_qs(urlsplit(page.url).query)


@pytest.fixture(scope="module")
def digits(server: Background) -> str:
    """A project of twelve runs: a spike, NaNs, different ends, nested config."""
    now = time.time() - 36_000
    for i in range(12):
        run = Recorder(
            server, "digits", f"run-{i:02d}", created=now + 600 * i, tags=["odd"] if i % 2 else []
        )
        run.write({"k": "config", "c": {"lr": 10.0 ** -(1 + i % 4), "model": {"name": "cnn"}}})
        loss: list[Any] = [2 * math.exp(-s / 600) + 0.01 * i for s in range(3000)]
        if i == 11:
            loss[1500] = 50.0
        if i == 10:
            loss[700:712] = ["NaN"] * 12
        run.points("train/loss", loss)
        run.points("val/acc", [0.5 + 0.03 * i + 0.01 * s for s in range(10)])
        run.points("lr", [0.1] * 10)
        run.write(
            *({"t": now + k, "k": "sys", "d": 1, "p": {"system/cpu": 5.0 * k}} for k in range(9))
        )
        if i == 3:
            run.end("failed", code=1, why={"type": "ValueError", "message": "bad <b>shape</b>"})
        elif i < 10:
            run.end("finished", code=0)
    return "digits"


def test_without_a_session_the_page_says_how_to_log_in(
    browser: Browser, server: Background
) -> None:
    """No token, no data: a person reads the command that gives a link."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.url + "/p/anything")
    expect(page.get_by_role("heading", name="Log in to Outrider")).to_be_visible()
    expect(page.get_by_text(f"outrider login {server.url}")).to_be_visible()
    context.close()


def test_from_the_projects_to_a_run_and_back(page: Page, server: Background, digits: str) -> None:
    """Projects, workspace and run page are links; the browser's back button undoes them."""
    page.goto(server.url)
    page.get_by_role("link", name=re.compile("digits")).click()
    expect(page.get_by_role("grid", name="Runs")).to_be_visible()
    page.get_by_role("link", name="run-03").click()
    expect(page.get_by_role("heading", name="run-03")).to_be_visible()
    expect(page.locator(".run-reason")).to_have_text("failed: ValueError: bad <b>shape</b>")
    page.get_by_role("tab", name="Overview").click()
    expect(page.get_by_role("row", name="model.name cnn")).to_be_visible()
    page.get_by_role("tab", name="System").click()
    expect(page.get_by_role("slider", name="cpu")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("grid", name="Runs")).to_be_visible()


def test_a_chart_a_metric_in_sections(page: Page, server: Background, digits: str) -> None:
    """Prefixes are sections that close; the search takes a regular expression."""
    page.goto(f"{server.url}/p/{digits}")
    expect(card(page, "train/loss").locator("canvas.lines")).to_be_visible()
    expect(page.get_by_role("region", name="val")).to_be_visible()
    page.get_by_role("button", name="val 1").click()
    expect(card(page, "val/acc")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("^(lr|val)")
    expect(card(page, "train/loss")).to_have_count(0)
    expect(card(page, "lr")).to_be_visible()
    assert query(page)["metric"] == ["^(lr|val)"]


def test_hovering_shows_values_sorted_on_every_chart(
    page: Page, server: Background, digits: str
) -> None:
    """One crosshair through all charts; the panel lists the runs, largest value first."""
    page.goto(f"{server.url}/p/{digits}")
    expect(card(page, "val/acc").locator("canvas.lines")).to_be_visible()
    page.wait_for_timeout(500)
    hover(page, "val/acc")
    panel = page.get_by_role("tooltip")
    expect(panel).to_be_visible()
    values = [float(text) for text in panel.locator(".hover-value").all_inner_texts()]
    assert len(values) == 10
    assert values == sorted(values, reverse=True)
    near = panel.locator("tr.is-near .hover-name").inner_text()
    expect(page.locator(".run-row.is-lit")).to_contain_text(near)
    for metric in ("val/acc", "train/loss", "lr"):
        expect(card(page, metric).locator("canvas.lines")).to_have_class(re.compile("is-behind"))
    expect(card(page, "lr").locator(".u-cursor-x")).not_to_have_class(re.compile("u-off"))


def test_keys_move_the_crosshair_and_zoom(page: Page, server: Background, digits: str) -> None:
    """Without a pointer: arrows go along the chart and say its values, `+` zooms, escape leaves."""
    page.goto(f"{server.url}/p/{digits}?metric=acc")
    expect(card(page, "val/acc").locator("canvas.lines")).to_be_visible()
    chart = card(page, "val/acc").get_by_role("slider", name="val/acc: 10 lines")
    chart.focus()
    page.keyboard.press("Home")
    panel = page.get_by_role("tooltip")
    expect(panel).to_contain_text("step 0")
    expect(chart).to_have_attribute("aria-valuetext", re.compile("^step 0: .*run-"))
    page.keyboard.press("Shift+ArrowRight")
    expect(panel).not_to_contain_text("step 0")
    with page.expect_response(lambda answer: "/series" in answer.url and "max=" in answer.url):
        page.keyboard.press("+")
    assert "zoom" in query(page)
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{server.url}/p/{digits}?metric=acc")


def test_drag_zooms_every_chart_in_full_detail_and_double_click_resets(
    page: Page, server: Background, digits: str
) -> None:
    """The zoomed window is asked for anew at the server, in the address, and can be undone."""
    page.goto(f"{server.url}/p/{digits}?metric=loss")
    expect(card(page, "train/loss").locator("canvas.lines")).to_be_visible()
    page.wait_for_timeout(500)
    hover(page, "train/loss", 0.4)
    with page.expect_response(
        lambda answer: "/series" in answer.url and "min=" in answer.url
    ) as got:
        page.mouse.down()
        hover(page, "train/loss", 0.45)
        page.mouse.up()
    low, high = (float(word) for word in query(page)["zoom"][0].split("~"))
    assert 0 < low < high < 3000
    assert all(line["exact"] for line in got.value.json()["series"])
    box = card(page, "train/loss").locator(".u-over").bounding_box()
    assert box is not None
    page.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page).not_to_have_url(re.compile("zoom"))
    page.go_back()
    assert "zoom" in query(page)


def test_a_spike_of_one_point_is_drawn_and_nan_is_counted(
    page: Page, server: Background, digits: str
) -> None:
    """One wild value among 3,000 reaches the top of its chart; NaN is a mark with a count."""
    page.goto(f"{server.url}/p/{digits}?only=run-11&metric=loss")
    expect(card(page, "train/loss").locator("canvas.lines")).to_be_visible()
    page.wait_for_timeout(600)
    rows = card(page, "train/loss").evaluate(
        """element => {
            const canvas = element.querySelector("canvas.lines");
            const {width, height} = canvas;
            const data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
            let n = 0;
            for (let y = Math.round(height * 0.2); y < height * 0.6; y++)
                for (let x = Math.round(width * 0.4); x < width * 0.6; x++) {
                    const i = 4 * (y * width + x);
                    const [r, g, b, a] = data.slice(i, i + 4);
                    if (a > 60 && Math.max(r, g, b) - Math.min(r, g, b) > 40) { n += 1; break; }
                }
            return n / (height * 0.4);
        }"""
    )
    assert rows > 0.9
    page.goto(f"{server.url}/p/{digits}?metric=loss")
    expect(card(page, "train/loss").locator(".marks")).to_have_text("12 NaN")


def test_eyes_hide_show_and_isolate_lines(page: Page, server: Background, digits: str) -> None:
    """The eye decides which lines the charts draw, and the address keeps it."""
    page.goto(f"{server.url}/p/{digits}")
    expect(page.get_by_text("10 lines shown")).to_be_visible()
    page.get_by_role("button", name="Hide run-11", exact=True).click()
    expect(page.get_by_text("9 lines shown")).to_be_visible()
    page.get_by_role("button", name="Show run-00", exact=True).click()
    expect(page.get_by_text("10 lines shown")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Show run-11", exact=True)).to_be_visible()
    page.get_by_role("button", name="Show only run-05").click()
    expect(page.get_by_text("1 line shown")).to_be_visible()


def test_colours_stay_with_their_runs(page: Page, server: Background, digits: str) -> None:
    """Filtering, sorting and reloading change no colour."""
    page.goto(f"{server.url}/p/{digits}")
    swatch = page.locator(".run-row", has_text="run-05").locator(".swatch circle")
    before = swatch.get_attribute("fill")
    page.goto(f'{server.url}/p/{digits}?filter=name+~+"run-0[4567]"&sort=created')
    expect(page.get_by_text("4 runs")).to_be_visible()
    assert swatch.get_attribute("fill") == before


def test_search_filter_and_sort_the_list(page: Page, server: Background, digits: str) -> None:
    """The server's filter language, its error in place, and columns that sort."""
    page.goto(f"{server.url}/p/{digits}?col=config.lr")
    expect(page.get_by_text("12 runs")).to_be_visible()
    page.get_by_role("button", name="Filter").click()
    field = page.get_by_role("textbox", name="Filter")
    field.fill("config.lr << 1")
    field.press("Enter")
    expect(page.locator(".filter-error")).to_contain_text("at character 12")
    field.fill('config.lr < 0.01 and not tags has "odd"')
    field.press("Enter")
    expect(page.get_by_text("3 runs")).to_be_visible()
    expect(page.locator(".filter-error")).to_have_count(0)
    page.get_by_role("textbox", name="Search runs by name").fill("run-1")
    expect(page.get_by_text("1 run", exact=True)).to_be_visible()
    page.get_by_role("textbox", name="Search runs by name").fill("run-0[12]$")
    expect(page.get_by_text("1 run", exact=True)).to_be_visible()
    page.get_by_role("textbox", name="Search runs by name").fill("run-0[12")
    expect(page.get_by_text("0 runs")).to_be_visible()  # no pattern: searched for as it stands
    page.goto(f"{server.url}/p/{digits}?col=summary.val%2Facc")
    page.get_by_role("button", name="val/acc", exact=True).click()
    expect(page.locator(".run-row .run-name a").first).to_have_text("run-00")
    page.get_by_role("button", name="val/acc", exact=True).click()
    expect(page.locator(".run-row .run-name a").first).to_have_text("run-11")


def test_axes_and_smoothing_ask_the_server(page: Page, server: Background, digits: str) -> None:
    """Smoothing is computed over full data; x is step, time, or another metric."""
    page.goto(f"{server.url}/p/{digits}?metric=loss")
    expect(card(page, "train/loss").locator("canvas.lines")).to_be_visible()
    with page.expect_response(lambda answer: "smooth=ema" in answer.url) as got:
        page.get_by_role("slider", name="Smoothing").fill("0.9")
    assert all("smooth" in line for line in got.value.json()["series"])
    with page.expect_response(lambda answer: "x=wall" in answer.url):
        page.get_by_role("combobox", name="X axis").select_option("wall")
    with page.expect_response(lambda answer: "x=metric" in answer.url):
        page.get_by_role("combobox", name="X axis").select_option("metric:lr")
    page.get_by_role("button", name="Log y").click()
    assert query(page)["log"] == ["y"]


def test_hostile_names_are_text(page: Page, server: Background, record: Any) -> None:
    """Markup in names of projects, runs, metrics, config and tags is shown, never run."""
    project = HOSTILE.replace("/", "∕")
    run = record(project, "r1", name=HOSTILE, tags=[HOSTILE], notes=HOSTILE)
    run.write({"k": "config", "c": {HOSTILE: HOSTILE}})
    run.points(HOSTILE, [1.0, 2.0])
    run.points("x" * 1000, [1.0, 2.0])
    page.goto(f"{server.url}/p/{quote(project, safe='')}")
    expect(page.get_by_role("link", name=HOSTILE)).to_be_visible()
    expect(page.locator("canvas.lines")).to_have_count(2)
    page.get_by_role("link", name=HOSTILE).click()
    page.get_by_role("tab", name="Overview").click()
    expect(page.get_by_role("table", name="Config").locator("td")).to_have_text(HOSTILE)
    assert page.locator("#page img").count() == 0
    assert page.title() != "1"


def test_an_empty_project_tells_how_to_log(page: Page, server: Background) -> None:
    """A project that has no run yet shows the lines of Python that make one."""
    page.goto(f"{server.url}/p/not%20yet")
    expect(page.locator(".list-area")).to_contain_text('core.init(project="not yet")')


def test_the_theme_follows_the_system_and_the_choice(
    browser: Browser, server: Background, page: Page, digits: str
) -> None:
    """A choice outlives a reload and is there before the first paint."""
    page.emulate_media(color_scheme="dark")
    page.goto(f"{server.url}/p/{digits}")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name="Light", exact=True).click()
    light = page.evaluate(background)
    assert light != dark
    page.reload(wait_until="commit")
    page.wait_for_selector("body", state="attached")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


# The grounds that the page had in its frames, from the first on.
GROUNDS = """
globalThis.grounds = new Set();
const look = () => {
    if (document.body) grounds.add(getComputedStyle(document.body).backgroundColor);
    requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def corner(picture: bytes) -> tuple[int, int, int]:
    """The colour of a PNG's first pixel, which no filter can change."""
    at, data = 8, b""
    while at < len(picture):
        (size,) = struct.unpack(">I", picture[at : at + 4])
        if picture[at + 4 : at + 8] == b"IDAT":
            data += picture[at + 8 : at + 8 + size]
        at += size + 12
    red, green, blue = zlib.decompress(data)[1:4]
    return red, green, blue


@pytest.mark.parametrize("chosen", ["dark", "light"])
def test_the_first_paint_has_the_chosen_theme(
    page: Page, server: Background, digits: str, chosen: str
) -> None:
    """Against the system's: painted before the app has come, the same in every frame, nothing inline."""
    page.emulate_media(color_scheme="light" if chosen == "dark" else "dark")
    page.add_init_script(f"localStorage.setItem('outrider.theme', '{chosen}');{GROUNDS}")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/assets/index-*.js", hold)
    answer = page.goto(f"{server.url}/p/{digits}", wait_until="commit")
    assert answer is not None
    assert "unsafe" not in answer.headers["content-security-policy"]
    eventually(lambda: page.evaluate("performance.getEntriesByName('first-paint').length") and held)
    first = corner(page.screenshot())
    assert page.evaluate("document.querySelector('#page').childElementCount") == 0
    assert (max(first) < 60) == (chosen == "dark")
    for route in held:
        route.continue_()
    expect(card(page, "train/loss").locator("canvas.lines")).to_be_visible()
    assert page.evaluate("[...grounds]") == [f"rgb{first}"]


def test_keys_move_in_the_list_and_open_help(page: Page, server: Background, digits: str) -> None:
    """Arrows move, space hides, question mark explains, escape closes."""
    page.goto(f"{server.url}/p/{digits}")
    grid = page.get_by_role("grid", name="Runs")
    expect(grid).to_be_visible()
    grid.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Show run-11", exact=True)).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard and help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_pinned_runs_and_charts_stay_on_top(page: Page, server: Background, digits: str) -> None:
    """By button and by key; a pinned run is drawn, whatever the list shows, and the address keeps it."""
    page.goto(f"{server.url}/p/{digits}?lines=5&col=config.lr")
    first = page.locator('.run-row[data-run="run-00"]')
    first.hover()
    first.get_by_role("button", name="Pin run-00").click()
    above = page.locator(".vabove .run-row")
    expect(above).to_have_count(1)
    expect(above).to_contain_text("0.1")
    expect(page.get_by_text("6 lines shown")).to_be_visible()
    page.get_by_role("grid", name="Runs").focus()
    page.keyboard.press("ArrowUp")  # from the row that was pressed
    page.keyboard.press("p")
    expect(above).to_have_count(2)
    page.get_by_role("textbox", name="Search runs by name").fill("run-07")
    expect(page.get_by_text("1 run", exact=True)).to_be_visible()
    expect(above).to_have_count(2)
    page.reload()
    expect(above.first).to_contain_text("run-00")
    above.first.hover()
    above.first.get_by_role("button", name="Pin run-00").click()
    expect(above).to_have_count(1)
    hover(page, "val/acc")
    page.keyboard.press("p")
    expect(page.get_by_role("region", name="Pinned")).to_contain_text("val/acc")
    assert query(page)["pin"] == ["val/acc"]
    assert query(page)["top"] == ["run-01"]


def test_on_a_phone_runs_and_charts_are_one_tap_apart(
    browser: Browser, server: Background, digits: str
) -> None:
    """At 390 pixels nothing is wider than the screen."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    log_in(context, server)
    page = context.new_page()
    page.goto(f"{server.url}/p/{digits}")
    expect(card(page, "train/loss").locator("canvas.lines")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Runs", exact=True).tap()
    expect(page.get_by_role("link", name="run-11")).to_be_visible()
    context.close()
