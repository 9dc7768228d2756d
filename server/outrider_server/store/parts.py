"""Where a metric's points lie: in chunks, and in what is still in the tail of its run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from outrider_server.store.codec import Block, unpack_blocks
from outrider_server.store.fold import rises

if TYPE_CHECKING:
    import sqlite3

    from outrider_server.buckets import Floats, Ints
    from outrider_server.store.cache import Cache


@dataclass(frozen=True, slots=True)
class Raw:
    """Points in the order of their arrival, with the integers that float64 cannot hold."""

    attempts: Ints
    steps: Ints
    times: Floats
    values: Floats
    exact: Mapping[int, int]


class Part(NamedTuple):
    """Neighbouring points of one attempt; ``axis`` is None for what is in the tail.

    A chart makes hundreds of these: a frozen dataclass takes eight times as long to be made.
    """

    axis: int | None
    attempt: int
    points: int
    steps_rise: bool
    times_rise: bool
    step_low: int
    step_high: int
    time_low: float
    time_high: float
    tail: Raw | None = None


Tail = Sequence[tuple[int, Sequence[Block]]]


def read_tail(db: sqlite3.Connection, cache: Cache, run: int) -> list[tuple[int, Sequence[Block]]]:
    """The tail of a run: (attempt, blocks) in the order of arrival."""
    rows = db.execute("SELECT seq, attempt FROM tail WHERE run = ? ORDER BY seq", (run,)).fetchall()
    found: list[tuple[int, Sequence[Block]]] = []
    for seq, attempt in rows:
        blocks = cache.tail.get((run, seq))
        if blocks is None:
            (body,) = db.execute(
                "SELECT body FROM tail WHERE run = ? AND seq = ?", (run, seq)
            ).fetchone()
            blocks = unpack_blocks(body)
            cache.keep_tail((run, seq), blocks)
        found.append((attempt, blocks))
    return found


def read_parts(db: sqlite3.Connection, run: int, kid: int, tail: Tail) -> list[Part]:
    """The parts of a metric, none of its values read yet but the tail's."""
    rows = db.execute(
        "SELECT a.axis, a.attempt, c.points, a.steps_rise, a.times_rise, a.step_low, a.step_high,"
        " a.time_low, a.time_high FROM chunk c JOIN axis a ON a.run = c.run AND a.axis = c.axis"
        " WHERE c.run = ? AND c.kid = ? ORDER BY c.axis",
        (run, kid),
    )
    return [*(Part(*row) for row in rows), *_tail_parts(kid, tail)]


def _tail_parts(kid: int, tail: Tail) -> Iterator[Part]:
    """What the tail holds of a metric, one part for each stretch of one attempt."""
    attempt: int | None = None
    stretch: list[tuple[Ints, Floats, Floats, dict[int, int]]] = []
    columns: dict[bytes, int | None] = {}
    for now, blocks in tail:
        if now != attempt and stretch and attempt is not None:
            yield _tail_part(attempt, stretch)
            stretch = []
        attempt = now
        found = _of_batch(kid, blocks, columns)
        if found is not None:
            stretch.append(found)
    if stretch and attempt is not None:
        yield _tail_part(attempt, stretch)


def _of_batch(
    kid: int, blocks: Sequence[Block], columns: dict[bytes, int | None]
) -> tuple[Ints, Floats, Floats, dict[int, int]] | None:
    """A metric's points in one batch, in the order they were logged; ``columns`` keeps which column
    of tables of the same metrics it is."""
    found: list[tuple[Block, int]] = []
    for block in blocks:
        kids = block.kids.tobytes()
        if kids not in columns:
            at = np.nonzero(block.kids == kid)[0]
            columns[kids] = int(at[0]) if len(at) else None
        column = columns[kids]
        if column is not None:
            found.append((block, column))
    if not found:
        return None
    exact: dict[int, int] = {}
    base = 0
    for block, column in found:
        if block.exact:
            exact.update({base + r: n for (r, c), n in block.exact.items() if c == column})
        base += len(block.steps)
    if len(found) == 1:
        block, column = found[0]
        return block.steps, block.times, block.values[:, column], exact
    order = np.argsort(np.concatenate([block.rows for block, _ in found]), kind="stable")
    placed = {int(old): new for new, old in enumerate(order)} if exact else {}
    return (
        np.concatenate([block.steps for block, _ in found])[order],
        np.concatenate([block.times for block, _ in found])[order],
        np.concatenate([block.values[:, column] for block, column in found])[order],
        {placed[row]: number for row, number in exact.items()},
    )


def _tail_part(attempt: int, stretch: list[tuple[Ints, Floats, Floats, dict[int, int]]]) -> Part:
    exact: dict[int, int] = {}
    base = 0
    for steps, _, _, numbers in stretch:
        exact.update({base + row: number for row, number in numbers.items()})
        base += len(steps)
    steps = np.concatenate([piece[0] for piece in stretch])
    times = np.concatenate([piece[1] for piece in stretch])
    values = np.concatenate([piece[2] for piece in stretch])
    raw = Raw(np.full(len(steps), attempt, np.int64), steps, times, values, exact)
    return Part(
        None,
        attempt,
        len(steps),
        rises(steps, strictly=True),
        rises(times, strictly=False),
        int(steps.min()),
        int(steps.max()),
        float(times.min()),
        float(times.max()),
        raw,
    )
