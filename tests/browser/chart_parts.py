"""What the tests of charts share: pointing, menus, downloads, the address."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

from browser_parts import card
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def query(page: Page) -> dict[str, list[str]]:
    """The view in the address."""
    return parse_qs(urlsplit(page.url).query)


def records(page: Page, name: str) -> list[Any]:
    """What the address holds as JSON under a name."""
    return [json.loads(text) for text in query(page).get(name, [])]


def own(**chart: Any) -> str:
    """A user's own chart as it stands in the address."""
    return "own=" + quote(json.dumps(chart, separators=(",", ":")))


def drawn(page: Page, metric: str) -> Locator:
    """A card whose lines are drawn."""
    found = card(page, metric)
    expect(found.locator("canvas").first).to_be_visible()
    expect(found.locator(".card-wait")).to_have_count(0)
    return found


def hover(page: Page, metric: str, across: float = 0.5, down: float = 0.5) -> None:
    """Point at a place of a chart, given as shares of its plotting area."""
    area = card(page, metric).locator(".u-over, .own-chart").first
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * across - 3, box["y"] + box["height"] * down)
    page.mouse.move(box["x"] + box["width"] * across, box["y"] + box["height"] * down)


def drag(page: Page, metric: str, first: float, last: float) -> None:
    """Drag over a chart from one share of its width to another."""
    hover(page, metric, first)
    page.mouse.down()
    hover(page, metric, (first + last) / 2)
    hover(page, metric, last)
    page.mouse.up()


def zoom(page: Page, metric: str, first: float, last: float) -> None:
    """Drag over a chart, and wait until the address says the new zoom."""
    before = page.url
    drag(page, metric, first, last)
    expect(page).not_to_have_url(before)


def open_settings(page: Page, metric: str, label: str | None = None) -> Locator:
    """Open a card's menu."""
    found = card(page, metric)
    found.scroll_into_view_if_needed()
    found.hover()
    name = f"Settings of {label if label is not None else metric}"
    found.get_by_role("button", name=name, exact=True).click()
    panel = found.get_by_role("group", name=name, exact=True)
    expect(panel.get_by_role("button", name="Save as PNG")).to_be_visible()
    return panel


def saved(page: Page, metric: str, kind: str, label: str | None = None) -> tuple[str, bytes]:
    """Save a chart as png, svg or csv: the file's name and bytes."""
    panel = open_settings(page, metric, label)
    with page.expect_download() as got:
        panel.get_by_role("button", name=f"Save as {kind.upper()}").click()
    page.keyboard.press("Escape")
    return got.value.suggested_filename, Path(got.value.path()).read_bytes()


def lines_menu(page: Page) -> Locator:
    """Open the menu of groups, colours and baseline."""
    page.get_by_role("button", name="Groups, colours and baseline").click()
    panel = page.locator(".lines-menu")
    expect(panel).to_be_visible()
    return panel
