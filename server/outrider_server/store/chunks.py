"""Writes and reads chunks: what the fold made, in the tables ``axis`` and ``chunk``."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np

from outrider_server import buckets
from outrider_server.store.codec import (
    pack_ints,
    pack_matrix,
    pack_times,
    pack_values,
    unpack_ints,
    unpack_times,
    unpack_values,
)
from outrider_server.store.fold import SMALL, Columns, chosen, joined, pieces, rises


def append(db: sqlite3.Connection, run: int, columns: Columns) -> None:
    """Write the columns behind what the run has, joining them to last chunks that are small."""
    before: dict[int | None, list[int]] = {}
    for kid in columns.kids.tolist():
        before.setdefault(_small_last(db, run, kid, columns.attempt), []).append(kid)
    for axis, kids in before.items():
        part = columns if len(before) == 1 else chosen(columns, kids)
        if axis is not None:
            part = joined(_take_back(db, run, axis, part), part)
        for piece in pieces(part):
            _write(db, run, piece)


def _small_last(db: sqlite3.Connection, run: int, kid: int, attempt: int) -> int | None:
    """The axis of the metric's last chunk, if that is small and of the same attempt."""
    row = db.execute(
        "SELECT c.axis, c.points, a.attempt FROM chunk c"
        " JOIN axis a ON a.run = c.run AND a.axis = c.axis"
        " WHERE c.run = ? AND c.kid = ? ORDER BY c.axis DESC LIMIT 1",
        (run, kid),
    ).fetchone()
    return row[0] if row and row[1] < SMALL and row[2] == attempt else None


def _take_back(db: sqlite3.Connection, run: int, axis: int, like: Columns) -> Columns:
    """Read small chunks and remove them, so that they can be written again, longer."""
    steps, times = read_axis(db, run, axis)
    values = np.empty((len(steps), len(like.kids)))
    exact: dict[tuple[int, int], int] = {}
    kids: list[int] = like.kids.tolist()
    for column, kid in enumerate(kids):
        values[:, column], found = read_values(db, run, kid, axis)
        exact.update({(row, column): number for row, number in found.items()})
    at = [(run, kid, axis) for kid in kids]
    db.executemany("DELETE FROM chunk WHERE run = ? AND kid = ? AND axis = ?", at)
    db.executemany("DELETE FROM chunk_values WHERE run = ? AND kid = ? AND axis = ?", at)
    here = (len(kids), run, axis)
    db.execute("UPDATE axis SET chunks = chunks - ? WHERE run = ? AND axis = ?", here)
    gone = db.execute("DELETE FROM axis WHERE run = ? AND axis = ? AND chunks <= 0", here[1:])
    if gone.rowcount:
        db.execute("DELETE FROM axis_values WHERE run = ? AND axis = ?", here[1:])
    return Columns(like.attempt, like.kids, steps, times, values, exact)


def _write(db: sqlite3.Connection, run: int, piece: Columns) -> None:
    steps, times, values = piece.steps, piece.times, piece.values
    count = len(steps)
    (axis,) = db.execute(
        "SELECT coalesce(max(axis), 0) + 1 FROM axis WHERE run = ?", (run,)
    ).fetchone()
    fine_at = buckets.edges(count, buckets.FINE)
    coarse_at = buckets.edges(count, buckets.COARSE)
    joins = buckets.edges(len(fine_at), buckets.COARSE // buckets.FINE)
    db.execute(
        "INSERT INTO axis (run, axis, attempt, points, chunks, steps_rise, times_rise, step_low,"
        " step_high, time_low, time_high, coarse, fine) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            run,
            axis,
            piece.attempt,
            count,
            len(piece.kids),
            rises(steps, strictly=True),
            rises(times, strictly=False),
            int(steps.min()),
            int(steps.max()),
            float(times.min()),
            float(times.max()),
            pack_matrix(buckets.places(steps, times, coarse_at)),
            pack_matrix(buckets.places(steps, times, fine_at)),
        ),
    )
    db.execute(
        "INSERT INTO axis_values (run, axis, steps, times) VALUES (?, ?, ?, ?)",
        (run, axis, pack_ints(steps), pack_times(times)),
    )
    fine = buckets.build(values, fine_at)
    coarse = buckets.merge(fine, joins)
    whole = buckets.merge(coarse, np.zeros(1, np.int64))
    exact: list[dict[int, int]] = [{} for _ in piece.kids]
    for (row, column), number in piece.exact.items():
        exact[column][row] = number
    chunks, bodies = [], []
    for column, kid in enumerate(piece.kids.tolist()):
        of = [np.ascontiguousarray(table[:, :, column]) for table in (whole, coarse, fine)]
        chunks.append(
            (run, kid, axis, count, of[0].tobytes(), pack_matrix(of[1]), pack_matrix(of[2]))
        )
        stored_as, body = pack_values(np.ascontiguousarray(values[:, column]), exact[column])
        bodies.append((run, kid, axis, stored_as, body))
    db.executemany(
        "INSERT INTO chunk (run, kid, axis, points, whole, coarse, fine) VALUES (?,?,?,?,?,?,?)",
        chunks,
    )
    db.executemany(
        "INSERT INTO chunk_values (run, kid, axis, stored_as, body) VALUES (?,?,?,?,?)", bodies
    )


def read_axis(
    db: sqlite3.Connection, run: int, axis: int
) -> tuple[
    np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.float64]]
]:
    """The steps and times of an axis."""
    steps, times = db.execute(
        "SELECT steps, times FROM axis_values WHERE run = ? AND axis = ?", (run, axis)
    ).fetchone()
    return unpack_ints(steps), unpack_times(times)


def read_values(
    db: sqlite3.Connection, run: int, kid: int, axis: int
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], dict[int, int]]:
    """The values of a chunk, with the integers that float64 cannot hold."""
    stored_as, body = db.execute(
        "SELECT stored_as, body FROM chunk_values WHERE run = ? AND kid = ? AND axis = ?",
        (run, kid, axis),
    ).fetchone()
    return unpack_values(stored_as, body)


def write_all(db: sqlite3.Connection, run: int, folded: Sequence[Columns]) -> None:
    """Write everything that a fold made, in order."""
    for columns in folded:
        append(db, run, columns)
