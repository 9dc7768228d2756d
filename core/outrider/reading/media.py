"""What a ``media`` record says, made whole with what became of its files: one form for all readers.

    {"t", "step", "key", "type", "parts": [...], "value": ...}

A part says ``sha256``, ``size`` and ``type`` of its file (None while it is being made), ``present``
(whether its bytes can be read here), ``state`` (``ok``, ``local``, ``pending``, or why there is
none, with ``why``), and what the trainer said of it: ``caption``, ``width``, ``height``, ``masks``
(parts of their own), ``boxes``, ``fps``, ``frames``, ``rate``, ``channels``, ``seconds``. ``value`` is
what stood in the record itself: of a histogram, a short text or a small table. In a list of these
each part has a ``value`` of its own.

The server has these rules from here, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import Any, NamedTuple

import orjson

_OWN = frozenset(("spool", "encoding", "as", "normalize", "mode", "v", "masks"))
_WORDS = {"NaN": inf, "Infinity": inf, "-Infinity": -inf}

Files = Mapping[str, Mapping[str, Any]]
"""Files by their name in the spool: ``sha256``, ``size``, ``type``, ``state``, ``why``, ``present``."""


class Column(NamedTuple):
    """A column of a table; ``type`` is number, text, boolean, media or json."""

    name: str
    type: str


def spools(parts: Iterable[Any]) -> Iterator[str]:
    """The names in the spool that parts, and their masks, wait for."""
    for part in parts:
        if isinstance(part, dict):
            if isinstance(part.get("spool"), str):
                yield part["spool"]
            masks = part.get("masks")
            if isinstance(masks, dict):
                yield from spools(masks.values())


def parts_of(body: Mapping[str, Any], name: str = "parts") -> list[dict[str, Any]]:
    """A record's parts (or ``cells``), whatever its writer put there."""
    found = body.get(name)
    return [part for part in found if isinstance(part, dict)] if isinstance(found, list) else []


def part_shown(part: Mapping[str, Any], files: Files) -> dict[str, Any]:
    """One part with its file."""
    said = {key: value for key, value in part.items() if key not in _OWN}
    if "v" in part:
        said["value"] = part["v"]
    if isinstance(part.get("spool"), str):
        file = files.get(part["spool"], {"state": "pending"})
        for name in ("sha256", "size", "type"):
            said[name] = file.get(name)
        said["present"] = bool(file.get("present", False))
        said["state"] = file.get("state", "ok")
        if file.get("why") is not None:
            said["why"] = file["why"]
    masks = part.get("masks")
    if isinstance(masks, dict):
        said["masks"] = {
            str(name): part_shown(mask, files)
            for name, mask in masks.items()
            if isinstance(mask, dict)
        }
    return said


def shown(body: Mapping[str, Any], files: Files) -> dict[str, Any]:
    """A record as readers see it."""
    return {
        "t": body.get("t"),
        "step": body.get("s"),
        "key": body.get("key"),
        "type": body.get("type"),
        "parts": [part_shown(part, files) for part in parts_of(body)],
        "value": body.get("v"),
    }


def is_media(body: Mapping[str, Any]) -> bool:
    """Whether a record of the kind ``media`` can be shown: it has a key, a type and a step."""
    step = body.get("s")
    return (
        isinstance(body.get("key"), str)
        and bool(body["key"])
        and isinstance(body.get("type"), str)
        and type(step) is int
        and -(1 << 63) <= step < 1 << 63
    )


# --- tables ---------------------------------------------------------------------------------


def columns_of(body: Mapping[str, Any]) -> list[Column]:
    """A table's columns."""
    value = body.get("v")
    found = value.get("columns") if isinstance(value, dict) else None
    return [
        Column(str(one.get("name")), str(one.get("type")))
        for one in (found if isinstance(found, list) else ())
        if isinstance(one, dict)
    ]


def inline_rows(body: Mapping[str, Any]) -> list[Any] | None:
    """The rows that stand in the record itself, or None where they are in a file."""
    value = body.get("v")
    rows = value.get("data") if isinstance(value, dict) else None
    return rows if isinstance(rows, list) else None


def file_rows(lines: Iterable[bytes]) -> Iterator[Any]:
    """The rows in a table's file: all its lines but the first, which says its columns."""
    for at, line in enumerate(lines):
        if at and line.strip():
            yield orjson.loads(line)


def sort_key(cell: Any) -> tuple[int, Any]:
    """What to sort cells by: nothing last, then numbers before texts before all else; NaN is the
    largest number."""
    if cell is None:
        return (9, 0)
    if isinstance(cell, (bool, int, float)):
        return (0, cell)
    if isinstance(cell, str):
        return (0, _WORDS[cell]) if cell in _WORDS else (1, cell)
    return (2, orjson.dumps(cell))


def sorting(columns: Sequence[Column], sort: str) -> tuple[int, bool]:
    """The number of the column that ``sort`` names, and whether it falls (``-`` before it).

    Raises ``ValueError`` where there is none of that name.
    """
    names = [column.name for column in columns]
    if sort in names:
        return names.index(sort), False
    if sort.startswith("-") and sort[1:] in names:
        return names.index(sort[1:]), True
    raise ValueError(f"the table has no column {sort.lstrip('-')!r}")


def order(keys: Sequence[Any], *, falls: bool) -> list[int]:
    """The numbers of the rows in the order of their cells; equal ones, and None, as they came."""
    marks = [sort_key(cell) for cell in keys]
    there = [at for at, mark in enumerate(marks) if mark[0] != 9]
    there.sort(key=lambda at: marks[at], reverse=falls)
    return there + [at for at, mark in enumerate(marks) if mark[0] == 9]


def media_cells(columns: Sequence[Column], rows: Iterable[Any]) -> Iterator[int]:
    """Which of a table's media these rows hold."""
    places = [at for at, column in enumerate(columns) if column.type == "media"]
    for row in rows:
        for at in places:
            number = _media_number(row, at)
            if number is not None:
                yield number


def _media_number(row: Any, at: int) -> int | None:
    cell = row[at] if isinstance(row, list) and at < len(row) else None
    number = cell.get("part") if isinstance(cell, dict) else None
    return number if type(number) is int and number >= 0 else None


def with_media(
    columns: Sequence[Column], rows: Iterable[Any], media: Callable[[int], dict[str, Any] | None]
) -> list[list[Any]]:
    """Rows whose cells of media are the parts: what ``part_shown`` gives and ``media``, its kind."""
    places = [at for at, column in enumerate(columns) if column.type == "media"]
    found = []
    for row in rows:
        cells = list(row) if isinstance(row, list) else []
        for at in places:
            number = _media_number(row, at)
            if at < len(cells):
                cells[at] = None if number is None else media(number)
        found.append(cells)
    return found


def cell_shown(cells: Sequence[Mapping[str, Any]], number: int, files: Files) -> Any:
    """One medium of a table."""
    if number >= len(cells):
        return None
    part = {key: value for key, value in cells[number].items() if key != "type"}
    return {**part_shown(part, files), "media": cells[number].get("type")}
