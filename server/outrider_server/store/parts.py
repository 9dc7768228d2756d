"""Where a metric's points lie: in chunks, and in what is still in the tail of its run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from math import inf
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from outrider_server.store.codec import Block, unpack_blocks
from outrider_server.store.fold import SMALL, Columns, fold, joined, rises

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


class _Stretch:
    """Metrics of one attempt that were logged together: what their parts have in common."""

    __slots__ = ("_attempts", "_exact", "_like", "_places", "columns")

    def __init__(self, columns: Columns) -> None:
        steps, times = columns.steps, columns.times
        self.columns = columns
        self._attempts = np.full(len(steps), columns.attempt, np.int64)
        self._places = {kid: place for place, kid in enumerate(columns.kids.tolist())}
        self._exact: dict[int, dict[int, int]] = {}
        for (row, column), number in columns.exact.items():
            self._exact.setdefault(column, {})[row] = number
        self._like = Part(
            None,
            columns.attempt,
            len(steps),
            rises(steps, strictly=True),
            rises(times, strictly=False),
            int(steps.min()),
            int(steps.max()),
            float(times.min()),
            float(times.max()),
        )

    def part(self, kid: int) -> Part | None:
        """The part of a metric; None where it is not among these."""
        place = self._places.get(kid)
        if place is None:
            return None
        values, exact = self.columns.values[:, place], self._exact.get(place, {})
        raw = Raw(self._attempts, self.columns.steps, self.columns.times, values, exact)
        return self._like._replace(tail=raw)


Rows = Iterable[tuple[int, Sequence[Block]]]
"""Of rows of a tail the attempt and the blocks, in the order of arrival."""


class Tail:
    """What of a run is not folded yet, put together for all metrics at once."""

    __slots__ = ("_stretches", "seqs")

    def __init__(self, seqs: Sequence[int], stretches: Sequence[_Stretch]) -> None:
        self.seqs = seqs
        self._stretches = stretches

    @classmethod
    def of(cls, seqs: Sequence[int], rows: Rows) -> Tail:
        """The tail of these rows."""
        return cls(seqs, [_Stretch(columns) for columns in fold(rows)])

    def grown(self, seqs: Sequence[int], rows: Rows) -> Tail | None:
        """The tail with more rows behind it; None where they are not of the same metrics."""
        stretches = list(self._stretches)
        attempt = stretches[-1].columns.attempt
        last: dict[bytes, int] = {}
        for at in range(len(stretches) - 1, -1, -1):
            if stretches[at].columns.attempt != attempt:
                break
            last[stretches[at].columns.kids.tobytes()] = at
        for more in fold(rows):
            place = last.get(more.kids.tobytes())
            if place is None or more.attempt != attempt:
                return None
            stretches[place] = _Stretch(joined(stretches[place].columns, more))
        return Tail([*self.seqs, *seqs], stretches)

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        columns = (one.columns for one in self._stretches)
        return sum(one.values.nbytes + 40 * len(one.steps) + 1000 for one in columns)

    def parts(self, kid: int) -> list[Part]:
        """The parts of a metric in the order of arrival, one for each stretch of one attempt."""
        found = (one.part(kid) for one in self._stretches)
        return [part for part in found if part is not None]


def read_tail(db: sqlite3.Connection, cache: Cache, run: int) -> Tail:
    """The tail of a run: the one that was read last, and what has come since."""
    rows = db.execute("SELECT seq, attempt FROM tail WHERE run = ? ORDER BY seq", (run,)).fetchall()
    if not rows:
        return Tail((), ())
    seqs = [seq for seq, _ in rows]
    before = cache.tails.get((run,))
    if before is not None and before.seqs == seqs:
        return before

    def blocks(first: int) -> Rows:
        return ((attempt, _blocks(db, cache, run, seq)) for seq, attempt in rows[first:])

    tail = None
    if before is not None and before.seqs == seqs[: len(before.seqs)]:
        tail = before.grown(seqs[len(before.seqs) :], blocks(len(before.seqs)))
    if tail is None:
        tail = Tail.of(seqs, blocks(0))
    cache.tails.put((run,), tail, tail.size)
    return tail


def _blocks(db: sqlite3.Connection, cache: Cache, run: int, seq: int) -> Sequence[Block]:
    blocks = cache.tail.get((run, seq))
    if blocks is None:
        (body,) = db.execute(
            "SELECT body FROM tail WHERE run = ? AND seq = ?", (run, seq)
        ).fetchone()
        blocks = unpack_blocks(body)
        cache.keep_tail((run, seq), blocks)
    return blocks


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
