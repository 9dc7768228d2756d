"""Folds the records of a run, whoever wrote them, into what the run says.

Records come in writer by writer, in the order of their journals. What several writers said is put
in order by (attempt, time, order of arrival), so that the result does not hang on who was read
first. The rules, which the server's own fold follows too:

* A record's attempt is that of its writer's head. Points: see ``series``; summary: see
  ``summary``.
* Config is every ``config`` record, one after the other; name, tags and notes are those of
  run.json, changed by ``run`` records.
* The state is what ended the creating (``primary``) writer of the latest attempt: its own
  journal's first ``finished`` or ``failed``; else the first end that another writer's journal
  holds about it; else any other end in its own; else the run is ``running``.
* ``gaps`` counts records that are known to be lost: the ``n`` of every ``gap`` record, one for each
  line that cannot be read, and one for each record that was torn by the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from outrider.journal.record import POINTS, Damaged, Record, is_final_end, numbers
from outrider.reading.ends import heard_out
from outrider.reading.series import Attempt, Series, limits, logged
from outrider.reading.summary import Definition, amended, automatic, definition, revived

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

RUNNING = "running"
_KEPT = ("attempt", "config", "end", "gap", "metric", "run", "summary")


class Change(NamedTuple):
    """A record that says something about the run itself."""

    t: float
    writer: str
    kind: str
    body: Mapping[str, Any]


@dataclass(slots=True)
class Fold:
    """Everything that a run's records say, kept as plain columns and short lists."""

    heads: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    points: dict[str, Series] = field(default_factory=dict)
    system: dict[str, Series] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    unreadable: int = 0
    latest: float | None = None

    def absorb(self, writer: str, record: Record | Damaged) -> None:
        """Take in a writer's next record."""
        if isinstance(record, Damaged):
            self.unreadable += 1
            return
        self.unreadable += record.torn
        kind, body = record.kind, record.body
        if self.latest is None or record.t > self.latest:
            self.latest = record.t
        if kind == POINTS:
            self._add(self.points, self.attempt_of(writer), body["s"], record)
        elif kind == "sys":
            self._add(self.system, 0, 0, record)
        elif kind == "head":
            self.heads.setdefault(writer, body)
        elif kind in _KEPT:
            self.changes.append(Change(record.t, writer, kind, body))

    @staticmethod
    def _add(into: dict[str, Series], attempt: int, step: int, record: Record) -> None:
        for key, value in numbers(record.body["p"]).items():
            series = into.get(key)
            if series is None:
                series = into[key] = Series()
            series.append(attempt, step, record.t, value)

    def attempt_of(self, writer: str) -> int:
        """The attempt that a writer belongs to; 1 where its head does not say."""
        number = self.heads.get(writer, {}).get("a", 1)
        return number if isinstance(number, int) else 1

    def of_kind(self, kind: str) -> list[Change]:
        """Changes of one kind, by (attempt, time, order of arrival)."""
        found = [change for change in self.changes if change.kind == kind]
        return sorted(found, key=lambda change: (self.attempt_of(change.writer), change.t))

    def attempts(self) -> list[Attempt]:
        """Every attempt, in order."""
        started = {
            self.attempt_of(writer): float(head["t"])
            for writer, head in sorted(
                self.heads.items(), key=lambda item: float(item[1]["t"]), reverse=True
            )
            if head.get("role", "trainer") == "trainer"
        }
        rewinds: dict[int, int | None] = {}
        for change in self.of_kind("attempt"):
            number, rewind = change.body.get("a"), change.body.get("rewind")
            if isinstance(number, int):
                rewinds[number] = rewind if isinstance(rewind, int) else None
                started.setdefault(number, change.t)
        return [Attempt(number, started[number], rewinds.get(number)) for number in sorted(started)]

    def limits(self) -> dict[int, int]:
        """The last step that still shows, for each attempt that a later one rewound."""
        return limits(self.attempts())

    def config(self) -> dict[str, Any]:
        """The config, nested as it was given."""
        return amended({}, (revived(change.body) for change in self.of_kind("config")))

    def definitions(self) -> list[Definition]:
        """What ``define_metric`` said, in order."""
        return [definition(change.body) for change in self.of_kind("metric")]

    def summary(self) -> dict[str, Any]:
        """The summary: what the points make, and before it what the script put in."""
        limit = self.limits()
        points: Iterator[tuple[str, Series]] = (
            (key, logged(series, limit)) for key, series in self.points.items()
        )
        base = automatic(points, self.definitions())
        explicit = amended({}, (revived(change.body) for change in self.of_kind("summary")))
        return {**base, **explicit}

    def gaps(self) -> int:
        """How many records are known to be lost."""
        said = (change.body.get("n", 1) for change in self.changes if change.kind == "gap")
        return self.unreadable + sum(count for count in said if isinstance(count, int))

    def end(self, writer: str | None) -> Change | None:
        """The end record that counts for a writer, or None while none is known."""
        about = [
            change
            for change in self.of_kind("end")
            if change.body.get("w", change.writer) == writer
        ]
        own = [change for change in about if change.writer == writer]
        word = [change for change in own if is_final_end(change.body)]
        others = [change for change in about if change.writer != writer]
        if word and others:
            return word[0]._replace(body=heard_out(word[0].body, others[0].body))
        return next(iter([*word, *others, *own]), None)

    def creator(self, fallback: str | None = None) -> str | None:
        """The creating writer of the latest attempt, or ``fallback`` where no head is primary."""
        primaries = [
            (-self.attempt_of(writer), float(head["t"]), writer)
            for writer, head in self.heads.items()
            if head.get("primary")
        ]
        return min(primaries)[2] if primaries else fallback


def described(meta: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """A run's name, tags and notes: run.json's, changed by the ``run`` records."""
    found = {"name": meta.get("name"), "tags": meta.get("tags") or [], "notes": meta.get("notes")}
    for change in changes:
        found.update({name: change.body[name] for name in found if name in change.body})
    found["tags"] = [str(tag) for tag in found["tags"] or ()]
    return found
