"""The console of a run: lines that are folded as they arrive, new ones as rows, old ones in chunks.

What arrives is folded by ``outrider.reading.terminal``; the lines that changed and the state of the
screens are written in the transaction that stores the batch, so what is sent twice is folded once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import orjson

from outrider.reading.line import Line
from outrider.reading.terminal import ERR, OUT, Console
from outrider_server.store.codec import squeeze, unsqueeze

if TYPE_CHECKING:
    from outrider_server.store.track import Track

CHUNK = 2000
"""So many lines lie together in a chunk."""

_STREAMS = (OUT, ERR)


@dataclass(slots=True)
class Printing:
    """A run's console while it is written: the folder's state, and which lines lie in chunks."""

    console: Console
    folded: int
    known: set[tuple[str, str]]


def load_console(db: sqlite3.Connection, run: int) -> Printing:
    """Take up a run's console as the store has it."""
    (folded,) = db.execute(
        "SELECT coalesce(max(first + count), 0) FROM console_chunk WHERE run = ?", (run,)
    ).fetchone()
    return Printing(Console(count_lines(db, run)), folded, set())


def take(db: sqlite3.Connection, track: Track, writer: str, t: float, body: dict[str, Any]) -> None:
    """Fold one console record; ``store_console`` writes what changed."""
    if track.console is None:
        track.console = load_console(db, track.run)
    printing: Printing = track.console
    for stream in _STREAMS:
        if (writer, stream) not in printing.known:
            printing.known.add((writer, stream))
            _restore(db, track.run, printing.console, writer, stream)
    printing.console.take(writer, t if isfinite(t) else 0.0, body)


def _restore(db: sqlite3.Connection, run: int, console: Console, writer: str, stream: str) -> None:
    row = db.execute(
        "SELECT body FROM console_screen WHERE run = ? AND writer = ? AND stream = ?",
        (run, writer, _STREAMS.index(stream)),
    ).fetchone()
    if row is None:
        return
    state = orjson.loads(row[0])
    numbers = [n for n in state["rows"] if n >= 0]
    lines = {line.n: line for line in _some(db, run, numbers)}
    console.screen(writer, stream).restore(state, lines.get)


def _some(db: sqlite3.Connection, run: int, numbers: list[int]) -> Iterator[Line]:
    """The lines of these numbers, wherever they lie."""
    wanted = set(numbers)
    for first, texts, rest in db.execute(
        "SELECT first, texts, rest FROM console_chunk WHERE run = ? AND first + count > ?"
        " AND first <= ? ORDER BY first",
        (run, min(wanted, default=0), max(wanted, default=-1)),
    ).fetchall():
        if any(n in wanted for n in range(first, first + CHUNK)):
            yield from (line for line in _unpack(first, texts, rest) if line.n in wanted)
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM console_line WHERE run = ? AND n BETWEEN ? AND ?",  # noqa: S608 - the names are ours
        (run, min(wanted, default=0), max(wanted, default=-1)),
    )
    yield from (line for line in map(_line, rows) if line.n in wanted)


def store_console(db: sqlite3.Connection, track: Track) -> None:
    """Write the lines that changed since the last time, and the screens; fold old lines."""
    printing: Printing | None = track.console
    if printing is None or not printing.console.changed:
        return
    console = printing.console
    changed = sorted(console.changed.values(), key=lambda line: line.n)
    _mend_chunks(db, track.run, [line for line in changed if line.n < printing.folded])
    db.executemany(
        f"INSERT OR REPLACE INTO console_line (run, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - the names are ours
        [_row(track.run, line) for line in changed if line.n >= printing.folded],
    )
    touched = {(line.writer, line.stream) for line in changed} | console.moved
    db.executemany(
        "INSERT OR REPLACE INTO console_screen (run, writer, stream, body) VALUES (?, ?, ?, ?)",
        [
            (
                track.run,
                writer,
                _STREAMS.index(stream),
                orjson.dumps(console.screens[writer, stream].state()).decode(),
            )
            for writer, stream in sorted(touched)
        ],
    )
    console.changed.clear()
    console.moved.clear()
    while console.next_number - printing.folded >= 2 * CHUNK:
        _fold(db, track.run, printing.folded)
        printing.folded += CHUNK


def _fold(db: sqlite3.Connection, run: int, first: int) -> None:
    """Put the oldest rows into a chunk."""
    where = (run, first, first + CHUNK - 1)
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM console_line WHERE run = ? AND n BETWEEN ? AND ? ORDER BY n",  # noqa: S608 - the names are ours
        where,
    )
    _write_chunk(db, run, first, [_line(row) for row in rows])
    db.execute("DELETE FROM console_line WHERE run = ? AND n BETWEEN ? AND ?", where)


def _mend_chunks(db: sqlite3.Connection, run: int, changed: list[Line]) -> None:
    """A line that began long ago went on: write its chunk again."""
    by_chunk: dict[int, dict[int, Line]] = {}
    for line in changed:
        by_chunk.setdefault(line.n // CHUNK * CHUNK, {})[line.n] = line
    for first, lines in by_chunk.items():
        texts, rest = db.execute(
            "SELECT texts, rest FROM console_chunk WHERE run = ? AND first = ?", (run, first)
        ).fetchone()
        mended = [lines.get(line.n, line) for line in _unpack(first, texts, rest)]
        _write_chunk(db, run, first, mended)


def _write_chunk(db: sqlite3.Connection, run: int, first: int, lines: list[Line]) -> None:
    writers = sorted({line.writer for line in lines})
    place = {writer: number for number, writer in enumerate(writers)}
    rest = {
        "t": [line.t for line in lines],
        "o": [_STREAMS.index(line.stream) for line in lines],
        "w": [place[line.writer] for line in lines],
        "writers": writers,
        "styles": {str(i): line.styles for i, line in enumerate(lines) if line.styles},
        "gaps": {str(i): line.gap for i, line in enumerate(lines) if line.gap},
    }
    db.execute(
        "INSERT OR REPLACE INTO console_chunk (run, first, count, texts, rest)"
        " VALUES (?, ?, ?, ?, ?)",
        (
            run,
            first,
            len(lines),
            squeeze("\n".join(line.text for line in lines).encode("utf-8", "replace")),
            squeeze(orjson.dumps(rest)),
        ),
    )


def _unpack(first: int, texts: bytes, rest: bytes) -> list[Line]:
    more = orjson.loads(unsqueeze(rest))
    writers = more["writers"]
    lines = [
        Line(writers[writer], _STREAMS[stream], first + i, t, text)
        for i, (text, t, stream, writer) in enumerate(
            zip(texts_of(texts), more["t"], more["o"], more["w"], strict=True)
        )
    ]
    for i, styles in more["styles"].items():
        lines[int(i)].styles = [(start, code) for start, code in styles]
    for i, gap in more["gaps"].items():
        lines[int(i)].gap = gap
    return lines


def texts_of(packed: bytes) -> list[str]:
    """The texts of a chunk's lines, without colours."""
    return unsqueeze(packed).decode().split("\n")


_COLUMNS = "n, t, stream, writer, text, styles, gap"


def _row(run: int, line: Line) -> tuple[Any, ...]:
    return (
        run,
        line.n,
        line.t,
        _STREAMS.index(line.stream),
        line.writer,
        line.text,
        orjson.dumps(line.styles).decode() if line.styles else None,
        line.gap,
    )


def _line(row: tuple[Any, ...]) -> Line:
    n, t, stream, writer, text, styles, gap = row
    found = [(start, code) for start, code in orjson.loads(styles)] if styles else []
    return Line(writer, _STREAMS[stream], n, t, text, found, gap)


def count_lines(db: sqlite3.Connection, run: int) -> int:
    """How many lines a run's console has."""
    (row,) = db.execute(
        "SELECT max((SELECT coalesce(max(n) + 1, 0) FROM console_line WHERE run = ?),"
        " (SELECT coalesce(max(first + count), 0) FROM console_chunk WHERE run = ?))",
        (run, run),
    )
    return int(row[0])


def pieces(db: sqlite3.Connection, run: int, start: int) -> Iterator[tuple[int, bytes | None]]:
    """Where lines from ``start`` on lie: each chunk's first line and its texts, packed; at last
    the first line that lies in rows, and None."""
    behind = start
    for first, count, texts in db.execute(
        "SELECT first, count, texts FROM console_chunk WHERE run = ? AND first >= ? ORDER BY first",
        (run, start // CHUNK * CHUNK),
    ):
        yield first, texts
        behind = first + count
    yield behind, None


def lines_from(db: sqlite3.Connection, run: int, start: int) -> Iterator[Line]:
    """All lines from a number on."""
    for first, texts in pieces(db, run, start):
        if texts is None:
            rows: Iterable[tuple[Any, ...]] = db.execute(
                f"SELECT {_COLUMNS} FROM console_line WHERE run = ? AND n >= ? ORDER BY n",  # noqa: S608 - the names are ours
                (run, max(first, start)),
            )
            yield from map(_line, rows)
        else:
            (rest,) = db.execute(
                "SELECT rest FROM console_chunk WHERE run = ? AND first = ?", (run, first)
            ).fetchone()
            yield from (line for line in _unpack(first, texts, rest) if line.n >= start)
