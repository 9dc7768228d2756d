"""Packs columns of numbers into bytes and back, exactly.

Bytes are shuffled first (all first bytes, then all second bytes, …): neighbours then resemble each
other, which is where zstd finds its savings. Steps and times are stored as differences of their
64-bit patterns, which loses nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from threading import local
from typing import Any

import numpy as np
import orjson
import zstandard
from numpy.typing import NDArray

from outrider_server.numbered import HEAD, Numbered

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FLOAT64, FLOAT32, INT64, MIXED = 0, 1, 2, 3
"""How values are stored; MIXED is float64 with the integers that it cannot hold listed beside."""

EXACT = 1 << 53
"""Up to here every integer is a float64."""

_FASTEST, _FAST, _SMALL = -1, 1, 3
_HEAD = struct.Struct("<III")
_own = local()


def squeeze(data: bytes | memoryview, level: int = _SMALL) -> bytes:
    """Compress with zstd."""
    tools: dict[int, zstandard.ZstdCompressor] | None = getattr(_own, "squeezers", None)
    if tools is None:
        tools = _own.squeezers = {}
    if level not in tools:
        tools[level] = zstandard.ZstdCompressor(level=level)
    return tools[level].compress(data)


def unsqueeze(data: bytes) -> bytes:
    """Undo ``squeeze``."""
    return unsqueezer()(data)


def unsqueezer() -> Callable[[bytes], bytes]:
    """``unsqueeze`` for many, within one thread."""
    tool: zstandard.ZstdDecompressor | None = getattr(_own, "unsqueezer", None)
    if tool is None:
        tool = _own.unsqueezer = zstandard.ZstdDecompressor()
    return tool.decompress


def shuffled(column: NDArray[Any]) -> bytes:
    """The bytes of an array, all first bytes before all second bytes and so on."""
    flat = np.ascontiguousarray(column).reshape(-1)
    return flat.view(np.uint8).reshape(-1, flat.itemsize).T.tobytes()


def unshuffled(data: bytes, kind: str) -> NDArray[Any]:
    """Undo ``shuffled`` for an array of ``kind``."""
    size = np.dtype(kind).itemsize
    return np.frombuffer(
        np.frombuffer(data, np.uint8).reshape(size, -1).T.tobytes(), dtype=np.dtype(kind)
    )


def pack_ints(column: Ints) -> bytes:
    """Pack steps (or anything that mostly grows by the same amount)."""
    return squeeze(shuffled(np.diff(column, prepend=np.int64(0))))


def unpack_ints(data: bytes) -> Ints:
    """Undo ``pack_ints``."""
    return np.cumsum(unshuffled(unsqueeze(data), "<i8"), dtype=np.int64)


def pack_times(column: Floats) -> bytes:
    """Pack times without losing a bit."""
    return pack_ints(column.view(np.int64))


def unpack_times(data: bytes) -> Floats:
    """Undo ``pack_times``."""
    return unpack_ints(data).view(np.float64)


def pack_matrix(rows: Floats) -> bytes:
    """Pack a table of float64 (of buckets); its width is what the reader must know."""
    return squeeze(shuffled(rows), _FAST)


def unpack_matrix(data: bytes, height: int) -> Floats:
    """Undo ``pack_matrix`` for a table of ``height`` rows."""
    return unshuffled(unsqueeze(data), "<f8").reshape(height, -1)


def pack_matrices(tables: Floats) -> list[bytes]:
    """``pack_matrix`` of many tables of one size at once, by the first axis."""
    return [squeeze(one, _FASTEST) for one in _each_shuffled(tables.reshape(len(tables), -1))]


def _each_shuffled(rows: NDArray[Any]) -> list[memoryview]:
    """``shuffled`` of each row."""
    whole = np.ascontiguousarray(rows)
    count, width = whole.shape
    seen = whole.view(np.uint8).reshape(count, width, whole.itemsize)
    return [one.data for one in np.ascontiguousarray(seen.transpose(0, 2, 1))]


def pack_columns(columns: Floats, exact: Sequence[Mapping[int, int]]) -> list[tuple[int, bytes]]:
    """``pack_values`` of many metrics of one length at once, one a row."""
    columns = np.ascontiguousarray(columns)
    with np.errstate(over="ignore"):
        narrow = columns.astype(np.float32)
    fits = ((narrow == columns) | np.isnan(columns)).all(axis=1)
    as_narrow, as_wide = iter(_each_shuffled(narrow[fits])), iter(_each_shuffled(columns[~fits]))
    found: list[tuple[int, bytes]] = []
    for row, beside in enumerate(exact):
        kind, shuffled_row = (FLOAT32, next(as_narrow)) if fits[row] else (FLOAT64, next(as_wide))
        packed = (kind, _quickly_squeezed(shuffled_row))
        found.append(pack_values(columns[row], beside) if beside else packed)
    return found


def _quickly_squeezed(data: memoryview) -> bytes:
    """``squeeze`` as fast as it goes, and with more care where there is something to win.

    Most losses are noise in all but their first bytes: care takes three times as long there, and
    saves a fiftieth, a fifteenth at most. Percents and counts it makes a third smaller.
    """
    packed = squeeze(data, _FASTEST)
    return packed if 2 * len(packed) > data.nbytes else squeeze(data, _FAST)


def pack_values(values: Floats, exact: Mapping[int, int]) -> tuple[int, bytes]:
    """Pack one metric's values; ``exact`` holds, by place, integers that float64 cannot.

    Returns how they are stored and the bytes. float32 where that loses nothing (NaN included).
    """
    if exact:
        whole = np.isfinite(values) & (np.floor(values) == values)
        if whole.all() and (np.abs(values) < 2.0**63).all():
            numbers = values.astype(np.int64)
            for place, number in exact.items():
                numbers[place] = number
            return INT64, pack_ints(numbers)
        # JSON's keys are text, so places and numbers lie side by side instead
        beside = orjson.dumps([list(exact.keys()), list(exact.values())])
        body = struct.pack("<I", len(beside)) + beside + shuffled(values)
        return MIXED, squeeze(body)
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    if np.array_equal(narrow.astype(np.float64), values, equal_nan=True):
        return FLOAT32, squeeze(shuffled(narrow))
    return FLOAT64, squeeze(shuffled(values))


def unpack_values(kind: int, data: bytes) -> tuple[Floats, dict[int, int]]:
    """Undo ``pack_values``."""
    if kind == FLOAT32:
        return unshuffled(unsqueeze(data), "<f4").astype(np.float64), {}
    if kind == FLOAT64:
        return unshuffled(unsqueeze(data), "<f8"), {}
    if kind == INT64:
        numbers = unpack_ints(data)
        values = numbers.astype(np.float64)
        large = np.nonzero(np.abs(values) >= EXACT)[0]
        return values, {int(at): int(numbers[at]) for at in large}
    raw = unsqueeze(data)
    (length,) = struct.unpack_from("<I", raw)
    places, kept = orjson.loads(raw[4 : 4 + length])
    return unshuffled(raw[4 + length :], "<f8"), dict(zip(places, kept, strict=True))


def unpack_lines(tables: Sequence[bytes], height: int, lines: slice) -> Floats:
    """Some lines of packed tables, unsqueezed already, side by side.

    Of what lies the shuffled way only what is asked for is gone through.
    """
    found: list[Floats] = []
    for _, alike in groupby(tables, len):
        some = list(alike)
        whole = np.frombuffer(b"".join(some), np.uint8)
        seen = whole.reshape(len(some), 8, height, -1)[:, :, lines]
        flat = np.empty((seen.shape[2], len(some), seen.shape[3], 8), np.uint8)
        for nth in range(8):  # a third faster than all eight in one go
            flat[..., nth] = seen[:, nth].transpose(1, 0, 2)
        found.append(flat.view(np.float64).reshape(len(flat), -1))
    return found[0] if len(found) == 1 else np.concatenate(found, axis=1)


@dataclass(slots=True)
class Block(Numbered):
    """Records that carry the same metrics.

    ``kids`` are the metrics' numbers within the run, ``rows`` the records' places in the batch (so
    that the order among blocks is known), ``exact`` the integers, by (row, column), that float64
    cannot hold.
    """

    kids: NDArray[np.int32]
    rows: NDArray[np.int32]
    numbers: Floats
    exact: Mapping[tuple[int, int], int]


def pack_blocks(blocks: Sequence[Block]) -> bytes:
    """Pack a batch for the tail: as it is, since the fold soon packs it small.

    zstd took a tenth of an ingest's processor time here, and of 20 records of 40 metrics it saved
    no page: rows of its length fill SQLite's pages badly.
    """
    parts: list[bytes] = []
    for block in blocks:
        beside = b""
        if block.exact:
            beside = orjson.dumps([[r, c, number] for (r, c), number in block.exact.items()])
        parts += (
            _HEAD.pack(len(block.rows), len(block.kids), len(beside)),
            block.numbers.tobytes(),
            block.kids.tobytes(),
            block.rows.tobytes(),
            beside,
        )
    return b"".join(parts)


def unpack_blocks(data: bytes) -> list[Block]:
    """Undo ``pack_blocks``."""
    blocks: list[Block] = []
    at = 0
    while at < len(data):
        count, width, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        numbers = np.frombuffer(data, np.float64, count * (HEAD + width), at)
        at += numbers.nbytes
        kids = np.frombuffer(data, np.int32, width, at)
        at += kids.nbytes
        rows = np.frombuffer(data, np.int32, count, at)
        at += rows.nbytes
        exact = {}
        if length:
            exact = {(r, c): number for r, c, number in orjson.loads(data[at : at + length])}
        at += length
        blocks.append(Block(kids, rows, numbers.reshape(count, HEAD + width), exact))
    return blocks
