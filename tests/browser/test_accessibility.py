"""axe-core finds nothing serious on any page, in any of its states, in light and in dark."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser_parts import Recorder, card, log_in
from chart_parts import drawn, hover, lines_menu, open_settings, own
from playwright.sync_api import Page, expect
from trained_runs import Trained, train

from outrider_server.main import start_background

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext

    from outrider_server.background import Background

AXE = Axe()
GRAVE = ("serious", "critical")


def findings(page: Page) -> list[str]:
    """What is wrong: everything in light, and what colours make of it in dark."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        expect(page.locator("html")).to_have_css("color-scheme", scheme)
        options: dict[str, Any] = {"resultTypes": ["violations"]}
        if scheme == "dark":
            options["runOnly"] = ["color-contrast", "link-in-text-block"]
        for one in AXE.run(page, options=options).response["violations"]:
            if one["impact"] in GRAVE:
                places = [f"{node['target']} {node['html'][:160]}" for node in one["nodes"][:4]]
                found.append(f"{scheme}: {one['id']} ({one['impact']}), {one['help']}: {places}")
    return found


@pytest.fixture(scope="module")
def logged_in(browser: Browser, server: Background) -> Iterator[BrowserContext]:
    """One login for all of these tests: they only look."""
    opened = browser.new_context(viewport={"width": 1440, "height": 900})
    log_in(opened, server)
    yield opened
    opened.close()


@pytest.fixture
def page(logged_in: BrowserContext) -> Iterator[Page]:
    """A page of the one context, which remembers nothing of how another test left its view."""
    opened = logged_in.new_page()
    opened.add_init_script("localStorage.clear()")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def trained(server: Background, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Two runs by a real script, with everything that a run page shows."""
    return train(server, tmp_path_factory.mktemp("accessible"), "accessible")


@pytest.fixture(scope="module")
def many(server: Background) -> str:
    """Twelve runs with tags, notes, config; one has a NaN, one failed."""
    for number in range(12):
        run = Recorder(server, "seen", f"r{number:02d}", tags=["odd"] if number % 2 else ["even", "x"],
                       notes="a note", group=f"g{number % 3}")  # fmt: skip
        run.write({"k": "config", "c": {"lr": 0.1 / (1 + number % 4), "model": f"m{number % 2}"}})
        run.points("train/loss", [1 / (1 + step) + number / 50 for step in range(40)])
        run.points("val/acc", [0.1, 0.5, "NaN" if number == 3 else 0.6])
        if number:
            run.end("failed" if number == 4 else "finished", why={"type": "E", "message": "bad"})
    return "seen"


def menu(name: str) -> Callable[[Page], None]:
    """Press a button."""
    return lambda page: page.get_by_role("button", name=name, exact=True).first.click()


def seen(selector: str) -> Callable[[Page], None]:
    """Wait for an element."""
    return lambda page: expect(page.locator(selector).first).to_be_visible()


def charts(page: Page) -> None:
    drawn(page, "train/loss")


def cursor(page: Page) -> None:
    hover(page, "train/loss")
    expect(page.get_by_role("tooltip")).to_be_visible()


def card_menu(page: Page) -> None:
    open_settings(page, "train/loss")


def selected(page: Page) -> None:
    for number in (3, 4):
        box = page.locator(".run-row").nth(number).get_by_role("checkbox")
        box.click()  # not check(): the page sets it a moment later
        expect(box).to_be_checked()
    expect(page.get_by_text("2 selected")).to_be_visible()


def edited(page: Page) -> None:
    page.get_by_role("grid", name="Runs").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("e")
    expect(page.locator(".is-edited input")).to_be_visible()


WORKSPACE: dict[str, tuple[str, Callable[[Page], Any]]] = {
    "at the cursor": ("", cursor),
    "a card's menu": ("", card_menu),
    "one chart enlarged": ("full=train%2Floss", lambda page: page.get_by_role("dialog").wait_for()),
    "groups and their menu": ("group=config.model", lines_menu),
    "colours and views": ("colour=config.lr&baseline=r03", menu("Views")),
    "own charts and themes": (
        own(i="a", k="scatter", f=["config.lr", "summary.val/acc"])
        + "&" + own(i="b", k="parallel", f=["config.lr", "config.model", "summary.val/acc"])
        + "&" + own(i="c", k="expression", e="train/loss * 2"),
        lambda page: (seen(".own-chart")(page), menu("Theme")(page)),
    ),
    "editor of charts": ("", menu("Chart")),
    "help": ("", lambda page: page.keyboard.press("?")),
    "table and columns": ("pane=runs&by=group&col=config.lr&col=tags&col=notes&col=summary.val%2Facc",
        menu("Columns")),
    "selection and filter": ("pane=runs&filter=config.lr+<+0.06", selected),
    "editing": ("pane=runs", edited),
    "filter that does not parse": ("filter=config.lr+<<+1", seen(".filter-error")),
    "nothing found": ("q=nobody", seen("text=No run matches")),
}  # fmt: skip


@pytest.mark.parametrize("state", WORKSPACE)
def test_the_workspace(page: Page, server: Background, many: str, state: str) -> None:
    """Charts, lists, menus and dialogs of a project."""
    query, prepare = WORKSPACE[state]
    page.goto(f"{server.url}/p/{many}?{query}")
    if "pane=runs" not in query and "filter" not in query and "nobody" not in query:
        charts(page)
    prepare(page)
    assert findings(page) == []


TABS = (
    "charts", "overview", "system", "console", "code", "files", "media", "artifacts", "alerts",
)  # fmt: skip


@pytest.mark.parametrize("tab", TABS)
def test_the_page_of_a_run(page: Page, server: Background, trained: Trained, tab: str) -> None:
    """Each tab of a run that failed."""
    page.goto(f"{server.url}/p/{trained.project}/r/seed1?tab={tab}")
    expect(page.get_by_role("tabpanel")).to_be_visible()
    expect(page.locator("[role=status][aria-label^=Loading]")).to_have_count(0)
    if tab == "files":
        page.locator(".file-row", has_text="notes.md").first.click()
        expect(page.get_by_text("Notes of the run")).to_be_visible()
    if tab == "overview":
        page.goto(page.url + "&against=seed0")
        expect(page.get_by_text("against seed 0")).to_be_visible()
    assert findings(page) == []


@pytest.mark.parametrize("tab", ["charts", "overview", "values", "code", "media"])
def test_a_comparison(page: Page, server: Background, trained: Trained, tab: str) -> None:
    """Two runs beside each other."""
    page.goto(f"{server.url}/p/{trained.project}/compare?run=seed0&run=seed1&tab={tab}")
    expect(page.get_by_role("tab", selected=True)).to_be_visible()
    expect(page.locator("[role=tabpanel] > *").first).to_be_visible()
    assert findings(page) == []


@pytest.mark.parametrize(
    ("path", "sign"),
    [
        ("/", "Projects"),
        ("/p/nothing%20yet", "No runs yet"),
        ("/p/seen/r/nobody", "This run is not here"),
        ("/p/seen/compare", "compare"),
        ("/nowhere", "There is no such page"),
    ],
)
def test_places_with_little(
    page: Page, server: Background, many: str, path: str, sign: str
) -> None:
    """The list of projects, empty places, and addresses that lead nowhere."""
    page.goto(server.url + path)
    expect(page.locator("main").get_by_text(re.compile(sign, re.IGNORECASE)).first).to_be_visible()
    assert findings(page) == []


def test_who_is_not_logged_in(browser: Browser, server: Background) -> None:
    """The page that tells how to log in."""
    page = browser.new_page()
    page.goto(server.url)
    expect(page.get_by_role("heading", name="Log in to Outrider")).to_be_visible()
    assert findings(page) == []
    page.close()


def test_a_phone(browser: Browser, server: Background, many: str) -> None:
    """Charts and runs at 390 pixels."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    log_in(context, server)
    page = context.new_page()
    page.goto(f"{server.url}/p/{many}")
    expect(card(page, "train/loss").locator("canvas.lines")).to_be_visible()
    assert findings(page) == []
    for name, field in (("Groups, colours and baseline", "Group by"), ("Views", "Name")):
        page.get_by_role("button", name=name, exact=True).tap()
        panel = page.get_by_role("group", name=name, exact=True)
        panel.get_by_label(field).first.click(trial=True)  # nothing covers it, or cuts it off
        assert findings(page) == []
        page.keyboard.press("Escape")
    page.get_by_role("button", name="Runs", exact=True).tap()
    expect(page.get_by_role("link", name="r11")).to_be_visible()
    assert findings(page) == []
    context.close()


def test_a_server_that_does_not_answer(browser: Browser, tmp_path: Path) -> None:
    """What was there stays, and the page says that it is old."""
    server = start_background(tmp_path / "data")
    context = browser.new_context()
    try:
        Recorder(server, "away", "steady").points("loss", [1.0, 0.5, 0.4])
        log_in(context, server)
        page = context.new_page()
        page.goto(f"{server.url}/p/away")
        drawn(page, "loss")
    finally:
        server.stop()
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
    assert findings(page) == []
    context.close()
