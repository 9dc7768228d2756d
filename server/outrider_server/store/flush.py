"""Writes what the writer thread keeps of a run where readers look: counts, summary, last step."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import TYPE_CHECKING

from outrider.reading.summary import definition_for
from outrider_server.store.attributes import Names, drop_cells, write_cells
from outrider_server.store.chunks import write_all
from outrider_server.store.codec import unpack_blocks
from outrider_server.store.counts import COLUMNS, LAST_VALUE, LAST_WORD, Row
from outrider_server.store.fold import fold
from outrider_server.store.values import Cell, cell

if TYPE_CHECKING:
    from outrider_server.store.cache import Cache
    from outrider_server.store.track import Track

_SET = ", ".join(f"{name} = ?" for name in COLUMNS)


def flush(db: sqlite3.Connection, names: Names, track: Track) -> None:
    """Bring the tables up to what is known of the run."""
    track.count()
    touched = sorted(track.counts.touched)
    rows = track.counts.rows(touched)
    db.executemany(
        f"UPDATE metric SET {_SET} WHERE run = ? AND kid = ?",  # noqa: S608 - the names are ours
        [(*row, track.run, kid) for kid, row in zip(touched, rows, strict=True)],
    )
    _flush_summary(db, names, track, dict(zip(touched, rows, strict=True)))
    track.counts.touched.clear()
    db.execute(
        "UPDATE run SET updated = ?, counted = ? WHERE run = ?",
        (track.updated, track.seq, track.run),
    )
    db.executemany(
        "INSERT INTO attempt (run, attempt, rewind, t, last_step) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (run, attempt) DO UPDATE SET last_step = excluded.last_step",
        [(track.run, a, rewind, t, last) for a, (rewind, t, last) in track.attempts.items()],
    )
    track.dirty = False


def _flush_summary(
    db: sqlite3.Connection, names: Names, track: Track, rows: Mapping[int, Row]
) -> None:
    """The automatic summary of metrics; what the script set itself stands before it."""
    key_of = {kid: key for (system, key), kid in track.kids.items() if not system}
    cells: list[tuple[str, Cell]] = []
    gone: list[str] = []
    for kid, row in rows.items():
        key = key_of.get(kid)
        if key is None or key in track.explicit:
            continue
        if not track.definitions and row[LAST_VALUE] is not None and row[LAST_WORD] is None:
            cells.append((key, Cell("float", row[LAST_VALUE], None, None)))
            continue
        known = definition_for(key, track.definitions)
        how, goal = (known.summary, known.goal) if known else (None, None)
        value = track.counts.value(kid, how, goal)
        if value is None:
            gone.append(key)
        else:
            cells.append((key, cell(value)))
    which = (track.run, track.project)
    write_cells(db, names, which, "summary", cells)
    if gone:
        drop_cells(db, names, which, "summary", gone)


def fold_tail(db: sqlite3.Connection, names: Names, track: Track, cache: Cache) -> list[int]:
    """Fold a run's whole tail in the open transaction; returns the rows that are no more."""
    flush(db, names, track)
    tail = []
    for entry in track.tail:
        blocks = cache.tail.get((track.run, entry.seq))
        if blocks is None:
            (body,) = db.execute(
                "SELECT body FROM tail WHERE run = ? AND seq = ?", (track.run, entry.seq)
            ).fetchone()
            blocks = unpack_blocks(body)
        tail.append((entry.attempt, blocks))
    write_all(db, track.run, fold(tail), track.long)
    seqs = [entry.seq for entry in track.tail]
    db.execute("DELETE FROM tail WHERE run = ? AND seq <= ?", (track.run, track.seq))
    track.clear_tail()
    return seqs
