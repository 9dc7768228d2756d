"""What the page costs in a real Chromium: first chart, frames while data grow, scrolling, memory, bytes.

    python tests/bench/page_cost.py [--only first|grow|scroll|memory|peers] [--json]

The browser, the server and who measures share the machine's processors. OUTRIDER_TEST_PAGE_STEPS says
how many steps of 10 runs × 40 metrics are stored (50,000), OUTRIDER_TEST_RUNS how long the table is (20,000).
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson
from figures import Figure, main, quantile
from load import METRICS, PROJECT, RECORDS, Client, run_id
from page_browser import Costs, chromium, found, metered, person, until
from place import own_place
from server_cost import TOGETHER, fill, fill_table
from streamer_cost import server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LOADS = 3
LINES, POINTS = 50, 2000
GROWTH_SECONDS = 10
HOUR = 3600
EVERY = 5
FRAME_MS = 50.0


def steps() -> int:
    """How many steps each metric has."""
    return int(os.environ.get("OUTRIDER_TEST_PAGE_STEPS", "50000"))


@contextmanager
def stage() -> Iterator[tuple[Any, Browser]]:
    """A server and a browser."""
    with own_place() as home, server(home) as running, chromium() as browser:
        yield running, browser


def first_look() -> Iterator[Figure]:
    """How soon the charts of a large project are there, and what came over the line."""
    with stage() as (running, browser):
        fill(running, 0, steps() // RECORDS)
        yield from look(running, browser)


def look(running: Any, browser: Browser) -> Iterator[Figure]:
    """Open the project a few times, each time with an empty cache; medians."""
    first, screen, whole = [], [], []
    for turn in range(LOADS + 1):
        with person(browser, running) as context:
            page = metered(context)
            costs = Costs(page)
            page.goto(f"{running.url}/p/{PROJECT}")
            settled(page)
            charts = page.evaluate("meter.charts")
            if turn > 0:  # the first look fills the server's caches
                first.append(charts[0])
                screen.append(charts[-1])
                came = costs.bytes
        with person(browser, running, height=12_000) as context:
            page = metered(context)
            page.goto(f"{running.url}/p/{PROJECT}")
            until(page, f"meter.charts.length >= {METRICS}")
            if turn > 0:
                whole.append(page.evaluate("meter.charts.at(-1)"))
    what = f"page, {TOGETHER} runs × {METRICS} metrics × {steps():,} steps"
    median = statistics.median
    detail = f"median of {LOADS}, empty cache; from the address to the stroke"
    yield Figure(f"{what}, first chart", median(first), " ms", None, detail)
    yield Figure(
        f"{what}, all charts in sight", median(screen), " ms", None, f"{len(charts)} charts"
    )
    yield Figure(
        f"{what}, all {METRICS} charts", median(whole), " ms", None, "on a very tall screen"
    )
    yield Figure(f"{what}, sent for the view: data", came.get("data", 0) / 1e3, " kB", None)
    yield Figure(f"{what}, sent for the view: the page", came.get("page", 0) / 1e3, " kB", 120)


def settled(page: Page) -> None:
    """Wait until charts are drawn and none came for half a second."""
    until(page, "meter.charts.length > 0")
    until(page, "performance.now() - meter.charts.at(-1) > 500")
    until(page, "!document.querySelector('.card-wait')")


class Growing:
    """Runs that go on: each call of ``more`` sends the next points of each."""

    def __init__(self, running: Any, project: str, runs: int, metrics: int) -> None:
        self.client = Client(running.url, running.token)
        self.project = project
        self.names = [f"part{index % 4}/metric_{index:02d}" for index in range(metrics)]
        self.offsets = [0] * runs
        self.step = 0
        for number in range(runs):
            meta = {"format": 1, "id": run_id(number), "project": project, "name": f"run {number}",
                    "mode": "online", "created": time.time(), "attempt": 1, "writer": "w", "host": "bench",
                    "pid": 1, "tags": [], "program": "a", "argv": ["a"], "python": "3"}  # fmt: skip
            self._ask("POST", "/api/runs", orjson.dumps(meta), Content_Type="application/json")
            head = {
                "t": time.time(),
                "k": "head",
                "v": 1,
                "run": run_id(number),
                "w": "w",
                "n": 1,
                "a": 1,
            }
            self._send(number, orjson.dumps({**head, "primary": True, "role": "foreign"}) + b"\n")

    def more(self, points: int) -> None:
        """The next points of every run."""
        for number in range(len(self.offsets)):
            lines = []
            for step in range(self.step, self.step + points):
                value = 5.0 + number / 7 + (step * 7919 % 1000) / 500
                body = {"t": time.time(), "s": step, "p": dict.fromkeys(self.names, value)}
                lines.append(orjson.dumps(body) + b"\n")
            self._send(number, b"".join(lines))
        self.step += points

    def _send(self, number: int, body: bytes) -> None:
        path = f"/api/projects/{self.project}/runs/{run_id(number)}/journal/w/1?offset={self.offsets[number]}"
        self._ask("POST", path, body, Content_Type="application/x-ndjson",
                  Outrider_Raw_Length=str(len(body)))  # fmt: skip
        self.offsets[number] += len(body)

    def _ask(self, method: str, path: str, body: bytes, **headers: str) -> None:
        status, text = self.client.ask(method, path, body, **headers)
        if status != 200:
            raise RuntimeError(text.decode())


def growing_lines() -> Iterator[Figure]:
    """Fifty lines of two thousand points, each growing by ten points a second, under the eye."""
    with stage() as (running, browser):
        runs = Growing(running, "grows", LINES, 1)
        runs.more(POINTS)
        with person(browser, running) as context:
            page = metered(context)
            costs = Costs(page)
            page.goto(f"{running.url}/p/grows?lines=100&size=l")
            settled(page)
            page.wait_for_timeout(1000)
            before = costs.metrics()
            page.evaluate("meter.watch()")
            stop = threading.Event()
            sender = threading.Thread(target=keep_sending, args=(runs, stop))
            sender.start()
            page.wait_for_timeout(GROWTH_SECONDS * 1000)
            stop.set()
            sender.join()
            seen = page.evaluate("meter.stop()")
            after = costs.metrics()
    what = f"page, {LINES} lines × {POINTS:,} points that grow"
    frames, tasks = seen["frames"], [*seen["tasks"], 0.0]
    grown = f"{runs.step - POINTS} more points a line in {GROWTH_SECONDS} s, {len(frames)} frames"
    yield Figure(f"{what}, a frame p99", quantile(frames, 0.99), " ms", FRAME_MS, grown)
    yield Figure(
        f"{what}, longest piece of work", max(tasks), " ms", FRAME_MS, "0: none above 50 ms"
    )
    busy = (after["TaskDuration"] - before["TaskDuration"]) / GROWTH_SECONDS * 100
    script = (after["ScriptDuration"] - before["ScriptDuration"]) / GROWTH_SECONDS * 100
    yield Figure(
        f"{what}, the page's thread busy", busy, " %", None, f"of it {script:.0f} % in scripts"
    )


def keep_sending(runs: Growing, stop: threading.Event) -> None:
    """Ten points a second and run, until told to stop."""
    while not stop.wait(1.0):
        runs.more(10)


def scrolling() -> Iterator[Figure]:
    """The run table from end to end."""
    count = int(os.environ.get("OUTRIDER_TEST_RUNS", "20000"))
    with stage() as (running, browser):
        with ThreadPoolExecutor(16) as writers:
            list(writers.map(lambda first: fill_table(running, range(first, count, 16)), range(16)))
        with person(browser, running) as context:
            page = metered(context)
            page.goto(
                f"{running.url}/p/{PROJECT}?pane=runs&col=config.lr&col=summary.metric_00&col=config.optimizer"
            )
            until(page, "document.querySelectorAll('.run-row .run-name').length > 10")
            page.evaluate("meter.watch()")
            page.evaluate(WHEEL)
            frames = page.evaluate("meter.stop()")["frames"]
            waits = page.evaluate(JUMPS)
    what = f"page, table of {count:,} runs"
    detail = f"p50 {quantile(frames, 0.5):.1f}, longest {max(frames):.0f} ms, {len(frames)} frames"
    yield Figure(
        f"{what}, a frame p99 while it scrolls", quantile(frames, 0.99), " ms", FRAME_MS, detail
    )
    yield Figure(
        f"{what}, rows at a far place",
        statistics.median(waits),
        " ms",
        None,
        f"longest {max(waits):.0f}",
    )


# Four hundred frames of a wheel.
WHEEL = """async () => {
    const list = document.querySelector(".runs .vlist");
    for (let i = 0; i < 400; i++) { list.scrollTop += 90; await new Promise(requestAnimationFrame); }
}"""

# Ten jumps: how long until the rows there have their names.
JUMPS = """async () => {
    const list = document.querySelector(".runs .vlist");
    const frame = () => new Promise(requestAnimationFrame);
    const waits = [];
    for (let i = 1; i <= 10; i++) {
        list.scrollTop = ((i * 7) % 11) / 11 * list.scrollHeight;
        const began = performance.now();
        do await frame(); while (document.querySelector(".run-row.is-loading"));
        waits.push(performance.now() - began);
    }
    return waits;
}"""


def an_hour() -> Iterator[Figure]:
    """Memory while an hour of updates goes by; the browser's clock is moved by hand."""
    with stage() as (running, browser):
        runs = Growing(running, "hour", 4, 8)
        runs.more(5000)
        with person(browser, running) as context:
            page = context.new_page()
            page.clock.install()
            costs = Costs(page)
            page.goto(f"{running.url}/p/hour")
            page.locator(".card canvas.lines").first.wait_for()
            heaps, nodes = [], []
            for turn in range(HOUR // EVERY):
                runs.more(EVERY)
                page.clock.run_for(EVERY * 1000)
                if (turn + 1) * EVERY % 600 == 0:
                    page.wait_for_load_state("load")
                    heaps.append(costs.heap())
                    nodes.append(costs.metrics()["Nodes"])
            shown = page.evaluate("document.querySelectorAll('.card canvas.lines').length")
    what = f"page, an hour of updates every {EVERY} s"
    detail = f"{shown} charts of {len(runs.offsets)} lines; " + " ".join(
        f"{heap:.1f}" for heap in heaps
    )
    yield Figure(f"{what}, heap after it", heaps[-1], " MB", None, detail)
    yield Figure(f"{what}, heap gained after its 20th minute", max(0.0, heaps[-1] - heaps[1]), " MB", None,
                 f"elements {nodes[1]:.0f} → {nodes[-1]:.0f}")  # fmt: skip


def measures() -> list[Any]:
    """All of them, or one that says why there are none."""
    if found() is None:
        print("page: no browser on PATH, nothing is measured", file=sys.stderr)
        return []
    return [first_look, growing_lines, scrolling, an_hour]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    chosen = {"first": first_look, "grow": growing_lines, "scroll": scrolling, "memory": an_hour}
    parser.add_argument("--only", choices=chosen)
    known, sys.argv[1:] = parser.parse_known_args()
    main(*([chosen[known.only]] if known.only else measures()))
