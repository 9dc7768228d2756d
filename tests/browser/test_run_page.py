"""What the page of a run shows of a real script's run: overview, code, files, media, alerts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from browser_parts import log_in
from playwright.sync_api import Page, expect
from trained_runs import Trained, train

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from outrider_server.background import Background

WAIT = 60_000


@pytest.fixture(scope="module")
def trained(server: Background, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Two runs by a real script."""
    return train(server, tmp_path_factory.mktemp("trained"), "trained by script")


def open_run(page: Page, server: Background, run: str, tab: str, more: str = "") -> None:
    """Go to a tab of one of the trained runs."""
    page.goto(f"{server.url}/p/trained%20by%20script/r/{run}?tab={tab}{more}")


def query(page: Page) -> dict[str, list[str]]:
    """What the address holds."""
    return parse_qs(urlsplit(page.url).query)


def test_the_overview_tells_command_commit_and_packages(
    page: Page, server: Background, trained: Trained
) -> None:
    """What a run was started with is read at a glance; the commit is a link to its host."""
    open_run(page, server, "seed0", "overview")
    expect(page.get_by_text("train.py 0 'trained by script'")).to_be_visible(timeout=WAIT)
    link = page.locator(".command a")
    expect(link).to_have_attribute(
        "href",
        re.compile(r"^https://git.example.org/example/digits/commit/[0-9a-f]{40}$"),
        timeout=WAIT,
    )
    page.get_by_text(re.compile(r"^\d+ packages$")).click()
    page.get_by_role("textbox", name="Search packages").fill("numpy")
    expect(page.locator(".packages dt")).to_have_text(["numpy"])
    expect(page.get_by_role("heading", name="Environment")).to_be_visible()


def test_a_failed_run_says_why_on_top(page: Page, server: Background, trained: Trained) -> None:
    """The reason stands above every tab, the traceback below it, as text."""
    open_run(page, server, "seed1", "files")
    expect(page.locator(".run-reason")).to_have_text("failed: ValueError: bad <b>shape</b>")
    page.get_by_text("Traceback", exact=True).click()
    expect(page.locator(".end-story pre")).to_contain_text('raise ValueError("bad <b>shape</b>")')


def test_the_config_is_searched_and_set_beside_another_runs(
    page: Page, server: Background, trained: Trained
) -> None:
    """Chosen from a menu, the other run's values stand beside; only what differs unless asked."""
    open_run(page, server, "seed0", "overview")
    config = page.get_by_role("table", name="Config")
    expect(config.get_by_role("row")).to_have_count(9)
    page.get_by_role("textbox", name="Search Config").fill("^model")
    expect(config.get_by_role("rowheader")).to_have_text(["model.depth", "model.name"])
    page.get_by_role("textbox", name="Search Config").fill("")
    page.get_by_role("button", name="Compare the config with another run").click()
    page.get_by_role("button", name="seed 1").click()
    expect(config.get_by_role("rowheader")).to_have_text(["lr"])
    expect(config.get_by_role("cell")).to_have_text(["0.1", "0.05"])
    page.get_by_role("button", name="Only what differs").click()
    page.reload()
    expect(config.get_by_role("rowheader")).to_have_count(9)
    assert query(page)["against"] == ["seed1"]


def test_name_tags_and_notes_are_edited_in_place(
    page: Page, server: Background, record: Any
) -> None:
    """Enter saves, escape leaves; a reload shows it; a refusal is told and taken back."""
    record("edited", "r1")
    page.goto(f"{server.url}/p/edited/r/r1")
    page.get_by_role("button", name="Edit the name").click()
    page.get_by_role("textbox", name="Name").fill("another <i>name</i>")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="another <i>name</i>")).to_be_visible()
    page.get_by_role("button", name="+ tag").click()
    page.get_by_role("textbox", name="New tag").fill("good")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Add notes").click()
    page.get_by_role("textbox", name="Notes").fill("line one\nline two")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".run-notes")).to_contain_text("line two")
    page.get_by_role("button", name="Edit the name").click()
    page.get_by_role("textbox", name="Name").fill("not this")
    page.keyboard.press("Escape")
    expect(page.locator(".edit-form")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name="another <i>name</i>")).to_be_visible()
    expect(page.locator(".tag", has_text="good")).to_be_visible()
    page.route("**/runs/r1", lambda route: route.abort(), times=1)
    page.get_by_role("button", name="Remove the tag good").click()
    expect(page.get_by_role("alert")).to_contain_text("Not saved")
    expect(page.locator(".tag", has_text="good")).to_be_visible()


def test_tabs_are_what_the_run_has_and_arrows_move_through_them(
    page: Page, server: Background, record: Any
) -> None:
    """A run with numbers alone has no console, code, files or media."""
    run = record("plain", "r1")
    run.points("loss", [1.0, 0.5])
    page.goto(f"{server.url}/p/plain/r/r1")
    tabs = page.get_by_role("tab")
    expect(tabs).to_have_text(["Charts", "Overview", "System", "Alerts"])
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Overview")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Overview")).to_be_visible()
    assert query(page)["tab"] == ["overview"]
    page.keyboard.press("Home")
    expect(page.get_by_role("tab", name="Charts")).to_have_attribute("aria-selected", "true")


def test_the_code_that_no_commit_has_is_shown_as_a_diff(
    page: Page, server: Background, trained: Trained
) -> None:
    """Changed lines with their numbers, coloured words, and new files."""
    open_run(page, server, "seed0", "code")
    removed = page.locator("tr.is-removed")
    expect(removed).to_contain_text("return 2 * x", timeout=WAIT)
    added = page.locator("tr.is-added", has_text="return 3 * x")
    expect(added.locator(".hljs-keyword")).to_have_text("return")
    expect(added.locator(".diff-number").nth(1)).to_have_text("5")
    expect(page.locator(".diff-path", has_text="new_file.py")).to_be_visible()
    with page.expect_download() as got:
        page.get_by_role("link", name="Download the patch").first.click()
    assert b"+    return 3 * x" in got.value.path().read_bytes()


def test_files_are_a_tree_with_previews_and_downloads(
    page: Page, server: Background, trained: Trained
) -> None:
    """Arrow keys walk, enter opens; text and pictures are shown, other bytes downloaded whole."""
    open_run(page, server, "seed0", "files")
    tree = page.get_by_role("grid", name="Files")
    tree.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".source")).to_contain_text("# Notes of the run", timeout=WAIT)
    assert query(page)["file"] == ["deep/notes.md"]
    page.get_by_role("button", name="plot.png").click()
    picture = page.get_by_role("img", name="plot.png")
    expect(picture).to_have_js_property("naturalWidth", 8, timeout=WAIT)
    page.get_by_role("button", name="weights.bin").click()
    expect(page.get_by_text("There is no preview of this kind of file")).to_be_visible()
    with page.expect_download() as got:
        page.get_by_role("link", name="Download").click()
    assert got.value.path().read_bytes() == bytes(range(256)) * 4
    page.get_by_role("textbox", name="Search files (regular expression)").fill("png$")
    expect(page.locator(".file-row")).to_have_count(1)


def test_media_follow_the_step_by_slider_and_arrow_keys(
    page: Page, server: Background, trained: Trained
) -> None:
    """The arrow keys change the step of every key; pictures, texts and histograms follow."""
    open_run(page, server, "seed0", "media", "&find=examples|answer|weights")
    card = page.get_by_role("article", name="examples")
    picture = card.get_by_role("img")
    expect(picture).to_have_js_property("naturalWidth", 32, timeout=WAIT)
    expect(card.get_by_text("<b>at 20</b>")).to_be_visible()
    last = picture.get_attribute("src")
    expect(page.get_by_text("the answer at 20")).to_be_visible()
    page.locator("h1").click()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(card.get_by_text("<b>at 10</b>")).to_be_visible()
    assert picture.get_attribute("src") != last
    expect(page.get_by_text("the answer at 10")).to_be_visible()
    expect(page.get_by_role("article", name="weights").locator("rect").first).to_be_attached()
    page.reload()
    expect(card.get_by_text("<b>at 10</b>")).to_be_visible()
    page.get_by_role("button", name="Show only answer").click()
    expect(page.get_by_role("article")).to_have_count(1)


def test_masks_and_boxes_lie_over_their_picture(
    page: Page, server: Background, trained: Trained
) -> None:
    """The mask colours the half that it marks; each overlay can be hidden."""
    open_run(page, server, "seed0", "media", "&find=examples")
    card = page.get_by_role("article", name="examples")
    box = card.locator(".box-layer")
    expect(box).to_contain_text("a thing", timeout=WAIT)
    sides = box.evaluate("e => [e.style.left, e.style.top, e.style.width, e.style.height]")
    assert [float(side[:-1]) for side in sides] == pytest.approx([10, 20, 40, 40])
    expect(card.locator(".mask-layer")).to_have_js_property("width", 32)
    alphas = card.locator(".mask-layer").evaluate(
        """canvas => [4, 28].map(
            x => canvas.getContext('2d').getImageData(x, 16, 1, 1).data[3])"""
    )
    assert alphas[0] > 0
    assert alphas[1] == 0
    card.get_by_role("button", name="truth").click()
    expect(card.locator(".mask-layer")).to_have_count(0)
    card.get_by_role("button", name="found").click()
    expect(box).to_have_count(0)


def test_sound_film_and_a_shut_in_page(page: Page, server: Background, trained: Trained) -> None:
    """Sounds play, films show, a logged page is seen but cannot run anything by itself."""
    open_run(page, server, "seed0", "media", "&find=sound|film|page")
    expect(page.locator("audio")).to_have_js_property("duration", 1, timeout=WAIT)
    film = page.get_by_role("article", name="film").locator("img, video")
    expect(film).to_be_visible()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="A report")).to_be_visible(timeout=WAIT)
    expect(frame.locator("body")).not_to_contain_text("it ran")
    assert page.locator("iframe").get_attribute("sandbox") == ""
    page.get_by_role("button", name="Let its scripts run").click()
    expect(frame.locator("body")).to_contain_text("it ran")
    assert page.locator("iframe").get_attribute("sandbox") == "allow-scripts"


def test_a_framed_page_is_given_to_frames_alone(
    server: Background, trained: Trained, page: Page
) -> None:
    """Opened by itself, logged HTML is a download: no script of it runs under our address."""
    open_run(page, server, "seed0", "media", "&find=page")
    source = page.locator("iframe").get_attribute("src", timeout=WAIT)
    answer = requests.get(
        f"{server.url}{source}", headers={"Authorization": f"Bearer {server.token}"}, timeout=30
    )
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-frame-options"] == "DENY"


def test_a_table_is_virtual_and_sorted_at_the_server(
    page: Page, server: Background, trained: Trained
) -> None:
    """Pressing a column sorts all rows; cells of media are pictures."""
    open_run(page, server, "seed0", "media", "&find=table")
    grid = page.get_by_role("grid", name="Table table")
    expect(grid.get_by_role("gridcell").first).to_have_text("0", timeout=WAIT)
    expect(grid.get_by_role("img").first).to_have_js_property("naturalWidth", 32, timeout=WAIT)
    assert grid.get_by_role("row").count() < 40
    page.get_by_role("button", name="n", exact=True).click()
    page.get_by_role("button", name="n", exact=True).click()
    expect(grid.get_by_role("gridcell").first).to_have_text("39")
    expect(grid.get_by_role("columnheader").first).to_have_attribute("aria-sort", "descending")


def test_alerts_are_listed_and_rules_made(page: Page, server: Background, trained: Trained) -> None:
    """What was raised is text; a rule is made, said in words, and removed; a bad one is refused."""
    open_run(page, server, "seed0", "alerts")
    expect(page.get_by_role("heading", name="it plateaued")).to_be_visible(timeout=WAIT)
    expect(page.get_by_text("The loss moves <i>no more</i>.")).to_be_visible()
    page.get_by_label("Raise an alert when").select_option("above")
    page.get_by_role("combobox", name="Metric").fill("train/loss")
    page.get_by_role("spinbutton", name="Value").fill("7.5")
    page.get_by_role("button", name="Add the rule").click()
    expect(page.locator(".rules li")).to_contain_text("train/loss is above 7.5")
    page.get_by_label("Raise an alert when").select_option("stalled")
    page.get_by_role("combobox", name="Metric").fill("train/*")
    page.get_by_role("spinbutton", name="Minutes").fill("5")
    page.get_by_role("button", name="Add the rule").click()
    expect(page.get_by_role("alert")).to_contain_text("names one metric")
    page.get_by_role("button", name=re.compile("^Remove the rule")).click()
    expect(page.get_by_text("No rule yet.")).to_be_visible()


def test_a_run_that_is_deleted_while_it_is_looked_at(
    page: Page, server: Background, record: Any
) -> None:
    """The page says that it is gone, and where the others are."""
    run = record("deleting", "r1")
    page.goto(f"{server.url}/p/deleting/r/r1?tab=overview")
    expect(page.get_by_role("table", name="Config")).to_have_count(0)
    expect(page.get_by_role("heading", name="r1", exact=True)).to_be_visible()
    headers = {"Authorization": f"Bearer {server.token}"}
    url = f"{server.url}/api/projects/deleting/runs/{run.run}"
    assert requests.delete(url, headers=headers, timeout=30).ok
    page.reload()
    expect(page.get_by_text("This run is not here")).to_be_visible()
    expect(page.get_by_role("link", name="All runs of deleting")).to_be_visible()


def test_on_a_phone_no_tab_is_wider_than_the_screen(
    browser: Browser, server: Background, trained: Trained
) -> None:
    """At 390 pixels the page never scrolls sideways, and the open tab is in sight."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    log_in(context, server)
    page = context.new_page()
    open_run(page, server, "seed0", "charts")
    waiting = page.get_by_role("tabpanel").locator(".skeleton-cards, .skeleton-rows")
    for tab in ("Overview", "System", "Console", "Code", "Files", "Media", "Alerts"):
        page.get_by_role("tab", name=tab).tap()
        expect(page.get_by_role("tab", name=tab, selected=True)).to_be_in_viewport(ratio=0.9)
        expect(waiting).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
