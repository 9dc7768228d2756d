"""Reads one metric of one run: from buckets where they say enough, from values where not.

A metric's data lie in parts: chunks, and what is still in the tail. Where parts follow each other
by rising step, each is used as it is stored. Where they do not (writers that interleave, steps out
of order, steps logged twice), all values are read and merged first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from outrider_server import buckets
from outrider_server.query import Frame, Points, Seen, as_seen, merged
from outrider_server.store.chunks import read_axis
from outrider_server.store.codec import unpack_matrix, unpack_together, unpack_values, unsqueeze
from outrider_server.store.parts import Part, Raw

if TYPE_CHECKING:
    import sqlite3

    from outrider_server.buckets import Floats, Ints
    from outrider_server.store.cache import Cache

_NO_LIMIT = (1 << 63) - 1
_BLUR = 0.5
"""A stored bucket may cover this much of a pixel: it is drawn where it begins."""


@dataclass(slots=True)
class Metric:
    """One metric of one run, as a snapshot of the store shows it."""

    db: sqlite3.Connection
    cache: Cache
    run: int
    kid: int
    limits: Mapping[int, int]
    parts: Sequence[Part]
    origin: float | None = None
    by_time: bool = False
    _all: Points | None = None
    _is_regular: bool | None = None
    _split: tuple[tuple[float, float], tuple[list[Part], list[Part]]] | None = None

    @property
    def shaped(self) -> Points | None:
        """All points, where they had to be read."""
        return self._all

    def show(self, points: Points) -> None:
        """Show these points (by rising x) instead of what is stored."""
        self._all = points

    def is_regular(self) -> bool:
        """Do the parts that show follow each other, each point behind the one before it?"""
        if self._is_regular is None:
            self._is_regular = self._looks_regular()
        return self._is_regular

    def _looks_regular(self) -> bool:
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

    def shown(self) -> Sequence[Part]:
        """The parts that no later attempt has hidden wholly."""
        if not self.limits:
            return self.parts
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
        """Buckets (or points, where buckets are too wide) within the frame, in any order."""
        if self._all is not None:
            return [as_seen(self._all.within(frame.low, frame.high), frame)]
        inside, edge = self._against(frame.low, frame.high)
        by_level: dict[str | None, list[Part]] = {None: list(edge)}
        for part in inside:
            by_level.setdefault(self._level(part, frame.pixel), []).append(part)
        points = _in_order(self._points(by_level.pop(None)))
        found = [as_seen(points.within(frame.low, frame.high), frame)]
        for level, parts in by_level.items():
            if level is not None:
                found += self._stored(level, parts)
        return found

    def _bounds(self, part: Part) -> tuple[float, float]:
        if self.by_time:
            return self._x(part.time_low), self._x(part.time_high)
        return float(part.step_low), float(part.step_high)

    def _against(self, low: float, high: float) -> tuple[list[Part], list[Part]]:
        """The parts that lie wholly in the window, and those that lie across its edge."""
        if self._split is not None and self._split[0] == (low, high):
            return self._split[1]
        inside: list[Part] = []
        edge: list[Part] = []
        for part in self.shown():
            first, last = self._bounds(part)
            if last < low or first > high:
                continue
            cut = part.step_high > self.limits.get(part.attempt, _NO_LIMIT)
            (edge if cut or first < low or last > high else inside).append(part)
        self._split = (low, high), (inside, edge)
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
        """Stored buckets of a level; those of chunks of one size are unpacked together."""
        wanted = {part.axis: part for part in parts if part.axis is not None}
        rows = self.db.execute(
            f"SELECT axis, {level} FROM chunk"  # noqa: S608 - the names are ours
            " WHERE run = ? AND kid = ? AND axis BETWEEN ? AND ?",
            (self.run, self.kid, min(wanted), max(wanted)),
        )
        alike: dict[int, list[tuple[Part, bytes]]] = {}
        for axis, body in rows:
            part = wanted.get(axis)
            if part is not None:
                raw = unsqueeze(body) if level == "fine" else body
                alike.setdefault(len(raw), []).append((part, raw))
        places = self._places(wanted) if level == "fine" else {}
        found = []
        for some in alike.values():
            bodies = [body for _, body in some]
            if level == "fine":
                table = unpack_together(bodies, buckets.HEIGHT)
                place = np.concatenate([places[part.axis] for part, _ in some], axis=1)
            else:
                table = np.frombuffer(b"".join(bodies), np.float64).reshape(-1, buckets.HEIGHT).T
                place = np.array(
                    [(p.step_low, p.step_high, p.time_low, p.time_high) for p, _ in some], float
                ).T
            x = place[buckets.STEP_FROM]
            if self.by_time:
                x = place[buckets.TIME_FROM] - (self.origin or 0.0)
            found.append(Seen(x, place[buckets.STEP_TO], place[buckets.TIME_TO], table))
        return found

    def _places(self, wanted: Mapping[int, Part]) -> dict[int | None, Floats]:
        """Where the fine buckets of axes lie."""
        found: dict[int | None, Floats] = {}
        for axis, part in wanted.items():
            place = self.cache.places.get((self.run, axis, part.points))
            if place is not None:
                found[axis] = place
        missing = wanted.keys() - found.keys()
        if missing:
            rows = self.db.execute(
                "SELECT axis, fine FROM axis WHERE run = ? AND axis BETWEEN ? AND ?",
                (self.run, min(missing), max(missing)),
            )
            for axis, body in rows:
                if axis in missing:
                    place = found[axis] = unpack_matrix(body, 4)
                    at = (self.run, axis, wanted[axis].points)
                    self.cache.places.put(at, place, place.nbytes)
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
                "SELECT axis, stored_as, body FROM chunk_values"
                " WHERE run = ? AND kid = ? AND axis BETWEEN ? AND ? ORDER BY axis",
                (self.run, self.kid, min(wanted), max(wanted)),
            ).fetchall()
            for axis, stored_as, body in rows:
                part = wanted.get(axis)
                if part is not None:
                    values, exact = unpack_values(stored_as, body)
                    steps, times = self._axis(axis, part.points)
                    attempts = np.full(len(values), part.attempt, np.int64)
                    yield part, Raw(attempts, steps, times, values, exact)
        for part in parts:
            if part.tail is not None:
                yield part, part.tail

    def _axis(self, axis: int, points: int) -> tuple[Ints, Floats]:
        """The steps and times of an axis."""
        at = (self.run, axis, points)
        found = self.cache.axes.get(at)
        if found is None:
            found = read_axis(self.db, self.run, axis)
            self.cache.axes.put(at, found, 16 * len(found[0]))
        return found


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
