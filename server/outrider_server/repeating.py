"""Reads the batches of runs that log the same metrics again and again, as almost all do.

What a batch's lines carried, the next batch's lines will carry: a reader that knows the names
before it looks (msgspec's, made for these names) puts numbers where they belong, and takes half the
time of one that makes a dictionary of each line. It is exact about what it expects. At anything else
(another metric, a record of another kind, a word such as NaN, a damaged line) it gives up, and
``ingest.read_batch`` reads the batch as if nobody had tried. (Two records on one line beside a line
that holds none, which no writer makes, are taken for the two records that they are.)
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from struct import Struct
from struct import error as NotPackable  # noqa: N812 - as in ``ingest``
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np
from msgspec.structs import astuple

from outrider_server.ingest import (
    Keys,
    Stretch,
    Table,
    has_lines,
    is_plain,
    places,
    read_batch,
)
from outrider_server.numbered import HEAD


class _Reader(NamedTuple):
    """Reads lines that hold exactly these metrics; ``row`` lays one into a buffer, as ``numbered``
    has it."""

    keys: Keys
    decode: Callable[[bytes], list[Any]]
    row: Struct


_K = TypeVar("_K")
_V = TypeVar("_V")

_WRITERS, _SETS = 1024, 64
"""So many writers' last metrics, and so many readers, are kept."""

_METRICS = 500
"""A line of more metrics than this comes seldom, and its reader takes milliseconds to make."""


class Repeating:
    """Reads batches, and remembers what each writer's last one carried. For one thread at a time."""

    def __init__(self) -> None:
        self._last: OrderedDict[Hashable, Keys] = OrderedDict()
        self._sets: OrderedDict[Keys, _Reader | None] = OrderedDict()

    def read(self, batches: Sequence[tuple[Hashable, bytes]]) -> list[list[Stretch]]:
        """What ``read_batch`` returns of each batch; with it comes whose it is.

        Batches that came together are laid into one piece of memory, which is looked through once.
        """
        expected = _expected([(self._known(writer), data) for writer, data in batches])
        return [
            self._carefully(writer, data) if stretch is None else [stretch]
            for (writer, data), stretch in zip(batches, expected, strict=True)
        ]

    def _known(self, writer: Hashable) -> _Reader | None:
        """The reader of what a writer's last batch carried."""
        last = self._last.get(writer)
        # it may be gone by now: few are kept, as one of many metrics is large
        return None if last is None else self._sets.get(last)

    def _carefully(self, writer: Hashable, data: bytes) -> list[Stretch]:
        found = read_batch(data)
        keys = _only_metrics(found)
        if keys is not None and self._reader(keys) is not None:
            _remember(self._last, writer, keys, _WRITERS)
        else:
            self._last.pop(writer, None)
        return found

    def _reader(self, keys: Keys) -> _Reader | None:
        """A reader of lines with these metrics, made when it is wanted for the second time."""
        found = self._sets.get(keys)
        if found is None and keys in self._sets:
            found = _make(keys)
        _remember(self._sets, keys, found, _SETS)
        return found


def _remember(among: OrderedDict[_K, _V], key: _K, value: _V, limit: int) -> None:
    among[key] = value
    among.move_to_end(key)
    if len(among) > limit:
        among.popitem(last=False)


def _only_metrics(found: list[Stretch]) -> Keys | None:
    """The metrics of a batch in which each line was a record of the same ones."""
    if len(found) != 1 or len(found[0].tables) != 1:
        return None
    stretch, table = found[0], found[0].tables[0]
    if stretch.others or stretch.damaged or stretch.torn or table.system:
        return None
    return table.keys if len(table.keys) <= _METRICS else None


def _make(keys: Keys) -> _Reader:
    """A reader of lines that hold exactly these metrics; one that never can where a name has quotes
    or control characters."""
    row = Struct(f"<dq{len(keys)}d")
    try:
        fields = [(f"m{place}", float, msgspec.field(name=key)) for place, key in enumerate(keys)]
        points = msgspec.defstruct("Points", fields, gc=False, forbid_unknown_fields=True)
        line = msgspec.defstruct(
            "Line",
            [("t", float), ("s", int), ("p", points)],
            gc=False,
            forbid_unknown_fields=True,
        )
    except ValueError:
        return _Reader(keys, _never, row)
    return _Reader(keys, msgspec.json.Decoder(line).decode_lines, row)


def _never(_: bytes) -> list[Any]:
    return []


def _expected(batches: Sequence[tuple[_Reader | None, bytes]]) -> list[Stretch | None]:
    """Each batch that has a reader and holds what that expects and nothing else; else None."""
    piece = bytearray()
    laid = [_lay(reader, data, piece) for reader, data in batches]
    if not piece:
        return [None] * len(laid)
    numbers = np.frombuffer(piece, np.float64)
    # it is so for times, and for the bits of steps that are not below 0 nor above 2**62
    all_plain = is_plain(numbers)
    found: list[Stretch | None] = []
    at = 0
    for (reader, _), count in zip(batches, laid, strict=True):
        if reader is None or not count:
            found.append(None)
            continue
        width = HEAD + len(reader.keys)
        end = at + count * width
        # its own memory: one run's rows may wait for their fold long after the others' were folded
        own = numbers[at:end].reshape(count, width).copy()
        table = Table(reader.keys, False, places(count), own, {})
        at = end
        if all_plain or is_plain(table.values):
            latest = max(float(np.maximum.reduce(table.times)), 0.0)
            found.append(Stretch(tables=[table], latest=latest))
        else:
            found.append(None)
    return found


def _lay(reader: _Reader | None, data: bytes, piece: bytearray) -> int:
    """Lay the lines of a batch behind what the piece holds, where each is what the reader expects;
    how many there are, or 0.

    One batch after the other: the memory that a line's numbers were in serves the next batch's.
    """
    if reader is None:
        return 0
    put, size, at = reader.row.pack_into, reader.row.size, len(piece)
    try:
        lines = reader.decode(data)
        # a value on two lines, or two on one, is no record: only the counts tell
        if not lines or not has_lines(data, len(lines)):
            return 0
        piece.extend(bytes(size * len(lines)))
        end = at
        for line in lines:
            put(piece, end, line.t, line.s, *astuple(line.p))
            end += size
    except (msgspec.DecodeError, UnicodeDecodeError, NotPackable):
        del piece[at:]
        return 0
    return len(lines)
