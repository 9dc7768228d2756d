"""Takes the measures: what is timed in turns with ours, what mostly waits two at a time, the rest alone."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import environments
import pages
import servers
from environments import Environment, NotInstalled
from measures import ALONE, TIMED, WAITING, Effort, Measure, Round
from subjects import BY_NAME, OURS, Subject
from training import Failed, said, sandbox

if TYPE_CHECKING:
    from raw import Figures

ONCE: dict[str, Measure] = {**servers.SERVED, **ALONE, **pages.SEEN}
ALL: dict[str, Measure] = {**TIMED, **ONCE, **WAITING}
"""In the order in which they are taken."""
AT_ONCE = 2


@dataclass(slots=True)
class Turns:
    """One run of the kit over some trackers: each figure is kept as soon as it is there.

    What has not begun at `until`, by the monotonic clock, is left out and keeps its older figure.
    """

    figures: Figures
    effort: Effort
    rounds: int
    until: float
    ready: dict[str, Environment] = field(default_factory=dict)

    def take(self, names: Collection[str], measures: Collection[str]) -> None:
        """Measure those trackers of these that can be had."""
        for name in dict.fromkeys([OURS, *names]):
            self._make_ready(BY_NAME[name])
        os.environ[environments.PLACE] = str(environments.place())  # the pages' kit looks there
        asked = [BY_NAME[name] for name in names if name in self.ready]
        for measure in TIMED:
            if measure in measures:
                self._in_turn(measure, [BY_NAME[name] for name in self.ready])
        for some, at_once in ((ONCE, 1), (WAITING, AT_ONCE)):
            pairs = [
                (measure, subject) for measure in some if measure in measures for subject in asked
            ]
            self._each((pair for pair in pairs if _applies(*pair)), at_once)

    def _make_ready(self, subject: Subject) -> None:
        try:
            made = environments.made(subject)
            with sandbox(subject, made) as one:
                one.run("warmed", {}, 240)
            self.ready[subject.name] = made
        except (NotInstalled, Failed) as error:
            said(f"{subject.name} is left out: {error}")
            self.figures.add("install", subject.name, why=str(error))

    def _in_turn(self, measure: str, there: list[Subject]) -> None:
        found: dict[str, list[Round]] = {subject.name: [] for subject in there}
        for _ in range(self.rounds):
            for subject in there:
                if (one := self._tried(measure, subject)) is None:
                    return
                found[subject.name].append(one)
                if subject.name != OURS:  # kept at once: who stops the kit loses one round
                    self._keep(measure, subject, found[subject.name], ours=list(found[OURS]))
                elif len(there) == 1:
                    self._keep(measure, subject, found[OURS])

    def _each(self, pairs: Iterable[tuple[str, Subject]], at_once: int) -> None:
        with ThreadPoolExecutor(at_once) as several:
            running = {several.submit(self._tried, *pair): pair for pair in pairs}
            for done in as_completed(running):
                if (one := done.result()) is not None:
                    self._keep(*running[done], [one])

    def _keep(
        self, measure: str, subject: Subject, rounds: list[Round], **more: list[Round]
    ) -> None:
        version = self.ready[subject.name].version
        self.figures.add(measure, subject.name, version=version, rounds=list(rounds), **more)

    def _tried(self, measure: str, subject: Subject) -> Round | None:
        """What came out, or why nothing did; None where the time was over before."""
        began = time.monotonic()
        if began > self.until:
            said(f"{measure}: {subject.name} is left out, the time is over")
            return None
        try:
            found = ALL[measure](subject, self.ready[subject.name], self.effort)
        except Failed as error:
            said(f"{measure}: {subject.name} failed: {error}")
            return {"failed": str(error)}
        said(f"{measure}: {subject.name}, {time.monotonic() - began:.0f} s")
        return found


def _applies(measure: str, subject: Subject) -> bool:
    needed = {"down": subject.down, "server": subject.server, "page": subject.page}
    return needed.get(measure, "") is not None
