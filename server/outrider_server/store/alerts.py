"""Keeps alerts, rules, the webhook's address and what waits to be posted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import orjson

from outrider.errors import NotFound, UsageError
from outrider_server.rules import Rule, read_rule

if TYPE_CHECKING:
    from outrider_server.store.writing import Writing

MOST_RULES = 200
"""Rules of one project."""

MOST_WAITING = 1000
"""Alerts that wait to be posted; one that comes while so many wait is not posted."""

_COLUMNS = "a.n, a.number, a.id, a.t, a.received, a.level, a.title, a.text, a.source, a.rule, r.id"


class NewAlert(NamedTuple):
    """An alert as it is raised: by a script, or by a rule under a condition."""

    t: float
    level: str
    title: str
    text: str
    source: str = "script"
    rule: str | None = None
    condition: str | None = None


class Posting(NamedTuple):
    """An alert that waits to be posted."""

    run: int
    n: int
    tries: int
    alert: dict[str, Any]


def add(
    db: sqlite3.Connection, run: int, project: int, alert: NewAlert, received: float, *, post: bool
) -> None:
    """Keep an alert of a run; with ``post``, also for the webhook."""
    (n,) = db.execute("SELECT coalesce(max(n), 0) + 1 FROM alert WHERE run = ?", (run,)).fetchone()
    (number,) = db.execute(
        "SELECT coalesce(max(number), 0) + 1 FROM alert WHERE project = ?", (project,)
    ).fetchone()
    row = (alert.t, received, alert.level, alert.title, alert.text)
    origin = (alert.source, alert.rule, alert.condition)
    db.execute(
        "INSERT INTO alert (run, n, project, number, id, t, received, level, title, text, source,"
        ' rule, "condition") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        (run, n, project, number, uuid4().hex, *row, *origin),
    )
    if post and waiting(db) < MOST_WAITING:
        db.execute(
            "INSERT INTO outbox (run, n, tries, due) VALUES (?, ?, 0, ?)", (run, n, received)
        )


def fired(db: sqlite3.Connection, run: int) -> dict[str, set[str]]:
    """The conditions that were told of a run, by rule."""
    found: dict[str, set[str]] = {}
    rows = db.execute(
        'SELECT rule, "condition" FROM alert WHERE run = ? AND rule IS NOT NULL', (run,)
    )
    for rule, condition in rows:
        found.setdefault(rule, set()).add(condition)
    return found


def moves(db: sqlite3.Connection, run: int) -> dict[tuple[str, str], tuple[float | None, float]]:
    """The last value of watched metrics and when they got it, by rule and metric."""
    rows = db.execute('SELECT rule, "key", value, moved FROM watch WHERE run = ?', (run,))
    return {(rule, key): (value, moved) for rule, key, value, moved in rows}


def write_move(
    db: sqlite3.Connection, run: int, place: tuple[str, str], value: float | None, moved: float
) -> None:
    """Remember what ``moves`` reads."""
    db.execute(
        'INSERT INTO watch (run, rule, "key", value, moved) VALUES (?, ?, ?, ?, ?)'
        ' ON CONFLICT (run, rule, "key") DO UPDATE SET value = excluded.value,'
        " moved = excluded.moved",
        (run, *place, value, moved),
    )


def rule_rows(db: sqlite3.Connection) -> Iterator[tuple[str, str, float, str]]:
    """Every rule as it is kept: project, id, when it was made, body."""
    yield from db.execute("SELECT project, id, created, body FROM rule ORDER BY created, id")


def add_rule(to: Writing, project: str, body: Mapping[str, Any]) -> Rule:
    """Make a rule. Raises ``UsageError``."""
    rule = read_rule(project, uuid4().hex[:10], to.watcher.clock(), body)
    if len(to.watcher.rules(project)) >= MOST_RULES:
        raise UsageError(f"a project has at most {MOST_RULES} rules")
    to.db.execute(
        "INSERT INTO rule (project, id, created, body) VALUES (?, ?, ?, ?)",
        (project, rule.id, rule.created, orjson.dumps(dict(body)).decode()),
    )
    to.watcher.reload(to.db)
    return rule


def delete_rule(to: Writing, project: str, rule_id: str) -> None:
    """Remove a rule; what it told stays. Raises ``NotFound``."""
    done = to.db.execute("DELETE FROM rule WHERE project = ? AND id = ?", (project, rule_id))
    if not done.rowcount:
        raise NotFound(f"no rule {rule_id!r:.60} in project {project!r}")
    to.db.execute("DELETE FROM watch WHERE rule = ?", (rule_id,))
    to.watcher.reload(to.db)


def read_setting(db: sqlite3.Connection, name: str) -> Any:
    """A setting of the server, None where it is not set."""
    row = db.execute("SELECT body FROM setting WHERE name = ?", (name,)).fetchone()
    return None if row is None else orjson.loads(row[0])


def set_webhook(to: Writing, url: str | None) -> None:
    """Set or remove the webhook; without one nothing waits."""
    to.db.execute("DELETE FROM setting WHERE name = 'webhook'")
    if url is None:
        to.db.execute("DELETE FROM outbox")
    else:
        to.db.execute(
            "INSERT INTO setting (name, body) VALUES ('webhook', ?)", (orjson.dumps(url).decode(),)
        )
    to.watcher.reload(to.db)


def waiting(db: sqlite3.Connection) -> int:
    """How many alerts wait to be posted."""
    (count,) = db.execute("SELECT count(*) FROM outbox").fetchone()
    return int(count)


def next_posting(db: sqlite3.Connection) -> tuple[float, Posting] | None:
    """The alert to be posted next and when it is due, None where none waits."""
    row = db.execute(
        f"SELECT o.due, o.run, o.tries, p.name, r.name, {_COLUMNS} FROM outbox o"  # noqa: S608
        " JOIN alert a ON a.run = o.run AND a.n = o.n JOIN run r ON r.run = a.run"
        " JOIN project p ON p.project = r.project ORDER BY o.due, a.number LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    due, run, tries, project, name, *rest = row
    alert = {**_shown(rest), "project": project, "run_name": name}
    return due, Posting(run, rest[0], tries, alert)


def posted(to: Writing, posting: Posting, due: float | None) -> None:
    """Take an alert out of what waits, or put it off until ``due``."""
    place = (posting.run, posting.n)
    if due is None:
        to.db.execute("DELETE FROM outbox WHERE run = ? AND n = ?", place)
    else:
        to.db.execute(
            "UPDATE outbox SET tries = tries + 1, due = ? WHERE run = ? AND n = ?", (due, *place)
        )


def read_of_run(db: sqlite3.Connection, run: int, after: int, limit: int) -> dict[str, Any]:
    """A run's alerts in the order they came."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM alert a JOIN run r ON r.run = a.run"  # noqa: S608 - ours
        " WHERE a.run = ? AND a.n > ? ORDER BY a.n LIMIT ?",
        (run, after, limit + 1),
    ).fetchall()
    return _page(rows, limit, 0)


def read_of_project(
    db: sqlite3.Connection, project: int, before: int, limit: int
) -> dict[str, Any]:
    """A project's alerts, the newest first."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM alert a JOIN run r ON r.run = a.run"  # noqa: S608 - ours
        " WHERE a.project = ? AND a.number < ? ORDER BY a.number DESC LIMIT ?",
        (project, before, limit + 1),
    ).fetchall()
    return _page(rows, limit, 1)


def count(db: sqlite3.Connection, run: int) -> int:
    """How many alerts a run has."""
    (found,) = db.execute("SELECT count(*) FROM alert WHERE run = ?", (run,)).fetchone()
    return int(found)


def _page(rows: list[Any], limit: int, place: int) -> dict[str, Any]:
    more = len(rows) > limit
    rows = rows[:limit]
    return {
        "alerts": [_shown(row) for row in rows],
        "next": str(rows[-1][place]) if more else None,
    }


def _shown(row: Any) -> dict[str, Any]:
    _, _, alert_id, t, received, level, title, text, source, rule, run = row
    return {
        "id": alert_id,
        "run": run,
        "t": t,
        "received": received,
        "level": level,
        "title": title,
        "text": text,
        "source": source,
        "rule": rule,
    }
