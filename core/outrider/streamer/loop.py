"""The streamer's main loop: looks, syncs, tells ends, and leaves when all is delivered."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from outrider.errors import JournalError, OutriderError
from outrider.journal.reader import RunFolder
from outrider.streamer import sigterm
from outrider.streamer.adopt import ADOPTED, Adoption
from outrider.streamer.clock import Clock
from outrider.streamer.companions import PATIENCE_SECONDS, Companions
from outrider.streamer.cursor import Place
from outrider.streamer.foreground import Outcome, deliver
from outrider.streamer.handover import HandOver
from outrider.streamer.lock import take
from outrider.streamer.log import say, stamp, trace
from outrider.streamer.own import OwnJournal
from outrider.streamer.process import lower_priority
from outrider.streamer.roster import Roster
from outrider.streamer.sender import Report, Sender
from outrider.streamer.status import Status
from outrider.streamer.upkeep import Upkeep
from outrider.streamer.watch import Syncer, Watch
from outrider.streamer.witness import Witness

if TYPE_CHECKING:
    from outrider.transport import Transport

LOCK_SECONDS = 2.0
"""How long a second streamer waits for a first one that is just leaving."""

_END_RETRY_SECONDS = 60.0

__all__ = ["Outcome", "Streamer", "connect", "deliver", "stream"]


class Streamer:
    """Carries one run's records from this host's folder, until nobody writes and all is acked."""

    def __init__(self, path: str, *, flags: Iterable[str] = (), clock: Clock | None = None) -> None:
        self.folder = RunFolder(path)
        self.clock = clock or Clock()
        self.is_adopted = ADOPTED in flags
        self.meta: dict[str, Any] = self.folder.meta()
        self.is_online = self.meta.get("mode") == "online"
        self.server = str(self.meta.get("server"))
        self.watch = Watch(self.folder, self.clock)
        self.syncer = Syncer(self.folder, self.clock)
        self.status = Status(self.folder, self.server, self.clock, say)
        self.own = OwnJournal(self.folder)
        self.report = Report("starting" if self.is_online else "offline", acked=self.status.known())
        self.status.write(self.report, {}, now=True)
        self.witness = Witness(self.folder, self.clock)
        self.roster = Roster(self.folder, clock=self.clock, witness=self.witness)
        self.sizes: Mapping[Place, int] = {}
        self.sender: Sender | None = None
        self._wakes, self._woken = os.pipe()
        os.set_blocking(self._wakes, False)
        os.set_blocking(self._woken, False)
        self._news = threading.Event()
        self._ends = threading.Event()
        self._meta_version = self._version()
        self._untold_since: float | None = None
        self._captured_to: tuple[str, int, int] | None = None
        self._hand_over = HandOver(self.folder.path, self.server, self.clock)
        self._adoption = Adoption(self.folder, self.server, lambda: self._hand_over.keeps)
        self._companions = Companions(self)
        self.upkeep = Upkeep(self)
        self._lowers_at: float | None = self.clock.tick() + PATIENCE_SECONDS

    def wake(self) -> None:
        """Look at once."""
        with contextlib.suppress(OSError):  # a full pipe wakes too
            os.write(self._woken, b"!")

    def terminated(self, sender: Mapping[str, Any]) -> None:
        """A SIGTERM came: ignored, and remembered, since a scheduler sends it to the whole job."""
        self.witness.note_sigterm(sender)

    def run(self) -> None:
        """Until the run is over and delivered, or its folder is gone."""
        self._look(thorough=True)
        if self.is_online:
            self._start_sender()
        self._companions.start()
        self.upkeep.start()
        while self.watch.exists:
            try:
                over = self._tend()
                if over and self._leaves():
                    break
                self._rest(self._pause(over))
            except Exception as error:  # a fault of ours must not end the delivery
                self._companions.say_once(f"loop {type(error).__name__}", trace(error))
                self._ends.wait(1.0)
        self._ends.set()
        self._news.set()
        self.upkeep.stop()
        self.watch.close()

    def _pause(self, over: bool) -> float:
        """Seconds until the next round. A run that is over is looked at often, to leave soon; not
        while the server is silent, which may last for days."""
        if not over:
            return self.watch.pause
        return 1.0 if self.report.state in ("waiting", "refused") else 0.05

    # --- one round ------------------------------------------------------------------------

    def _tend(self) -> bool:
        """One round; whether nobody writes any more."""
        grew = self._look()
        if grew:
            self._news.set()
        self._tell_ends()
        self._look_at_meta()
        if self.syncer.due() and self.syncer.sync(self.watch.sizes):
            self._companions.say_once("sync", "some files could not be synced; tried again")
        if self._lowers_at is not None and self._is_settled():
            self._lowers_at = None
            lower_priority()
        over = self.roster.is_over()
        if not over:
            self._companions.go_on()
        self.upkeep.look(grew=grew, is_over=over)
        if self.sender is not None:
            if over != self.sender.hurries:
                self.sender.hurries = over
                self._news.set()
            self.report = self.sender.report
            if self.sender.has_contact and (self._hand_over.keeps or not self.is_adopted):
                self._adoption.start()
        if self.status.capture != "acked":
            self.status.capture = self._capture()
        self.status.write(self.report, self.sizes, now=over, files=self.upkeep.left())
        return over

    def _capture(self) -> str:
        """How far code and environment are: going on, kept in the journal, or acked. Where nothing
        of ours outlives the trainer, its end waits for that."""
        if self._captured_to is None:
            if not self._companions.has_captured():
                return "going on"
            self._captured_to = self.own.position()
            if self._captured_to is None:
                return "acked"  # nothing could be captured, or written down
        writer, segment, offset = self._captured_to
        acked = self.report.acked.get(Place(writer, segment), 0)
        return "acked" if acked >= offset else "kept"

    def _is_settled(self) -> bool:
        """Whether the start is done. Until then the priority is an ordinary one: on a machine whose
        cores are all busy a start at low priority took ten times as long, up to half a minute."""
        assert self._lowers_at is not None
        started = self.report.state != "starting" and self._companions.have_started()
        return started or self.clock.tick() >= self._lowers_at

    def _look(self, *, thorough: bool = False) -> bool:
        self.watch.look(thorough=thorough)
        self.roster.refresh(self.watch.sizes)
        sizes = self.roster.deliverable(self.watch.sizes)
        if sizes == self.sizes:
            return False
        self.sizes = sizes
        self._news.set()  # whoever looks: the sender may be waiting for just this
        return True

    def _tell_ends(self) -> None:
        for member, end in self.roster.tick(self.watch.sizes):
            if self.own.append(end.record(member.writer, member.attempt)):
                self.roster.told(member)
                say(f"{stamp(self.clock.now())} {member.writer} {end.state}")
                continue
            tick = self.clock.tick()
            self._untold_since = tick if self._untold_since is None else self._untold_since
            if tick - self._untold_since > _END_RETRY_SECONDS:
                self.roster.told(member)  # no room on this disk: the next streamer tells it
                say(f"{member.writer} {end.state}: could not be recorded")

    def _version(self) -> tuple[int, int]:
        try:
            status = os.stat(os.path.join(self.folder.path, "run.json"))
        except OSError:
            return (0, 0)
        return (status.st_mtime_ns, status.st_ino)

    def _look_at_meta(self) -> None:
        version = self._version()
        if version == self._meta_version:
            return
        self._meta_version = version
        try:
            self.meta = self.folder.meta()
        except JournalError:
            return
        self._companions.look()
        self.status.capture, self._captured_to = "going on", None
        if self.sender is not None:
            self.sender.make_known_again()
            self._news.set()

    def _rest(self, seconds: float) -> None:
        poll = select.poll()
        poll.register(self._wakes, select.POLLIN)
        for fd in self.roster.descriptors():
            poll.register(fd, select.POLLIN)
        poll.poll(max(1, int(seconds * 1000)))
        with contextlib.suppress(OSError):
            os.read(self._wakes, 4096)

    # --- the end --------------------------------------------------------------------------

    def _leaves(self) -> bool:
        """Whether everything is done; what the helpers still write is delivered first."""
        if self._companions.is_sampling() or self._companions.is_capturing():
            return False  # its last row is to be seen and sent
        waits = self.sender is not None and self.sender.report.state == "waiting"
        if self._hand_over.may_leave(waits):
            self.status.write(self.report, self.sizes, now=True)
            return True
        if self.upkeep.is_busy():
            return False
        if self._look(thorough=True) or not self.roster.is_over():
            return False
        is_drained = self.sender is None or self.sender.is_drained(self.sizes)
        if self.roster.members and not is_drained:
            return False
        if self._adoption.is_busy():
            return False
        self._companions.finish_sinks()
        if self.sender is not None:
            self.report = self.sender.report
            if is_drained:
                self.report = replace(self.report, state="delivered")
        self.status.write(self.report, self.sizes, done=is_drained, now=True)
        self._companions.tell_ended(self.meta)
        self.syncer.sync(self.watch.sizes)
        return not self._look(thorough=True) and self._version() == self._meta_version

    # --- the sender's thread --------------------------------------------------------------

    def _start_sender(self) -> None:
        self.sender = Sender(
            self.folder,
            lambda: connect(self.meta),
            lambda: self.sizes,
            known=self.report.acked,
            tell_gap=self._tell_gap,
            clock=self.clock,
        )
        self.sender.gaps_told = set(self.roster.gaps_told)
        threading.Thread(target=self._send, name="sender", daemon=True).start()

    def _tell_gap(self, record: dict[str, Any]) -> None:
        self.own.append(record)
        self.wake()

    def _send(self) -> None:
        assert self.sender is not None
        while not self._ends.is_set():
            self._news.clear()
            before = self.sender.report
            try:
                seconds = self.sender.step()
            except Exception as error:  # a fault of ours must not end the delivery
                self._companions.say_once(f"sender {type(error).__name__}", trace(error))
                seconds = 5.0
            report = self.sender.report
            if report.state != before.state or self.sender.hurries:
                self.wake()
            if seconds is None:
                self._news.wait(30.0)
            elif seconds > 0:
                self._await_moment(seconds)

    def _await_moment(self, seconds: float) -> None:
        """Wait; what arrives meanwhile does not cut a backoff short, the end of the run does."""
        assert self.sender is not None
        until = self.clock.tick() + seconds
        hurried = self.sender.hurries
        while not self._ends.is_set() and (left := until - self.clock.tick()) > 0:
            self._ends.wait(min(left, 0.1))
            if self.sender.hurries and not hurried and seconds <= 1.0:
                return


def connect(meta: Mapping[str, Any]) -> Transport:
    """A transport to a run's server with the token that is kept for it now."""
    from outrider.credentials import token_for
    from outrider.transport import HttpTransport

    url = str(meta.get("server"))
    origins = meta.get("origins")
    origin = origins.get("url", "default") if isinstance(origins, dict) else "default"
    try:
        token = token_for(url, api_key=os.environ.get("OUTRIDER_API_KEY"), url_origin=origin)
    except OutriderError as error:
        say(f"no token: {error.message}")
        token = None
    return HttpTransport(url, token)


def stream(path: str, flags: Iterable[str] = ()) -> bool:
    """Be the streamer of a run's folder; False where another one is."""
    clock = Clock()
    holder = take(path, LOCK_SECONDS)
    if holder is None:
        return False
    streamer = Streamer(path, flags=flags, clock=clock)
    if threading.current_thread() is threading.main_thread():
        sigterm.listen(streamer.terminated)
    streamer.run()
    holder.release()
    return True
