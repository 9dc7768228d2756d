"""Arithmetic of positions: what is acknowledged, what is not, and which batch comes next.

All of it takes and returns plain values. A cursor moves by an ack only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

BATCH_BYTES = 1 << 20
"""About the most raw bytes of one batch; a single record may be longer (up to 16 MiB)."""

PIECE_BYTES = 8 << 20
"""The longest line that stands in for a record too long for the server; see ``stand_in``."""


class Place(NamedTuple):
    """One segment of one writer."""

    writer: str
    segment: int


Offsets = dict[Place, int]


def offsets_from_json(found: object) -> Offsets:
    """Offsets as the server and delivery.json write them; what is not one is left out."""
    offsets: Offsets = {}
    if not isinstance(found, Mapping):
        return offsets
    for writer, segments in found.items():
        if not isinstance(segments, Mapping):
            continue
        for segment, offset in segments.items():
            if str(segment).isdecimal() and type(offset) is int and offset >= 0:
                offsets[Place(str(writer), int(segment))] = offset
    return offsets


def offsets_to_json(offsets: Mapping[Place, int]) -> dict[str, dict[str, int]]:
    """The inverse of ``offsets_from_json``."""
    found: dict[str, dict[str, int]] = {}
    for place, offset in sorted(offsets.items()):
        found.setdefault(place.writer, {})[str(place.segment)] = offset
    return found


def behind(sizes: Mapping[Place, int], acked: Mapping[Place, int]) -> int:
    """Bytes that lie here and are not acknowledged."""
    return sum(max(0, size - acked.get(place, 0)) for place, size in sizes.items())


def waiting(
    sizes: Mapping[Place, int], acked: Mapping[Place, int], torn: Mapping[Place, int]
) -> list[Place]:
    """Segments with something to send, in order; ``torn`` holds the size at which a segment had
    nothing but the beginning of a record behind its cursor."""
    return sorted(
        place
        for place, size in sizes.items()
        if size > acked.get(place, 0) and torn.get(place, -1) != size
    )


def next_place(places: list[Place], last: Place | None) -> Place:
    """Whose turn it is: the writer after the last one's, so that none starves behind a fast one;
    of that writer the earliest segment."""
    assert places
    if last is not None:
        for place in places:
            if place.writer > last.writer:
                return place
    return places[0]


def cut(data: bytes, limit: int) -> bytes:
    """The whole lines at the beginning of ``data`` that fit into ``limit``; one line at least."""
    if len(data) <= limit:
        return data
    end = data.rfind(b"\n", 0, limit) + 1
    return data[: end or data.find(b"\n") + 1]


def halve(data: bytes) -> bytes | None:
    """About the first half of a batch, in whole lines; None where it is a single record."""
    if data.count(b"\n") <= 1:
        return None
    half = cut(data, max(1, len(data) // 2))
    return half if len(half) < len(data) else data[: data.find(b"\n") + 1]


def stand_in(length: int, now: float, why: str) -> list[bytes]:
    """Lines of exactly ``length`` bytes in all, to send in the place of a record that the server
    refuses for its length: a gap record that counts it, padded, so that every offset stays true."""
    lines: list[bytes] = []
    left = length
    while left > 0:
        size = min(left, PIECE_BYTES)
        if 0 < left - size < 256:
            size -= 256
        count = 0 if lines else 1
        text = b'{"t":%.3f,"k":"gap","n":%d,"why":"%s"' % (now, count, _plain(why))
        if len(text) + 2 > size:  # a record this short is not refused for its length
            text = b'{"t":0,"k":"gap","n":%d' % count
        lines.append(text + b" " * (size - len(text) - 2) + b"}\n")
        left -= size
    return lines


def _plain(text: str) -> bytes:
    return "".join(c if c.isalnum() or c in " .,:()-" else " " for c in text)[:100].encode(
        "ascii", "replace"
    )


def vanished(
    known: Mapping[Place, int], offered: Mapping[Place, int], present: Iterable[Place]
) -> list[Place]:
    """Segments that are gone here and of which the server lacks something that was once acked."""
    here = set(present)
    return sorted(
        place
        for place, acked in known.items()
        if place not in here and offered.get(place, 0) < acked
    )


def missing(present: Iterable[Place], offered: Mapping[Place, int]) -> list[Place]:
    """Segments of which nothing is known anywhere, though the same writer has later ones here."""
    here = set(present)
    last: dict[str, int] = {}
    for writer, segment in here:
        last[writer] = max(last.get(writer, 0), segment)
    return [
        Place(writer, segment)
        for writer, top in sorted(last.items())
        for segment in range(1, top)
        if Place(writer, segment) not in here and Place(writer, segment) not in offered
    ]


def gap_for(place: Place, lost: int, what: str) -> dict[str, Any]:
    """The record that says that a part of a segment cannot be delivered any more."""
    how_much = f" ({lost} bytes)" if lost else ""
    return {
        "k": "gap",
        "n": 1,
        "why": f"segment {place.segment} of writer {place.writer} {what}{how_much} "
        "and the server does not have all of it",
        "of": [place.writer, place.segment],
    }
