"""Config and summary values as typed cells of the attribute table, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, NamedTuple

import orjson

from outrider.journal.line import word

HEAD = 64
"""How many characters of a text are in the index."""

EXACT = 1 << 53
"""Beyond this a float has not every integer."""

_WORDS = {"NaN": None, "Infinity": float("inf"), "-Infinity": float("-inf")}


class Cell(NamedTuple):
    """A value as the attribute table holds it: number and head are what filter and sort see."""

    type: str
    number: float | None
    head: str | None
    body: str | None


def cell(value: Any) -> Cell:
    """Return the cell for a plain JSON value (the words for non-finite floats are floats)."""
    if value is None:
        return Cell("null", None, None, None)
    if isinstance(value, bool):
        return Cell("bool", float(value), None, None)
    if isinstance(value, int):
        return Cell("int", float(value), None, None if -EXACT <= value <= EXACT else str(value))
    if isinstance(value, float):
        return Cell("float", value, None, None) if isfinite(value) else cell(word(value))
    if isinstance(value, str):
        if value in _WORDS:
            return Cell("float", _WORDS[value], None, value)
        return Cell("text", None, value[:HEAD], value if len(value) > HEAD else None)
    return Cell("json", None, None, orjson.dumps(value).decode())


def value_of(found: Cell) -> Any:
    """Undo ``cell``; non-finite floats come as words, as JSON has no form for them."""
    kind, number, head, body = found
    if kind == "float":
        return body if body is not None else number
    if kind == "int":
        return int(body) if body is not None else int(number or 0)
    if kind == "bool":
        return bool(number)
    if kind == "text":
        return body if body is not None else head
    return orjson.loads(body) if kind == "json" and body is not None else None


def column_type(kind: str) -> str:
    """The word for a cell's type that the page shows."""
    return {"int": "number", "float": "number", "bool": "boolean"}.get(kind, kind)


def flat(nested: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings, their keys joined with dots."""
    for key, value in nested.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def order(value: Any) -> tuple[int, float, str]:
    """Where a value stands among others: numbers, texts, everything else, and last what is missing."""
    if value is None:
        return (3, 0.0, "")
    if isinstance(value, (bool, int, float)):
        return (0, float(value), "")
    return (1, 0.0, value) if isinstance(value, str) else (2, 0.0, repr(value))
