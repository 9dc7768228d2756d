"""Writes PNG, still and animated, with zlib alone (W3C PNG, third edition)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}
_UP = 2


def write(file: BinaryIO, pixels: Any, *, level: int = 6) -> None:
    """Write one picture: an array of height × width (× 1, 2, 3 or 4) of uint8 or uint16."""
    file.write(_SIGNATURE + _header(pixels))
    file.writelines(_chunk(b"IDAT", data) for data in _compressed(pixels, level))
    file.write(_chunk(b"IEND", b""))


def write_raw(file: BinaryIO, data: bytes, width: int, height: int, channels: int) -> None:
    """Write one picture of 8 bits a channel that lies row by row in ``data``, without NumPy."""
    stride = width * channels
    if len(data) != stride * height:
        raise ValueError(f"{len(data)} bytes are no picture of {width} × {height} × {channels}")
    rows = b"".join(b"\0" + data[at : at + stride] for at in range(0, len(data), stride) if stride)
    head = struct.pack(">IIBBBBB", width, height, 8, _COLOURS[channels], 0, 0, 0)
    file.write(_SIGNATURE + _chunk(b"IHDR", head))
    file.write(_chunk(b"IDAT", zlib.compress(rows, 6)) + _chunk(b"IEND", b""))


def write_animated(file: BinaryIO, frames: Iterator[Any], count: int, fps: float) -> None:
    """Write frames of one size as an animation that goes on for ever."""
    number = 0
    for at, pixels in enumerate(frames):
        if at == 0:
            file.write(_SIGNATURE + _header(pixels))
            file.write(_chunk(b"acTL", struct.pack(">II", count, 0)))
        height, width = pixels.shape[:2]
        control = struct.pack(
            ">IIIIIHHBB", number, width, height, 0, 0, 1000, min(65535, round(fps * 1000)), 0, 0
        )
        file.write(_chunk(b"fcTL", control))
        number += 1
        for data in _compressed(pixels, 6):
            if at == 0:
                file.write(_chunk(b"IDAT", data))
            else:
                file.write(_chunk(b"fdAT", struct.pack(">I", number) + data))
                number += 1
    file.write(_chunk(b"IEND", b""))


def _header(pixels: Any) -> bytes:
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    depth = 8 * pixels.dtype.itemsize
    return _chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, depth, _COLOURS[channels], 0, 0, 0)
    )


def _compressed(pixels: Any, level: int) -> Iterator[bytes]:
    """The picture's rows, each as what it differs from the one above, compressed in pieces."""
    import numpy as np

    if pixels.dtype.itemsize == 2:
        pixels = pixels.astype(">u2")
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(pixels.shape[0], -1)
    squeeze = zlib.compressobj(level)
    piece = max(1, (1 << 20) // (rows.shape[1] + 1))
    for at in range(0, len(rows), piece):
        some = rows[at : at + piece]
        lines = np.empty((len(some), rows.shape[1] + 1), np.uint8)
        lines[:, 0] = _UP
        lines[1:, 1:] = some[1:] - some[:-1]
        lines[0, 1:] = some[0] - rows[at - 1] if at else some[0]
        data = squeeze.compress(lines.tobytes())
        if data:
            yield data
    yield squeeze.flush()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
