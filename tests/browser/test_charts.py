"""Single charts: their settings, places and files; zooms; charts and views that users make."""

from __future__ import annotations

import csv
import io
import math
import os
import re
import struct
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest
from browser_parts import Recorder, card, log_in
from chart_parts import drawn, hover, open_settings, own, query, records, saved, zoom
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from outrider_server.background import Background

POINTS = [2 * math.exp(-step / 300) for step in range(2000)]
LONGEST_FIRST_LOAD = 120 * 1024


@pytest.fixture(scope="module")
def charts(server: Background) -> str:
    """Six runs with a few metrics; one has a NaN."""
    now = time.time() - 36_000
    for i in range(6):
        run = Recorder(server, "charts", f"chart-{i}", created=now + 600 * i)
        run.write(
            {
                "k": "config",
                "c": {"lr": 10.0 ** -(1 + i % 3), "width": 16 * (i + 1), "net": "ab"[i % 2]},
            }
        )
        loss: list[Any] = [value + i / 10 for value in POINTS]
        if i == 0:
            loss[1000] = "NaN"
        run.points("train/loss", loss)
        run.points("train/grad", [1.0, 3.0, 2.0])
        run.points("train/rate", [1.0, 0.5, 0.1])
        run.points("val/loss", [value + i / 10 + 1 for value in POINTS[::100]])
        run.points("val/acc", [0.1 * (i + 1)] * 3)
        run.end("finished", code=0)
    return "charts"


def order(page: Page, section: str) -> list[str]:
    """The cards of a section as they stand."""
    cards = page.get_by_role("region", name=section, exact=True).locator(".card")
    return cards.evaluate_all("cards => cards.map((one) => one.dataset.metric)")


def test_smoothing_of_three_kinds_is_asked_of_the_server(
    page: Page, server: Background, charts: str
) -> None:
    """Running mean and Gaussian are in points, over the full data, and stay in the address."""
    page.goto(f"{server.url}/p/{charts}?metric=train/loss")
    drawn(page, "train/loss")
    kind = page.get_by_role("combobox", name="Kind of smoothing")
    kind.select_option("mean")
    with page.expect_response(lambda answer: "smooth=mean%3A33" in answer.url) as got:
        page.get_by_role("slider", name="Smoothing").fill("0.5")
    line = got.value.json()["series"][0]
    assert len(line["smooth"]) == len(line["x"])
    with page.expect_response(lambda answer: "smooth=gauss%3A33" in answer.url):
        kind.select_option("gauss")
    assert query(page)["smooth"] == ["gauss:33"]
    page.reload()
    expect(kind).to_have_value("gauss")
    expect(page.locator(".smoothing output")).to_have_text("33")
    drawn(page, "train/loss")
    page.wait_for_timeout(300)
    hover(page, "train/loss")
    expect(page.get_by_role("tooltip").locator(".hover-range").first).not_to_be_empty()


def test_a_chart_takes_the_ends_of_y_that_are_typed(
    page: Page, server: Background, charts: str
) -> None:
    """The axis is what was given, values beyond it are marked at its edge, and a reload keeps it."""
    page.goto(f"{server.url}/p/{charts}?only=chart-1&metric=train/loss")
    drawn(page, "train/loss")
    _, before = saved(page, "train/loss", "svg")
    panel = open_settings(page, "train/loss")
    panel.get_by_label("Upper end of y").fill("0,5")
    panel.get_by_label("Upper end of y").press("Tab")
    panel.get_by_label("Lower end of y").fill("0")
    panel.get_by_label("Lower end of y").press("Tab")
    page.keyboard.press("Escape")
    assert records(page, "card") == [{"k": "train/loss", "y": [0, 0.5]}]
    page.reload()
    drawn(page, "train/loss")
    _, after = saved(page, "train/loss", "svg")
    assert ">2.0<" in before.decode()
    assert ">0.5<" in after.decode()
    assert ">2.0<" not in after.decode()
    assert after.count(b"Z") > before.count(b"Z")
    panel = open_settings(page, "train/loss")
    expect(panel.get_by_label("Upper end of y")).to_have_value("0.5")
    panel.get_by_role("button", name="Log y").click()
    assert records(page, "card") == [{"k": "train/loss", "y": [0, 0.5], "l": 1}]


def test_any_chart_can_be_saved_as_png_svg_and_csv(
    page: Page, server: Background, charts: str
) -> None:
    """The files hold the chart as it stands: a picture at twice its size, lines, exact values."""
    page.goto(f"{server.url}/p/{charts}?metric=val/loss|train/loss")
    drawn(page, "val/loss")
    name, png = saved(page, "val/loss", "png")
    assert name == "val_loss.png"
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    box = card(page, "val/loss").locator(".chart").bounding_box()
    assert box is not None
    assert width == pytest.approx(2 * box["width"], abs=2)
    assert height > 2 * box["height"]
    _, svg = saved(page, "val/loss", "svg")
    root = ET.fromstring(svg)
    texts = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"val/loss", "step", *(f"chart-{i}" for i in range(6))} <= texts
    _, table = saved(page, "val/loss", "csv")
    rows = list(csv.DictReader(io.StringIO(table.decode())))
    mine = [row for row in rows if row["run"] == "chart-2"]
    assert [int(row["step"]) for row in mine] == list(range(20))
    assert [float(row["value"]) for row in mine] == [value + 2 / 10 + 1 for value in POINTS[::100]]
    drawn(page, "train/loss")
    _, table = saved(page, "train/loss", "csv")
    rows = list(csv.DictReader(io.StringIO(table.decode())))
    assert [row["value"] for row in rows if not row["min"]] == ["NaN"]


def test_a_card_is_resized_by_its_corner_and_by_keys(
    page: Page, server: Background, charts: str
) -> None:
    """Height and width stay after a reload; a double-click gives the usual size back."""
    page.goto(f"{server.url}/p/{charts}?pane=charts&metric=train")
    drawn(page, "train/loss")
    grip = card(page, "train/loss").get_by_role("separator", name="Size of train/loss")
    box, before = grip.bounding_box(), card(page, "train/loss").bounding_box()
    assert box is not None
    assert before is not None
    page.mouse.move(box["x"] + 8, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 8 + before["width"], box["y"] + 98, steps=4)
    page.mouse.up()
    expect(grip).to_have_attribute("aria-valuenow", "354")
    assert records(page, "card") == [{"k": "train/loss", "h": 354, "w": 2}]
    page.reload()
    drawn(page, "train/loss")
    after = card(page, "train/loss").bounding_box()
    assert after is not None
    assert after["width"] == pytest.approx(2 * before["width"] + 12, abs=2)
    assert after["height"] == pytest.approx(before["height"] + 90, abs=1)
    grip.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    assert records(page, "card") == [{"k": "train/loss", "h": 374, "w": 1}]
    grip.dblclick()
    assert records(page, "card") == []


def test_cards_are_moved_by_dragging_and_by_the_menu(
    page: Page, server: Background, charts: str
) -> None:
    """The order of a section is the user's; it is in the address, and so it stays."""
    page.goto(f"{server.url}/p/{charts}?pane=charts")
    drawn(page, "train/rate")
    assert order(page, "train") == ["train/grad", "train/loss", "train/rate"]
    handle = card(page, "train/rate").locator(".card-head")
    handle.drag_to(
        card(page, "train/grad").locator(".card-head"), target_position={"x": 8, "y": 10}
    )
    assert order(page, "train") == ["train/rate", "train/grad", "train/loss"]
    page.reload()
    drawn(page, "train/rate")
    assert order(page, "train") == ["train/rate", "train/grad", "train/loss"]
    open_settings(page, "train/loss").get_by_role("button", name="Move back").click()
    assert order(page, "train") == ["train/rate", "train/loss", "train/grad"]
    page.keyboard.press("Escape")
    card(page, "val/acc").hover()
    page.get_by_role("button", name="Pin val/acc").click()
    card(page, "train/loss").hover()
    page.get_by_role("button", name="Pin train/loss").click()
    assert order(page, "Pinned") == ["val/acc", "train/loss"]
    pinned = page.get_by_role("region", name="Pinned").locator(".card-head")
    pinned.nth(1).drag_to(pinned.nth(0), target_position={"x": 8, "y": 10})
    assert order(page, "Pinned") == query(page)["pin"] == ["train/loss", "val/acc"]


def test_zooms_are_undone_one_by_one_and_a_chart_can_zoom_alone(
    page: Page, server: Background, charts: str
) -> None:
    """Two zooms, two steps back; a chart that zooms alone leaves the others as they are."""
    page.goto(f"{server.url}/p/{charts}?metric=loss")
    drawn(page, "train/loss")
    page.wait_for_timeout(300)
    zoom(page, "train/loss", 0.2, 0.6)
    first, at_first = query(page)["zoom"], page.url
    drawn(page, "train/loss")
    zoom(page, "train/loss", 0.4, 0.6)
    assert query(page)["zoom"] != first
    page.get_by_role("button", name="Undo the zoom").click()
    expect(page).to_have_url(at_first)
    page.keyboard.press("z")
    expect(page).not_to_have_url(re.compile("zoom="))
    panel = open_settings(page, "val/loss")
    panel.get_by_role("button", name="Zooms alone").click()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(drawn(page, "val/loss").locator(".card-note")).to_have_count(0)
    zoom(page, "val/loss", 0.2, 0.6)
    assert "zoom" not in query(page)
    (alone,) = records(page, "card")
    assert alone["k"] == "val/loss"
    assert 0 < alone["z"][0] < alone["z"][1] < 20


def choose(page: Page, kind: str) -> Any:
    """Open the dialog that makes a chart of a kind."""
    page.get_by_role("button", name="Chart", exact=True).click()
    dialog = page.get_by_role("dialog", name="Make a chart")
    dialog.get_by_text(kind, exact=True).click()
    return dialog


def test_an_expression_is_evaluated_and_its_errors_say_where(
    page: Page, server: Background, charts: str
) -> None:
    """The server reads it; what is wrong is pointed at; a metric that nobody has is named."""
    page.goto(f"{server.url}/p/{charts}")
    drawn(page, "train/loss")
    dialog = choose(page, "Expression")
    field = dialog.get_by_label("Expression", exact=True).last
    field.fill("val/loss - (train/loss")
    dialog.get_by_role("button", name="Make the chart").click()
    expect(dialog.get_by_role("alert")).to_contain_text("a ) is missing, at character 23")
    assert dialog.locator(".own-where").inner_text().endswith("\n" + " " * 22 + "^")
    field.fill("val/loss - train/loss")
    with page.expect_response(
        lambda answer: "expression=" in answer.url and "run=chart-5" in answer.url
    ):
        dialog.get_by_role("button", name="Make the chart").click()
    expect(dialog).to_have_count(0)
    (made,) = records(page, "own")
    key = f"own:{made['i']}"
    drawn(page, key)
    _, table = saved(page, key, "csv", "val/loss - train/loss")
    rows = [row for row in csv.DictReader(io.StringIO(table.decode())) if row["run"] == "chart-3"]
    assert float(rows[0]["max"]) == pytest.approx(1.0)
    page.goto(f"{server.url}/p/{charts}?{own(i='x', k='expression', e='val/loss - nobody')}")
    expect(card(page, "own:x")).to_contain_text(
        "No shown run has logged “nobody” (at character 12)"
    )


def test_several_metrics_in_one_chart(page: Page, server: Background, charts: str) -> None:
    """Each run and metric is a line of its own; the title can be changed, and the chart removed."""
    page.goto(f"{server.url}/p/{charts}?lines=2")
    drawn(page, "train/loss")
    dialog = choose(page, "Several metrics")
    dialog.get_by_label("Metric 1").fill("train/loss")
    dialog.get_by_label("Metric 1").press("Tab")
    dialog.get_by_label("Metric 2").fill("val/loss")
    dialog.get_by_label("Metric 2").press("Tab")
    dialog.get_by_role("button", name="Make the chart").click()
    (made,) = records(page, "own")
    key = f"own:{made['i']}"
    expect(
        card(page, key).get_by_role("slider", name="train/loss, val/loss: 4 lines")
    ).to_be_visible()
    page.wait_for_timeout(300)
    hover(page, key, 0.02)
    expect(page.get_by_role("tooltip").locator("tr")).to_have_count(4)
    expect(page.get_by_role("tooltip")).to_contain_text("chart-5 · val/loss")
    open_settings(page, key, "train/loss, val/loss").get_by_role(
        "button", name="Edit the chart"
    ).click()
    dialog = page.get_by_role("dialog", name="Change the chart")
    dialog.get_by_label("Title").fill("Both <b>losses</b>")
    dialog.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("article", name="Both <b>losses</b>")).to_be_visible()
    card(page, key).hover()
    page.get_by_role("button", name="Enlarge Both <b>losses</b>").click()
    full = page.get_by_role("dialog", name="Both <b>losses</b>")
    expect(full.locator("canvas.lines")).to_be_visible()
    page.keyboard.press("Escape")
    expect(full).to_have_count(0)
    open_settings(page, key, "Both <b>losses</b>").get_by_role(
        "button", name="Remove the chart"
    ).click()
    expect(card(page, key)).to_have_count(0)
    page.go_back()
    expect(card(page, key)).to_be_visible()


def test_runs_as_dots_bars_and_parallel_coordinates(
    page: Page, server: Background, charts: str
) -> None:
    """Config against results of all runs of the list; pointing says which run, a click opens it."""
    page.goto(f"{server.url}/p/{charts}?only=chart-0&pane=charts")
    drawn(page, "train/loss")
    dialog = choose(page, "Scatter")
    dialog.get_by_role("button", name="Make the chart").click()
    expect(dialog.get_by_role("alert")).to_have_text("Choose two values.")
    for label, value in (("x", "config.width"), ("y", "summary.val/acc")):
        dialog.get_by_label(label, exact=True).fill(value)
        dialog.get_by_label(label, exact=True).press("Tab")
    dialog.get_by_role("button", name="Make the chart").click()
    for kind, values in (
        ("Bars", ["summary.val/acc"]),
        ("Parallel coordinates", ["config.lr", "config.net", "summary.val/acc"]),
    ):
        dialog = choose(page, kind)
        for i, value in enumerate(values):
            label = f"Axis {i + 1}" if len(values) > 1 else "Value"
            dialog.get_by_label(label).fill(value)
            dialog.get_by_label(label).press("Tab")
        dialog.get_by_role("button", name="Make the chart").click()
        expect(dialog).to_have_count(0)
    scatter, bars, parallel = (f"own:{one['i']}" for one in records(page, "own"))
    for key in (scatter, bars, parallel):
        expect(card(page, key).get_by_role("slider", name=re.compile("6 runs$"))).to_be_visible()
    _, table = saved(page, parallel, "csv", "lr, net, val/acc")
    rows = list(csv.DictReader(io.StringIO(table.decode())))
    assert {(row["id"], row["config.net"], row["summary.val/acc"]) for row in rows} == {
        (f"chart-{i}", "ab"[i % 2], str(0.1 * (i + 1))) for i in range(6)
    }
    _, picture = saved(page, scatter, "svg", "val/acc by width")
    assert picture.count(b"A4 4 0 1 1") == 2 * 6
    hover(page, bars, 0.3, 0.12)
    tip = page.get_by_role("tooltip")
    expect(tip).to_contain_text("chart-5")
    expect(tip).to_contain_text("0.6")
    box = card(page, bars).locator("canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.12)
    expect(page.get_by_role("heading", name="chart-5")).to_be_visible()


def test_own_charts_go_by_keys(page: Page, server: Background, charts: str) -> None:
    """From dot to dot, bar to bar, line to line; each is told; enter opens the run."""
    made = "&".join(
        (
            own(i="s", k="scatter", f=["config.width", "summary.val/acc"]),
            own(i="b", k="bar", f=["summary.val/acc"]),
            own(i="p", k="parallel", f=["config.lr", "summary.val/acc"]),
        )
    )
    page.goto(f"{server.url}/p/{charts}?{made}&only=chart-0&pane=charts")
    tip = page.get_by_role("tooltip")
    for key, keys, run in (
        ("own:s", ("Home", "ArrowRight"), 1),  # from the left
        ("own:s", ("End", "ArrowUp"), 5),  # the last is the highest too
        ("own:b", ("ArrowDown", "ArrowDown"), 4),  # the longest first
        ("own:p", ("Home", "Shift+ArrowDown"), 0),  # from the top of the last axis
    ):
        chart = drawn(page, key).get_by_role("slider")
        chart.focus()
        for one in keys:
            page.keyboard.press(one)
        expect(tip).to_contain_text(f"chart-{run}")
        said = re.compile(rf"^chart-{run}: .*val/acc 0\.{run + 1}$")
        expect(chart).to_have_attribute("aria-valuetext", said)
    page.keyboard.press("Escape")
    expect(tip).to_have_count(0)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="chart-0")).to_be_visible()


HISTOGRAMS = """
import random
from outrider import core
import outrider

core.init(project="histograms", name="by-script")
for step in range(8):
    core.log({"weights": outrider.Histogram([random.gauss(0, 1 + step) for _ in range(400)]), "loss": 1.0})
core.finish()
"""


def test_histograms_of_a_script_are_drawn_over_steps(
    page: Page, server: Background, tmp_path: Path
) -> None:
    """From ``log(Histogram)`` through the streamer to columns that say their counts."""
    environment = {**os.environ, "OUTRIDER_URL": server.url, "OUTRIDER_API_KEY": server.token}
    subprocess.run(
        [sys.executable, "-c", HISTOGRAMS], cwd=tmp_path, env=environment, check=True, timeout=120
    )
    page.goto(f"{server.url}/p/histograms?{own(i='h', k='histogram', f=['weights'])}")
    shown = card(page, "own:h").get_by_role("slider", name="weights of by-script, 8 steps")
    for _ in range(20):  # the streamer may still be on its way
        page.wait_for_timeout(1000)
        if shown.count():
            break
        page.reload()
    expect(shown).to_be_visible()
    _, table = saved(page, "own:h", "csv", "weights")
    rows = list(csv.DictReader(io.StringIO(table.decode())))
    assert {row["step"] for row in rows} == {str(step) for step in range(8)}
    assert sum(float(row["count"]) for row in rows) == 8 * 400
    hover(page, "own:h")
    expect(page.get_by_role("tooltip")).to_contain_text("%")
    page.mouse.move(0, 0)
    shown.focus()
    page.keyboard.press("End")
    expect(page.get_by_role("tooltip")).to_contain_text("by-script · step 7")
    before = shown.get_attribute("aria-valuetext")
    page.keyboard.press("ArrowUp")
    expect(shown).not_to_have_attribute("aria-valuetext", str(before))
    expect(page.get_by_role("tooltip")).to_contain_text("step 7")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tooltip")).to_contain_text("step 6")


def test_a_view_is_kept_at_the_server_for_everybody(
    page: Page, browser: Browser, server: Background, charts: str
) -> None:
    """Kept under a name, opened in another browser, replaced and deleted."""
    chart = own(i="v", k="bar", f=["summary.val/acc"])
    page.goto(f"{server.url}/p/{charts}?x=relative&smooth=mean:20&group=config.net&{chart}")
    drawn(page, "own:v")
    wanted = query(page)
    page.get_by_role("button", name="Views", exact=True).click()
    page.get_by_label("Name of the view").fill("mine / <b> ü 🚀?#")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_role("button", name="mine / <b> ü 🚀?#", exact=True)).to_be_visible()
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    log_in(context, server)
    other = context.new_page()
    other.goto(f"{server.url}/p/{charts}")
    drawn(other, "train/loss")
    other.get_by_role("button", name="Views", exact=True).click()
    other.get_by_role("button", name="mine / <b> ü 🚀?#", exact=True).click()
    expect(card(other, "own:v")).to_be_visible()
    assert query(other) == wanted
    other.go_back()
    expect(card(other, "own:v")).to_have_count(0)
    context.close()
    page.get_by_label("Name of the view").fill("mine / <b> ü 🚀?#")
    expect(page.get_by_role("button", name="Replace", exact=True)).to_be_visible()
    page.get_by_role("button", name="Delete the view mine / <b> ü 🚀?#").click()
    expect(page.get_by_text("No view is kept yet.")).to_be_visible()


def test_a_view_that_may_not_be_kept_says_why(
    browser: Browser, server: Background, charts: str
) -> None:
    """A person who may only read sees the views, and why none is kept."""
    import requests

    headers = {"Authorization": f"Bearer {server.token}"}
    code = requests.post(
        server.url + "/api/login-codes", json={"role": "read"}, headers=headers, timeout=30
    ).json()["url"]
    context = browser.new_context()
    page = context.new_page()
    page.goto(code)
    page.goto(f"{server.url}/p/{charts}")
    drawn(page, "train/loss")
    page.get_by_role("button", name="Views", exact=True).click()
    page.get_by_label("Name of the view").fill("mine")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator(".views-menu").get_by_role("alert")).to_be_visible()
    context.close()


def test_the_first_load_is_small(browser: Browser, server: Background, charts: str) -> None:
    """Everything that the workspace loads before it shows charts, as it comes over the line."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    log_in(context, server)
    page = context.new_page()
    sizes: dict[str, int] = {}
    page.on(
        "requestfinished",
        lambda request: sizes.update({request.url: request.sizes()["responseBodySize"]}),
    )
    page.goto(f"{server.url}/p/{charts}")
    drawn(page, "train/loss")
    loaded = {url: size for url, size in sizes.items() if "/api/" not in url}
    assert any(url.endswith(".js") for url in loaded)
    assert sum(loaded.values()) <= LONGEST_FIRST_LOAD, loaded
    context.close()
