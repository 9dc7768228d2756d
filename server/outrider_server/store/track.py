"""What the writer thread keeps in memory of a run that is being written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from outrider.reading.summary import Definition, definition
from outrider_server.store.codec import Block, unpack_blocks
from outrider_server.store.counts import COLUMNS, Counts
from outrider_server.store.values import flat

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from outrider_server.store.watching import Watched, Watcher

FOLD_STEPS, FOLD_POINTS, FOLD_BATCHES = 2000, 400_000, 256
"""A tail is folded when it has this many records, points or batches."""


def limits_of(rewinds: Sequence[tuple[int, int]], known: Iterable[int]) -> dict[int, int]:
    """Behind which step each known attempt is hidden by later ones; ``rewinds`` are (attempt, step).
    An attempt's number says nothing of how many there are: it may be the clock's seconds."""
    newest = max((attempt for attempt, _ in rewinds), default=0)
    return {a: min(step for later, step in rewinds if later > a) for a in set(known) if a < newest}


@dataclass(slots=True)
class TailEntry:
    """One row of the tail: what the fold needs to know before it reads it."""

    seq: int
    attempt: int
    steps: int
    points: int


@dataclass(slots=True)
class Track:
    """A run as its writer sees it. Only the writer thread touches it."""

    run: int
    project: int
    name: tuple[str, str]
    state: str = "running"
    attempt: int = 1
    creator: str | None = None
    updated: float = 0.0
    offsets: dict[tuple[str, int], int] = field(default_factory=dict)
    writers: dict[str, int] = field(default_factory=dict)
    attempts: dict[int, tuple[int | None, float | None, int | None]] = field(default_factory=dict)
    limits: dict[int, int] = field(default_factory=dict)
    kids: dict[tuple[bool, str], int] = field(default_factory=dict)
    known_sets: dict[tuple[bool, tuple[str, ...]], NDArray[np.int32]] = field(default_factory=dict)
    definitions: list[Definition] = field(default_factory=list)
    explicit: set[str] = field(default_factory=set)
    seq: int = 0
    records: int = 0
    counts: Counts = field(default_factory=Counts)
    uncounted: list[tuple[int, Block]] = field(default_factory=list)
    tail: list[TailEntry] = field(default_factory=list)
    tail_steps: int = 0
    tail_points: int = 0
    long: set[int] = field(default_factory=set)
    """Metrics whose last chunk is known not to be small."""
    dirty: bool = False
    flushed_at: float = 0.0
    console: Any = None
    watcher: Watcher | None = None
    watched: Watched | None = None

    def attempt_of(self, writer: str) -> int:
        """The attempt that a writer's points belong to."""
        return self.writers.get(writer, self.attempt)

    def set_limits(self) -> None:
        """Work out which steps of which attempts later ones have hidden."""
        rewinds = [(a, rewind) for a, (rewind, _, _) in self.attempts.items() if rewind is not None]
        self.limits = limits_of(rewinds, [1, *self.attempts, *self.writers.values()])

    def last_step(self) -> int | None:
        """The largest step that shows, or None."""
        steps = [
            min(last, self.limits.get(a, last))
            for a, (_, _, last) in self.attempts.items()
            if last is not None
        ]
        return max(steps, default=None)

    def note_step(self, attempt: int, step: int) -> None:
        """Remember the largest step of an attempt."""
        rewind, t, last = self.attempts.get(attempt, (None, None, None))
        if last is None or step > last:
            self.attempts[attempt] = (rewind, t, step)

    def count(self) -> None:
        """Take what came in since the last time into the counts: alike blocks together."""
        alike: dict[tuple[int, bytes], list[Block]] = {}
        for attempt, block in self.uncounted:
            alike.setdefault((attempt, block.kids.tobytes()), []).append(block)
        self.uncounted.clear()
        self.counts.make_room(len(self.kids))
        systems = {kid for (system, _), kid in self.kids.items() if system}
        for (attempt, _), blocks in alike.items():
            block = blocks[0] if len(blocks) == 1 else _stacked(blocks)
            limit = None if int(block.kids[0]) in systems else self.limits.get(attempt)
            self.counts.add(block, attempt, limit)

    def take(self, entry: TailEntry) -> None:
        """Add a row to the tail."""
        self.tail.append(entry)
        self.tail_steps += entry.steps
        self.tail_points += entry.points

    def clear_tail(self) -> None:
        """The tail was folded."""
        self.tail.clear()
        self.tail_steps = self.tail_points = 0

    def fold_is_due(self) -> bool:
        """Is the tail long enough to be folded?"""
        return (
            self.tail_steps >= FOLD_STEPS
            or self.tail_points >= FOLD_POINTS
            or len(self.tail) >= FOLD_BATCHES
        )


def _stacked(blocks: list[Block]) -> Block:
    exact: dict[tuple[int, int], int] = {}
    base = 0
    for block in blocks:
        if block.exact:
            exact.update({(base + row, c): number for (row, c), number in block.exact.items()})
        base += len(block.rows)
    numbers = np.concatenate([block.numbers for block in blocks])
    return Block(blocks[0].kids, blocks[0].rows, numbers, exact)


def load(db: sqlite3.Connection, project: str, run_id: str) -> Track | None:
    """Read a run's track from the store; None where there is no such run."""
    row = db.execute(
        "SELECT r.run, r.project, r.state, r.attempt, r.writer, r.updated, r.counted"
        " FROM run r JOIN project p ON p.project = r.project WHERE p.name = ? AND r.id = ?",
        (project, run_id),
    ).fetchone()
    if row is None:
        return None
    run, number, state, attempt, creator, updated, counted = row
    track = Track(run, number, (project, run_id), state, attempt, creator, updated)
    track.seq = counted
    track.offsets = {
        (writer, segment): offset
        for writer, segment, offset in db.execute(
            "SELECT writer, segment, offset FROM segment WHERE run = ?", (run,)
        )
    }
    track.writers = dict(
        db.execute("SELECT writer, attempt FROM writer WHERE run = ? AND head IS NOT NULL", (run,))
    )
    track.attempts = {
        a: (rewind, t, last)
        for a, rewind, t, last in db.execute(
            "SELECT attempt, rewind, t, last_step FROM attempt WHERE run = ?", (run,)
        )
    }
    track.set_limits()
    columns = ", ".join(COLUMNS)
    metrics = db.execute(f"SELECT kid, system, key, {columns} FROM metric WHERE run = ?", (run,))  # noqa: S608 - the names are ours
    for kid, system, key, *counts in metrics:
        track.kids[bool(system), key] = kid
        track.counts.load(kid, tuple(counts))
    track.definitions = [definition(body) for body in read_document(db, run, "definitions", [])]
    track.explicit = {key for key, _ in flat(read_document(db, run, "summary", {}))}
    (track.records,) = db.execute(
        "SELECT coalesce(max(seq), 0) FROM record WHERE run = ?", (run,)
    ).fetchone()
    _load_tail(db, track, counted)
    return track


def _load_tail(db: sqlite3.Connection, track: Track, counted: int) -> None:
    """The tail's rows; those whose points were not counted before the store stopped, counted."""
    rows: Iterable[Any] = db.execute(
        "SELECT seq, attempt, steps, points FROM tail WHERE run = ? ORDER BY seq", (track.run,)
    )
    for seq, attempt, steps, points in rows:
        track.take(TailEntry(seq, attempt, steps, points))
        track.seq = max(track.seq, seq)
    behind = db.execute(
        "SELECT attempt, body FROM tail WHERE run = ? AND seq > ? ORDER BY seq",
        (track.run, counted),
    )
    for attempt, body in behind:
        for block in unpack_blocks(body):
            track.uncounted.append((attempt, block))
            track.dirty = True
    systems = {kid for (system, _), kid in track.kids.items() if system}
    for attempt, block in track.uncounted:
        if int(block.kids[0]) not in systems:
            track.note_step(attempt, int(block.steps.max()))
            track.updated = max(track.updated, float(block.times.max()))


def read_document(db: sqlite3.Connection, run: int, kind: str, empty: Any) -> Any:
    """A run's document (config, summary, definitions, …) as plain JSON."""
    row = db.execute("SELECT body FROM document WHERE run = ? AND kind = ?", (run, kind)).fetchone()
    return empty if row is None else orjson.loads(row[0])


def write_document(db: sqlite3.Connection, run: int, kind: str, body: Any) -> None:
    """Replace a run's document."""
    db.execute(
        "INSERT INTO document (run, kind, body) VALUES (?, ?, ?)"
        " ON CONFLICT (run, kind) DO UPDATE SET body = excluded.body",
        (run, kind, orjson.dumps(body).decode()),
    )
