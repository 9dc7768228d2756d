"""What the store is asked about alerts, rules and the webhook."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from outrider_server.store import alerts
from outrider_server.store.batches import UnknownRun
from outrider_server.store.detail import cursor, project_number

if TYPE_CHECKING:
    from outrider_server.rules import Rule
    from outrider_server.store.alerts import Posting
    from outrider_server.store.series import Run
    from outrider_server.store.writer import Writer
    from outrider_server.store.writing import Writing

_NEWEST = (1 << 63) - 1


class Alerts:
    """Part of a store, usable from any thread as the store is."""

    def __init__(
        self,
        writer: Writer,
        snapshot: Callable[[], AbstractContextManager[sqlite3.Connection]],
        find: Callable[[sqlite3.Connection, str, str], Run],
    ) -> None:
        self._writer = writer
        self._snapshot = snapshot
        self._find = find

    def of_run(
        self, project: str, run: str, *, after: str | None = None, limit: int = 100
    ) -> dict[str, Any]:
        """A run's alerts in the order they came, a page at a time. Raises ``NotFound``."""
        with self._snapshot() as db:
            found = self._find(db, project, run)
            return alerts.read_of_run(db, found.run, cursor(after), limit)

    def of_project(
        self, project: str, *, after: str | None = None, limit: int = 100
    ) -> dict[str, Any]:
        """A project's alerts, the newest first, a page at a time."""
        with self._snapshot() as db:
            number = project_number(db, project)
            if number is None:
                return {"alerts": [], "next": None}
            before = cursor(after) if after else _NEWEST
            return alerts.read_of_project(db, number, before, limit)

    def rules(self, project: str) -> list[Rule]:
        """A project's rules, the oldest first; a project may have rules before it has runs."""
        return self._writer.call(lambda to: list(to.watcher.rules(project)))

    def add_rule(self, project: str, body: Mapping[str, Any]) -> Rule:
        """Make a rule; it sees what comes in from now on. Raises ``UsageError``."""
        return self._writer.call(lambda to: alerts.add_rule(to, project, body))

    def delete_rule(self, project: str, rule: str) -> None:
        """Remove a rule. Raises ``NotFound``."""
        self._writer.call(lambda to: alerts.delete_rule(to, project, rule))

    def check(self) -> list[tuple[str, str]]:
        """Hold time against the rules with minutes; the runs (project, id) that got an alert."""
        with self._snapshot() as db:
            projects = self._writer.call(lambda to: to.watcher.timed_projects())
            running = [
                (project, run)
                for project in projects
                for (run,) in db.execute(
                    "SELECT r.id FROM run r JOIN project p ON p.project = r.project"
                    " WHERE p.name = ? AND r.state = 'running'",
                    (project,),
                )
            ]
        return [name for name in running if self._writer.call(lambda to, name=name: _see(to, name))]  # type: ignore[misc]

    def webhook(self) -> str | None:
        """The address that alerts are posted to."""
        with self._snapshot() as db:
            found: str | None = alerts.read_setting(db, "webhook")
            return found

    def set_webhook(self, url: str | None) -> None:
        """Set the address, or remove it with all that waits."""
        self._writer.call(lambda to: alerts.set_webhook(to, url))

    def on_alert(self, tell: Callable[[], object]) -> None:
        """Call this, from the writer's thread, when alerts were committed."""
        self._writer.on_alert = tell

    def waiting(self) -> int:
        """How many alerts wait to be posted."""
        with self._snapshot() as db:
            return alerts.waiting(db)

    def next_posting(self) -> tuple[float, Posting] | None:
        """The alert to be posted next and when it is due, None where none waits."""
        with self._snapshot() as db:
            return alerts.next_posting(db)

    def posted(self, posting: Posting, due: float | None = None) -> None:
        """An alert was posted or given up; with ``due``, it is tried again then."""
        self._writer.call(lambda to: alerts.posted(to, posting, due))


def _see(to: Writing, name: tuple[str, str]) -> bool:
    try:
        track = to.track(*name)
    except UnknownRun:  # deleted since
        return False
    before, to.watcher.raised = to.watcher.raised, False
    to.watcher.see_time(to.db, track)
    told = to.watcher.raised
    to.watcher.raised |= before
    return told
