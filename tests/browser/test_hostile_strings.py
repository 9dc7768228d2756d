"""A hundred hostile strings in every place that a client writes to are text there, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

import pytest
import requests
from browser_parts import log_in
from chart_parts import drawn, hover, saved
from hostile_strings import FIRST, PROJECT, Planted, plant, strings
from playwright.sync_api import Page, expect

import outrider.notebook
from outrider import core
from waiting import eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

    from outrider_server.background import Background

LIST = f"/p/{PROJECT}"
RUN = "/p/hostile%20run/r/all"

CANARY = """
globalThis.heard = [];
globalThis.canary = (...words) => heard.push(`canary ${words}`);
addEventListener("securitypolicyviolation",
    (event) => heard.push(`${event.violatedDirective} ${event.blockedURI}`));
"""

# What no text may become: an element of the strings, a handler, an address that is not the server's.
FOREIGN = """() => {
    const found = [...document.querySelectorAll(".canary, custom-element, marquee, embed, object, base")];
    const named = ["src", "href", "xlink:href", "action", "formaction", "data"];
    const isOurs = (text) => {
        const { protocol, origin } = new URL(text, location.href);
        return origin === location.origin && ["http:", "blob:"].includes(protocol);
    };
    for (const element of document.querySelectorAll("*"))
        for (const { name, value } of element.attributes)
            if (name.startsWith("on") || name === "srcdoc"
                || named.includes(name) && !value.startsWith("#") && !isOurs(value)) found.push(element);
    return found.map((element) => element.outerHTML.slice(0, 200));
}"""

# What is there now; and a scroll on, as what is not near the screen does not exist yet.
TEXTS = """([selector, attribute]) => {
    const scrolled = ".vlist, .log, .charts-scroll, .run-page";
    const boxes = [document.scrollingElement, ...document.querySelectorAll(scrolled)];
    const found = [...document.querySelectorAll(selector)];
    for (const box of boxes) {
        const isAtEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 2;
        box.scrollTop = isAtEnd ? 0 : box.scrollTop + 0.7 * box.clientHeight;
    }
    return found.map((one) => attribute ? one.getAttribute(attribute) : one.textContent);
}"""

# Opens every tenth project by its link, as a person does, and comes back.
EACH_PROJECT = """async () => {
    const until = async (what) => {
        for (const end = performance.now() + 30000; !what();) {
            if (performance.now() > end) throw new Error("the page did not come");
            await new Promise((done) => setTimeout(done, 5));
        }
    };
    const opened = [];
    for (let i = 0; i < document.querySelectorAll(".project").length; i += 10) {
        document.querySelectorAll(".project")[i].click();
        await until(() => document.querySelector(".run-row .run-name a"));
        opened.push(document.querySelector(".crumb [aria-current]").textContent);
        history.back();
        await until(() => document.querySelector(".project"));
    }
    return opened;
}"""


class Listener(NamedTuple):
    """A server that nothing of ours may ask, and what it was asked."""

    at: str
    asked: list[str]


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: Any) -> None:
            """Say nothing."""

    served = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield Listener(f"127.0.0.1:{served.server_port}", asked)
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.fixture(scope="module")
def planted(server: Background, listener: Listener) -> Planted:
    """The strings, everywhere."""
    return plant(server, strings(listener.at))


@pytest.fixture(scope="module")
def tall(browser: Browser, server: Background) -> Iterator[BrowserContext]:
    """A screen on which every row of the list is in sight."""
    opened = browser.new_context(viewport={"width": 1600, "height": 4500})
    log_in(opened, server)
    yield opened
    opened.close()


@contextmanager
def watched(context: BrowserContext, listener: Listener) -> Iterator[Page]:
    """A page on which nothing executes, nothing is asked of others, and no policy is broken."""
    page = context.new_page()
    page.add_init_script(CANARY)
    wrong: list[str] = []
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("popup", lambda opened: wrong.append(opened.url))
    before = len(listener.asked)
    yield page
    assert wrong == []
    assert [found for frame in page.frames for found in frame.evaluate("heard")] == []
    assert page.evaluate(FOREIGN) == []
    assert listener.asked[before:] == []
    page.close()


def shows(page: Page, texts: list[str], selector: str, attribute: str | None = None) -> None:
    """Wait until each text has been, to the letter, an element's text or attribute."""
    left = set(texts)

    def none_is_left() -> bool:
        left.difference_update(page.evaluate(TEXTS, [selector, attribute]))
        return not left or bool(page.wait_for_timeout(50))

    eventually(none_is_left, lambda: f"{selector} has not {len(left)}: {sorted(left)[:5]}")


def test_what_watches_does_hear(browser: Browser, listener: Listener) -> None:
    """Where nothing guards, the strings execute, ask the listener and become elements."""
    before = len(listener.asked)
    page = browser.new_page()
    page.add_init_script(CANARY)
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.goto(f"http://{listener.at}/")
    whole = [
        text for text in strings(listener.at) if "<template" not in text and "<meta" not in text
    ]
    page.evaluate("(all) => all.forEach((one) => {"
                  "document.body.appendChild(document.createElement('div')).innerHTML = one; })",
                  whole)  # fmt: skip
    eventually(lambda: "1" in said or page.wait_for_timeout(20))
    eventually(lambda: len(page.evaluate("heard")) > 8 or page.wait_for_timeout(20))
    eventually(lambda: len(listener.asked) > before + 3)
    assert len(page.evaluate(FOREIGN)) > 20
    page.close()


IN_LISTS = {
    "names": (
        {"col": ["tags", "notes", "config.word"]},
        {
            "run name": (".run-row .run-name a", None),
            "tag": (".run-row .tag", None),
            "note": (".run-row .run-cell > .clip", None),
            "config value": (".run-row .run-cell > .clip", None),
        },
    ),
    "groups": ({"by": "group"}, {"row group": (".group-head > .clip", None)}),
}


@pytest.mark.parametrize("state", IN_LISTS)
def test_in_the_run_list(
    tall: BrowserContext, server: Background, planted: Planted, listener: Listener, state: str
) -> None:
    """Names, tags, notes, values and groups of runs."""
    query, places = IN_LISTS[state]
    expected = {"tag": planted.cut, "note": [f"note {text}" for text in planted.texts]}
    with watched(tall, listener) as page:
        page.goto(f"{server.url}{LIST}?{urlencode({'pane': 'runs', **query}, doseq=True)}")
        for place, (selector, attribute) in places.items():
            shows(page, expected.get(place, planted.texts), selector, attribute)


ON_A_RUN = {
    "charts": {"metric name": (".card h3", "title")},
    "system": {"system metric name": (".card h3", "title")},
    "overview": {
        "config key": ("table[aria-label=Config] th", None),
        "config value": ("table[aria-label=Config] td", None),
        "summary text": ("table[aria-label=Summary] td", None),
        "package": (".packages dt", None),
    },
    "console&line=0": {"console line": (".log-text", None)},
    "files&find=.": {"file name": (".file-row", "title")},
    "media": {
        "media key": (".media-card h3", "title"),
        "logged text": (".media-text", None),
        "caption": (".media-caption", None),
        "table cell": (".table-cell", None),
    },
    "alerts": {"alert title": (".alert h3", None), "alert text": (".alert p", None)},
}


@pytest.mark.parametrize("tab", ON_A_RUN)
def test_on_the_page_of_a_run(
    context: BrowserContext, server: Background, planted: Planted, listener: Listener, tab: str
) -> None:
    """Whatever one run recorded, on each tab of its page, and how it ended."""
    expected = {
        "file name": planted.paths,
        "console line": planted.lines,
        "alert title": planted.cut,
        "system metric name": [f"system/{text}" for text in planted.texts],
    }
    with watched(context, listener) as page:
        page.goto(f"{server.url}{RUN}?tab={tab}")
        for place, (selector, attribute) in ON_A_RUN[tab].items():
            shows(page, expected.get(place, planted.texts), selector, attribute)
        expect(page.locator(".run-reason")).to_contain_text(planted.texts[1])
        expect(page.locator(".end-story pre")).to_contain_text(planted.texts[8])
        expect(page.locator(".run-notes")).to_contain_text(planted.texts[8])


def test_as_projects(
    tall: BrowserContext, server: Background, planted: Planted, listener: Listener
) -> None:
    """In the list of projects, and as the place that each of them is."""
    with watched(tall, listener) as page:
        page.goto(server.url)
        shows(page, planted.projects, ".project-name")
        opened = page.evaluate(EACH_PROJECT)
        assert len(set(opened) & set(planted.projects)) >= 9


@pytest.mark.parametrize("half", [0, 1])
def test_as_groups(
    context: BrowserContext, server: Background, planted: Planted, listener: Listener, half: int
) -> None:
    """In the legend above the charts, fifty groups at a time."""
    sign = "<" if half == 0 else ">="
    view = {"group": "config.word", "filter": f"created {sign} {FIRST + 50}"}
    with watched(context, listener) as page:
        page.goto(f"{server.url}{LIST}?{urlencode(view)}")
        drawn(page, "loss")
        labels = [f"word {text}" for text in planted.texts[50 * half : 50 * half + 50]]
        shows(page, labels, ".legend-chip .clip")


def test_at_the_cursor_and_as_colours(
    context: BrowserContext, server: Background, planted: Planted, listener: Listener
) -> None:
    """A hundred lines: their names at the cursor, their values in the legend of colours."""
    with watched(context, listener) as page:
        page.goto(f"{server.url}{LIST}?lines=100&colour=config.word&size=l")
        drawn(page, "loss")
        shows(page, planted.texts, ".legend-item")
        hover(page, "loss")
        found = page.locator(".hover-name").all_inner_texts()
        assert found
        assert set(found) <= {" ".join(text.split()) for text in planted.texts} | set(planted.texts)


def test_beside_each_other(
    context: BrowserContext, server: Background, planted: Planted, listener: Listener
) -> None:
    """A hundred runs in a comparison: names above, values below, and the choice of more."""
    runs = [("run", f"run{number:03d}") for number in range(100)]
    with watched(context, listener) as page:
        page.goto(f"{server.url}{LIST}/compare?{urlencode(runs)}&tab=overview")
        shows(page, planted.texts, ".beside th .clip")
        shows(page, planted.texts, ".beside td")


def test_as_named_views(
    context: BrowserContext, server: Background, planted: Planted, listener: Listener
) -> None:
    """In the menu of views, kept under the names of the projects."""
    headers = {"Authorization": f"Bearer {server.token}"}
    with requests.Session() as session:
        for name in planted.projects:
            path = f"/api/projects/{PROJECT}/views/{quote(name, safe='')}"
            answer = session.put(server.url + path, json={"state": ""}, headers=headers, timeout=30)
            assert answer.ok, answer.text
    with watched(context, listener) as page:
        page.goto(server.url + LIST)
        page.get_by_role("button", name="Views").click()
        shows(page, planted.projects, ".views-menu .menu-item .clip")


@contextmanager
def unguarded(browser: Browser, text: str) -> Iterator[Page]:
    """A page that no policy guards, only the escaping: nothing executes there either."""
    page = browser.new_page()
    wrong: list[str] = []
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.evaluate(CANARY)
    page.set_content(text)
    yield page
    assert (page.evaluate("heard"), page.evaluate(FOREIGN), wrong) == ([], [], [])
    page.close()


def test_in_a_chart_that_is_saved(
    context: BrowserContext,
    browser: Browser,
    server: Background,
    planted: Planted,
    listener: Listener,
) -> None:
    """The SVG of a chart with all their names is a picture and nothing else."""
    with watched(context, listener) as page:
        page.goto(f"{server.url}{LIST}?lines=100")
        drawn(page, "loss")
        _, picture = saved(page, "loss", "svg")
    with unguarded(browser, picture.decode()) as alone:
        names = alone.locator("text").all_text_contents()
        assert len(set(names) & set(planted.texts)) > 20
        every = "[...document.querySelectorAll('svg *')].map((one) => one.localName)"
        known = "title style rect g line path polyline text circle defs clipPath"
        assert set(alone.evaluate(every)) <= set(known.split())


def test_in_a_notebook(
    browser: Browser, planted: Planted, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How a run shows itself there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OUTRIDER_MODE", "offline")
    monkeypatch.setattr(outrider.notebook, "MOST_METRICS", 200)
    run = core.init(project="notebook", name=planted.texts[8])
    core.log(dict.fromkeys(planted.texts, 1.0))
    shown = run._repr_html_()
    core.finish()
    with unguarded(browser, f"<!doctype html><body>{shown}</body>") as page:
        titles = page.locator("svg title").all_text_contents()
        assert {title.rsplit(": ", 1)[0] for title in titles} == set(planted.texts)
