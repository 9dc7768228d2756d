"""The media of runs: which records there are, found by key and step, and the rows of tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from outrider.errors import NotFound, UsageError
from outrider.reading import media as told
from outrider_server.store.files import read_by_spool

if TYPE_CHECKING:
    from outrider.journal.record import Record
    from outrider_server.blobs import Blobs
    from outrider_server.store.records import Applying

PAGE = 500
ROWS = 10_000


@dataclass(frozen=True, slots=True)
class MediaQuery:
    """What of a run's media is asked for; steps are included."""

    key: str | None = None
    min_step: int | None = None
    max_step: int | None = None
    after: str | None = None
    limit: int = PAGE


@dataclass(frozen=True, slots=True)
class TableQuery:
    """Which rows of a table are asked for, by which column they are sorted."""

    offset: int = 0
    limit: int = 100
    sort: str | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """A run's numbers and its contents."""

    db: sqlite3.Connection
    blobs: Blobs
    run: int
    project: int
    limits: Mapping[int, int]


def index_media(to: Applying, record: Record) -> None:
    """Note the record that was just kept. Raises ``ValueError`` for one that cannot be shown."""
    body = record.body
    if not told.is_media(body):
        raise ValueError("media need a key, a type and a step of 64 bits")
    to.db.execute(
        "INSERT INTO media (run, seq, key, step, type, attempt) VALUES (?, ?, ?, ?, ?, ?)",
        (
            to.run,
            to.track.records,
            body["key"],
            body["s"],
            body["type"],
            to.track.writers.get(to.writer, 1),
        ),
    )


def has_media(db: sqlite3.Connection, run: int) -> bool:
    """Whether a run has any."""
    row = db.execute("SELECT 1 FROM media WHERE run = ? LIMIT 1", (run,)).fetchone()
    return row is not None


def read_keys(where: Where) -> dict[str, Any]:
    """Every key with its type, how often it was logged, and at which steps."""
    shown, asked = _shown(where)
    rows = where.db.execute(
        f"SELECT key, type, count(*), min(step), max(step) FROM media m WHERE {shown}"  # noqa: S608 - the words are ours
        " GROUP BY key, type ORDER BY key, type",
        asked,
    )
    names = ("key", "type", "count", "first_step", "last_step")
    return {"keys": [dict(zip(names, row, strict=True)) for row in rows]}


def read_media(where: Where, query: MediaQuery) -> dict[str, Any]:
    """A page of a run's media by step; those that a later attempt hid are left out."""
    shown, asked = _shown(where)
    if query.key is not None:
        shown += " AND m.key = ?"
        asked.append(query.key)
    for name, sign in (("min_step", ">="), ("max_step", "<=")):
        bound = getattr(query, name)
        if bound is not None:
            shown += f" AND m.step {sign} ?"
            asked.append(bound)
    if query.after is not None:
        shown += " AND (m.step, m.seq) > (?, ?)"
        asked += _place(query.after)
    limit = max(1, min(query.limit, PAGE))
    rows = where.db.execute(
        "SELECT m.seq, m.step, r.body FROM media m JOIN record r ON r.run = m.run AND r.seq = m.seq"  # noqa: S608 - the words are ours
        f" WHERE {shown} ORDER BY m.step, m.seq LIMIT ?",
        (*asked, limit + 1),
    ).fetchall()
    more = len(rows) > limit
    rows = rows[:limit]
    bodies = [(seq, orjson.loads(body)) for seq, _, body in rows]
    names = [name for _, body in bodies for name in told.spools(told.parts_of(body))]
    files = read_by_spool(where.db, where.blobs, where.run, where.project, names)
    return {
        "media": [{"seq": seq, **told.shown(body, files)} for seq, body in bodies],
        "next": f"{rows[-1][1]}.{rows[-1][0]}" if more else None,
    }


def read_table(where: Where, seq: int, query: TableQuery) -> dict[str, Any]:
    """Some rows of the table in a record. Raises ``NotFound`` and ``UsageError``."""
    row = where.db.execute(
        "SELECT r.body FROM media m JOIN record r ON r.run = m.run AND r.seq = m.seq"
        " WHERE m.run = ? AND m.seq = ? AND m.type = 'table'",
        (where.run, seq),
    ).fetchone()
    if row is None:
        raise NotFound(f"there is no table {seq}", hint="the list of media names them")
    body = orjson.loads(row[0])
    columns = told.columns_of(body)
    try:
        sort = None if query.sort is None else told.sorting(columns, query.sort)
    except ValueError as error:
        there = ", ".join(column.name for column in columns)[:500]
        raise UsageError(str(error), hint=f"it has {there}") from None
    limit = max(0, min(query.limit, ROWS))
    inline = told.inline_rows(body)
    if inline is None:
        total = int(body["v"].get("rows") or 0) if isinstance(body.get("v"), dict) else 0
        rows = _rows_of_file(_file_of(where, body), query.offset, limit, sort)
    else:
        total = len(inline)
        if sort is not None:
            places = told.order([_cell(row, sort[0]) for row in inline], falls=sort[1])
            inline = [inline[at] for at in places]
        rows = inline[query.offset : query.offset + limit]
    cells = told.parts_of(body, "cells")
    wanted = [at for at in told.media_cells(columns, rows) if at < len(cells)]
    names = list(told.spools(cells[at] for at in wanted))
    files = read_by_spool(where.db, where.blobs, where.run, where.project, names)
    return {
        "key": body["key"],
        "step": body["s"],
        "columns": [column._asdict() for column in columns],
        "total": total,
        "left_out": int(body["v"].get("left_out") or 0) if isinstance(body.get("v"), dict) else 0,
        "offset": query.offset,
        "rows": told.with_media(columns, rows, lambda at: told.cell_shown(cells, at, files)),
    }


def _file_of(where: Where, body: Mapping[str, Any]) -> str:
    names = list(told.spools(told.parts_of(body)))
    files = read_by_spool(where.db, where.blobs, where.run, where.project, names[:1])
    file = files.get(names[0]) if names else None
    if file is None or not file["present"]:
        raise NotFound("the rows of this table have not arrived yet", hint="try again later")
    return where.blobs.place(where.project, file["sha256"])


def _rows_of_file(
    path: str, offset: int, limit: int, sort: tuple[int, bool] | None
) -> Sequence[Any]:
    """Some rows of a table's file; of the others nothing but the cell to sort by is in memory."""
    try:
        with open(path, "rb") as file:
            if sort is None:
                return list(islice(told.file_rows(file), offset, offset + limit))
            file.readline()
            starts, keys, at = [], [], file.tell()
            for line in file:
                starts.append(at)
                keys.append(_cell(orjson.loads(line), sort[0]))
                at += len(line)
            found = []
            for place in told.order(keys, falls=sort[1])[offset : offset + limit]:
                file.seek(starts[place])
                found.append(orjson.loads(file.readline()))
            return found
    except OSError:
        raise NotFound("the rows of this table are not there any more") from None
    except orjson.JSONDecodeError:
        raise NotFound("the rows of this table cannot be read: its file is no table") from None


def _cell(row: Any, at: int) -> Any:
    return row[at] if isinstance(row, list) and at < len(row) else None


def _shown(where: Where) -> tuple[str, list[Any]]:
    """What is not hidden by a later attempt."""
    words, asked = "m.run = ?", [where.run]
    for attempt, step in where.limits.items():
        words += " AND NOT (m.attempt = ? AND m.step > ?)"
        asked += [attempt, step]
    return words, asked


def _place(after: str) -> list[int]:
    step, _, seq = after.rpartition(".")
    try:
        return [int(step), int(seq)]
    except ValueError:
        raise UsageError(f"cursor {after!r:.40} is not one of ours") from None
