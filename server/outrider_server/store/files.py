"""The files of runs: what ``file`` records tell, and which contents which run has sent.

``file`` holds a row for every version of every path; ``blob`` holds, for every run, the contents
that it has sent or that its project had already. A content goes from the disk when the last run of
its project that has it is deleted.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from outrider.errors import UsageError

if TYPE_CHECKING:
    from outrider.journal.record import Record
    from outrider_server.blobs import Blobs
    from outrider_server.store.records import Applying
    from outrider_server.store.writing import Writing

PAGE = 1000
SLICE = 200

_SHA256 = re.compile(r"[0-9a-f]{64}")
_COLUMNS = "n, path, sha256, size, type, role, state, why, t, meta"


@dataclass(frozen=True, slots=True)
class FilesQuery:
    """What of a run's files is asked for."""

    role: str | None = None
    prefix: str = ""
    versions: bool = False
    after: str | None = None
    limit: int = PAGE


@dataclass(frozen=True, slots=True)
class Content:
    """One content of a run: its numbers, the type of the file, and where it lies if it does."""

    project: int
    run: int
    type: str | None
    place: str


# --- writing --------------------------------------------------------------------------------


def apply_file(to: Applying, record: Record) -> None:
    """Take in a ``file`` record. Raises ``ValueError`` for one that says what cannot be."""
    body = record.body
    path, sha256, size = body.get("path"), body.get("sha256"), body.get("size")
    if not isinstance(path, str) or not path:
        raise ValueError("a file needs a path")
    if sha256 is not None and not (isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
        raise ValueError("sha256 is none")
    if size is not None and not (type(size) is int and 0 <= size < 1 << 62):
        raise ValueError("size is none")
    role, spool, meta = _text(body, "role") or "save", _text(body, "spool"), body.get("m")
    db, run = to.db, to.run
    (last,) = db.execute("SELECT coalesce(max(n), 0) FROM file WHERE run = ?", (run,)).fetchone()
    db.execute(
        "UPDATE file SET latest = 0 WHERE run = ? AND path = ? AND role = ? AND latest = 1",
        (run, path, role),
    )
    db.execute(
        "INSERT INTO file (run, n, path, sha256, size, type, role, state, why, t, meta, spool,"
        " latest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
        (
            run,
            last + 1,
            path,
            sha256,
            size,
            _text(body, "type"),
            role,
            _text(body, "state") or "ok",
            _text(body, "why"),
            record.t,
            orjson.dumps(meta).decode() if isinstance(meta, dict) else None,
            spool,
        ),
    )
    to.kinds.add("file")


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) else None


def claim(
    to: Writing, blobs: Blobs, project: str, run_id: str, contents: Iterable[str]
) -> list[str]:
    """Note that a run has the contents that lie there whole; returns the others.

    Done in the writer's thread, as is ``release``: what is claimed here is not removed meanwhile.
    Raises ``UnknownRun``.
    """
    track = to.arriving(project, run_id)
    missing = []
    for sha256 in contents:
        if not blobs.has(track.project, sha256):
            missing.append(sha256)
            continue
        to.db.execute(
            "INSERT INTO blob (run, sha256, project) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (track.run, sha256, track.project),
        )
    return missing


def contents_of(db: sqlite3.Connection, run: int) -> list[str]:
    """The contents that a run has sent."""
    return [row[0] for row in db.execute("SELECT sha256 FROM blob WHERE run = ?", (run,))]


def release(to: Writing, blobs: Blobs, project: int, contents: Sequence[str]) -> None:
    """Remove those of a deleted run's contents from the disk that no other run has."""
    for sha256 in contents:
        if not is_claimed(to.db, project, sha256):
            blobs.drop(project, sha256)


def is_claimed(db: sqlite3.Connection, project: int, sha256: str) -> bool:
    """Whether any run of a project has a content."""
    found = db.execute(
        "SELECT 1 FROM blob WHERE project = ? AND sha256 = ? LIMIT 1", (project, sha256)
    ).fetchone()
    return found is not None


# --- reading --------------------------------------------------------------------------------


def read_files(
    db: sqlite3.Connection, blobs: Blobs, run: int, project: int, query: FilesQuery
) -> dict[str, Any]:
    """A page of a run's files by path, the latest of each or all versions. Raises ``UsageError``."""
    limit = max(1, min(query.limit, PAGE))
    asked: list[Any] = [run]
    where = "run = ?"
    if query.role is not None:
        where += " AND role = ?"
        asked.append(query.role)
    if query.prefix:
        where += " AND path >= ? AND substr(path, 1, ?) = ?"
        asked += [query.prefix, len(query.prefix), query.prefix]
    if not query.versions:
        where += " AND latest = 1"
    if query.after is not None:
        where += " AND (path, n) > (?, ?)"
        asked += _place(db, run, query.after)
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM file WHERE {where} ORDER BY path, n LIMIT ?",  # noqa: S608 - the words are ours
        (*asked, limit + 1),
    ).fetchall()
    more = len(rows) > limit
    rows = rows[:limit]
    return {
        "files": [shown(row, blobs, project) for row in rows],
        "next": str(rows[-1][0]) if more else None,
    }


def _place(db: sqlite3.Connection, run: int, after: str) -> tuple[str, int]:
    number = int(after) if after.isascii() and after.isdigit() and len(after) < 18 else -1
    row = db.execute("SELECT path, n FROM file WHERE run = ? AND n = ?", (run, number)).fetchone()
    if row is None:
        raise UsageError(f"cursor {after!r:.40} is not one of ours")
    return str(row[0]), int(row[1])


def shown(row: Sequence[Any], blobs: Blobs, project: int) -> dict[str, Any]:
    """A row of ``file`` as the API tells it."""
    _, path, sha256, size, kind, role, state, why, t, meta = row
    return {
        "path": path,
        "sha256": sha256,
        "size": size,
        "type": kind,
        "role": role,
        "state": state,
        "why": why,
        "t": t,
        "present": sha256 is not None and blobs.has(project, sha256),
        "meta": orjson.loads(meta) if meta else {},
    }


def read_by_spool(
    db: sqlite3.Connection, blobs: Blobs, run: int, project: int, names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The files that were told under these names of the spool, by name."""
    found: dict[str, dict[str, Any]] = {}
    for at in range(0, len(names), SLICE):
        some = names[at : at + SLICE]
        marks = ", ".join("?" * len(some))
        rows = db.execute(
            f"SELECT spool, {_COLUMNS} FROM file WHERE run = ? AND spool IN ({marks})",  # noqa: S608 - only marks
            (run, *some),
        )
        for spool, *row in rows:
            found[spool] = shown(row, blobs, project)
    return found


def type_of(db: sqlite3.Connection, run: int, sha256: str) -> tuple[bool, str | None]:
    """Whether a run has, or tells of, a content, and of which type its latest file is."""
    row = db.execute(
        "SELECT type FROM file WHERE run = ? AND sha256 = ? ORDER BY n DESC LIMIT 1", (run, sha256)
    ).fetchone()
    if row is not None:
        return True, row[0]
    sent = db.execute("SELECT 1 FROM blob WHERE run = ? AND sha256 = ?", (run, sha256)).fetchone()
    return sent is not None, None


def count_files(db: sqlite3.Connection, run: int) -> int:
    """How many paths were saved."""
    (count,) = db.execute(
        "SELECT count(*) FROM file WHERE run = ? AND role = 'save' AND latest = 1", (run,)
    ).fetchone()
    return int(count)


def count_artifacts(db: sqlite3.Connection, run: int) -> int:
    """How many paths were saved with metadata or aliases."""
    (count,) = db.execute(
        "SELECT count(DISTINCT path) FROM file WHERE run = ? AND role = 'save' AND meta IS NOT NULL",
        (run,),
    ).fetchone()
    return int(count)
