"""Applies the records that are not points: what they say of a run goes where it is read from.

Kinds that nothing here knows are kept as they came, so that a newer client loses nothing.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from outrider.journal.record import Record, is_final_end
from outrider.reading.alerts import alert_of
from outrider.reading.ends import heard_out
from outrider.reading.summary import amended, definition
from outrider_server.store import console
from outrider_server.store.alerts import NewAlert
from outrider_server.store.attributes import Names, drop_cells, write_cells
from outrider_server.store.files import apply_file
from outrider_server.store.media import index_media
from outrider_server.store.track import Track, read_document, write_document
from outrider_server.store.values import cell, flat

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Applying:
    """One batch being applied: where to, from whom, and what it changed."""

    db: sqlite3.Connection
    names: Names
    track: Track
    writer: str
    kinds: set[str] = field(default_factory=set)
    recount: bool = False

    @property
    def run(self) -> int:
        """The run's number."""
        return self.track.run


def apply(to: Applying, record: Record) -> None:
    """Take in one record. One that says what cannot be is counted as a gap: no record may keep
    its run's batches from being stored."""
    to.db.execute("SAVEPOINT record")
    try:
        known = _KINDS.get(record.kind)
        if known is None:
            _keep(to, record)
            to.kinds.add(record.kind)
        else:
            known(to, record)
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as e:
        to.db.execute("ROLLBACK TO record")
        count_gap(to, 1, f"damaged: {record.kind}: {type(e).__name__}: {e}", record.t)
    finally:
        to.db.execute("RELEASE record")


def _keep(to: Applying, record: Record) -> None:
    """Put a record, as it came, into the records table."""
    keep(to, record.kind, record.t, record.body)


def keep(to: Applying, kind: str, t: float, body: dict[str, Any]) -> None:
    """Put anything into the records table."""
    to.track.records += 1
    to.db.execute(
        "INSERT INTO record (run, seq, kind, t, writer, body) VALUES (?, ?, ?, ?, ?, ?)",
        (to.run, to.track.records, kind, t, to.writer, orjson.dumps(body).decode()),
    )


def watch(to: Applying, see: Callable[..., None], *what: Any) -> None:
    """Let the rules see something; what fails there keeps nothing from being stored."""
    watcher = to.track.watcher
    if watcher is None or not watcher.rules(to.track.name[0]):
        return
    before = watcher.raised
    watcher.raised = False
    to.db.execute("SAVEPOINT watch")
    try:
        see(to.db, to.track, *what)
    except Exception:
        _log.exception("the rules could not see what came of %s", to.track.name)
        to.db.execute("ROLLBACK TO watch")
        to.track.watched = None
    finally:
        to.db.execute("RELEASE watch")
    if watcher.raised:
        to.kinds.add("alert")
    watcher.raised |= before


def _alert(to: Applying, record: Record) -> None:
    """A script's alert: kept as it came, and among the run's alerts."""
    _keep(to, record)
    to.kinds.add("alert")
    if to.track.watcher is not None:
        alert = alert_of(record.t, record.body)
        to.track.watcher.keep(to.db, to.track, NewAlert(*alert))


def _console(to: Applying, record: Record) -> None:
    """What was printed: folded into lines, which the batch writes at its end."""
    console.take(to.db, to.track, to.writer, record.t, record.body)
    to.kinds.add("console")


def _file(to: Applying, record: Record) -> None:
    """A version of a file: kept as it came, and among the run's files."""
    apply_file(to, record)
    _keep(to, record)


def _media(to: Applying, record: Record) -> None:
    """Media: kept as they came, and found by key and step."""
    _keep(to, record)
    index_media(to, record)
    to.kinds.add("media")


def count_gap(to: Applying, count: int, why: str, t: float) -> None:
    """Count lines that could not be read, and say so among the records."""
    _add_gaps(to, count)
    to.kinds.add("gap")
    keep(to, "gap", t, {"t": t, "k": "gap", "n": count, "why": why[:200], "w": to.writer})


def _add_gaps(to: Applying, count: int) -> None:
    to.db.execute("UPDATE run SET gaps = gaps + ? WHERE run = ?", (count, to.run))


def _gap(to: Applying, record: Record) -> None:
    count = record.body.get("n", 1)
    _add_gaps(to, count if isinstance(count, int) and 0 < count < 1 << 62 else 0)
    to.kinds.add("gap")
    _keep(to, record)


def _head(to: Applying, record: Record) -> None:
    """The writer says who it is; the first head of a writer stands."""
    body, track = record.body, to.track
    attempt = whole(body.get("a"), 1)
    new = to.writer not in track.writers
    if new:
        track.writers[to.writer] = attempt
        to.db.execute(
            "INSERT INTO writer (run, writer, attempt, head) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (run, writer) DO UPDATE SET attempt = excluded.attempt,"
            " head = excluded.head",
            (to.run, to.writer, attempt, orjson.dumps(body).decode()),
        )
    to.kinds.add("run")
    if body.get("role", "trainer") == "trainer":
        rewind, t, last = track.attempts.get(attempt, (None, None, None))
        if t is None or record.t < t:
            track.attempts[attempt] = (rewind, record.t, last)
            _write_attempt(to, attempt)
    if new and attempt not in track.limits:
        track.set_limits()
    if body.get("primary") and new:
        begin_attempt(to, attempt, _first_primary(to, attempt))


def whole(value: object, default: int) -> int:
    """A whole number that the store has room for, or the default."""
    if isinstance(value, int) and not isinstance(value, bool) and -(1 << 63) <= value < 1 << 63:
        return value
    return default


def _first_primary(to: Applying, attempt: int) -> str:
    """The writer that began an attempt: of those that say so, the one with the earliest head."""
    heads = to.db.execute(
        "SELECT writer, head FROM writer WHERE run = ? AND attempt = ? AND head IS NOT NULL",
        (to.run, attempt),
    )
    primaries = []
    for writer, text in heads:
        head = orjson.loads(text)
        if head.get("primary"):
            primaries.append((float(head["t"]), writer))
    return str(min(primaries)[1])


def begin_attempt(to: Applying, attempt: int, writer: str) -> None:
    """An attempt's creating writer is known: the latest attempt's end is the run's state."""
    track = to.track
    if attempt > track.attempt or (attempt == track.attempt and track.creator != writer):
        track.attempt, track.creator = attempt, writer
        to.db.execute(
            "UPDATE run SET attempt = ?, writer = ? WHERE run = ?", (attempt, writer, to.run)
        )
        set_state(to)


def _attempt(to: Applying, record: Record) -> None:
    """A resumed run begins; what it rewinds is hidden from now on, and nothing is deleted."""
    track = to.track
    attempt = whole(record.body.get("a"), 0)
    if attempt == 0:
        raise ValueError("an attempt needs a number")
    rewind = record.body.get("rewind")
    if rewind is not None and whole(rewind, 0) != rewind:
        raise ValueError("a step to rewind to must be a whole number of 64 bits")
    _, t, last = track.attempts.get(attempt, (None, None, None))
    track.attempts[attempt] = (rewind, record.t if t is None else t, last)
    track.writers.setdefault(to.writer, attempt)
    _write_attempt(to, attempt)
    before = dict(track.limits)
    track.set_limits()
    to.recount |= before != track.limits
    if attempt > track.attempt:
        begin_attempt(to, attempt, to.writer)
    to.kinds |= {"run", "points"}


def _write_attempt(to: Applying, attempt: int) -> None:
    rewind, t, last = to.track.attempts[attempt]
    to.db.execute(
        "INSERT INTO attempt (run, attempt, rewind, t, last_step) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (run, attempt) DO UPDATE SET rewind = excluded.rewind, t = excluded.t,"
        " last_step = excluded.last_step",
        (to.run, attempt, rewind, t, last),
    )


def _config(to: Applying, record: Record) -> None:
    _amend(to, "config", record)
    to.kinds.add("config")


def _summary(to: Applying, record: Record) -> None:
    after = _amend(to, "summary", record)
    track = to.track
    freed = track.explicit - after
    track.explicit = after
    # a value that was taken back gives way to the metric's own
    track.counts.touched.update(
        track.kids[False, key] for key in freed if (False, key) in track.kids
    )
    track.dirty = True
    to.kinds.add("summary")


def _amend(to: Applying, kind: str, record: Record) -> set[str]:
    """Change a document and its cells; returns the keys that it has now."""
    before = read_document(to.db, to.run, kind, {})
    after = amended(before, [record.body])
    write_document(to.db, to.run, kind, after)
    old, new = dict(flat(before)), dict(flat(after))
    changed = [
        (key, cell(value)) for key, value in new.items() if key not in old or old[key] != value
    ]
    which = (to.run, to.track.project)
    drop_cells(to.db, to.names, which, kind, old.keys() - new.keys())
    write_cells(to.db, to.names, which, kind, changed)
    return set(new)


def _metric(to: Applying, record: Record) -> None:
    """A definition; a later one of the same name replaces the earlier."""
    known = [
        body
        for body in read_document(to.db, to.run, "definitions", [])
        if body.get("name") != record.body.get("name")
    ]
    known.append(record.body)
    write_document(to.db, to.run, "definitions", known)
    to.track.definitions = [definition(body) for body in known]
    to.track.counts.touched.update(kid for (system, _), kid in to.track.kids.items() if not system)
    to.track.dirty = True
    to.kinds.add("metrics")


def _run(to: Applying, record: Record) -> None:
    """A change of the run's own attributes."""
    change_run(to.db, to.run, record.body)
    to.kinds.add("run")


def change_run(db: sqlite3.Connection, run: int, body: dict[str, Any]) -> None:
    """Set name, tags and notes, where they are said."""
    for name in ("name", "notes"):
        if name in body and (body[name] is None or isinstance(body[name], str)):
            db.execute(f"UPDATE run SET {name} = ? WHERE run = ?", (body[name], run))  # noqa: S608 - the names are ours
    if isinstance(body.get("tags"), (list, tuple)):
        db.execute("DELETE FROM tag WHERE run = ?", (run,))
        db.executemany(
            "INSERT INTO tag (run, tag) VALUES (?, ?)",
            [(run, text) for text in sorted({str(text) for text in body["tags"]})],
        )


def _host(to: Applying, record: Record) -> None:
    """Facts of a machine, by the host that its writer named."""
    facts = record.body.get("c")
    row = to.db.execute(
        "SELECT head FROM writer WHERE run = ? AND writer = ?", (to.run, to.writer)
    ).fetchone()
    head = orjson.loads(row[0]) if row and row[0] else {}
    hosts = read_document(to.db, to.run, "hosts", {})
    hosts[str(head.get("host") or to.writer)] = facts
    write_document(to.db, to.run, "hosts", hosts)
    to.kinds.add("host")


def _end(to: Applying, record: Record) -> None:
    """Somebody says how a writer ended: the writer itself or who watched it."""
    body = record.body
    about = body.get("w", to.writer)
    if not isinstance(about, str):
        return
    text = orjson.dumps(body).decode()
    attempt = whole(body.get("a"), to.track.attempt_of(about))
    to.db.execute(
        "INSERT INTO writer (run, writer, attempt) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (to.run, about, attempt),
    )
    row = to.db.execute(
        "SELECT own_end, other_end FROM writer WHERE run = ? AND writer = ?", (to.run, about)
    ).fetchone()
    if about == to.writer:
        # the first word that tells the writer's own result stands, before any other of its own
        first = row[0] is None
        better = not first and not is_final_end(orjson.loads(row[0]))
        if first or (better and is_final_end(body)):
            to.db.execute(
                "UPDATE writer SET own_end = ? WHERE run = ? AND writer = ?", (text, to.run, about)
            )
    elif row[1] is None:
        to.db.execute(
            "UPDATE writer SET other_end = ? WHERE run = ? AND writer = ?", (text, to.run, about)
        )
    if about == to.track.creator:
        set_state(to)
    to.kinds.add("run")


def end_of(own: str | None, other: str | None) -> dict[str, Any] | None:
    """The end that counts: the writer's own result, else what was seen of it, else its own word."""
    said: dict[str, Any] | None = None if own is None else orjson.loads(own)
    seen: dict[str, Any] | None = None if other is None else orjson.loads(other)
    if said is not None and is_final_end(said):
        return heard_out(said, seen)
    return said if seen is None else seen


def set_state(to: Applying) -> None:
    """Work out the run's state from its creating writer's end."""
    row = to.db.execute(
        "SELECT own_end, other_end FROM writer WHERE run = ? AND writer = ?",
        (to.run, to.track.creator),
    ).fetchone()
    end = end_of(*row) if row else None
    state = str(end.get("state", "finished")) if end else "running"
    if state == "running" != to.track.state and to.track.watcher is not None:
        to.track.watcher.begin(to.track)
    to.track.state = state
    to.db.execute(
        "UPDATE run SET state = ?, ended = ? WHERE run = ?",
        (state, end["t"] if end else None, to.run),
    )
    to.kinds.add("run")


_KINDS: dict[str, Callable[[Applying, Record], None]] = {
    "alert": _alert,
    "attempt": _attempt,
    "config": _config,
    "console": _console,
    "end": _end,
    "file": _file,
    "gap": _gap,
    "head": _head,
    "host": _host,
    "media": _media,
    "metric": _metric,
    "run": _run,
    "summary": _summary,
}
