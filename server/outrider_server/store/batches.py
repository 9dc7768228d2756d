"""Puts one batch of a journal into the store: its points, its records and its offset together."""

from __future__ import annotations

import sqlite3
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from outrider_server.ingest import Stretch, Table, read_batch
from outrider_server.store.codec import Block, pack_blocks
from outrider_server.store.console import store_console
from outrider_server.store.records import Applying, apply, count_gap, watch
from outrider_server.store.recount import recount
from outrider_server.store.track import TailEntry, Track

if TYPE_CHECKING:
    from outrider_server.store.attributes import Names
    from outrider_server.store.cache import Cache


class UnknownRun(Exception):
    """The store has no such run; the client creates it and sends again."""


class OffsetAhead(Exception):
    """The batch begins behind what the store has; ``offset`` is where the next must begin."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"the store has this segment up to {offset}")
        self.offset = offset


class NotWhole(ValueError):
    """The batch holds no whole line."""


class Changes(NamedTuple):
    """What a batch changed; ``keys`` is None where no metric got points."""

    kinds: AbstractSet[str]
    keys: AbstractSet[str] | None
    state: str


class Ack(NamedTuple):
    """The store's word that everything below ``offset`` is on disk, in the project ``home``."""

    offset: int
    duplicate: bool
    changes: Changes
    home: str = ""


@dataclass(slots=True)
class Batch:
    """Whole journal lines and where they were read; ``known`` is what they hold, where somebody has
    looked already."""

    project: str
    run: str
    writer: str
    segment: int
    offset: int
    raw: bytes
    known: list[Stretch] | None = None

    def stretches(self, raw: bytes) -> list[Stretch]:
        """What the whole lines ``raw`` of it hold. What is known is given once: who stores it may
        change it, and a batch is stored again after a rollback."""
        known, self.known = self.known, None
        return read_batch(raw) if known is None or len(raw) != len(self.raw) else known


def store_batch(
    db: sqlite3.Connection, names: Names, track: Track, batch: Batch, fresh: list[_Fresh]
) -> Ack:
    """Put a batch into the open transaction; ``fresh`` gets the tail's new rows.

    A batch that begins below the stored offset stores nothing and says where to go on.
    """
    place = (batch.writer, batch.segment)
    stored = track.offsets.get(place, 0)
    if batch.offset > stored:
        raise OffsetAhead(stored)
    if batch.offset < stored:
        return Ack(stored, True, Changes(frozenset(), None, track.state))
    raw = batch.raw
    if not raw.endswith(b"\n"):
        raw = raw[: raw.rfind(b"\n") + 1]
        if not raw:
            if not batch.raw:
                return Ack(stored, True, Changes(frozenset(), None, track.state))
            raise NotWhole("a batch must hold whole lines")
    to = Applying(db, names, track, batch.writer)
    keys: set[str] = set()
    for stretch in batch.stretches(raw):
        _store_stretch(to, stretch, keys, fresh)
    end = stored + len(raw)
    track.offsets[place] = end
    db.execute(
        'INSERT INTO segment (run, writer, segment, "offset") VALUES (?, ?, ?, ?)'
        ' ON CONFLICT (run, writer, segment) DO UPDATE SET "offset" = excluded."offset"',
        (track.run, batch.writer, batch.segment, end),
    )
    if to.recount:
        recount(db, track)
    store_console(db, track)
    if track.watcher is not None:
        track.watcher.hear(track)
        watch(to, track.watcher.see_state)
    track.dirty = True
    return Ack(end, False, Changes(to.kinds, keys or None, track.state), track.name[0])


class _Fresh(NamedTuple):
    """A row that was added to the tail."""

    run: int
    seq: int
    blocks: list[Block]


def keep_fresh(cache: Cache, fresh: list[_Fresh]) -> None:
    """Once they are committed, keep new rows unpacked."""
    for row in fresh:
        cache.keep_tail((row.run, row.seq), row.blocks)


def _store_stretch(to: Applying, stretch: Stretch, keys: set[str], fresh: list[_Fresh]) -> None:
    track = to.track
    track.updated = max(track.updated, stretch.latest)
    if stretch.opening is not None:
        apply(to, stretch.opening)
    if stretch.tables:
        _store_points(to, stretch.tables, keys, fresh)
    for record in stretch.others:
        apply(to, record)
    if stretch.torn:
        count_gap(to, stretch.torn, "torn", stretch.latest or track.updated)
    if stretch.damaged:
        why = f"damaged: {stretch.damaged[0]}"
        count_gap(to, len(stretch.damaged), why, stretch.latest or track.updated)


def _latest(table: Table) -> tuple[float, int]:
    """A table's last word: of equal times the later line wins, also between tables."""
    time = table.times.max()
    return float(time), int(table.rows[table.times == time].max())


def _store_points(to: Applying, tables: list[Table], keys: set[str], fresh: list[_Fresh]) -> None:
    """One row in the tail, and the metrics that are new."""
    track = to.track
    attempt = track.attempt_of(to.writer)
    blocks: list[Block] = []
    steps = points = 0
    for table in sorted(tables, key=_latest) if len(tables) > 1 else tables:
        block = Block(_kids(to, table), table.rows, table.numbers, table.exact)
        blocks.append(block)
        track.uncounted.append((attempt, block))
        steps += len(block.rows)
        points += len(block.rows) * len(block.kids)
        if table.system:
            to.kinds.add("system")
        else:
            to.kinds.add("points")
            keys.update(table.keys)
            # numpy's ``max()`` asks in Python first
            track.note_step(attempt, int(np.maximum.reduce(table.steps)))
    track.seq += 1
    to.db.execute(
        "INSERT INTO tail (run, seq, attempt, steps, points, body) VALUES (?, ?, ?, ?, ?, ?)",
        (track.run, track.seq, attempt, steps, points, pack_blocks(blocks)),
    )
    track.take(TailEntry(track.seq, attempt, steps, points))
    fresh.append(_Fresh(track.run, track.seq, blocks))
    if track.watcher is not None:
        watch(to, track.watcher.see_points, tables, attempt)


def _kids(to: Applying, table: Table) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """The numbers of a table's metrics; those that are new get one."""
    track = to.track
    known = track.known_sets.get((table.system, table.keys))
    if known is not None:
        return known
    made = []
    for key in table.keys:
        if (table.system, key) not in track.kids:
            kid = track.kids[table.system, key] = len(track.kids)
            made.append((track.run, kid, int(table.system), key))
    if made:
        to.kinds.add("metrics")
        to.db.executemany(
            "INSERT INTO metric (run, kid, system, key, points, shown, nonfinite)"
            " VALUES (?, ?, ?, ?, 0, 0, 0)",
            made,
        )
    found = np.array([track.kids[table.system, key] for key in table.keys], np.int32)
    if len(track.known_sets) >= 1000:
        track.known_sets.clear()
    track.known_sets[table.system, table.keys] = found
    return found
