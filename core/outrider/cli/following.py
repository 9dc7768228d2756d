"""Follows a run's console in a terminal: each line once, when it is complete."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from outrider.cli.screen import write

if TYPE_CHECKING:
    from outrider.api import Output, Run

_SECONDS = 1.0
_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")


def without_colours(text: str) -> str:
    """A line's text alone."""
    return _COLOURS.sub("", text)


def follow_console(run: Run, lines: int, follow: bool, as_json: bool) -> None:
    """Print the last lines and then each that is completed, until the run ends."""
    shown: Counter[Output] = Counter()
    first = True
    while True:
        is_running = run.refresh().state == "running"
        found = run.console()
        fresh = list(_news(_complete(found) if is_running and follow else found, shown))
        for line in fresh[max(0, len(fresh) - lines) :] if first else fresh:
            _show(line, as_json)
        first = False
        if not follow or not is_running:
            return
        time.sleep(_SECONDS)


def _complete(found: list[Output]) -> list[Output]:
    """All lines but each stream's last, which may still change, as a bar does."""
    last = {line.stream: place for place, line in enumerate(found)}
    return [line for place, line in enumerate(found) if last[line.stream] != place]


def _news(found: list[Output], shown: Counter[Output]) -> list[Output]:
    """The lines that were not shown yet, wherever they stand; ``shown`` learns."""
    seen: Counter[Output] = Counter()
    news = []
    for line in found:
        seen[line] += 1
        if seen[line] > shown[line]:
            shown[line] += 1
            news.append(line)
    return news


def _show(line: Output, as_json: bool) -> None:
    if as_json:
        import orjson

        write(orjson.dumps(line._asdict(), option=orjson.OPT_APPEND_NEWLINE))
        return
    text = f"{line.text}\n" if sys.stdout.isatty() else f"{without_colours(line.text)}\n"
    write(text.encode("utf-8", "replace"))
