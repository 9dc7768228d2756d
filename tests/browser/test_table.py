"""The run table: selecting, many at once, undo, columns, groups, filters by clicking, edits, saving."""

from __future__ import annotations

import csv
import io
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests
from browser_parts import Recorder
from chart_parts import query
from playwright.sync_api import Locator, Page, expect

if TYPE_CHECKING:
    from outrider_server.background import Background

HOSTILE = '<img src=x onerror="document.title=1">'
SLOW = 60_000


def fill(server: Background, project: str, count: int = 8) -> str:
    """Runs with a config of two rates, an optimizer, a constant, and an accuracy that falls."""
    now = time.time() - 36_000
    for i in range(count):
        run = Recorder(
            server,
            project,
            f"run-{i:02d}",
            created=now + 60 * i,
            tags=["even", "odd"][i % 2 :][:1],
            name=HOSTILE if i == 7 else f"run-{i:02d}",
        )
        config = {"lr": [0.1, 0.01][i % 2], "opt": ["sgd", "adam"][i // 4 % 2], "same": 1}
        run.write({"k": "config", "c": config})
        run.points("val/acc", [0.5, 0.9 - i / 20, 0.4])
        run.end("finished", code=0)
    return project


@pytest.fixture(scope="module")
def still(server: Background) -> str:
    """A project that the tests only look at."""
    return fill(server, "table")


def row(page: Page, run: str) -> Locator:
    """A run's row by its id."""
    return page.locator(f'.run-row[data-run="{run}"]')


def names(page: Page) -> list[str]:
    """The runs on the screen, in order."""
    found = page.locator(".run-row[data-run]")
    places = found.evaluate_all(
        "all => all.map(one => [one.getBoundingClientRect().top, one.dataset.run])"
    )
    return [name for _, name in sorted(places)]


def expect_heads(page: Page, *keys: str) -> None:
    """The columns' keys, from the left, as soon as they are there."""
    columns = page.locator(".runs [data-column]")
    expect(columns).to_have_count(len(keys))
    for place, key in enumerate(keys):
        expect(columns.nth(place)).to_have_attribute("data-column", key)


def told(server: Background, project: str, run: str) -> dict[str, Any]:
    """What the server says of a run."""
    headers = {"Authorization": f"Bearer {server.token}"}
    url = f"{server.url}/api/projects/{project}/runs/{run}"
    answer = requests.get(url, headers=headers, timeout=30)
    return {"status": answer.status_code, **answer.json()}


def box(page: Page, run: str) -> Locator:
    """A row's box."""
    return row(page, run).get_by_role("checkbox")


def test_rows_are_selected_by_boxes_ranges_and_keys(
    page: Page, server: Background, still: str
) -> None:
    """A box, shift for a range, ctrl on the row, x and ctrl+a; kept over a reload; esc leaves."""
    page.goto(f"{server.url}/p/{still}?pane=runs")
    box(page, "run-06").click()
    count = page.locator(".bulk-count")
    expect(count).to_have_text("1 selected")
    box(page, "run-03").click(modifiers=["Shift"])
    expect(count).to_have_text("4 selected")
    expect(box(page, "run-04")).to_be_checked()
    row(page, "run-05").locator(".run-cell.faint").first.click(modifiers=["Control"])
    expect(count).to_have_text("3 selected")
    page.reload()
    expect(count).to_have_text("3 selected")
    page.get_by_role("grid", name="Runs").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    expect(box(page, "run-07")).to_be_checked()
    page.keyboard.press("Control+a")
    expect(count).to_have_text("8 selected")
    page.keyboard.press("Escape")
    expect(count).to_have_count(0)


def test_selected_runs_are_compared(page: Page, server: Background, still: str) -> None:
    """The link names exactly the selected runs."""
    page.goto(f"{server.url}/p/{still}?pane=runs")
    box(page, "run-01").click()
    box(page, "run-02").click()
    page.get_by_role("link", name="Compare").click()
    expect(page).to_have_url(re.compile("/compare"))
    assert sorted(query(page)["run"]) == ["run-01", "run-02"]


def test_many_are_tagged_and_archived_and_found_again(page: Page, server: Background) -> None:
    """A tag for all selected; archived ones leave the list until the filter asks for them."""
    project = fill(server, "bulk", 4)
    page.goto(f"{server.url}/p/{project}?pane=runs&col=tags")
    box(page, "run-01").click()
    box(page, "run-02").click()
    page.get_by_role("button", name="Tag the selected runs").click()
    page.get_by_role("textbox", name="Tag to add").fill("best, x")
    page.keyboard.press("Enter")
    expect(row(page, "run-02")).to_contain_text("best")
    assert told(server, project, "run-01")["tags"] == ["best", "odd", "x"]
    page.get_by_role("button", name="Take the tag x away").click()
    expect(row(page, "run-02")).not_to_contain_text("x")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Archive", exact=True).click()
    expect(row(page, "run-02")).to_have_count(0)
    expect(row(page, "run-03")).to_be_visible()
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(row(page, "run-02")).to_be_visible()
    page.get_by_role("button", name="Archive", exact=True).click()
    expect(row(page, "run-02")).to_have_count(0)
    page.get_by_role("button", name="Leave the selection").click()
    page.get_by_role("button", name="The table", exact=True).click()
    page.get_by_role("button", name="The archive").click()
    expect(row(page, "run-02")).to_contain_text("archived")
    assert names(page) == ["run-02", "run-01"]
    page.keyboard.press("Escape")
    box(page, "run-01").click()
    page.get_by_role("button", name="Unarchive").click()
    expect(row(page, "run-01")).to_have_count(0)
    assert told(server, project, "run-01")["archived"] is False


def test_deleting_can_be_undone_and_is_then_done(page: Page, server: Background) -> None:
    """Undo brings the rows back untouched; without it the server hears of it."""
    project = fill(server, "gone", 3)
    page.goto(f"{server.url}/p/{project}")
    box(page, "run-01").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(row(page, "run-01")).to_have_class(re.compile("is-going"))
    page.get_by_role("button", name="Undo").click()
    expect(row(page, "run-01")).not_to_have_class(re.compile("is-going"))
    assert told(server, project, "run-01")["status"] == 200
    box(page, "run-02").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    expect(row(page, "run-02")).to_have_count(0, timeout=SLOW)
    assert told(server, project, "run-02")["status"] == 404
    assert told(server, project, "run-01")["status"] == 200


def test_runs_are_moved_to_another_project_and_back(page: Page, server: Background) -> None:
    """One that still grows goes on there; its old page leads to it; undo brings all of them back."""
    project = fill(server, "leaves", 3)
    growing = Recorder(server, project, "growing", created=time.time())
    page.goto(f"{server.url}/p/{project}?pane=runs")
    box(page, "run-01").click()
    box(page, "growing").click()
    page.get_by_role("button", name="Move the selected runs").click()
    page.get_by_role("textbox", name="Project to move to").fill("arrives")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Moved to arrives: 2 runs")
    expect(row(page, "growing")).to_have_count(0)
    assert names(page) == ["run-02", "run-00"]
    growing.points("loss", [3.0, 2.0])
    assert told(server, "arrives", "growing")["summary"] == {"loss": 2}
    other = page.context.new_page()
    other.goto(f"{server.url}/p/{project}/r/growing?tab=overview")
    expect(other).to_have_url(f"{server.url}/p/arrives/r/growing?tab=overview")
    expect(other.get_by_role("heading", name="growing")).to_be_visible()
    other.close()
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(row(page, "growing")).to_be_visible()
    growing.points("loss", [1.0], first=2)
    assert told(server, project, "growing")["summary"] == {"loss": 1}
    assert told(server, project, "run-01")["project"] == project


def test_a_page_that_is_left_deletes_what_was_deleted(page: Page, server: Background) -> None:
    """Leaving the page does not turn a deletion into nothing."""
    project = fill(server, "left", 2)
    page.goto(f"{server.url}/p/{project}")
    box(page, "run-01").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.goto("about:blank")
    limit = time.monotonic() + 60
    while told(server, project, "run-01")["status"] != 404:
        assert time.monotonic() < limit
        time.sleep(0.1)


def test_columns_move_pin_and_widen_and_the_address_keeps_it(
    page: Page, server: Background, still: str
) -> None:
    """By dragging, by keys and from the menu; a reload shows the same."""
    page.goto(f"{server.url}/p/{still}?pane=runs&col=config.lr&col=config.opt")
    expect(page.locator('[data-column="config.opt"]')).to_be_visible()
    expect_heads(page, "name", "config.lr", "config.opt", "created", "duration")
    first = page.locator('[data-column="config.lr"] .column-head').bounding_box()
    other = page.locator('[data-column="duration"]').bounding_box()
    assert first is not None
    assert other is not None
    page.mouse.move(first["x"] + 5, first["y"] + 9)
    page.mouse.down()
    page.mouse.move(other["x"] - 20, first["y"] + 9, steps=4)
    page.mouse.move(other["x"] + 5, first["y"] + 9, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile("col=created"))
    expect_heads(page, "name", "config.opt", "created", "config.lr", "duration")
    page.locator('[data-column="created"] .column-head').focus()
    page.keyboard.press("Alt+ArrowRight")
    expect_heads(page, "name", "config.opt", "config.lr", "created", "duration")
    page.locator('[data-column="config.lr"] .column-head').focus()
    page.keyboard.press("Alt+p")
    expect_heads(page, "name", "config.lr", "config.opt", "created", "duration")
    edge = page.locator('[data-column="config.opt"] .column-edge').bounding_box()
    assert edge is not None
    page.mouse.move(edge["x"] + 3, edge["y"] + 5)
    page.mouse.down()
    page.mouse.move(edge["x"] + 63, edge["y"] + 5, steps=3)
    page.mouse.up()
    expect(page).to_have_url(re.compile("width=config.opt"))
    page.reload()
    expect(page.locator('[data-column="config.opt"]')).to_be_visible()
    expect_heads(page, "name", "config.lr", "config.opt", "created", "duration")
    wide = page.locator('[data-column="config.opt"]').bounding_box()
    assert wide is not None
    assert wide["width"] == pytest.approx(152, abs=3)


def test_a_metric_comes_down_to_a_column_that_sorts(
    page: Page, server: Background, still: str
) -> None:
    """Its maximum: chosen in the menu, shown, sorted by; two columns by shift."""
    page.goto(f"{server.url}/p/{still}?pane=runs")
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("textbox", name="Search columns").fill("acc.max")
    page.get_by_role("button", name="val/acc.max").click()
    page.keyboard.press("Escape")
    expect(row(page, "run-00")).to_contain_text("0.9")
    page.get_by_role("button", name="val/acc.max", exact=True).click()
    expect(page).to_have_url(re.compile("sort=metric"))
    expect(page.locator(".runs")).to_have_attribute("aria-busy", "false")
    assert names(page)[-1] == "run-00"
    page.goto(f"{server.url}/p/{still}?pane=runs&col=config.lr&col=config.opt")
    page.get_by_role("button", name="lr", exact=True).click()
    page.get_by_role("button", name="opt", exact=True).click(modifiers=["Shift"])
    expect(page.locator(".sort-place")).to_have_text(["1", "2"])
    expect(page.locator(".runs")).to_have_attribute("aria-busy", "false")
    assert names(page) == [f"run-0{i}" for i in (7, 5, 3, 1, 6, 4, 2, 0)]


def test_only_config_that_differs(page: Page, server: Background, still: str) -> None:
    """Keys with one value in all rows are not columns; a filter changes which they are."""
    page.goto(f"{server.url}/p/{still}?pane=runs&differ=1")
    expect(page.locator('[data-column="config.opt"]')).to_be_visible()
    expect_heads(page, "name", "config.lr", "config.opt", "created", "duration")
    page.goto(f"{server.url}/p/{still}?pane=runs&differ=1&filter=config.lr+%3D+0.1")
    expect(page.locator('[data-column="config.lr"]')).to_have_count(0)
    expect_heads(page, "name", "config.opt", "created", "duration")


def test_rows_stand_in_groups_that_close(page: Page, server: Background, still: str) -> None:
    """Counts over all runs; a closed group keeps closed over a reload; keys open it."""
    page.goto(f"{server.url}/p/{still}?pane=runs")
    page.get_by_role("button", name="The table", exact=True).click()
    page.get_by_label("Group rows by").select_option("config.opt")
    page.keyboard.press("Escape")
    group = page.get_by_role("button", name="opt adam, 4 runs")
    expect(group).to_have_attribute("aria-expanded", "true")
    assert names(page) == [f"run-0{i}" for i in (7, 6, 5, 4, 3, 2, 1, 0)]
    group.click()
    expect(row(page, "run-07")).to_have_count(0)
    assert names(page) == [f"run-0{i}" for i in (3, 2, 1, 0)]
    page.reload()
    expect(group).to_have_attribute("aria-expanded", "false")
    page.get_by_role("grid", name="Runs").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(row(page, "run-07")).to_be_visible()


def test_a_filter_is_built_by_clicking(page: Page, server: Background, still: str) -> None:
    """Each condition is a chip; a wrong one typed by hand is shown at its place."""
    page.goto(f"{server.url}/p/{still}?pane=runs")
    page.get_by_role("button", name="Filter", exact=True).click()
    builder = page.get_by_role("group", name="Filter builder")
    builder.get_by_label("Field").fill("config.lr")
    builder.get_by_label("Operator").select_option("<")
    builder.get_by_label("Value").fill("0.05")
    builder.get_by_role("button", name="Add").click()
    expect(page.get_by_text("4 runs")).to_be_visible()
    builder.get_by_label("Field").fill("tags")
    builder.get_by_label("Value").fill('o"dd')
    builder.get_by_role("button", name="Add").click()
    expect(page.get_by_text("No run matches")).to_be_visible()
    assert query(page)["filter"] == ['config.lr < 0.05 and tags has "o\\"dd"']
    builder.get_by_role("button", name=re.compile("^Take away tags")).click()
    expect(page.get_by_text("4 runs")).to_be_visible()
    field = page.get_by_role("textbox", name="Filter")
    field.fill("config.lr < 0.05 and stat = 3")
    field.press("Enter")
    expect(page.locator(".error-place mark")).to_have_text("s")
    expect(page.locator(".filter-error")).to_contain_text("at character 22")


def test_a_long_condition_leaves_the_builder_in_its_panel(
    page: Page, server: Background, still: str
) -> None:
    """The fingerprint of a data set is longer than the panel is wide: what stands below it can
    still be clicked."""
    data = f'config.data != "sha256-tree:{"0a" * 32}"'
    page.goto(f"{server.url}/p/{still}?filter={quote(data)}")
    builder = page.get_by_role("group", name="Filter builder")
    builder.get_by_label("Field").fill("config.lr")
    builder.get_by_label("Value").fill("0.1")
    builder.get_by_role("button", name="Add").click()
    page.wait_for_url(lambda url: "config.lr" in url)
    assert query(page)["filter"] == [f"{data} and config.lr = 0.1"]


def test_name_tags_and_notes_are_edited_in_place(page: Page, server: Background) -> None:
    """By the pencil, a double click and a key; escape changes nothing; hostile text stays text."""
    project = fill(server, "edits", 2)
    page.goto(f"{server.url}/p/{project}?pane=runs&col=tags&col=notes")
    row(page, "run-00").hover()
    row(page, "run-00").get_by_role("button", name="Rename run-00").click()
    field = page.get_by_role("textbox", name="Name of run-00")
    field.fill(HOSTILE)
    field.press("Enter")
    expect(row(page, "run-00").locator(".run-name a")).to_have_text(HOSTILE)
    row(page, "run-01").locator(".run-cell", has_text="odd").dblclick()
    page.get_by_role("textbox", name="Tags, separated by commas of run-01").fill("a, b,a")
    page.keyboard.press("Enter")
    expect(row(page, "run-01").locator(".tag")).to_have_text(["a", "b"])
    page.keyboard.press("n")
    notes = page.get_by_role("textbox", name="Notes of run-01")
    notes.fill("never")
    notes.press("Escape")
    page.keyboard.press("n")
    notes.fill("looks good")
    notes.press("Enter")
    expect(row(page, "run-01")).to_contain_text("looks good")
    page.reload()
    expect(row(page, "run-01")).to_contain_text("looks good")
    found = told(server, project, "run-01")
    assert (found["tags"], found["notes"]) == (["a", "b"], "looks good")
    assert told(server, project, "run-00")["name"] == HOSTILE


def saved(page: Page, kind: str) -> bytes:
    """The table as a file."""
    page.get_by_role("button", name="The table", exact=True).click()
    with page.expect_download(timeout=SLOW) as got:
        page.get_by_role("button", name=f"Save the table as {kind}").click()
    assert got.value.suggested_filename == f"table.{kind.lower()}"
    return Path(got.value.path()).read_bytes()


def test_the_whole_table_is_saved(page: Page, server: Background, still: str) -> None:
    """CSV of every run of the filter, in the list's order and columns."""
    page.goto(
        f"{server.url}/p/{still}?pane=runs&col=config.lr&col=metric.val%2Facc.max&sort=created"
    )
    expect(row(page, "run-00")).to_be_visible()
    rows = list(csv.DictReader(io.StringIO(saved(page, "CSV").decode())))
    assert [one["id"] for one in rows] == [f"run-0{i}" for i in range(8)]
    assert rows[7]["name"] == HOSTILE
    assert (rows[0]["config.lr"], rows[0]["metric.val/acc.max"]) == ("0.1", "0.9")


def test_the_table_is_saved_as_parquet(page: Page, server: Background, still: str) -> None:
    """Typed columns, written by the server."""
    parquet = pytest.importorskip("pyarrow.parquet")
    page.goto(f"{server.url}/p/{still}?pane=runs&col=config.lr&col=tags&sort=created")
    expect(row(page, "run-00")).to_be_visible()
    table = parquet.read_table(io.BytesIO(saved(page, "Parquet"))).to_pydict()
    assert table["id"] == [f"run-0{i}" for i in range(8)]
    assert table["config.lr"][:2] == [0.1, 0.01]
    assert table["tags"][0] == ["even"]


def test_a_list_that_could_not_be_read_keeps_its_rows_and_says_that_they_are_old(
    page: Page, server: Background, record: Any
) -> None:
    """An error of the server is no empty list, and the next try mends it."""
    record("old", "first").points("loss", [1.0])
    record("old", "second")
    page.goto(f"{server.url}/p/old?pane=runs")
    expect(page.get_by_role("link", name="second")).to_be_visible()
    expect(page.get_by_role("status", name=re.compile("^Live"))).to_be_visible()
    page.route("**/runs?*", lambda route: route.fulfill(status=500, body="{}"))
    page.get_by_role("textbox", name="Search runs by name").fill("first")
    expect(page.get_by_role("alert")).to_contain_text("These are the runs of the last answer")
    expect(page.get_by_role("link", name="second")).to_be_visible()
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("link", name="second")).to_have_count(0)
    expect(page.get_by_role("link", name="first")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
