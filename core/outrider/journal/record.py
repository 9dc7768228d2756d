"""One record is one JSON line; this module turns lines into records (``line`` makes them).

The format is documented in docs/file-format.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf, nan
from typing import Any, NamedTuple

import orjson

POINTS = "points"
"""The kind of a record that carries metric values (it has no ``k``)."""

_MARK = b'{"t":'
_WORDS = {"NaN": nan, "Infinity": inf, "-Infinity": -inf}
_INT64 = 1 << 63


class Damaged(ValueError):
    """A line cannot be read as a record; the reason is its message."""


class Record(NamedTuple):
    """A record as it was read: time (unix seconds), kind, all its keys, and whether it was
    salvaged from behind a torn one (which is then lost and counts as a gap)."""

    t: float
    kind: str
    body: dict[str, Any]
    torn: bool = False


def number(value: object) -> int | float:
    """Return a point's value as the number it stands for.

    Raises ``Damaged`` for anything that is not a number, a truth value or one of the words.
    """
    if isinstance(value, float):
        return value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value if -_INT64 <= value < _INT64 else float(value)
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    raise Damaged(f"{value!r:.60} is not a number")


def numbers(points: Mapping[str, Any]) -> dict[str, int | float]:
    """Return a points record's ``p`` as numbers; values that are none are left out."""
    kept: dict[str, int | float] = {}
    for key, value in points.items():
        try:
            kept[key] = number(value)
        except Damaged:
            continue
    return kept


def decode(line: bytes) -> Record:
    """Return the record on one line (with or without its newline).

    A line that holds a torn record and, glued behind it, a whole one gives the whole one with
    ``torn=True``. Raises ``Damaged`` with a reason where nothing can be read.
    """
    try:
        return checked(orjson.loads(line))
    except orjson.JSONDecodeError as error:
        reason = f"not JSON: {error}"
    at = line.rfind(_MARK)
    while at > 0:
        try:
            return checked(orjson.loads(line[at:]), torn=True)
        except (orjson.JSONDecodeError, Damaged):
            at = line.rfind(_MARK, 0, at)
    raise Damaged(reason)


def checked(body: object, *, torn: bool = False) -> Record:
    """A record of the shape that every reader relies on: an object, a time, an integer step, a map
    of points. Raises ``Damaged`` for anything else."""
    if type(body) is not dict:
        raise Damaged("not an object")
    time = body.get("t")
    if type(time) is int:
        time = float(time)
    if type(time) is not float:
        raise Damaged("no time: 't' must be unix seconds")
    kind = body.get("k", POINTS)
    if type(kind) is not str or not kind:
        raise Damaged("'k' must be a word")
    if kind == POINTS:
        step = body.get("s")
        if type(step) is not int or not -_INT64 <= step < _INT64:
            raise Damaged("'s' must be a 64-bit integer")
        if type(body.get("p")) is not dict:
            raise Damaged("'p' must be an object of numbers")
    elif kind == "sys" and type(body.get("p")) is not dict:
        raise Damaged("'p' must be an object of numbers")
    return Record(time, kind, body, torn)


def is_final_end(end: Mapping[str, Any]) -> bool:
    """Whether a writer's own ``end`` record leaves nothing to learn from the kernel.

    At the exit of the interpreter its code is not known yet, and the record carries none: then
    what was seen of the process from outside stands above it.
    """
    return not (
        end.get("state") == "finished" and end.get("code") is None and end.get("signal") is None
    )


def lines(data: bytes) -> Iterator[bytes]:
    """The whole lines of ``data``, without newlines and without empty ones; a torn tail is left."""
    start = 0
    find = data.find
    while (end := find(b"\n", start)) >= 0:
        if end > start:
            yield data[start:end]
        start = end + 1
