"""The streamer's main loop, and the same delivery in the foreground for ``outrider sync``."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from outrider.errors import JournalError, OutriderError
from outrider.journal.reader import RunFolder
from outrider.streamer.adopt import ADOPTED, Adoption
from outrider.streamer.clock import Clock
from outrider.streamer.cursor import Place, behind
from outrider.streamer.lock import Holder, Latch
from outrider.streamer.own import OwnJournal
from outrider.streamer.process import lower_priority
from outrider.streamer.roster import Member, Roster
from outrider.streamer.sender import Report, Sender
from outrider.streamer.status import Status, stamp
from outrider.streamer.watch import Syncer, Watch

if TYPE_CHECKING:
    from outrider.transport import Transport

LOCK_SECONDS = 2.0
"""How long a second streamer waits for a first one that is just leaving."""

HELPER_SECONDS = 5.0
SINK_SECONDS = 30.0
_END_RETRY_SECONDS = 60.0


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
        self.roster = Roster(self.folder, clock=self.clock)
        self.sizes: Mapping[Place, int] = {}
        self.sender: Sender | None = None
        self._wakes, self._woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._news = threading.Event()
        self._ends = threading.Event()
        self._meta_version = self._version()
        self._untold_since: float | None = None
        self._adoption = Adoption(self.folder, self.server)
        self._helpers = _Helpers(self)
        self._lowers_at: float | None = self.clock.tick() + HELPER_SECONDS

    def wake(self) -> None:
        """Look at once."""
        with contextlib.suppress(OSError):  # a full pipe wakes too
            os.write(self._woken, b"!")

    def terminated(self) -> None:
        """A SIGTERM came: ignored, and remembered, since a scheduler sends it to the whole job."""
        self.roster.terminated_at = self.clock.tick()

    def run(self) -> None:
        """Until the run is over and delivered, or its folder is gone."""
        self._look(thorough=True)
        if self.is_online:
            self._start_sender()
        self._helpers.start()
        while self.watch.exists:
            try:
                over = self._tend()
                if over and self._leaves():
                    break
                self._rest(0.05 if over else self.watch.pause)
            except Exception as error:  # a fault of ours must not end the delivery
                self._helpers.say_once(f"loop {type(error).__name__}", trace(error))
                self._ends.wait(1.0)
        self._ends.set()
        self._news.set()
        self.watch.close()

    # --- one round ------------------------------------------------------------------------

    def _tend(self) -> bool:
        """One round; whether nobody writes any more."""
        if self._look():
            self._news.set()
        self._tell_ends()
        self._look_at_meta()
        if self.syncer.due() and self.syncer.sync(self.watch.sizes):
            self._helpers.say_once("sync", "some files could not be synced; tried again")
        if self._lowers_at is not None and self._is_settled():
            self._lowers_at = None
            lower_priority()
        over = self.roster.is_over()
        if self.sender is not None:
            if over and not self.sender.hurries:
                self.sender.hurries = True
                self._news.set()
            self.report = self.sender.report
            if self.sender.has_contact and not self.is_adopted:
                self._adoption.start()
        self.status.write(self.report, self.sizes, now=over)
        return over

    def _is_settled(self) -> bool:
        """Whether the start is done. Until then the priority is an ordinary one: on a machine whose
        cores are all busy a start at low priority took ten times as long, up to half a minute."""
        assert self._lowers_at is not None
        started = self.report.state != "starting" and self._helpers.have_started()
        return started or self.clock.tick() >= self._lowers_at

    def _look(self, *, thorough: bool = False) -> bool:
        self.watch.look(thorough=thorough)
        self.roster.refresh(self.watch.sizes)
        sizes = self.roster.deliverable(self.watch.sizes)
        if sizes == self.sizes:
            return False
        self.sizes = sizes
        return True

    def _tell_ends(self) -> None:
        for member, end in self.roster.tick(self.watch.sizes):
            if self.own.append(end.record(member.writer, member.attempt)):
                self.roster.told(member)
                print(f"{stamp(self.clock.now())} {member.writer} {end.state}", flush=True)
                continue
            tick = self.clock.tick()
            self._untold_since = tick if self._untold_since is None else self._untold_since
            if tick - self._untold_since > _END_RETRY_SECONDS:
                self.roster.told(member)  # no room on this disk: the next streamer tells it
                print(f"{member.writer} {end.state}: could not be recorded", flush=True)

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
        if self._helpers.is_sampling():
            return False  # its last row is to be seen and sent
        if self._look(thorough=True) or not self.roster.is_over():
            return False
        is_drained = self.sender is None or self.sender.is_drained(self.sizes)
        if self.roster.members and not is_drained:
            return False
        if self._adoption.is_busy():
            return False
        self._helpers.finish_sinks()
        if self.sender is not None:
            self.report = self.sender.report
            if is_drained:
                self.report = replace(self.report, state="delivered")
        self.status.write(self.report, self.sizes, done=is_drained, now=True)
        self._helpers.tell_ended(self.meta)
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
                self._helpers.say_once(f"sender {type(error).__name__}", trace(error))
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


class _Helpers:
    """What the loop starts beside itself, after it is ready: sampling, sinks, watchdog, hooks."""

    def __init__(self, streamer: Streamer) -> None:
        self._streamer = streamer
        self._sampling: Any = None
        self._sinks: list[Any] = []
        self._thread: threading.Thread | None = None
        self._said: set[str] = set()
        self._told = False
        self._patience_ends: float | None = None

    def start(self) -> None:
        """Start them, the dear imports in a thread."""
        self._thread = threading.Thread(target=self._start, name="starting", daemon=True)
        self._thread.start()

    def _start(self) -> None:
        streamer = self._streamer
        try:
            from outrider import plugins

            plugins.manager()  # whole, before another thread asks it
            if not streamer.is_adopted and streamer.roster.has_living():
                from outrider.streamer.sampling import Sampling

                streamer.watch.observe(streamer.wake)
                self._sampling = Sampling(
                    streamer.meta, streamer.folder.path, streamer.roster.pid, streamer.own
                )
                self._sampling.start()
            from outrider.streamer.plugin import HTTP_SINK
            from outrider.streamer.sinks import SinkThread

            plugins.call("run_started", run=dict(streamer.meta))
            for names in plugins.call("sinks", settings=dict(streamer.meta)):
                for name in names:
                    if name != HTTP_SINK:
                        sink = SinkThread(
                            name, streamer.folder, streamer.meta, lambda: streamer.sizes
                        )
                        self._sinks.append(sink)
                        sink.start()
        except Exception as error:
            self.say_once("helpers", trace(error))

    def have_started(self) -> bool:
        """Whether the dear imports are done."""
        return self._thread is not None and not self._thread.is_alive()

    def is_sampling(self) -> bool:
        """Ask the sampler to stop; whether it is still writing its last row. A probe that hangs
        is not waited for."""
        tick = self._streamer.clock.tick()
        if self._patience_ends is None:
            self._patience_ends = tick + HELPER_SECONDS
        if tick > self._patience_ends:
            return False
        if self._thread is not None and self._thread.is_alive():
            return True
        return self._sampling is not None and self._sampling.is_stopping()

    def finish_sinks(self) -> None:
        """Let the plugins' sinks drain."""
        if self._sinks:
            from outrider.streamer.sinks import finish_all

            finish_all(self._sinks, SINK_SECONDS)
            self._sinks = []

    def tell_ended(self, meta: Mapping[str, Any]) -> None:
        """Call the hook, once."""
        if self._told:
            return
        self._told = True
        try:
            from outrider import plugins

            plugins.call("run_ended", run=dict(meta), state=self._streamer.roster.state())
        except Exception as error:
            self.say_once("run_ended", f"{type(error).__name__}: {error}")

    def say_once(self, key: str, text: str) -> None:
        """Write a line to the log the first time."""
        if key not in self._said:
            self._said.add(key)
            print(f"{stamp(self._streamer.clock.now())} {text}", flush=True)


def trace(error: BaseException) -> str:
    """An error of ours, in full, for the log."""
    import traceback

    return "".join(traceback.format_exception(type(error), error, error.__traceback__))


def say(text: str) -> None:
    """Write a line to the streamer's log."""
    print(text, flush=True)


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
        print(f"no token: {error.message}", flush=True)
        token = None
    return HttpTransport(url, token)


def take_lock(folder: RunFolder, seconds: float, clock: Clock) -> Holder | None:
    """The lock of this host, waited for while its holder may be leaving; None where it stays."""
    latch = Latch(folder.path)
    until = clock.tick() + seconds
    while True:
        holder = latch.take()
        if holder is not None:
            return holder
        if clock.tick() >= until:
            latch.close()
            return None
        threading.Event().wait(0.1)


def stream(path: str, flags: Iterable[str] = ()) -> bool:
    """Be the streamer of a run's folder; False where another one is."""
    clock = Clock()
    folder = RunFolder(path)
    holder = take_lock(folder, LOCK_SECONDS, clock)
    if holder is None:
        return False
    streamer = Streamer(path, flags=flags, clock=clock)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda number, frame: streamer.terminated())
    streamer.run()
    holder.release()
    return True


# --- in the foreground ------------------------------------------------------------------------


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
    acknowledged, bytes there). With ``follow`` it goes on until the run is over. It gives up when
    the server refuses the token, or takes nothing for ``patience`` seconds.
    """
    clock = clock or Clock()
    run = folder if isinstance(folder, RunFolder) else RunFolder(folder)
    server = str(getattr(transport, "url", run.meta().get("server")))
    try:
        holder = take_lock(run, 0.0, clock)
    except OSError:  # a copied folder may be read-only: it needs no lock to be read
        holder = None
    try:
        return _deliver(run, server, transport, follow, progress, patience, clock, holder)
    finally:
        if holder is not None:
            holder.release()


def _deliver(
    run: RunFolder,
    server: str,
    transport: Transport,
    follow: bool,
    progress: Callable[[int, int], None] | None,
    patience: float,
    clock: Clock,
    holder: Holder | None,
) -> Outcome:
    watch = Watch(run, clock)
    roster = Roster(run, clock=clock, everyone=True)
    status = Status(run, server, clock)
    own = OwnJournal(run)
    sender = Sender(
        run,
        lambda: transport,
        lambda: watch.sizes,
        known=status.known(),
        tell_gap=own.append if holder is not None else lambda record: None,
        clock=clock,
    )
    sender.gaps_told = set(roster.gaps_told)
    sender.hurries = True
    failing_since: float | None = None
    while True:
        watch.look(thorough=True)
        for member, end in roster.tick(watch.sizes):
            if holder is not None and _was_here(member):
                own.append(end.record(member.writer, member.attempt))
            roster.told(member)
        if watch.look(thorough=True):
            continue
        seconds = sender.step()
        report = sender.report
        if holder is not None:
            status.write(report, watch.sizes)
        if progress is not None:
            total = sum(watch.sizes.values())
            progress(total - behind(watch.sizes, report.acked), total)
        drained = seconds is None and sender.is_drained(watch.sizes)
        tick = clock.tick()
        if report.state in ("waiting", "refused"):
            failing_since = tick if failing_since is None else failing_since
            if sender.needs_token or tick - failing_since >= patience:
                break
        else:
            failing_since = None
        if drained and (not follow or roster.is_over()):
            break
        if seconds is None or seconds > 0:
            threading.Event().wait(0.1 if seconds is None else min(seconds, 0.5))
    return _outcome(sender.report, status, watch.sizes, holder, drained, roster.is_over())


def _was_here(member: Member) -> bool:
    return member.process is not None


def _outcome(
    report: Report,
    status: Status,
    sizes: Mapping[Place, int],
    holder: Holder | None,
    drained: bool,
    over: bool,
) -> Outcome:
    if drained and over:
        report = replace(report, state="delivered")
    if holder is not None:
        status.write(report, sizes, done=drained and over, now=True)
    left = behind(sizes, report.acked)
    return Outcome(
        drained, report.sent, left, report.gaps, report.state, report.reason, report.hint
    )
