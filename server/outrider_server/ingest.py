"""Turns a batch of journal lines into columns; takes bytes, returns plain values.

The straight path reads all lines as one JSON array and lays their numbers side by side. Whatever it
does not know (a damaged line, a word such as NaN, an integer beyond 2**53) is read line by line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from itertools import islice
from struct import error as NotPackable  # noqa: N812 - "error" says too little beside other errors
from struct import pack
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from outrider.journal.record import POINTS, Damaged, Record, checked, decode, lines, number
from outrider_server.numbered import Numbered, side_by_side

if TYPE_CHECKING:
    from numpy.typing import NDArray

Keys = tuple[str, ...]
SYSTEM = "sys"
_EXACT = 2.0**53
_LINE_BREAK = ord("\n")
_SHORT = 100
"""A line of fewer bytes is short."""
_PLACES = np.arange(1024, dtype=np.int32)
_PLACES.setflags(write=False)  # shared by all tables
_NOT_STRAIGHT = frozenset((POINTS, SYSTEM, "head", "attempt"))
"""Kinds (where they are said) that begin something or come with rules of their own."""


@dataclass(slots=True)
class Table(Numbered):
    """Points of records that carry the same metrics, in the order they were logged.

    ``rows`` are the records' places in the batch, ``exact`` the integers, by (line, metric), that a
    float64 cannot hold.
    """

    keys: Keys
    system: bool
    rows: NDArray[np.int32]
    numbers: NDArray[np.float64]
    exact: Mapping[tuple[int, int], int]


@dataclass(slots=True)
class Stretch:
    """Part of a batch that belongs to one attempt; ``opening`` is the record that began it."""

    opening: Record | None = None
    tables: list[Table] = field(default_factory=list)
    others: list[Record] = field(default_factory=list)
    torn: int = 0
    damaged: list[str] = field(default_factory=list)
    latest: float = 0.0


@dataclass(slots=True)
class Growing:
    """A table while its records come in."""

    rows: list[int] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    flat: list[Any] = field(default_factory=list)


def read_batch(data: bytes) -> list[Stretch]:
    """Return the batch's stretches. Never fails: what cannot be read is counted in them."""
    bodies = _at_once(data)
    records: Iterable[Record | Damaged]
    if bodies is None:
        records = _one_by_one(data)
    else:
        stretch = _straight(bodies)
        if stretch is not None:
            return [stretch]
        records = _one_by_one(data)
    return _carefully(records)


def _at_once(data: bytes) -> list[Any] | None:
    """All lines as one array, or None where one of them is no JSON by itself."""
    if not data.endswith(b"\n"):
        return None
    try:
        # the 0 stands behind the last comma: cutting that off would copy everything once more
        bodies = orjson.loads(b"".join((b"[", data.replace(b"\n", b","), b"0]")))
    except orjson.JSONDecodeError:
        return None
    bodies.pop()
    # torn lines that happen to join into one value are not whole records: the counts differ
    return bodies if has_lines(data, len(bodies)) else None


def has_lines(data: bytes, count: int) -> bool:
    """Are there this many lines, all of them ended? One by one is quicker where they are long."""
    if not data.endswith(b"\n"):
        return False
    if len(data) < _SHORT * count:
        return int(np.count_nonzero(np.frombuffer(data, np.uint8) == _LINE_BREAK)) == count
    return len(list(islice(BytesIO(data), count + 1))) == count


def _straight(bodies: list[Any]) -> Stretch | None:
    """The batch when its points are plain numbers and nothing in it begins an attempt; else None."""
    try:
        plain = [body for body in bodies if "k" not in body]
        rows = list(range(len(bodies)))
        others: list[Record] = []
        if len(plain) < len(bodies):
            rows = [row for row, body in enumerate(bodies) if "k" not in body]
            others = [checked(body) for body in bodies if "k" in body]
            if any(record.kind in _NOT_STRAIGHT for record in others):
                return None
        latest = max((record.t for record in others), default=0.0)
        tables = []
        for keys, found in _alike(plain, rows):
            tables.append(_laid_out(keys, False, found))
            latest = max(latest, float(max(found.times)))
    except (TypeError, KeyError, AttributeError, OverflowError, Damaged, NotPackable):
        return None
    if not all(is_plain(table.values) and "" not in table.keys for table in tables):
        return None
    return Stretch(tables=tables, others=others, latest=max(latest, 0.0))


def is_plain(values: NDArray[np.float64]) -> bool:
    """Are all numbers such that a float64 holds them, were they integers?"""
    # numpy's ``max()`` asks in Python first
    return bool(np.maximum.reduce(np.abs(values), axis=None) < _EXACT)


def _alike(bodies: list[Any], rows: list[int]) -> Iterator[tuple[Keys, Growing]]:
    """Points records by their metrics, in the order in which these first came."""
    points = [body["p"] for body in bodies]
    steps = [body["s"] for body in bodies]
    times = [body["t"] for body in bodies]
    first = list(points[0]) if points else []
    if list(map(list, points)).count(first) == len(points):  # two thirds of the time of a loop
        flat: list[Any] = []
        for each in points:
            flat += each.values()
        if first:
            yield tuple(first), Growing(rows, steps, times, flat)
        return
    growing: dict[Keys, Growing] = {}
    for row, step, time, each in zip(rows, steps, times, points, strict=True):
        into = growing.setdefault(tuple(each), Growing())
        into.rows.append(row)
        into.steps.append(step)
        into.times.append(time)
        into.flat += each.values()
    for keys, found in growing.items():
        if keys:
            yield keys, found


def _laid_out(
    keys: Keys, system: bool, found: Growing, exact: Mapping[tuple[int, int], int] | None = None
) -> Table:
    """Lay the numbers side by side; raises for what is no number.

    ``struct`` packs a list of floats four times as fast as NumPy or ``array`` read it.
    """
    count, flat = len(found.steps), found.flat
    numbers = side_by_side(
        np.frombuffer(pack(f"{count}q", *found.steps), np.int64),
        np.frombuffer(pack(f"{count}d", *found.times), np.float64),
        np.frombuffer(pack(f"{len(flat)}d", *flat), np.float64).reshape(count, len(keys)),
    )
    return Table(keys, system, np.array(found.rows, np.int32), numbers, exact or {})


def places(count: int) -> NDArray[np.int32]:
    """The places of so many records, one behind the other from the first on."""
    return _PLACES[:count] if count <= len(_PLACES) else np.arange(count, dtype=np.int32)


def _one_by_one(data: bytes) -> Iterable[Record | Damaged]:
    for line in lines(data):
        try:
            yield decode(line)
        except Damaged as damage:
            yield damage


def _carefully(records: Iterable[Record | Damaged]) -> list[Stretch]:
    """Every record of a batch in its place, damaged ones counted."""
    stretches = [Stretch()]
    growing: dict[tuple[bool, Keys], Growing] = {}
    for row, record in enumerate(records):
        now = stretches[-1]
        if isinstance(record, Damaged):
            now.damaged.append(str(record))
            continue
        now.torn += record.torn
        now.latest = max(now.latest, record.t)
        if record.kind in (POINTS, SYSTEM):
            _take(growing, row, record)
        elif record.kind in ("head", "attempt"):
            _close(now, growing)
            growing = {}
            stretches.append(Stretch(opening=record, latest=record.t))
        else:
            now.others.append(record)
    _close(stretches[-1], growing)
    return stretches


def _take(growing: dict[tuple[bool, Keys], Growing], row: int, record: Record) -> None:
    kept: dict[str, Any] = {}
    for key, value in record.body["p"].items():
        if key:
            try:
                kept[key] = number(value)
            except Damaged:
                continue
    if not kept:
        return
    system = record.kind == SYSTEM
    into = growing.setdefault((system, tuple(kept)), Growing())
    into.rows.append(row)
    # a sample of the machine has no step: its microsecond stands in, so that samples never merge
    into.steps.append(_microsecond(record.t) if system else record.body["s"])
    into.times.append(record.t)
    into.flat.extend(kept.values())


def _microsecond(time: float) -> int:
    return int(min(max(time * 1e6, -(2.0**62)), 2.0**62))


def _close(stretch: Stretch, growing: dict[tuple[bool, Keys], Growing]) -> None:
    for (system, keys), found in growing.items():
        exact = {
            divmod(place, len(keys)): value
            for place, value in enumerate(found.flat)
            if type(value) is int and int(float(value)) != value
        }
        stretch.tables.append(_laid_out(keys, system, found, exact))
