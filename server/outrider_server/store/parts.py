"""Where a metric's points lie: in chunks, and in what is still in the tail of its run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from math import inf
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from outrider_server.store.codec import Block, unpack_blocks
from outrider_server.store.fold import SMALL, rises

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
    """Neighbouring points of one attempt; ``axis`` is None for what is in the tail."""

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

    def bounds(self, *, by_time: bool) -> tuple[float, float]:
        """The smallest and the largest x."""
        if by_time:
            return self.time_low, self.time_high
        return float(self.step_low), float(self.step_high)


@dataclass(frozen=True, slots=True)
class Course:
    """How chunks lie along x: from ``low`` to ``high``, the shortest ``least`` long, with points at
    most ``apart`` on average; ``follows`` says that each begins behind the one before it."""

    low: float
    high: float
    least: float
    apart: float
    follows: bool

    @classmethod
    def of(cls, parts: Sequence[Part], *, by_time: bool) -> Course:
        """The course of parts by rising step."""
        if not parts:
            return cls(inf, -inf, inf, 0.0, True)
        bounds = [part.bounds(by_time=by_time) for part in parts]
        long = [last - first for first, last in bounds]
        return cls(
            min(first for first, _ in bounds),
            max(last for _, last in bounds),
            min(long),
            max(one / max(part.points - 1, 1) for one, part in zip(long, parts, strict=True)),
            follow(parts, {}, by_time=by_time),
        )


class Chunks:
    """The chunks of a metric, in the order of their arrival.

    Metrics that were logged together have theirs on the same axes and share one of these: what a
    chart asks of them is worked out once.
    """

    __slots__ = ("_courses", "by_step", "number", "parts", "places", "points", "small")
    _numbers = count()

    def __init__(self, parts: Iterable[Part]) -> None:
        self.number = next(self._numbers)
        """Never that of others, or of these when they were fewer or shorter."""
        self.parts = list(parts)
        self.by_step = sorted(self.parts, key=lambda part: part.step_low)
        self.points = sum(part.points for part in self.parts)
        self.small = [part for part in self.parts if part.points < SMALL]
        self._courses: dict[bool, Course] = {}
        self.places: tuple[Floats, Sequence[int]] | None = None
        """Where the fine buckets of ``by_step`` lie, and where those of each part begin."""

    def course(self, *, by_time: bool) -> Course:
        """How they lie along x."""
        if by_time not in self._courses:
            self._courses[by_time] = Course.of(self.by_step, by_time=by_time)
        return self._courses[by_time]


def follow(
    parts: Iterable[Part],
    limits: Mapping[int, int],
    *,
    by_time: bool,
    behind: tuple[float, float] = (-inf, -inf),
) -> bool:
    """Does each part begin behind the one before it, by step and, with ``by_time``, by time?

    ``behind`` is the step and time that the first must be behind.
    """
    at, then = behind
    for part in parts:
        if not part.steps_rise or part.step_low <= at:
            return False
        if by_time and (not part.times_rise or part.time_low < then):
            return False
        at, then = min(part.step_high, limits.get(part.attempt, NO_LIMIT)), part.time_high
    return True


NO_LIMIT = (1 << 63) - 1
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


def read_chunks(db: sqlite3.Connection, cache: Cache, run: int, kid: int) -> Chunks:
    """The chunks of a metric, none of its values read yet.

    Which axes they lie on is read from the index alone, since the rows themselves lie far apart.
    """
    here = (run, kid)
    axes = db.execute("SELECT axis FROM chunk WHERE run = ? AND kid = ? ORDER BY axis", here)
    place = (run, *chain.from_iterable(axes.fetchall()))
    chunks = cache.chunks.get(place)
    if chunks is None or not _are_as_stored(db, run, kid, chunks):
        parts = db.execute(
            "SELECT a.axis, a.attempt, c.points, a.steps_rise, a.times_rise, a.step_low,"
            " a.step_high, a.time_low, a.time_high FROM chunk c"
            " JOIN axis a ON a.run = c.run AND a.axis = c.axis"
            " WHERE c.run = ? AND c.kid = ? ORDER BY c.axis",
            here,
        )
        chunks = Chunks(Part(*row) for row in parts)
        cache.chunks.put(place, chunks, 3000 * len(place))
    return chunks


def _are_as_stored(db: sqlite3.Connection, run: int, kid: int, chunks: Chunks) -> bool:
    """Do chunks that were small, and may have been written again under their axis's number, have as
    many points as they had?"""
    ask = "SELECT points FROM chunk WHERE run = ? AND kid = ? AND axis = ?"
    return all(
        db.execute(ask, (run, kid, part.axis)).fetchone() == (part.points,) for part in chunks.small
    )


def tail_parts(kid: int, tail: Tail) -> Iterator[Part]:
    """What the tail holds of a metric in the order of arrival, one part for each stretch of one
    attempt."""
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
