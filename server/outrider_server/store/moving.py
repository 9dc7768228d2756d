"""Moves runs to another project; the address that a run was made under keeps leading to it.

A run that still trains does not know that it was moved: its streamer goes on under the old address.
So the old address stays with the run, in the table ``moved``, until the run is deleted or comes
back. Batches are stored under the run's number, and its offsets with it: a move changes where a run
is listed, and nothing of what has been acknowledged.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from outrider_server.store.files import SLICE, contents_of, release

if TYPE_CHECKING:
    from outrider_server.blobs import Blobs
    from outrider_server.store.writer import Writer
    from outrider_server.store.writing import Writing


_TOGETHER = 500
"""How many runs are moved in one turn of the writer."""


@dataclass(slots=True)
class Moved:
    """What a move did: the runs that were not there, those whose id the target has already, and the
    contents that the old project (its number is ``project``) may not need any more."""

    missing: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    project: int | None = None
    contents: list[str] = field(default_factory=list)


class Moves:
    """Part of a store, usable from any thread as the store is."""

    def __init__(
        self,
        writer: Writer,
        snapshot: Callable[[], AbstractContextManager[sqlite3.Connection]],
        blobs: Blobs,
    ) -> None:
        self._writer = writer
        self._snapshot = snapshot
        self._blobs = blobs

    def move(self, project: str, run_ids: Sequence[str], target: str) -> Moved:
        """Put runs into another project; what still arrives of them arrives there."""
        done = Moved()
        for at in range(0, len(run_ids), _TOGETHER):
            some = run_ids[at : at + _TOGETHER]
            moved = self._writer.call(
                partial(move_runs, blobs=self._blobs, project=project, run_ids=some, target=target)
            )
            done.missing += moved.missing
            done.taken += moved.taken
            if moved.project is not None:
                self._release(moved.project, moved.contents)
        return done

    def _release(self, project: int, contents: Sequence[str]) -> None:
        for at in range(0, len(contents), SLICE):
            some = contents[at : at + SLICE]
            self._writer.call(partial(release, blobs=self._blobs, project=project, contents=some))

    def home(self, project: str, run: str) -> str | None:
        """The project that a run which was moved away from this one is in now."""
        with self._snapshot() as db:
            return find_home(db, project, run)


def find_home(db: sqlite3.Connection, project: str, run_id: str) -> str | None:
    """The project that a run which was once at this address is in now; None where none was."""
    row = db.execute(
        "SELECT home.name FROM moved m JOIN project p ON p.project = m.project"
        " JOIN run r ON r.run = m.run JOIN project home ON home.project = r.project"
        " WHERE p.name = ? AND m.id = ?",
        (project, run_id),
    ).fetchone()
    return None if row is None else str(row[0])


def move_runs(
    to: Writing, blobs: Blobs, project: str, run_ids: Sequence[str], target: str
) -> Moved:
    """Put runs into another project, made if need be, all in the open transaction.

    Their contents are linked into the target before it is committed; what is left in the old
    project is for the caller to release afterwards.
    """
    done = Moved()
    if project == target:
        return done
    to.db.execute("INSERT INTO project (name) VALUES (?) ON CONFLICT DO NOTHING", (target,))
    (number,) = to.db.execute("SELECT project FROM project WHERE name = ?", (target,)).fetchone()
    for run_id in run_ids:
        found = to.db.execute(
            "SELECT r.run, r.project FROM run r JOIN project p ON p.project = r.project"
            " WHERE p.name = ? AND r.id = ?",
            (project, run_id),
        ).fetchone()
        if found is None:
            done.missing.append(run_id)
        elif _is_taken(to.db, found[0], number, run_id):
            done.taken.append(run_id)
        else:
            run, done.project = found
            contents = contents_of(to.db, run)
            blobs.share(done.project, number, contents)
            done.contents += contents
            _renumber(to, run, number)
            to.changed.add(run)
            to.listed |= {done.project, number}
            _keep_address(to.db, run, done.project, number, run_id)
            # what is in memory speaks of the old place; what it had not yet counted is counted anew
            to.drop(project, run_id)
            to.track(target, run_id)
    return done


def _is_taken(db: sqlite3.Connection, run: int, target: int, run_id: str) -> bool:
    """Whether the address belongs to another run, or once did and leads to it."""
    row = db.execute(
        "SELECT 1 FROM run WHERE project = ? AND id = ?"
        " UNION ALL SELECT 1 FROM moved WHERE project = ? AND id = ? AND run <> ?",
        (target, run_id, target, run_id, run),
    ).fetchone()
    return row is not None


def _renumber(to: Writing, run: int, target: int) -> None:
    """Everything of a run that is kept by project: its row, values, contents and alerts."""
    db = to.db
    cells = db.execute(
        "SELECT n.name, n.kind, n.key FROM attribute a JOIN attribute_name n ON n.name = a.name"
        " WHERE a.run = ?",
        (run,),
    ).fetchall()
    db.executemany(
        "UPDATE attribute SET name = ? WHERE run = ? AND name = ?",
        [(to.names.number(db, target, kind, key), run, name) for name, kind, key in cells],
    )
    db.execute("UPDATE run SET project = ? WHERE run = ?", (target, run))
    db.execute("UPDATE blob SET project = ? WHERE run = ?", (target, run))
    (last,) = db.execute(
        "SELECT coalesce(max(number), 0) FROM alert WHERE project = ?", (target,)
    ).fetchone()
    alerts = db.execute("SELECT n FROM alert WHERE run = ? ORDER BY number", (run,)).fetchall()
    db.executemany(
        "UPDATE alert SET project = ?, number = ? WHERE run = ? AND n = ?",
        [(target, last + i, run, n) for i, (n,) in enumerate(alerts, 1)],
    )


def _keep_address(db: sqlite3.Connection, run: int, old: int, target: int, run_id: str) -> None:
    db.execute("DELETE FROM moved WHERE run = ? AND project = ?", (run, target))
    db.execute("INSERT INTO moved (run, project, id) VALUES (?, ?, ?)", (run, old, run_id))
