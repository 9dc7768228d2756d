"""Reads one metric of one run: from buckets where they say enough, from values where not.

A metric's data lie in parts: chunks, and what is still in the tail. Where parts follow each other
by rising step, each is used as it is stored. Where they do not (writers that interleave, steps out
of order, steps logged twice), all values are read and merged first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from outrider_server import buckets
from outrider_server.query import Frame, Points, Seen, as_seen, merged
from outrider_server.store.codec import (
    Block,
    unpack_blocks,
    unpack_ints,
    unpack_matrix,
    unpack_times,
    unpack_values,
)
from outrider_server.store.fold import rises

if TYPE_CHECKING:
    from outrider_server.buckets import Floats, Ints
    from outrider_server.store.tailcache import TailCache

_NO_LIMIT = (1 << 63) - 1
_BLUR = 0.5
"""A stored bucket may cover this much of a pixel: it is drawn where it begins."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Points in the order of their arrival, with the integers that float64 cannot hold."""

    attempts: Ints
    steps: Ints
    times: Floats
    values: Floats
    exact: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Part:
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


@dataclass(slots=True)
class Metric:
    """One metric of one run, as a snapshot of the store shows it."""

    db: sqlite3.Connection
    run: int
    kid: int
    limits: Mapping[int, int]
    parts: list[Part] = field(default_factory=list)
    origin: float | None = None
    by_time: bool = False
    _all: Points | None = None

    @property
    def shaped(self) -> Points | None:
        """All points, where they had to be read."""
        return self._all

    def show(self, points: Points) -> None:
        """Show these points (by rising x) instead of what is stored."""
        self._all = points

    def is_regular(self) -> bool:
        """Do the parts that show follow each other, each point behind the one before it?"""
        shown = sorted(self.shown(), key=lambda part: part.step_low)
        at, then = -inf, -inf
        for part in shown:
            limit = self.limits.get(part.attempt, _NO_LIMIT)
            if not part.steps_rise or part.step_low <= at:
                return False
            if self.by_time and (not part.times_rise or part.time_low < then):
                return False
            at, then = min(part.step_high, limit), part.time_high
        return True

    def shown(self) -> list[Part]:
        """The parts that no later attempt has hidden wholly."""
        return [p for p in self.parts if p.step_low <= self.limits.get(p.attempt, _NO_LIMIT)]

    def span(self) -> tuple[float, float] | None:
        """The smallest and largest x, or None where nothing shows."""
        if self._all is not None:
            return (self._all.x[0], self._all.x[-1]) if len(self._all.x) else None
        shown = self.shown()
        if not shown:
            return None
        if self.by_time:
            return self._x(min(p.time_low for p in shown)), self._x(max(p.time_high for p in shown))
        return (
            float(min(p.step_low for p in shown)),
            float(max(min(p.step_high, self.limits.get(p.attempt, _NO_LIMIT)) for p in shown)),
        )

    def _x(self, time: float) -> float:
        return time - (self.origin or 0.0)

    def everything(self) -> Points:
        """All points that show, merged, by rising x."""
        if self._all is None:
            raw = self.raw(self.shown())
            attempts = raw.attempts
            if self.limits:
                limit = np.full(len(raw.steps), _NO_LIMIT)
                for attempt, step in self.limits.items():
                    limit[attempts == attempt] = step
                keep = raw.steps <= limit
                raw = Raw(
                    attempts[keep], raw.steps[keep], raw.times[keep], raw.values[keep], raw.exact
                )
                attempts = raw.attempts
            several = len(attempts) and attempts.min() != attempts.max()
            found = merged(raw.steps, raw.times, raw.values, attempts if several else None)
            if self.by_time:
                order = np.argsort(found.times, kind="stable")
                times = found.times[order]
                x = times - (self.origin or 0.0)
                found = Points(x, found.steps[order], times, found.values[order])
            self._all = found
        return self._all

    def window(self, low: float, high: float, most: int) -> Points | None:
        """The points with x from ``low`` to ``high``, or None if there are more than ``most``."""
        if self._all is None and not self.is_regular():
            self.everything()
        if self._all is not None:
            found = self._all.within(low, high)
            return found if len(found.x) <= most else None
        inside, edge = self._against(low, high)
        if sum(part.points for part in inside) > most:
            return None
        pieces = [points.within(low, high) for points in self._points([*inside, *edge])]
        found = _in_order(pieces)
        return found if len(found.x) <= most else None

    def seen(self, frame: Frame) -> list[Seen]:
        """Buckets (or points, where buckets are too wide) within the frame, by rising x."""
        if self._all is not None:
            return [as_seen(self._all.within(frame.low, frame.high), frame)]
        inside, edge = self._against(frame.low, frame.high)
        by_level: dict[str | None, list[Part]] = {None: list(edge)}
        for part in inside:
            by_level.setdefault(self._level(part, frame.pixel), []).append(part)
        found = [
            as_seen(points.within(frame.low, frame.high), frame)
            for points in self._points(by_level.pop(None))
        ]
        for level, parts in by_level.items():
            if level is not None:
                found += self._stored(level, parts)
        return sorted((seen for seen in found if len(seen.x)), key=lambda seen: float(seen.x[0]))

    def _bounds(self, part: Part) -> tuple[float, float]:
        if self.by_time:
            return self._x(part.time_low), self._x(part.time_high)
        return float(part.step_low), float(part.step_high)

    def _against(self, low: float, high: float) -> tuple[list[Part], list[Part]]:
        """The parts that lie wholly in the window, and those that lie across its edge."""
        inside: list[Part] = []
        edge: list[Part] = []
        for part in self.shown():
            first, last = self._bounds(part)
            if last < low or first > high:
                continue
            cut = part.step_high > self.limits.get(part.attempt, _NO_LIMIT)
            (edge if cut or first < low or last > high else inside).append(part)
        return inside, edge

    def _level(self, part: Part, pixel: float) -> str | None:
        """The widest stored buckets that are small beside a pixel."""
        if part.axis is None:
            return None
        first, last = self._bounds(part)
        if last - first <= _BLUR * pixel:
            return "whole"
        each = (last - first) / max(part.points - 1, 1)
        return "fine" if each * buckets.FINE <= _BLUR * pixel else None

    def _stored(self, level: str, parts: Sequence[Part]) -> list[Seen]:
        """Stored buckets of a level."""
        wanted = {part.axis: part for part in parts}
        axes = [part.axis for part in parts if part.axis is not None]
        low, high = min(axes), max(axes)
        places = "NULL" if level == "whole" else "a.fine"
        rows = self.db.execute(
            f"SELECT c.axis, c.{level}, {places} FROM chunk c"  # noqa: S608 - the names are ours
            " JOIN axis a ON a.run = c.run AND a.axis = c.axis"
            " WHERE c.run = ? AND c.kid = ? AND c.axis BETWEEN ? AND ?",
            (self.run, self.kid, low, high),
        )
        found = []
        for axis, body, where in rows:
            part = wanted.get(axis)
            if part is None:
                continue
            if level == "whole":
                table = np.frombuffer(body, np.float64).reshape(buckets.HEIGHT, 1)
                place = np.array(
                    [[part.step_low], [part.step_high], [part.time_low], [part.time_high]], float
                )
            else:
                table = unpack_matrix(body, buckets.HEIGHT)
                place = unpack_matrix(where, 4)
            x = place[buckets.STEP_FROM]
            if self.by_time:
                x = place[buckets.TIME_FROM] - (self.origin or 0.0)
            found.append(Seen(x, place[buckets.STEP_TO], place[buckets.TIME_TO], table))
        return found

    def _points(self, parts: Sequence[Part]) -> Iterator[Points]:
        """The values of regular parts."""
        for part, raw in self._read(parts):
            steps, times, values = raw.steps, raw.times, raw.values
            limit = self.limits.get(part.attempt)
            if limit is not None:
                last = int(np.searchsorted(steps, limit, side="right"))
                steps, times, values = steps[:last], times[:last], values[:last]
            x = times - (self.origin or 0.0) if self.by_time else steps.astype(np.float64)
            yield Points(x, steps, times, values)

    def raw(self, parts: Sequence[Part]) -> Raw:
        """The values of parts as they were logged, one after the other."""
        exact: dict[int, int] = {}
        pieces: list[Raw] = []
        base = 0
        for _, raw in self._read(parts):
            exact.update({base + at: number for at, number in raw.exact.items()})
            base += len(raw.steps)
            pieces.append(raw)
        if not pieces:
            return Raw(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0), {})
        return Raw(
            np.concatenate([piece.attempts for piece in pieces]),
            np.concatenate([piece.steps for piece in pieces]),
            np.concatenate([piece.times for piece in pieces]),
            np.concatenate([piece.values for piece in pieces]),
            exact,
        )

    def _read(self, parts: Sequence[Part]) -> Iterator[tuple[Part, Raw]]:
        """The parts' values, chunks before the tail, each in the order of arrival."""
        wanted = {part.axis: part for part in parts if part.axis is not None}
        if wanted:
            rows = self.db.execute(
                "SELECT v.axis, v.stored_as, v.body, a.steps, a.times FROM chunk_values v"
                " JOIN axis_values a ON a.run = v.run AND a.axis = v.axis"
                " WHERE v.run = ? AND v.kid = ? AND v.axis BETWEEN ? AND ? ORDER BY v.axis",
                (self.run, self.kid, min(wanted), max(wanted)),
            )
            for axis, stored_as, body, steps, times in rows:
                part = wanted.get(axis)
                if part is None:
                    continue
                values, exact = unpack_values(stored_as, body)
                yield (
                    part,
                    Raw(
                        np.full(len(values), part.attempt, np.int64),
                        unpack_ints(steps),
                        unpack_times(times),
                        values,
                        exact,
                    ),
                )
        for part in parts:
            if part.tail is not None:
                yield part, part.tail


def _in_order(pieces: Iterable[Points]) -> Points:
    found = sorted((piece for piece in pieces if len(piece.x)), key=lambda one: float(one.x[0]))
    if not found:
        return Points(np.empty(0), np.empty(0, np.int64), np.empty(0), np.empty(0))
    return Points(
        np.concatenate([piece.x for piece in found]),
        np.concatenate([piece.steps for piece in found]),
        np.concatenate([piece.times for piece in found]),
        np.concatenate([piece.values for piece in found]),
    )


Tail = Sequence[tuple[int, Sequence[Block]]]


def read_tail(
    db: sqlite3.Connection, cache: TailCache, run: int
) -> list[tuple[int, Sequence[Block]]]:
    """The tail of a run: (attempt, blocks) in the order of arrival."""
    rows = db.execute("SELECT seq, attempt FROM tail WHERE run = ? ORDER BY seq", (run,)).fetchall()
    found: list[tuple[int, Sequence[Block]]] = []
    for seq, attempt in rows:
        blocks = cache.get((run, seq))
        if blocks is None:
            (body,) = db.execute(
                "SELECT body FROM tail WHERE run = ? AND seq = ?", (run, seq)
            ).fetchone()
            blocks = unpack_blocks(body)
            cache.put((run, seq), blocks)
        found.append((attempt, blocks))
    return found


def open_metric(
    db: sqlite3.Connection,
    run: int,
    kid: int,
    limits: Mapping[int, int],
    tail: Tail,
) -> Metric:
    """A metric with all of its parts, none of its values read yet but the tail's."""
    metric = Metric(db, run, kid, limits)
    rows = db.execute(
        "SELECT a.axis, a.attempt, c.points, a.steps_rise, a.times_rise, a.step_low, a.step_high,"
        " a.time_low, a.time_high FROM chunk c JOIN axis a ON a.run = c.run AND a.axis = c.axis"
        " WHERE c.run = ? AND c.kid = ? ORDER BY c.axis",
        (run, kid),
    )
    metric.parts = [Part(*row) for row in rows]
    metric.parts += _tail_parts(kid, tail)
    return metric


def _tail_parts(kid: int, tail: Tail) -> Iterator[Part]:
    """What the tail holds of a metric, one part for each stretch of one attempt."""
    attempt: int | None = None
    stretch: list[tuple[Ints, Floats, Floats, dict[int, int]]] = []
    for now, blocks in tail:
        if now != attempt and stretch and attempt is not None:
            yield _tail_part(attempt, stretch)
            stretch = []
        attempt = now
        found = _of_batch(kid, blocks)
        if found is not None:
            stretch.append(found)
    if stretch and attempt is not None:
        yield _tail_part(attempt, stretch)


def _of_batch(
    kid: int, blocks: Sequence[Block]
) -> tuple[Ints, Floats, Floats, dict[int, int]] | None:
    """A metric's points in one batch, in the order they were logged."""
    found: list[tuple[Block, int]] = []
    for block in blocks:
        at = np.nonzero(block.kids == kid)[0]
        if len(at):
            found.append((block, int(at[0])))
    if not found:
        return None
    exact: dict[int, int] = {}
    base = 0
    for block, column in found:
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
