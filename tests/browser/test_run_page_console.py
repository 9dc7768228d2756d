"""The console on the run page: folded, coloured, searched, followed, of any length."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

if TYPE_CHECKING:
    from outrider_server.background import Background

WAIT = 60_000


def query(page: Page) -> dict[str, list[str]]:
    """What the address holds."""
    return parse_qs(urlsplit(page.url).query)


def printed(text: str, stream: str = "out") -> dict[str, Any]:
    """A record of the console."""
    return {"k": "console", "o": stream, "b": text}


def log(page: Page) -> Locator:
    """The lines that are on the screen."""
    return page.get_by_role("log", name="Console")


def test_colours_and_progress_bars_look_as_in_a_terminal(
    page: Page, server: Background, record: Any
) -> None:
    """A bar that was drawn thirty times is one line; colours are colours; markup is text."""
    run = record("console", "r1")
    run.write(
        printed("\x1b[1;31mred\x1b[0m plain <img src=x onerror=alert(1)>\n"),
        *(printed(f"\r{n}/30 |{'#' * n}", "err") for n in range(31)),
        printed("\nend\n", "err"),
        printed("\x1b[48;2;10;20;30mown ground\x1b[0m\n"),
    )
    page.goto(f"{server.url}/p/console/r/r1?tab=console")
    lines = log(page).locator(".log-line")
    expect(lines).to_have_count(4)
    expect(lines.nth(1).locator(".log-text")).to_have_text("30/30 |" + "#" * 30)
    red = lines.first.locator(".a-bold")
    expect(red).to_have_text("red")
    assert red.evaluate("e => e.style.color") == "var(--ansi-1)"
    expect(lines.first).to_contain_text("<img src=x onerror=alert(1)>")
    assert lines.nth(3).locator("span[style]").evaluate("e => e.style.background") == (
        "rgb(10, 20, 30)"
    )
    page.get_by_role("button", name="stderr").click()
    expect(log(page).locator(".log-text")).to_have_text(["30/30 |" + "#" * 30, "end"])
    page.get_by_role("button", name="stdout").click()
    expect(lines).to_have_count(2)


def test_a_search_goes_from_match_to_match(page: Page, server: Background, record: Any) -> None:
    """A regular expression at the server; matches are counted, marked and gone through."""
    run = record("console", "searched")
    run.write(printed("".join(f"line {n}: loss {n % 7}\n" for n in range(5000))))
    page.goto(f"{server.url}/p/console/r/searched?tab=console")
    expect(page.get_by_text("5,000 lines")).to_be_visible()
    page.get_by_role("textbox", name=re.compile("^Search the console")).fill(r"line 4\d\d:")
    found = page.locator(".console-found output")
    expect(found).to_have_text("1 of 100")
    chosen = page.locator(".log-line.is-chosen")
    expect(chosen).to_contain_text("line 400: loss 1")
    expect(chosen.locator("mark")).to_have_text("line 400:")
    page.get_by_role("button", name="Next match").click()
    expect(found).to_have_text("2 of 100")
    expect(chosen).to_contain_text("line 401")
    log(page).focus()
    page.keyboard.press("Shift+N")
    page.keyboard.press("Shift+N")
    expect(found).to_have_text("100 of 100")
    expect(chosen).to_contain_text("line 499")
    page.get_by_role("textbox", name=re.compile("^Search the console")).fill("(")
    expect(page.locator(".console-tools [role=alert]")).to_be_visible()


def test_it_follows_the_end_and_stays_where_one_scrolled_to(
    page: Page, server: Background, record: Any
) -> None:
    """New lines come by themselves; who scrolled up is left where he is, also after a reload."""
    run = record("console", "growing")
    run.write(printed("".join(f"first {n}\n" for n in range(300))))
    page.goto(f"{server.url}/p/console/r/growing?tab=console")
    expect(log(page).get_by_text("first 299", exact=True)).to_be_in_viewport()
    run.write(printed("a new line\n"))
    expect(log(page).get_by_text("a new line", exact=True)).to_be_in_viewport(timeout=WAIT)
    log(page).evaluate("e => e.scrollTo(0, 100 * 19)")
    page.wait_for_url(re.compile(r"line=100\b"))
    run.write(printed("another line\n"))
    expect(page.get_by_text("302 lines")).to_be_visible(timeout=WAIT)
    expect(log(page).get_by_text("first 100", exact=True)).to_be_in_viewport()
    page.reload()
    expect(log(page).get_by_text("first 100", exact=True)).to_be_in_viewport()
    page.get_by_role("button", name="Follow").click()
    expect(log(page).get_by_text("another line", exact=True)).to_be_in_viewport()
    assert "line" not in query(page)


def test_a_place_and_a_search_are_found_again(page: Page, server: Background, record: Any) -> None:
    """By a reload, by another tab, by way of the run list; who followed goes on following."""
    run = record("kept-console", "left")
    run.points("loss", [1.0])
    run.write(printed("".join(f"line {n}\n" for n in range(600))))
    page.goto(f"{server.url}/p/kept-console/r/left?tab=console")
    page.get_by_role("textbox", name=re.compile("^Search the console")).fill(" [4-6]$")
    found = page.locator(".console-found output")
    expect(found).to_have_text("1 of 3")
    expect(page.locator(".log-line.is-chosen")).to_have_text(re.compile("line 4$"))
    log(page).evaluate("e => e.scrollTo(0, 300 * 19)")
    page.wait_for_url(re.compile(r"line=300\b"))
    there = log(page).get_by_text("line 300", exact=True)
    page.reload()
    # its matches are far above: nobody is sent there
    expect(found).to_have_text(re.compile("of 3$"))
    expect(there).to_be_in_viewport()
    page.get_by_role("tab", name="Charts").click()
    page.get_by_role("tab", name="Console").click()
    expect(found).to_have_text(re.compile("of 3$"))
    expect(there).to_be_in_viewport()
    page.get_by_role("link", name="kept-console", exact=True).click()
    page.get_by_role("link", name="left", exact=True).click()
    page.get_by_role("tab", name="Console").click()
    expect(there).to_be_in_viewport()
    assert query(page)["line"] == ["300"]
    page.get_by_role("button", name="Follow").click()
    page.get_by_role("tab", name="Charts").click()
    page.get_by_role("tab", name="Console").click()
    expect(log(page).get_by_text("line 599", exact=True)).to_be_in_viewport()
    page.reload()
    expect(log(page).get_by_text("line 599", exact=True)).to_be_in_viewport()
    assert "line" not in query(page)


def test_half_a_million_lines_are_a_few_elements(
    page: Page, server: Background, record: Any
) -> None:
    """Any line can be reached, although no element can be as high as all of them."""
    run = record("console", "long")
    for part in range(5):
        run.write(
            *(
                printed("".join(f"{n}\n" for n in range(first, first + 10_000)))
                for first in range(part * 100_000, (part + 1) * 100_000, 10_000)
            )
        )
    page.goto(f"{server.url}/p/console/r/long?tab=console&line=250000")
    expect(page.get_by_text("500,000 lines")).to_be_visible(timeout=WAIT)
    text = log(page).locator(".log-text")
    expect(text.filter(has_text=re.compile("^250000$"))).to_be_in_viewport()
    log(page).hover()
    page.mouse.wheel(0, 190)
    expect(text.filter(has_text=re.compile("^250010$"))).to_be_in_viewport()
    log(page).evaluate("e => e.scrollTo(0, e.scrollHeight)")
    expect(text.filter(has_text=re.compile("^499999$"))).to_be_in_viewport()
    log(page).focus()
    page.keyboard.press("g")
    expect(text.filter(has_text=re.compile("^0$"))).to_be_in_viewport()
    page.keyboard.press("Shift+G")
    expect(text.filter(has_text=re.compile("^499999$"))).to_be_in_viewport()
    assert text.count() < 150


def test_a_run_that_printed_nothing_says_so(page: Page, server: Background, record: Any) -> None:
    """A link to the console of a silent run is no broken page."""
    record("console", "silent")
    page.goto(f"{server.url}/p/console/r/silent?tab=console")
    expect(page.get_by_text("Nothing was printed yet")).to_be_visible()
