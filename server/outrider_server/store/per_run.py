"""What was read of every run of a project, kept, of which only runs that changed are read again.

A list sorted by a metric needs one number of each of 20,000 runs, and they lie as far apart as the
runs do. So what was read stays in memory, and the writer notes which runs it has changed.

A reader takes the moment before its snapshot of the store: what is noted later is read again by the
next, though this one may have seen it. So nothing is ever older than the snapshot.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from outrider_server.store.columns import Column

if TYPE_CHECKING:
    from outrider_server.buckets import Ints

Read = Callable[[Sequence[int] | None], Sequence[Sequence[Any]]]
"""Rows (run, numbers…, text) of some runs, or of all of the project where that is None."""

MOST_CHANGES = 100_000
"""So many runs are remembered as changed; who has read nothing for longer reads everything."""

MOST_ROWS = 2_500_000
"""So many numbers and texts are kept, of all columns together: about 60 MB."""

MOST_PROJECTS = 100
"""Of so many projects it is kept which runs are theirs."""

TOGETHER = 500


def among(column: str, runs: Sequence[int] | None) -> tuple[str, Sequence[int]]:
    """More of a WHERE, and its values: only these runs; nothing where that is None."""
    if runs is None:
        return "", ()
    return f" AND {column} IN ({','.join('?' * len(runs))})", runs


class Moment(NamedTuple):
    """The last noted change, the last commit, and the last one of more than measurements."""

    change: int
    commit: int
    telling: int


class Changes:
    """Which runs changed since when, by numbers that count commits. Safe to share among threads."""

    def __init__(self, most: int = MOST_CHANGES) -> None:
        self._most = most
        self._lock = Lock()
        self._now = 0
        self._known_since = 0
        self._when: OrderedDict[int, int] = OrderedDict()
        self._listed: dict[int, int] = {}
        self._commits = self._tellings = 0

    def commit(self, *, told: bool) -> None:
        """Something was committed; ``told`` if more than measurements."""
        with self._lock:
            self._commits += 1
            self._tellings += told

    def moment(self) -> Moment:
        """How far all of it is."""
        with self._lock:
            return Moment(self._now, self._commits, self._tellings)

    def note(self, runs: Iterable[int], projects: Iterable[int] = ()) -> None:
        """These runs have changed, and runs came to or went from these projects; called once that
        is committed."""
        with self._lock:
            self._now += 1
            for run in runs:
                self._when[run] = self._now
                self._when.move_to_end(run)
            for project in projects:
                self._listed[project] = self._now
            while len(self._when) > self._most:
                self._known_since = self._when.popitem(last=False)[1]

    def now(self) -> int:
        """The number of the last change."""
        return self._now

    def listed(self, project: int) -> int:
        """The number of the last change that brought a run to a project, or took one from it."""
        return self._listed.get(project, 0)

    def since(self, moment: int) -> set[int] | None:
        """The runs that changed behind a moment; None where that is not known any more."""
        found: set[int] = set()
        with self._lock:
            if moment < self._known_since:
                return None
            for run in reversed(self._when):
                if self._when[run] <= moment:
                    break
                found.add(run)
        return found


@dataclass(frozen=True, slots=True)
class Listed:
    """The runs of a project: their numbers, rising, and the places of these with the newest first."""

    runs: Ints
    newest: Ints


@dataclass(frozen=True, slots=True)
class _Held:
    moment: int
    column: Column

    @property
    def size(self) -> int:
        """How many numbers and texts it holds."""
        return self.column.numbers.size + len(self.column.texts.all)


class PerRun:
    """Which runs each project has, and columns over them."""

    def __init__(self, changes: Changes, most: int = MOST_ROWS) -> None:
        self._changes = changes
        self._most = most
        self._lock = Lock()
        self._held: OrderedDict[Hashable, _Held] = OrderedDict()
        self._listed: OrderedDict[int, tuple[int, Listed]] = OrderedDict()

    def listed(self, project: int, moment: int, read: Callable[[], Ints]) -> Listed:
        """The runs of a project; ``read`` reads their numbers from the snapshot, the newest first."""
        with self._lock:
            held = self._listed.get(project)
        if held is not None and held[0] >= self._changes.listed(project):
            return held[1]
        newest = read()
        runs = np.sort(newest)
        found = Listed(runs, np.searchsorted(runs, newest))
        with self._lock:
            if self._listed.get(project, (-1, None))[0] <= moment:
                self._listed[project] = moment, found
            while len(self._listed) > MOST_PROJECTS:
                self._listed.popitem(last=False)
        return found

    def read(self, name: Hashable, moment: int, runs: Ints, read: Read, width: int = 1) -> Column:
        """The column over exactly these runs, given rising, as it is now.

        ``read`` reads from the snapshot, at most 500 runs or all at once, rows with ``width``
        numbers; ``moment`` is from before it.
        """
        with self._lock:
            held = self._held.get(name)
        changed = None if held is None else self._changes.since(held.moment)
        if held is None or changed is None:
            column = Column.of(runs, read(None), width)
            self._keep(name, _Held(moment, column))
            return column
        column, stale = held.column.over(runs)
        if changed:
            stale = np.union1d(stale, _places(runs, np.array([*changed], np.int64)))
        if not len(stale):
            self._keep(name, _Held(max(moment, held.moment), column))
            return column
        if len(stale) > TOGETHER:
            column = Column.of(runs, read(None), width)
        else:
            column = column.with_rows(stale, read(runs[stale].tolist()))
        self._keep(name, _Held(moment, column))
        return column

    def _keep(self, name: Hashable, new: _Held) -> None:
        with self._lock:
            other = self._held.pop(name, None)
            # of two that read at once, the later view stays
            self._held[name] = other if other is not None and other.moment > new.moment else new
            while len(self._held) > 1 and sum(h.size for h in self._held.values()) > self._most:
                self._held.popitem(last=False)


def _places(runs: Ints, some: Ints) -> Ints:
    """Where some runs stand among ``runs``, those that are there."""
    if not len(runs):
        return runs
    at = np.searchsorted(runs, some).clip(max=len(runs) - 1)
    found: Ints = at[runs[at] == some]
    return found
