"""Groups, colours by a value, and a baseline: what the lines of the charts are."""

from __future__ import annotations

import json
import re
import statistics
import time
from typing import TYPE_CHECKING, Any

import pytest
from browser_parts import Recorder, card
from chart_parts import drawn, hover, lines_menu, query, saved
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from outrider_server.background import Background

HOSTILE = '<img src=x onerror="document.title=1">'
RATES = (0.1, 0.01, 0.001)


def loss(run: int, step: int) -> float:
    """What each run logs: deterministic, different for every run."""
    return 10 * RATES[run % 3] + run / 10 + step / 50


@pytest.fixture(scope="module")
def seeds(server: Background) -> str:
    """Twelve runs: three learning rates with four seeds each."""
    now = time.time() - 36_000
    for i in range(12):
        run = Recorder(
            server, "seeds", f"seed-{i:02d}", created=now + 600 * i, tags=["even", "odd"][i % 2 :]
        )
        run.write(
            {"k": "config", "c": {"lr": RATES[i % 3], "seed": i, "opt": ["sgd", HOSTILE][i % 2]}}
        )
        run.points("train/loss", [loss(i, step) for step in range(40)])
        run.points("val/acc", [0.5 + i / 100] * 4)
        run.end("finished", code=0)
    return "seeds"


def test_a_group_is_all_of_its_runs_however_few_lines_are_shown(
    page: Page, server: Background, seeds: str
) -> None:
    """Grouped by a config key: mean and min–max over every run, also those not among the lines."""
    page.goto(f"{server.url}/p/{seeds}?lines=2")
    drawn(page, "train/loss")
    with page.expect_response(
        lambda answer: "/groups" in answer.url and "loss" in answer.url
    ) as got:
        lines_menu(page).get_by_label("Group by").select_option("config.lr")
    groups = got.value.json()["groups"]
    assert [group["value"] for group in groups] == sorted(RATES)
    for group in groups:
        runs = [i for i in range(12) if RATES[i % 3] == group["value"]]
        at_5 = [loss(i, 5) for i in runs]
        assert group["n"][5] == len(runs) == 4
        assert group["mid"][5] == pytest.approx(statistics.fmean(at_5))
        assert (group["low"][5], group["high"][5]) == pytest.approx((min(at_5), max(at_5)))
    page.keyboard.press("Escape")
    legend = page.get_by_role("group", name="Groups", exact=True)
    expect(legend.get_by_role("button", name=re.compile("^Hide the group"))).to_have_count(3)
    expect(legend).to_contain_text("lr 0.001")
    expect(legend).to_contain_text("4 runs")
    hover(page, "train/loss")
    panel = page.get_by_role("tooltip")
    expect(panel.locator("tr")).to_have_count(3)
    expect(panel).to_contain_text("4 runs")


def test_line_and_band_are_chosen_and_kept_in_the_address(
    page: Page, server: Background, seeds: str
) -> None:
    """Median and standard error are asked of the server; a reload shows the same."""
    page.goto(f"{server.url}/p/{seeds}?group=config.lr")
    drawn(page, "train/loss")
    panel = lines_menu(page)
    with page.expect_response(lambda answer: "centre=median" in answer.url):
        panel.get_by_label("Line", exact=True).select_option("median")
    with page.expect_response(lambda answer: "band=stderr" in answer.url):
        panel.get_by_label("Band").select_option("stderr")
    assert (query(page)["centre"], query(page)["band"]) == (["median"], ["stderr"])
    with page.expect_response(
        lambda answer: "centre=median" in answer.url and "stderr" in answer.url
    ):
        page.reload()
    with page.expect_response(lambda answer: "smooth=ema" in answer.url) as got:
        page.get_by_role("slider", name="Smoothing").fill("0.6")
    assert all("smooth" in group for group in got.value.json()["groups"])


def test_a_group_opens_to_its_runs_and_can_be_hidden(
    page: Page, server: Background, seeds: str
) -> None:
    """Its members' lines join it; hidden, it is gone from every chart."""
    page.goto(f"{server.url}/p/{seeds}?group=config.lr")
    drawn(page, "train/loss")
    with page.expect_response(lambda answer: "/series" in answer.url) as got:
        page.get_by_role("button", name="With the runs of lr 0.01").click()
    names = {line["run"] for line in got.value.json()["series"]}
    assert names == {f"seed-{i:02d}" for i in range(1, 12, 3)}
    expect(page.get_by_role("button", name="Without the runs of lr 0.01")).to_be_visible()
    drawn(page, "train/loss")
    page.wait_for_timeout(300)
    hover(page, "train/loss")
    expect(page.get_by_role("tooltip").locator("tr")).to_have_count(3 + 4)
    expect(page.get_by_role("tooltip")).to_contain_text("seed-04")
    page.get_by_role("button", name="Hide the group lr 0.01", exact=True).click()
    hover(page, "train/loss", 0.4)
    expect(page.get_by_role("tooltip").locator("tr")).to_have_count(2)
    page.reload()
    expect(page.get_by_role("button", name="Show the group lr 0.01", exact=True)).to_be_visible()


def test_hidden_and_filtered_runs_are_in_no_group(
    page: Page, server: Background, seeds: str
) -> None:
    """The eye and the list's filter say which runs count."""
    page.goto(f"{server.url}/p/{seeds}?group=config.lr&filter=config.seed+<+9")
    legend = page.get_by_role("group", name="Groups", exact=True)
    expect(legend).to_contain_text("lr 0.1")
    expect(legend.get_by_text("3 runs")).to_have_count(3)
    page.get_by_role("button", name="Hide seed-08", exact=True).click()
    expect(legend.get_by_text("2 runs")).to_have_count(1)


def test_tags_and_hostile_values_are_groups_too(page: Page, server: Background, seeds: str) -> None:
    """A run with two tags is in both groups; markup in a value is text."""
    page.goto(f"{server.url}/p/{seeds}?group=tags")
    legend = page.get_by_role("group", name="Groups", exact=True)
    expect(legend).to_contain_text("odd12 runs")
    expect(legend).to_contain_text("even6 runs")
    page.goto(f"{server.url}/p/{seeds}?group=config.opt")
    expect(legend).to_contain_text(HOSTILE)
    assert page.locator("#page img").count() == 0
    page.goto(f"{server.url}/p/{seeds}?group=config.nothing")
    expect(legend).to_contain_text("no nothing12 runs")
    page.goto(f"{server.url}/p/{seeds}?group=nonsense")
    expect(card(page, "train/loss").get_by_role("alert")).to_contain_text("there is no 'nonsense'")


def test_lines_take_their_colours_from_a_value(page: Page, server: Background, seeds: str) -> None:
    """On a scale for numbers: runs of one value have one colour, and a legend shows the scale."""
    page.goto(f"{server.url}/p/{seeds}?lines=12")
    drawn(page, "train/loss")
    strokes = r'fill="none" stroke="(#\w+)"[^>]*stroke-width="1.5"'
    _, before = saved(page, "train/loss", "svg")
    assert len(set(re.findall(strokes, before.decode()))) == 12
    lines_menu(page).get_by_label("Colour by").select_option("config.lr")
    page.keyboard.press("Escape")
    legend = page.get_by_role("group", name="Colours: lr")
    expect(legend).to_contain_text("0.001")
    expect(legend).to_contain_text("log")
    _, after = saved(page, "train/loss", "svg")
    assert len(set(re.findall(strokes, after.decode()))) == 3
    page.goto(f"{server.url}/p/{seeds}?colour=config.opt")
    expect(page.get_by_role("group", name="Colours: opt")).to_contain_text(HOSTILE)


def test_a_baseline_stands_out_and_others_say_how_far_they_are(
    page: Page, server: Background, seeds: str
) -> None:
    """The panel shows each run's distance from the baseline, which is drawn though not in the list."""
    page.goto(f"{server.url}/p/{seeds}?lines=3")
    drawn(page, "val/acc")
    lines_menu(page).get_by_label("Baseline").select_option(label="seed-11")
    page.keyboard.press("Escape")
    assert query(page)["baseline"] == ["seed-11"]
    hover(page, "val/acc")
    panel = page.get_by_role("tooltip")
    expect(panel.locator("tr", has_text="baseline")).to_contain_text("seed-11")
    expect(panel.locator("tr", has_text="seed-09").locator(".hover-delta")).to_have_text("−0.02")
    page.goto(f"{server.url}/p/{seeds}?lines=2&baseline=seed-00")
    drawn(page, "val/acc")
    page.wait_for_timeout(300)
    hover(page, "val/acc")
    expect(panel.locator("tr", has_text="baseline")).to_contain_text("seed-00")
    expect(panel.locator("tr", has_text="seed-11").locator(".hover-delta")).to_have_text("+0.11")


def test_groups_grow_while_they_are_looked_at(page: Page, server: Background, record: Any) -> None:
    """New points and new runs join their group without a reload."""
    first = record("grown", "one")
    first.write({"k": "config", "c": {"lr": 0.1}})
    first.points("loss", [1.0, 2.0])
    page.goto(f"{server.url}/p/grown?group=config.lr")
    expect(page.get_by_role("status", name=re.compile("^Live"))).to_be_visible()
    legend = page.get_by_role("group", name="Groups", exact=True)
    expect(legend).to_contain_text("1 run")
    second = record("grown", "two")
    second.write({"k": "config", "c": {"lr": 0.1}})
    with page.expect_response(
        lambda answer: (
            "/groups" in answer.url and json.loads(answer.text())["groups"][0]["n"][-1] == 2
        ),
        timeout=30_000,
    ):
        second.points("loss", [3.0, 4.0])
    expect(legend).to_contain_text("2 runs")


def test_every_band_and_every_kind_of_group(page: Page, server: Background, record: Any) -> None:
    """By group and by job type, each band is what its name says of the runs behind it."""
    values = {"a": [1.0, 2.0, 3.0, 6.0], "b": [4.0, 4.0, 4.0, 4.0]}
    for group, each in values.items():
        for i, value in enumerate(each):
            run = record("bands", f"{group}{i}", group=group, job_type="train" if i else "eval")
            run.points("loss", [value, value])
    of_a = values["a"]
    mean, spread = statistics.fmean(of_a), statistics.stdev(of_a)
    expected = {
        "minmax": (1.0, 6.0),
        "std": (mean - spread, mean + spread),
        "stderr": (mean - spread / 2, mean + spread / 2),
        "quantiles:0.25": (1.75, 3.75),
    }
    for band, edges in expected.items():
        with page.expect_response(lambda answer: "/groups" in answer.url) as got:
            page.goto(f"{server.url}/p/bands?group=group&band={band}")
        first = got.value.json()["groups"][0]
        assert first["value"] == "a"
        assert first["mid"][0] == pytest.approx(mean)
        assert (first["low"][0], first["high"][0]) == pytest.approx(edges), band
    page.goto(f"{server.url}/p/bands?group=job_type")
    legend = page.get_by_role("group", name="Groups", exact=True)
    expect(legend).to_contain_text("job_type eval")
    expect(legend.get_by_text("6 runs")).to_be_visible()
