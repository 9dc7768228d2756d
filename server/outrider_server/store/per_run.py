"""What was read of every run of a project, kept, of which only runs that changed are read again.

A list sorted by a metric needs one number of each of 20,000 runs, and they lie as far apart as the
runs do. So what was read stays in memory, and the writer notes which runs it has changed.

A reader takes the moment before its snapshot of the store: what is noted later is read again by the
next, though this one may have seen it. So nothing is ever older than the snapshot.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, NamedTuple, TypeVar

Row = TypeVar("Row")
Read = Callable[[Sequence[int]], Mapping[int, Any]]

MOST_CHANGES = 100_000
"""So many runs are remembered as changed; who has read nothing for longer reads everything."""

MOST_ROWS = 250_000
"""So many rows are kept, of all columns together: about 60 MB."""

TOGETHER = 500


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

    def note(self, runs: Iterable[int]) -> None:
        """These runs have changed; called once that is committed."""
        with self._lock:
            self._now += 1
            for run in runs:
                self._when[run] = self._now
                self._when.move_to_end(run)
            while len(self._when) > self._most:
                self._known_since = self._when.popitem(last=False)[1]

    def now(self) -> int:
        """The number of the last change."""
        return self._now

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
class _Held:
    moment: int
    rows: dict[int, Any]
    made: Any


class PerRun:
    """Columns over runs: rows by run's number (None where a run has none), and what they make."""

    def __init__(self, changes: Changes, most: int = MOST_ROWS) -> None:
        self._changes = changes
        self._most = most
        self._lock = Lock()
        self._held: OrderedDict[Hashable, _Held] = OrderedDict()

    def read(
        self,
        name: Hashable,
        moment: int,
        runs: Sequence[int],
        read: Read,
        make: Callable[[Mapping[int, Any]], Row],
        together: int = TOGETHER,
    ) -> Row:
        """What ``make`` makes of the rows of exactly these runs, as they are now.

        ``read`` reads the rows of some runs from the snapshot, of at most ``together`` at once;
        ``moment`` is from before it.
        """
        with self._lock:
            held = self._held.get(name)
        changed = None if held is None else self._changes.since(held.moment)
        before: dict[int, Any] = {} if held is None or changed is None else held.rows
        stale = [run for run in runs if run not in before or (changed and run in changed)]
        if held is not None and not stale and len(before) == len(runs):
            self._keep(name, _Held(max(moment, held.moment), before, held.made))
            made: Row = held.made
            return made
        rows: dict[int, Any] = {run: before.get(run) for run in runs}
        rows.update(dict.fromkeys(stale))
        for at in range(0, len(stale), together):
            rows.update(read(stale[at : at + together]))
        made = make(rows)
        self._keep(name, _Held(moment, rows, made))
        return made

    def _keep(self, name: Hashable, new: _Held) -> None:
        with self._lock:
            other = self._held.pop(name, None)
            # of two that read at once, the later view stays
            self._held[name] = other if other is not None and other.moment > new.moment else new
            while (
                len(self._held) > 1 and sum(len(h.rows) for h in self._held.values()) > self._most
            ):
                self._held.popitem(last=False)
