"""What the store says of projects and of one run in full."""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson

from outrider.errors import NotFound, UsageError
from outrider.reading.ends import told
from outrider.reading.summary import definition, definition_for
from outrider_server.store import alerts
from outrider_server.store.aggregates import project_definitions
from outrider_server.store.console import count_lines
from outrider_server.store.counts import COLUMNS
from outrider_server.store.files import count_artifacts, count_files
from outrider_server.store.media import has_media
from outrider_server.store.records import end_of
from outrider_server.store.track import read_document
from outrider_server.store.values import Cell, column_type, value_of

RECORDS_PAGE = 1000


def read_projects(db: sqlite3.Connection) -> dict[str, Any]:
    """Every project that has runs, the one that changed last first."""
    rows = db.execute(
        "SELECT p.name, count(*), sum(r.state = 'running'), max(r.updated)"
        " FROM run r JOIN project p ON p.project = r.project GROUP BY p.project ORDER BY 4 DESC"
    )
    return {
        "projects": [
            {"name": name, "runs": runs, "running": running, "updated": updated}
            for name, runs, running, updated in rows
        ]
    }


def project_number(db: sqlite3.Connection, name: str) -> int | None:
    """A project's number."""
    row = db.execute("SELECT project FROM project WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else None


def read_columns(db: sqlite3.Connection, project: int) -> dict[str, Any]:
    """Everything that the runs of a project can be asked for."""
    found: dict[str, Any] = {"config": [], "summary": [], "metrics": [], "system": []}
    by_key: dict[tuple[str, str], dict[str, Any]] = {}
    rows = db.execute(
        "SELECT name, type, count(*) FROM attribute"
        " WHERE name IN (SELECT name FROM attribute_name WHERE project = ?) GROUP BY name, type",
        (project,),
    )
    names = {
        name: (kind, key)
        for name, kind, key in db.execute(
            "SELECT name, kind, key FROM attribute_name WHERE project = ?", (project,)
        )
    }
    for kind, key, stored, runs in sorted((*names[name], kind, n) for name, kind, n in rows):
        column = by_key.get((kind, key))
        if column is None:
            column = by_key[kind, key] = {"key": key, "types": [], "runs": 0}
            found[kind].append(column)
        name = column_type(stored)
        if name not in column["types"]:
            column["types"].append(name)
        column["runs"] += runs
    definitions = project_definitions(db, project)
    metrics = db.execute(
        "SELECT m.system, m.key, count(*), sum(m.points) FROM metric m JOIN run r ON r.run = m.run"
        " WHERE r.project = ? GROUP BY m.system, m.key ORDER BY m.system, m.key",
        (project,),
    )
    for system, key, runs, points in metrics:
        column = {"key": key, "runs": runs, "points": points}
        if system:
            found["system"].append(column)
        else:
            known = definition_for(key, definitions)
            column["hidden"] = known.hidden if known else False
            column["step"] = known.step if known else None
            found["metrics"].append(column)
    return found


def read_detail(db: sqlite3.Connection, row: dict[str, Any], run: int) -> dict[str, Any]:
    """A run's row made whole: config, summary, metrics, writers, attempts, hosts, end."""
    (creator,) = db.execute("SELECT writer FROM run WHERE run = ?", (run,)).fetchone()
    meta = read_document(db, run, "meta", {})
    writers, end = _writers(db, run, creator)
    detail = dict(row)
    del detail["metric"]
    detail["config"] = read_document(db, run, "config", {})
    detail["summary"] = {
        **_automatic(db, run),
        **read_document(db, run, "summary", {}),
    }
    detail["metrics"] = _metrics(db, run)
    detail["writers"] = writers
    detail["hosts"] = read_document(db, run, "hosts", {})
    detail["end"] = told(end)
    detail["attempts"] = [
        {"a": a, "rewind": rewind, "t": t}
        for a, rewind, t in db.execute(
            "SELECT attempt, rewind, t FROM attempt WHERE run = ? ORDER BY attempt", (run,)
        )
    ]
    detail["has"] = {
        "files": count_files(db, run),
        "artifacts": count_artifacts(db, run),
        "code": has_records(db, run, "code"),
        "media": has_media(db, run),
        "console": count_lines(db, run) > 0,
        "alerts": alerts.count(db, run),
    }
    for name in ("program", "argv", "python", "cwd", "adapter", "outrider"):
        detail[name] = meta.get(name)
    return detail


def _automatic(db: sqlite3.Connection, run: int) -> dict[str, Any]:
    """The summary values of metrics (those that a script set are in its own document)."""
    rows = db.execute(
        "SELECT n.key, a.type, a.number, a.head, a.body FROM attribute a"
        " JOIN attribute_name n ON n.name = a.name"
        " JOIN metric m ON m.run = a.run AND m.key = n.key AND m.system = 0"
        " WHERE a.run = ? AND n.kind = 'summary' ORDER BY m.kid",
        (run,),
    )
    return {key: value_of(Cell(*found)) for key, *found in rows}


def _metrics(db: sqlite3.Connection, run: int) -> list[dict[str, Any]]:
    definitions = [definition(body) for body in read_document(db, run, "definitions", [])]
    names = ", ".join(COLUMNS)
    rows = db.execute(
        f"SELECT key, {names} FROM metric"  # noqa: S608 - the names are ours
        " WHERE run = ? AND system = 0 ORDER BY key",
        (run,),
    )
    found = []
    for key, *values in rows:
        seen = dict(zip(COLUMNS, values, strict=True))
        known = definition_for(key, definitions)
        last: Any = seen["last_word"] if seen["last_word"] is not None else seen["last"]
        if isinstance(last, str) and last.lstrip("-").isdigit():
            last = int(last)
        found.append(
            {
                "key": key,
                "points": seen["points"],
                "last": last,
                "last_step": seen["last_step"],
                "min": seen["low"],
                "max": seen["high"],
                "mean": seen["mean"],
                "min_step": seen["low_step"],
                "max_step": seen["high_step"],
                "nonfinite": seen["nonfinite"],
                "step": known.step if known else None,
                "summary": known.summary if known else None,
                "goal": known.goal if known else None,
                "hidden": known.hidden if known else False,
            }
        )
    return found


def _writers(
    db: sqlite3.Connection, run: int, creator: str | None
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Every writer and how it ended; and the end of the run itself."""
    found: list[dict[str, Any]] = []
    run_end: dict[str, Any] | None = None
    rows = db.execute(
        "SELECT writer, attempt, head, own_end, other_end FROM writer WHERE run = ?"
        " ORDER BY attempt, writer",
        (run,),
    )
    for writer, attempt, head_text, own, other in rows:
        head = orjson.loads(head_text) if head_text else {}
        end = end_of(own, other)
        if writer == creator:
            run_end = end
        found.append(
            {
                "writer": writer,
                "host": head.get("host"),
                "pid": head.get("pid"),
                "role": head.get("role"),
                "primary": bool(head.get("primary")),
                "attempt": attempt,
                "state": str(end.get("state", "finished")) if end else "running",
                "end": end,
            }
        )
    return found, run_end


def has_records(db: sqlite3.Connection, run: int, kind: str) -> bool:
    """Whether a run has a record of a kind."""
    asked = "SELECT 1 FROM record WHERE run = ? AND kind = ? LIMIT 1"
    return db.execute(asked, (run, kind)).fetchone() is not None


def read_records(
    db: sqlite3.Connection, run: int, kind: str | None, after: int, limit: int
) -> dict[str, Any]:
    """Records as they came, in the order they arrived."""
    limit = max(1, min(limit, RECORDS_PAGE))
    of_kind = "" if kind is None else "AND kind = ? "
    given = (run, after, *(() if kind is None else (kind,)), limit + 1)
    rows = db.execute(
        f"SELECT seq, writer, body FROM record WHERE run = ? AND seq > ? {of_kind}"  # noqa: S608 - the names are ours
        "ORDER BY seq LIMIT ?",
        given,
    ).fetchall()
    more = len(rows) > limit
    rows = rows[:limit]
    return {
        "records": [orjson.loads(body) for _, _, body in rows],
        "next": str(rows[-1][0]) if more else None,
        "last": str(rows[-1][0]) if rows else str(after),
    }


def must_find(found: Any, what: str) -> Any:
    """``found``, or ``NotFound`` where there is none."""
    if found is None:
        raise NotFound(f"no {what}")
    return found


def cursor(after: str | None) -> int:
    """The place that a cursor names. Raises ``UsageError``."""
    try:
        return int(after) if after else 0
    except ValueError:
        raise UsageError(f"cursor {after!r} is not one of ours") from None
