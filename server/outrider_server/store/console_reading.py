"""Reads a run's console: a page of lines, and a search that is bounded in time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any

import regex

from outrider.errors import UsageError
from outrider_server.store.console import count_lines, lines_from, pieces, texts_of

if TYPE_CHECKING:
    from outrider.reading.line import Line

PAGE_BYTES = 4 << 20
"""An answer holds at most so much text (and one line)."""

PAGE_LINES = 50_000
"""So many lines are looked through for one page of a stream."""

SEARCH_SECONDS = 1.0
"""A search stops after so long and says where it goes on."""

LINE_SECONDS = 0.25
"""An expression that takes longer on a single line is refused."""

LONGEST_EXPRESSION = 512


def read_console(
    db: sqlite3.Connection, run: int, *, line: int = 0, limit: int = 1000, stream: str | None = None
) -> dict[str, Any]:
    """Lines from ``line`` on (below 0: from the end); ``next`` is where the next page begins."""
    total = count_lines(db, run)
    start = line if line >= 0 else max(0, total + line)
    (state,) = db.execute("SELECT state FROM run WHERE run = ?", (run,)).fetchone()
    found: list[dict[str, Any]] = []
    size = 0
    at = start
    for one in lines_from(db, run, start):
        if len(found) >= limit or size >= PAGE_BYTES or one.n - start >= PAGE_LINES:
            break
        at = one.n + 1
        if stream is not None and one.stream != stream:
            continue
        found.append(_shown(one))
        size += len(one.text)
    return {
        "total": total,
        "first": found[0]["n"] if found else start,
        "lines": found,
        "next": at if at < total else None,
        "open": state == "running",
    }


def _shown(line: Line) -> dict[str, Any]:
    shown = {"n": line.n, "t": line.t, "o": line.stream, "b": line.shown(), "w": line.writer}
    if line.gap:
        shown["gap"] = line.gap
    return shown


def search_console(
    db: sqlite3.Connection, run: int, *, expression: str, start: int = 0, limit: int = 100
) -> dict[str, Any]:
    """Lines whose text, without its colours, matches; ``next`` is where to go on, or None.

    Raises ``UsageError`` for an expression that is none, or that takes too long on one line.
    """
    matches = _matcher(expression)
    until = monotonic() + SEARCH_SECONDS
    total = count_lines(db, run)
    found: list[int] = []
    at = start
    for first, texts in _blocks(db, run, start):
        for offset in matches(texts):
            if first + offset >= start:
                found.append(first + offset)
                if len(found) >= limit:
                    break
        at = found[-1] + 1 if len(found) >= limit else first + len(texts)
        if len(found) >= limit or monotonic() > until:
            break
    lines = {}
    for n in found:
        if n not in lines:
            lines.update(_around(db, run, n, set(found)))
    return {
        "matches": [
            {"n": n, "t": lines[n].t, "o": lines[n].stream, "b": lines[n].shown()} for n in found
        ],
        "next": at if at < total else None,
        "total": total,
    }


def _around(db: sqlite3.Connection, run: int, n: int, wanted: set[int]) -> dict[int, Line]:
    """The wanted lines of the part that line ``n`` lies in."""
    found = {}
    for line in lines_from(db, run, n):
        if line.n >= n + 2000:
            break
        if line.n in wanted:
            found[line.n] = line
    return found


def _blocks(db: sqlite3.Connection, run: int, start: int) -> Iterator[tuple[int, list[str]]]:
    for first, packed in pieces(db, run, start):
        if packed is not None:
            yield first, texts_of(packed)
            continue
        rows = db.execute(
            "SELECT n, text FROM console_line WHERE run = ? AND n >= ? ORDER BY n",
            (run, max(first, start)),
        ).fetchall()
        if rows:
            yield rows[0][0], [text for _, text in rows]


def _matcher(expression: str) -> Callable[[list[str]], Iterator[int]]:
    """What finds the lines of a list that match: plain text by comparison, the rest by ``regex``,
    whose matching stops when its time is over."""
    hint = "a regular expression such as loss=nan|(?i)error"
    if len(expression) > LONGEST_EXPRESSION:
        raise UsageError(f"an expression has at most {LONGEST_EXPRESSION} characters", hint=hint)
    if regex.escape(expression, special_only=True) == expression:
        return lambda texts: (i for i, text in enumerate(texts) if expression in text)
    try:
        search = regex.compile(expression).search
    except (regex.error, RecursionError, OverflowError) as error:
        raise UsageError(f"{expression!r} is no regular expression: {error}", hint=hint) from None

    def matching(texts: list[str]) -> Iterator[int]:
        for i, text in enumerate(texts):
            try:
                if search(text, timeout=LINE_SECONDS, concurrent=True):
                    yield i
            except TimeoutError:
                raise UsageError(
                    f"{expression!r} takes too long", hint="avoid nested repetitions such as (a+)+"
                ) from None

    return matching
