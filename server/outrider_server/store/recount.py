"""Counts a run's metrics again after a rewind has hidden some of their points."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import numpy as np

from outrider_server import buckets
from outrider_server.numbered import side_by_side
from outrider_server.store.chunks import read_axis, read_values
from outrider_server.store.codec import EXACT, INT64, MIXED, Block, unpack_blocks

if TYPE_CHECKING:
    from outrider_server.store.track import Track


def recount(db: sqlite3.Connection, track: Track) -> None:
    """Count everything that shows; reads values only where a chunk's bucket cannot tell."""
    system = {kid for (system, _), kid in track.kids.items() if system}
    track.uncounted = [(a, block) for a, block in track.uncounted if int(block.kids[0]) in system]
    track.counts.make_room(len(track.kids))
    track.counts.clear(kid for kid in track.kids.values() if kid not in system)
    axes = db.execute(
        "SELECT axis, attempt, points, step_high, time_high, times_rise FROM axis"
        " WHERE run = ? ORDER BY axis",
        (track.run,),
    ).fetchall()
    kids_of: dict[int, list[int]] = {}
    for kid in track.kids.values():
        if kid not in system:
            found = db.execute("SELECT axis FROM chunk WHERE run = ? AND kid = ?", (track.run, kid))
            for (axis,) in found:
                kids_of.setdefault(axis, []).append(kid)
    for axis, attempt, _, step_high, time_high, rise in axes:
        limit = track.limits.get(attempt)
        shows = limit is None or step_high <= limit
        if axis in kids_of:
            _count_axis(
                db, track, (axis, attempt), kids_of[axis], time_high if shows and rise else None
            )
    for attempt, body in db.execute(
        "SELECT attempt, body FROM tail WHERE run = ? ORDER BY seq", (track.run,)
    ):
        for block in unpack_blocks(body):
            if int(block.kids[0]) not in system:
                track.counts.add(block, attempt, track.limits.get(attempt))


def _count_axis(
    db: sqlite3.Connection,
    track: Track,
    which: tuple[int, int],
    kids: list[int],
    last_t: float | None,
) -> None:
    """Count the chunks of an axis; ``last_t`` is given where buckets may be trusted."""
    axis, attempt = which
    steps, times = read_axis(db, track.run, axis)
    for kid in kids:
        (body, stored_as) = db.execute(
            "SELECT c.whole, v.stored_as FROM chunk c JOIN chunk_values v"
            " ON v.run = c.run AND v.kid = c.kid AND v.axis = c.axis"
            " WHERE c.run = ? AND c.kid = ? AND c.axis = ?",
            (track.run, kid, axis),
        ).fetchone()
        seen = np.frombuffer(body, np.float64)
        plain = stored_as not in (INT64, MIXED) and abs(seen[buckets.LAST]) < EXACT
        if last_t is not None and plain and seen[buckets.COUNT] == len(steps):
            track.counts.add_whole(kid, attempt, seen, steps, last_t)
            track.counts.touched.add(kid)
            continue
        values, exact = read_values(db, track.run, kid, axis)
        beside = {(row, 0): number for row, number in exact.items()}
        rows = np.zeros(len(steps), np.int32)
        numbers = side_by_side(steps, times, values[:, None])
        block = Block(np.array([kid], np.int32), rows, numbers, beside)
        track.counts.add(block, attempt, track.limits.get(attempt))
