"""What commands print with: short tables, colours for states, times as people say them, JSON."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_PIPE_WIDTH = 500
"""Columns where nobody looks: a table in a pipe is not cut to a terminal's width."""

STATE_STYLES = {
    "running": "bold cyan",
    "finished": "green",
    "failed": "red",
    "crashed": "red",
    "oom": "red",
    "killed": "yellow",
    "preempted": "yellow",
    "lost": "magenta",
}

_SPANS = ((86400 * 365, "y"), (86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def console(*, stderr: bool = False) -> Console:
    """The terminal; colours and width are left out where it is none, and NO_COLOR is heeded."""
    import os

    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else _PIPE_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False)


def say(text: str | Text, *, stderr: bool = False) -> None:
    """Print one line of console markup; long lines are wrapped by the terminal, not by us."""
    console(stderr=stderr).print(text, soft_wrap=True)


def plain(text: object) -> str:
    """Text of somebody else's, with what would be markup made harmless."""
    from rich.markup import escape

    return escape("".join(sign if sign.isprintable() else "�" for sign in str(text)))


def complain(message: str, hint: str | None = None) -> None:
    """Print an error and what to do about it to stderr."""
    say(f"[bold red]error:[/] {plain_lines(message)}", stderr=True)
    if hint:
        say(f"[dim] hint:[/] {plain_lines(hint)}", stderr=True)


def plain_lines(text: str) -> str:
    """The same as ``plain`` for text of several lines."""
    return "\n".join(plain(one) for one in text.split("\n"))


def print_json(value: Any) -> None:
    """Print a value as JSON; NaN and the infinities as words, as in every journal."""
    import orjson

    from outrider.journal.line import worded

    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
    write(orjson.dumps(worded(value), option=option))


def write(data: bytes) -> None:
    """Write bytes to stdout as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def table(*columns: str, right: Sequence[str] = (), wrap: Sequence[str] = ()) -> Table:
    """An empty table of these columns; those in ``right`` are numbers, and those in ``wrap`` give
    way first where the terminal is narrow."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in columns:
        made.add_column(
            name,
            justify="right" if name in right else "left",
            no_wrap=name not in wrap,
            overflow="fold" if name in wrap else "ellipsis",
        )
    return made


def facts(pairs: Iterable[tuple[str, object]]) -> Table:
    """A list of names and values, one a line."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in pairs:
        made.add_row(plain(name), value if isinstance(value, str) else plain(value))
    return made


def state_text(state: str) -> str:
    """A state as markup, with its colour and its dot."""
    style = STATE_STYLES.get(state, "default")
    dot = "●" if state == "running" else "○"
    return f"[{style}]{dot} {plain(state)}[/]"


def number(value: object) -> str:
    """A value as a person reads it: five significant digits of a float."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, float):
        return f"{value:.5g}"
    return plain(value)


def span(seconds: float) -> str:
    """A length of time in its two largest units, such as ``1 h 05 min``."""
    left = max(0, round(seconds))
    for place, (size, unit) in enumerate(_SPANS):
        if left >= size or unit == "s":
            text = f"{left // size} {unit}"
            rest = left % size
            if place + 1 < len(_SPANS) and unit != "y":
                smaller, its_unit = _SPANS[place + 1]
                if rest // smaller:
                    text += f" {rest // smaller} {its_unit}"
            return text
    return "0 s"


def ago(moment: float | None, now: float | None = None) -> str:
    """How long ago a moment was, such as ``3 min ago``."""
    if moment is None:
        return "–"
    seconds = (time.time() if now is None else now) - moment
    if seconds < -60:
        return "in " + span(-seconds).split(" ", 2)[0] + " " + span(-seconds).split(" ")[1]
    if seconds < 5:
        return "just now"
    count, unit = span(seconds).split(" ")[:2]
    return f"{count} {unit} ago"
