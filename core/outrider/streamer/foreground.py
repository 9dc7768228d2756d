"""The streamer's delivery in the foreground, for ``outrider sync``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from outrider.journal.reader import RunFolder
from outrider.streamer.clock import Clock
from outrider.streamer.cursor import Place, behind
from outrider.streamer.lock import Holder, take
from outrider.streamer.own import OwnJournal
from outrider.streamer.roster import Roster
from outrider.streamer.sender import Sender
from outrider.streamer.status import Status
from outrider.streamer.watch import Watch

if TYPE_CHECKING:
    from outrider.transport import Transport


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of ``deliver``: ``sent`` and ``behind`` are bytes; where ``delivered`` is false,
    ``state``, ``reason`` and ``hint`` say why."""

    delivered: bool
    sent: int
    behind: int
    gaps: int
    state: str
    reason: str | None = None
    hint: str | None = None
    files_sent: int = 0
    files_left: int = 0
    files_lost: int = 0
    """Contents that lie neither here nor at the server."""


def deliver(
    folder: RunFolder | str,
    *,
    transport: Transport,
    follow: bool = False,
    progress: Callable[[int, int], None] | None = None,
    patience: float = 10.0,
    clock: Clock | None = None,
) -> Outcome:
    """Send what a run's folder holds and the server lacks; the same code as the streamer's.

    All writers' journals are sent, also another machine's. Works beside a live streamer and more
    than once: the server's offsets keep each record single. ``progress`` is called with (bytes
    acknowledged, bytes there). It sends what is there now; with ``follow`` it goes on until the
    run is over. It gives up when the server refuses the token, or takes nothing for ``patience`` seconds.
    """
    run = folder if isinstance(folder, RunFolder) else RunFolder(folder)
    run.meta()  # raises where it is no run's folder
    try:
        holder = take(run.path, 0.0)
        is_beside = holder is None
    except OSError:  # a copied folder may be read-only: it needs no lock to be read
        holder, is_beside = None, False
    try:
        delivery = _Delivery(run, transport, holder, clock or Clock(), is_beside=is_beside)
        try:
            return delivery.run(follow, progress, patience)
        finally:
            delivery.close()
    finally:
        if holder is not None:
            holder.release()


class _Delivery:
    """The parts of a streamer that sending needs. Only the holder of the lock writes records: ends of
    writers that died here, and gaps. What is acknowledged is written down beside a streamer too
    (``is_beside``), or a run that was sent while that waits for another token would seem undelivered."""

    def __init__(
        self,
        run: RunFolder,
        transport: Transport,
        holder: Holder | None,
        clock: Clock,
        *,
        is_beside: bool,
    ) -> None:
        # Loaded here: the streamer imports this module at its start, and needs none of it then.
        from outrider.streamer.errands import Errands
        from outrider.streamer.files import Files
        from outrider.streamer.resend import Contents

        self.watch = Watch(run, clock)
        self.roster = Roster(run, clock=clock, everyone=True)
        server = getattr(transport, "url", None) or run.meta().get("server")
        self.status = Status(run, str(server), clock, is_beside=is_beside)
        self.own = OwnJournal(run)
        self.holds = holder is not None
        self.tells = self.holds or is_beside
        self.clock = clock
        self.sender = Sender(
            run,
            lambda: transport,
            lambda: self.watch.sizes,
            known=self.status.known(),
            tell_gap=self.own.append if self.holds else lambda record: None,
            clock=clock,
        )
        self.sender.gaps_told = set(self.roster.gaps_told)
        self.sender.hurries = True
        self.files = Files(run, self.own, server=str(server), everywhere=True)
        self.errands = Errands(run, self.files, lambda: self.watch.sizes, clock=clock)
        self.contents = Contents(run, self.files, transport, clock)

    def run(
        self, follow: bool, progress: Callable[[int, int], None] | None, patience: float
    ) -> Outcome:
        """Until all is sent, or sending fails for too long."""
        failing_since: float | None = None
        self._look()
        self._run_errands()
        goal = dict(self.watch.sizes)
        while True:
            self._look()
            seconds = self.sender.step()
            report = self.sender.report
            sizes = self.watch.sizes
            if self.tells:
                self.status.write(report, sizes)
            if progress is not None:
                total = sum(sizes.values())
                progress(total - behind(sizes, report.acked), total)
            if seconds is None and self.roster.is_over():
                break
            if not follow:  # a run that grows all the time must not keep us for ever
                goal.update(
                    {place: n for place, n in sizes.items() if place.writer == self.own.writer}
                )
                if self.sender.is_drained(goal):
                    break
            if report.state in ("waiting", "refused"):
                tick = self.clock.tick()
                failing_since = tick if failing_since is None else failing_since
                if self.sender.needs_token or tick - failing_since >= patience:
                    break
            else:
                failing_since = None
            if seconds is None or seconds > 0:
                threading.Event().wait(0.1 if seconds is None else min(seconds, 0.5))
            if seconds is None:
                self._run_errands()
        if self.sender.is_drained(goal):
            self.contents.send(progress, patience)
        return self._outcome(goal)

    def close(self) -> None:
        """Give back what is held open: one call delivers thousands of runs, one after the other."""
        self.watch.close()
        self.roster.close()
        self.own.close()

    def _run_errands(self) -> None:
        """Copy the files that no streamer lived to copy."""
        if self.holds:
            while self.errands.work():
                pass
            self.errands.follow(is_last=self.roster.is_over())
            self._look()

    def _look(self) -> None:
        """Take note of what is there, and tell how writers ended that died here."""
        self.watch.look(thorough=True)
        settled = False
        while not settled:
            ends = self.roster.tick(self.watch.sizes)
            for member, end in ends:
                if self.holds and member.process is not None:
                    self.own.append(end.record(member.writer, member.attempt))
                self.roster.told(member)
            settled = not ends and not self.roster.has_unsettled()
            if not settled:
                self.watch.look(thorough=True)

    def _outcome(self, goal: Mapping[Place, int]) -> Outcome:
        report, sizes = self.sender.report, self.watch.sizes
        left = self.files.shelf.left()
        is_whole = self.sender.is_drained(sizes) and self.roster.is_over() and not left[0]
        problem = self.contents.problem if left[0] else None
        if problem is not None:
            report = replace(report, state=problem.state, reason=problem.reason, hint=problem.hint)
        if is_whole:
            report = replace(report, state="delivered")
        if self.tells:
            self.status.write(report, sizes, done=is_whole, now=True, files=left)
        return Outcome(
            delivered=self.sender.is_drained(goal) and not left[0],
            sent=report.sent,
            behind=behind(sizes, report.acked),
            gaps=report.gaps,
            state=report.state,
            reason=report.reason,
            hint=report.hint,
            files_sent=self.contents.sent,
            files_left=left[0],
            files_lost=len(self.files.shelf.failed),
        )
