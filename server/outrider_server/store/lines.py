"""Reads one metric of one run: from buckets where they say enough, from values where not.

A metric's data lie in parts: chunks, and what is still in the tail. Where parts follow each other
by rising step, each is used as it is stored. Where they do not (writers that interleave, steps out
of order, steps logged twice), all values are read and merged first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from outrider_server import buckets
from outrider_server.query import Frame, Points, merged
from outrider_server.store.chunks import read_axis
from outrider_server.store.codec import unpack_lines, unpack_matrix, unpack_values, unsqueezer
from outrider_server.store.parts import NO_LIMIT, Chunks, Course, Part, Raw, follow

if TYPE_CHECKING:
    import sqlite3

    from outrider_server.buckets import Floats, Ints
    from outrider_server.store.cache import Cache

_BLUR = 0.5
"""A stored bucket may cover this much of a pixel: it is drawn where it begins."""


class Stretch(NamedTuple):
    """Neighbouring parts by rising x that are looked at in one way: ``level`` names stored buckets,
    None means values. ``first`` is the place of the first among the metric's parts by step."""

    level: str | None
    first: int
    parts: list[Part]


@dataclass(slots=True)
class Metric:
    """One metric of one run, as a snapshot of the store shows it; ``rest`` is in the tail."""

    db: sqlite3.Connection
    cache: Cache
    run: int
    kid: int
    limits: Mapping[int, int]
    chunks: Chunks
    rest: Sequence[Part] = ()
    origin: float | None = None
    by_time: bool = False
    _all: Points | None = None
    _is_regular: bool | None = None
    _kept: dict[int, Points] = field(default_factory=dict)
    _looked_at: tuple[tuple[float, float], list[tuple[int, Part, bool]]] | None = None

    @property
    def parts(self) -> Sequence[Part]:
        """All parts in the order of arrival."""
        return [*self.chunks.parts, *self.rest]

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
            course, last = self._course, self.chunks.by_step[-1:]
            if not self.limits and course.follows and last:
                # only what is behind the chunks is not known yet
                behind = last[0].step_high, last[0].time_high
                self._is_regular = follow(
                    self._rest_by_step(), {}, by_time=self.by_time, behind=behind
                )
            else:
                shown = filter(self._shows, self._by_step())
                self._is_regular = follow(shown, self.limits, by_time=self.by_time)
        return self._is_regular

    @property
    def _course(self) -> Course:
        return self.chunks.course(by_time=self.by_time)

    def _rest_by_step(self) -> list[Part]:
        return sorted(self.rest, key=lambda part: part.step_low)

    def _by_step(self) -> list[Part]:
        """All parts; in the order of x where the metric is regular."""
        return [*self.chunks.by_step, *self._rest_by_step()]

    def _shows(self, part: Part) -> bool:
        """Has no later attempt hidden it wholly?"""
        return part.step_low <= self.limits.get(part.attempt, NO_LIMIT)

    def shown(self) -> Sequence[Part]:
        """The parts that no later attempt has hidden wholly, in the order of arrival."""
        return list(filter(self._shows, self.parts)) if self.limits else self.parts

    def span(self) -> tuple[float, float] | None:
        """The smallest and largest x, or None where nothing shows."""
        if self._all is not None:
            return (self._all.x[0], self._all.x[-1]) if len(self._all.x) else None
        if self.limits:
            bounds = [self._bounds(part) for part in self.shown()]
        else:
            bounds = [self._bounds(part) for part in self.rest]
            if self.chunks.parts:
                bounds.append((self._x(self._course.low), self._x(self._course.high)))
        if not bounds:
            return None
        return min(low for low, _ in bounds), max(high for _, high in bounds)

    def _x(self, x: float) -> float:
        return x - self.origin if self.by_time and self.origin is not None else x

    def _bounds(self, part: Part) -> tuple[float, float]:
        """The smallest and largest x of a part that show."""
        low, high = part.bounds(by_time=self.by_time)
        if not self.by_time and self.limits:
            high = min(high, float(self.limits.get(part.attempt, NO_LIMIT)))
        return self._x(low), self._x(high)

    def everything(self) -> Points:
        """All points that show, merged, by rising x."""
        if self._all is None:
            raw = self.raw(self.shown())
            attempts = raw.attempts
            if self.limits:
                limit = np.full(len(raw.steps), NO_LIMIT)
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
        if self._covers(low, high) and self.chunks.points > most:
            return None
        parts = self._between(low, high)
        if sum(part.points for _, part, is_inside in parts if is_inside) > most:
            return None
        found = self.points([part for _, part, _ in parts]).within(low, high)
        return found if len(found.x) <= most else None

    def stretches(self, frame: Frame) -> list[Stretch]:
        """How the frame is looked at, by rising x."""
        course = self._course
        if (
            not self.rest
            and self._covers(frame.low, frame.high)
            and _BLUR * frame.pixel < course.least
            and course.apart * buckets.FINE <= _BLUR * frame.pixel
        ):
            return [Stretch("fine", 0, self.chunks.by_step)]
        found: list[Stretch] = []
        for at, part, is_inside in self._between(frame.low, frame.high):
            level = self._level(part, frame.pixel) if is_inside else None
            last = found[-1] if found else None
            if last is None or last.level != level or last.first + len(last.parts) != at:
                found.append(Stretch(level, at, [part]))
            else:
                last.parts.append(part)
        return found

    def _covers(self, low: float, high: float) -> bool:
        """Do all chunks show, and are all of them in this window?"""
        course = self._course
        return (
            not self.limits
            and bool(self.chunks.parts)
            and low <= self._x(course.low)
            and high >= self._x(course.high)
        )

    def _between(self, low: float, high: float) -> list[tuple[int, Part, bool]]:
        """The parts that show in a window, by rising x: of each its place, and whether all of it does."""
        if self._looked_at is not None and self._looked_at[0] == (low, high):
            return self._looked_at[1]
        found: list[tuple[int, Part, bool]] = []
        for at, part in enumerate(self._by_step()):
            first, last = part.bounds(by_time=self.by_time)
            first, last = self._x(first), self._x(last)
            if last < low or first > high or not self._shows(part):
                continue
            is_cut = part.step_high > self.limits.get(part.attempt, NO_LIMIT)
            found.append((at, part, not (is_cut or first < low or last > high)))
        self._looked_at = (low, high), found
        return found

    def _level(self, part: Part, pixel: float) -> str | None:
        """The widest stored buckets that are small beside a pixel."""
        if part.axis is None:
            return None
        first, last = part.bounds(by_time=self.by_time)
        if last - first <= _BLUR * pixel:
            return "whole"
        each = (last - first) / max(part.points - 1, 1)
        return "fine" if each * buckets.FINE <= _BLUR * pixel else None

    def stored(self, stretch: Stretch) -> tuple[Floats, Floats | None]:
        """The stored buckets of a stretch: the lines ``buckets.DRAWN`` of their tables and, where not
        all is finite, ``buckets.ODD``."""
        kept = self.cache.stored
        place = (
            self.chunks.number,
            self.kid,
            stretch.first,
            len(stretch.parts),
            stretch.level == "fine",
        )
        found = kept.get(place)
        if found is None:
            found = self._read_stored(stretch)
            drawn, odd = found
            kept.put(place, found, drawn.nbytes + (0 if odd is None else odd.nbytes))
        return found

    def _read_stored(self, stretch: Stretch) -> tuple[Floats, Floats | None]:
        axes = [part.axis for part in stretch.parts if part.axis is not None]
        rows = self.db.execute(
            f"SELECT axis, {stretch.level} FROM chunk"  # noqa: S608 - the names are ours
            " WHERE run = ? AND kid = ? AND axis BETWEEN ? AND ?",
            (self.run, self.kid, min(axes), max(axes)),
        )
        found: dict[int, bytes] = dict(rows.fetchall())
        points = sum(part.points for part in stretch.parts)
        if stretch.level == "fine":
            unsqueezed = unsqueezer()
            bodies = [unsqueezed(found[axis]) for axis in axes]
            drawn = unpack_lines(bodies, buckets.HEIGHT, buckets.DRAWN)
            if drawn[-1].sum() == points:  # COUNT, of what is finite
                return drawn, None
            return drawn, unpack_lines(bodies, buckets.HEIGHT, buckets.ODD)
        whole = np.frombuffer(b"".join([found[axis] for axis in axes]), np.float64)
        table = whole.reshape(-1, buckets.HEIGHT).T
        odd = table[buckets.ODD]
        return table[buckets.DRAWN].copy(), odd.copy() if odd.any() else None

    def places(self, stretch: Stretch) -> Floats:
        """Where the stored buckets of a stretch begin and end, as ``buckets.places`` has them."""
        if stretch.level == "whole":
            ends = [(p.step_low, p.step_high, p.time_low, p.time_high) for p in stretch.parts]
            return np.array(ends, np.float64).T
        if self.chunks.places is None:
            self.chunks.places = self._read_places()
        table, begins = self.chunks.places
        return table[:, begins[stretch.first] : begins[stretch.first + len(stretch.parts)]]

    def x_of(self, places: Floats) -> Floats:
        """The x at which buckets begin."""
        x: Floats = places[buckets.TIME_FROM if self.by_time else buckets.STEP_FROM]
        return x - (self.origin or 0.0) if self.by_time else x

    def _read_places(self) -> tuple[Floats, Sequence[int]]:
        known = self.cache.places
        keys = [(self.run, part.axis or 0, part.points) for part in self.chunks.by_step]
        found = [known.get(key) for key in keys]
        if any(place is None for place in found):
            bodies: dict[int, bytes] = dict(
                self.db.execute(
                    "SELECT a.axis, a.fine FROM chunk c"
                    " JOIN axis a ON a.run = c.run AND a.axis = c.axis WHERE c.run = ? AND c.kid = ?",
                    (self.run, self.kid),
                ).fetchall()
            )
        tables: list[Floats] = []
        for key, kept in zip(keys, found, strict=True):
            place = unpack_matrix(bodies[key[1]], buckets.PLACES) if kept is None else kept
            if kept is None:
                known.put(key, place, place.nbytes)
            tables.append(place)
        begins = np.cumsum([0, *(table.shape[1] for table in tables)]).tolist()
        return np.concatenate(tables, axis=1), begins

    def points(self, parts: Sequence[Part]) -> Points:
        """The values of regular parts, given by rising x."""
        missing = [part for part in parts if part.axis is not None and part.axis not in self._kept]
        for part, raw in self._read(missing):
            self._kept[part.axis or 0] = self._as_points(part, raw)
        pieces = [
            self._kept[part.axis or 0] if part.tail is None else self._as_points(part, part.tail)
            for part in parts
        ]
        if len(pieces) == 1:
            return pieces[0]
        if not pieces:
            return Points(np.empty(0), np.empty(0, np.int64), np.empty(0), np.empty(0))
        return Points(
            np.concatenate([piece.x for piece in pieces]),
            np.concatenate([piece.steps for piece in pieces]),
            np.concatenate([piece.times for piece in pieces]),
            np.concatenate([piece.values for piece in pieces]),
        )

    def _as_points(self, part: Part, raw: Raw) -> Points:
        steps, times, values = raw.steps, raw.times, raw.values
        limit = self.limits.get(part.attempt)
        if limit is not None:
            last = int(np.searchsorted(steps, limit, side="right"))
            steps, times, values = steps[:last], times[:last], values[:last]
        x = times - (self.origin or 0.0) if self.by_time else steps.astype(np.float64)
        return Points(x, steps, times, values)

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
