"""Writes and reads chunks: what the fold made, in the tables ``axis`` and ``chunk``."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np

from outrider_server import buckets
from outrider_server.store.codec import (
    pack_columns,
    pack_ints,
    pack_matrices,
    pack_matrix,
    pack_times,
    unpack_ints,
    unpack_times,
    unpack_values,
)
from outrider_server.store.fold import SMALL, Columns, chosen, joined, pieces, rises


def append(db: sqlite3.Connection, run: int, columns: Columns, long: set[int]) -> None:
    """Write the columns behind what the run has, joining them to last chunks that are small.

    ``long`` holds the metrics whose last chunk is known not to be small.
    """
    before: dict[int | None, list[int]] = {}
    for kid in columns.kids.tolist():
        axis = None if kid in long else _small_last(db, run, kid, columns.attempt)
        before.setdefault(axis, []).append(kid)
    for axis, kids in before.items():
        part = columns if len(before) == 1 else chosen(columns, kids)
        if axis is not None:
            part = joined(_take_back(db, run, axis, part), part)
        for piece in pieces(part):
            _write(db, run, piece)
            if len(piece.steps) >= SMALL:
                long.update(kids)
            else:
                long.difference_update(kids)


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
    steps, times = piece.steps, piece.times
    values = np.ascontiguousarray(piece.values.T)
    count = len(steps)
    (axis,) = db.execute(
        "SELECT coalesce(max(axis), 0) + 1 FROM axis WHERE run = ?", (run,)
    ).fetchone()
    fine_at = buckets.edges(count, buckets.FINE)
    db.execute(
        "INSERT INTO axis (run, axis, attempt, points, chunks, steps_rise, times_rise, step_low,"
        " step_high, time_low, time_high, fine) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
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
            pack_matrix(buckets.places(steps, times, fine_at)),
        ),
    )
    db.execute(
        "INSERT INTO axis_values (run, axis, steps, times) VALUES (?, ?, ?, ?)",
        (run, axis, pack_ints(steps), pack_times(times)),
    )
    fine = buckets.build(values, fine_at)
    whole = buckets.merge(fine, np.zeros(1, np.int64))
    exact: list[dict[int, int]] = [{} for _ in piece.kids]
    for (row, column), number in piece.exact.items():
        exact[column][row] = number
    kids = piece.kids.tolist()
    seen = np.ascontiguousarray(whole.transpose(1, 0, 2))
    packed_fine = pack_matrices(fine.transpose(1, 0, 2))
    packed_values = pack_columns(values, exact)
    chunks = [
        (run, kid, axis, count, seen[column].tobytes(), packed_fine[column])
        for column, kid in enumerate(kids)
    ]
    bodies = [(run, kid, axis, *packed_values[column]) for column, kid in enumerate(kids)]
    db.executemany(
        "INSERT INTO chunk (run, kid, axis, points, whole, fine) VALUES (?,?,?,?,?,?)",
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


def write_all(db: sqlite3.Connection, run: int, folded: Sequence[Columns], long: set[int]) -> None:
    """Write everything that a fold made, in order; ``long`` as in ``append``."""
    for columns in folded:
        append(db, run, columns, long)
