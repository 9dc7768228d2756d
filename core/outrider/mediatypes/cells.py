"""Turns the cells of a table into columns of one type each, and into lines.

A column's type is ``number``, ``text``, ``boolean``, ``media`` or ``json``. Cells of media are
``{"type": ..., "part": n}``, where n counts the media of the whole table; cells of a ``json``
column are plain data. NaN and infinities stand as words, as everywhere in a journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, Any

import orjson

from outrider import values
from outrider.journal.line import word
from outrider.mediatypes.base import MediaError

if TYPE_CHECKING:
    from outrider.mediatypes.spool import Spool

MAX_PARTS = 10_000
"""How many media one table holds."""

MAX_BYTES = 128 << 20
"""The longest file of rows."""

_TEXT = 64 << 10
_KINDS = {bool: "boolean", int: "number", float: "number", str: "text", type(None): ""}
_INT64 = 1 << 63


class Rows:
    """The rows of a table, each as its line."""

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[Any]], spool: Spool) -> None:
        self.parts: list[dict[str, Any]] = []
        self._spool = spool
        self._kinds: list[set[str]] = [set() for _ in columns]
        self._lines: list[bytes] = []
        self.size = 0
        plain = _plain_kinds(columns, rows)
        if plain is not None:
            self._kinds = plain
        for row in rows:
            line = orjson.dumps(
                row if plain else [self._cell(at, value) for at, value in enumerate(row)]
            )
            if self.size + len(line) > MAX_BYTES:
                break
            self._lines.append(line)
            self.size += len(line) + 1
        self.count = len(self._lines)
        self.left_out = len(rows) - self.count
        self.columns = [
            {"name": name, "type": _type(kinds)}
            for name, kinds in zip(columns, self._kinds, strict=True)
        ]

    def inline(self) -> list[Any]:
        """The rows as plain data."""
        return [orjson.loads(line) for line in self._lines]

    def file(self, head: dict[str, Any]) -> bytes:
        """The head's line and the rows' lines."""
        return b"\n".join([orjson.dumps(head), *self._lines, b""])

    def _cell(self, column: int, value: Any) -> Any:
        if value is None:
            return None
        kind, plain = self._plain(value)
        self._kinds[column].add(kind)
        return plain

    def _plain(self, value: Any) -> tuple[str, Any]:
        if isinstance(value, bool):
            return "boolean", value
        if isinstance(value, (int, float)):
            return "number", _number(value)
        if isinstance(value, str):
            return "text", values.text(value) if len(value) < 16_000 else _long(value)
        if not isinstance(value, (list, tuple, dict, bytes)):
            try:
                converted = values.number(value) if not values.is_media(value) else value
            except Exception:
                converted = None
            if converted is not None and values.is_media(converted):
                return "media", self._media(converted)
            if isinstance(converted, (int, float, str)):
                is_truth = getattr(getattr(value, "dtype", None), "kind", "") == "b"
                return ("boolean", bool(converted)) if is_truth else ("number", converted)
        plain = values.plain(value)
        return ("text" if isinstance(plain, str) else "json"), plain

    def _media(self, media: Any) -> Any:
        if media.kind == "table":
            raise MediaError("a table cannot hold a table")
        if len(self.parts) >= MAX_PARTS:
            if len(self.parts) == MAX_PARTS:
                from outrider.notice import say_once

                say_once("table media", f"a table holds at most {MAX_PARTS:,} media; others go")
            return None
        self.parts.append({"type": media.kind, **media.part(self._spool)})
        return {"type": media.kind, "part": len(self.parts) - 1}


def _plain_kinds(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[set[str]] | None:
    """The kinds of each column where all cells are what JSON has a form for; this is the quick way
    for the long tables. None where one is not, or where one needs a closer look."""
    found = []
    for at in range(len(columns)):
        cells = [row[at] for row in rows]
        types = set(map(type, cells))
        if not types <= _KINDS.keys():
            return None
        if float in types:
            total = sum(cell for cell in cells if type(cell) is float)
            if total - total != 0:
                return None
        try:
            orjson.dumps(cells)
        except TypeError:  # a text that is no Unicode, a number beyond 64 bits
            return None
        found.append({_KINDS[kind] for kind in types} - {""})
    return found


def _type(kinds: set[str]) -> str:
    return next(iter(kinds)) if len(kinds) == 1 else "json" if kinds else "text"


def _number(value: Any) -> int | float | str:
    if isinstance(value, float):
        return float(value) if isfinite(value) else word(value)
    return int(value) if -_INT64 <= value < _INT64 else float(value)


def _long(text: str) -> str:
    return "".join(islice(text, _TEXT)).encode("utf-8", "replace").decode()
