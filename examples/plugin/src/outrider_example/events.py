"""TensorBoard's event files, as far as scalars need them: protocol buffers in framed records.

The frame is TFRecord's: length, masked CRC-32C of the length, data, masked CRC-32C of the data.
The data is an ``Event`` of tensorflow/core/util/event.proto.
"""

import struct


def _table() -> list[int]:
    found = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        found.append(value)
    return found


_CRC32C = _table()


def masked_crc(data: bytes) -> int:
    """CRC-32C of the data, masked as TFRecord does."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC32C[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def framed(data: bytes) -> bytes:
    """One record of a TFRecord file."""
    length = struct.pack("<Q", len(data))
    return b"".join(
        (length, struct.pack("<I", masked_crc(length)), data, struct.pack("<I", masked_crc(data)))
    )


def _varint(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF  # a negative int64 takes ten bytes
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _bytes(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def version_event(time: float) -> bytes:
    """The event that every file begins with (wall_time = 1, file_version = 3)."""
    return b"\x09" + struct.pack("<d", time) + _bytes(3, b"brain.Event:2")


def scalar_event(time: float, step: int, values: dict[str, float]) -> bytes:
    """Scalars of one step (wall_time = 1, step = 2, summary = 5; tag = 1, simple_value = 2)."""
    summary = b"".join(
        _bytes(1, _bytes(1, tag.encode()) + b"\x15" + struct.pack("<f", _float32(value)))
        for tag, value in values.items()
    )
    return b"\x09" + struct.pack("<d", time) + b"\x10" + _varint(step) + _bytes(5, summary)


def _float32(value: float) -> float:
    try:
        struct.pack("<f", value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return value
