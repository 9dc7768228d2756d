"""Holds what comes in against the rules of its project, in the writer thread and its transaction.

An alert is committed with the records that raised it, under a condition that is unique for its
rule and run. So a batch that comes again raises nothing, and a restart raises nothing twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from math import isfinite
from time import time
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from outrider.errors import UsageError
from outrider.journal.line import word
from outrider.reading.ends import sentence
from outrider_server.rules import DEATHS, Rule, read_rule
from outrider_server.store import alerts
from outrider_server.store.alerts import NewAlert
from outrider_server.store.records import end_of

if TYPE_CHECKING:
    from outrider_server.ingest import Table
    from outrider_server.store.track import Track

Clock = Callable[[], float]

PER_RUN = 20
"""A rule raises at most so many alerts of one run."""


@dataclass(slots=True)
class Watched:
    """What the rules know of one run."""

    rules: tuple[Rule, ...]
    fired: dict[str, set[str]]
    moved: dict[tuple[str, str], tuple[float | None, float]]
    columns: dict[tuple[bool, tuple[str, ...]], list[tuple[Rule, int]]] = field(
        default_factory=dict
    )

    def may_fire(self, rule: Rule, condition: str) -> bool:
        """Whether this was not told before, and the rule has not told enough of this run."""
        told = self.fired.get(rule.id, ())
        return condition not in told and len(told) < PER_RUN


class Watcher:
    """The rules of all projects, and what the writer thread must remember for them."""

    def __init__(self, db: sqlite3.Connection, clock: Clock = time) -> None:
        self.clock = clock
        self.since = clock()
        self.has_webhook = False
        self.raised = False
        self._rules: dict[str, tuple[Rule, ...]] = {}
        self._heard: dict[int, float] = {}
        self._began: dict[int, float] = {}
        self.reload(db)

    def reload(self, db: sqlite3.Connection) -> None:
        """Read the rules and settings again: after a change, and after a rollback."""
        found: dict[str, list[Rule]] = {}
        for project, rule_id, created, text in alerts.rule_rows(db):
            with suppress(UsageError):  # of a newer version: kept, and not held against anything
                rule = read_rule(project, rule_id, created, orjson.loads(text))
                found.setdefault(project, []).append(rule)
        self._rules = {project: tuple(rules) for project, rules in found.items()}
        self.has_webhook = alerts.read_setting(db, "webhook") is not None

    def rules(self, project: str) -> tuple[Rule, ...]:
        """A project's rules."""
        return self._rules.get(project, ())

    def timed_projects(self) -> list[str]:
        """The projects with rules that time alone can fulfil."""
        return [
            project
            for project, rules in self._rules.items()
            if any(rule.minutes is not None for rule in rules)
        ]

    def watched(self, db: sqlite3.Connection, track: Track) -> Watched | None:
        """What the rules know of a run; None where its project has none."""
        rules = self.rules(track.name[0])
        if not rules:
            return None
        known = track.watched
        if known is None:
            known = Watched(rules, alerts.fired(db, track.run), alerts.moves(db, track.run))
            track.watched = known
        elif known.rules is not rules:
            known.rules, known.columns = rules, {}
        return known

    # -- what a batch says

    def hear(self, track: Track) -> None:
        """Something of a run arrived."""
        if track.state == "running":
            self._heard[track.run] = self.clock()
        else:
            self._heard.pop(track.run, None)
            self._began.pop(track.run, None)

    def begin(self, track: Track) -> None:
        """A run that had ended goes on: what did not move before is no fault of the new attempt."""
        self._began[track.run] = self.clock()

    def see_points(
        self, db: sqlite3.Connection, track: Track, tables: Iterable[Table], attempt: int
    ) -> None:
        """Hold new points against the rules about metrics."""
        watched = self.watched(db, track)
        if watched is None:
            return
        for table in tables:
            name = (table.system, table.keys)
            columns = watched.columns.get(name)
            if columns is None:
                if len(watched.columns) >= 1000:
                    watched.columns.clear()
                columns = watched.columns[name] = [
                    (rule, column)
                    for rule in watched.rules
                    for column, key in enumerate(table.keys)
                    if rule.watches(key, system=table.system)
                ]
            all_finite = bool(columns) and bool(np.isfinite(table.values).all())
            for rule, column in columns:
                if rule.kind == "nonfinite" and all_finite:
                    continue
                if rule.kind == "stalled":
                    self._move(db, track, watched, rule, table, column)
                else:
                    self._compare(db, track, watched, rule, table, column, attempt)

    def _compare(
        self,
        db: sqlite3.Connection,
        track: Track,
        watched: Watched,
        rule: Rule,
        table: Table,
        column: int,
        attempt: int,
    ) -> None:
        key = table.keys[column]
        condition = f"{attempt}:{key}"
        if not watched.may_fire(rule, condition):
            return
        values = table.values[:, column]
        bound = np.nan if rule.value is None else rule.value
        if rule.kind == "nonfinite":
            rows = np.flatnonzero(~np.isfinite(values))
        else:
            rows = np.flatnonzero(values > bound if rule.kind == "above" else values < bound)
        if not len(rows):
            return
        row = int(rows[0])
        where = "" if table.system else f" at step {int(table.steps[row])}"
        value = float(values[row])
        shown = f"{value:g}" if isfinite(value) else word(value)
        text = f"{key} was {shown}{where}."
        self._raise(db, track, watched, rule, condition, text, key, float(table.times[row]))

    def _move(
        self,
        db: sqlite3.Connection,
        track: Track,
        watched: Watched,
        rule: Rule,
        table: Table,
        column: int,
    ) -> None:
        """Remember that a metric got another value than it had."""
        values = table.values[:, column]
        key, final = table.keys[column], float(values[-1])
        last = None if final != final else final
        known = watched.moved.get((rule.id, key))
        if known is not None:
            same = np.isnan(values) if known[0] is None else values == known[0]
            if bool(np.all(same)):
                return
        self._note_move(db, track, watched, (rule.id, key), last)

    def _note_move(
        self,
        db: sqlite3.Connection,
        track: Track,
        watched: Watched,
        place: tuple[str, str],
        value: float | None,
    ) -> None:
        now = self.clock()
        watched.moved[place] = (value, now)
        alerts.write_move(db, track.run, place, value, now)

    def see_state(self, db: sqlite3.Connection, track: Track) -> None:
        """Hold the run's state, which may have changed, against the rules about its end."""
        if track.state not in DEATHS:
            return
        watched = self.watched(db, track)
        if watched is None:
            return
        for rule in watched.rules:
            if rule.kind == "died" or (rule.kind == "oom" and track.state == "oom"):
                condition = str(track.attempt)
                if watched.may_fire(rule, condition):
                    end = _end(db, track)
                    text = f"{sentence(end)}."
                    t = float(end.get("t") or self.clock())
                    self._raise(db, track, watched, rule, condition, text, None, t)

    # -- what time says

    def see_time(self, db: sqlite3.Connection, track: Track) -> None:
        """Hold a running run's silence against the rules with minutes. The time in which this
        server did not run is nobody's silence."""
        watched = self.watched(db, track)
        if watched is None or track.state != "running":
            return
        for rule in watched.rules:
            if rule.kind == "silent":
                self._see_silence(db, track, watched, rule)
            elif rule.kind == "stalled":
                self._see_stall(db, track, watched, rule)

    def _see_silence(
        self, db: sqlite3.Connection, track: Track, watched: Watched, rule: Rule
    ) -> None:
        now = self.clock()
        heard = self._heard.get(track.run, self.since)
        condition = str(sum(track.offsets.values()))
        if now - heard >= rule.seconds and watched.may_fire(rule, condition):
            text = (
                "The run has not ended and nothing of it arrives: its machine, its streamer or "
                "the network between is gone."
            )
            self._raise(db, track, watched, rule, condition, text, None, now)

    def _see_stall(
        self, db: sqlite3.Connection, track: Track, watched: Watched, rule: Rule
    ) -> None:
        key = rule.metric or ""
        known = watched.moved.get((rule.id, key))
        if known is None:  # the rule is younger than the metric's last value: it begins now
            if any((system, key) in track.kids for system in (False, True)):
                self._note_move(db, track, watched, (rule.id, key), None)
            return
        value, moved = known
        now = self.clock()
        begun = max(moved, self.since, self._began.get(track.run, 0.0))
        condition = f"{track.attempt}:{moved!r}:{key}"
        if now - begun >= rule.seconds and watched.may_fire(rule, condition):
            text = f"It has been {value:g} since then." if value is not None else ""
            self._raise(db, track, watched, rule, condition, text, key, now)

    def _raise(
        self,
        db: sqlite3.Connection,
        track: Track,
        watched: Watched,
        rule: Rule,
        condition: str,
        text: str,
        key: str | None,
        t: float,
    ) -> None:
        watched.fired.setdefault(rule.id, set()).add(condition)
        self.keep(
            db,
            track,
            NewAlert(t, rule.level, rule.says(key), text, "rule", rule.id, condition),
        )

    def keep(self, db: sqlite3.Connection, track: Track, alert: NewAlert) -> None:
        """Keep an alert, and put it before the webhook where there is one."""
        alerts.add(db, track.run, track.project, alert, self.clock(), post=self.has_webhook)
        self.raised = True


def _end(db: sqlite3.Connection, track: Track) -> dict[str, Any]:
    row = db.execute(
        "SELECT own_end, other_end FROM writer WHERE run = ? AND writer = ?",
        (track.run, track.creator),
    ).fetchone()
    return (end_of(*row) if row else None) or {"state": track.state}
