"""The run, as the training process holds it: every call writes lines to the journal, no more.

Nothing here starts a thread, waits for a lock or the network, or raises into the training.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any

from outrider import straight, values
from outrider.attributes import Config, Summary
from outrider.described import Described, Ending
from outrider.notice import say_once, swallow
from outrider.streamer import spawn

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from outrider.console import Capture
    from outrider.journal.writer import JournalWriter
    from outrider.mediatypes.base import Media
    from outrider.settings import Settings

RESTART_SECONDS = 5.0
"""How long a dead streamer may stay unnoticed, and the first pause between two starts."""

_LEVELS = ("INFO", "WARN", "ERROR")


def start_streamer(folder: str, settings: Settings) -> bool:
    """Start a run's streamer; a key that came as an argument is handed over, and to it alone."""
    extra = {}
    if settings.api_key and settings.origin("api_key") == "argument":
        extra["OUTRIDER_API_KEY"] = settings.api_key
    return spawn.start(folder, extra=extra)


class AlertLevel:
    """The levels of ``alert()``."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


class Run(Described):
    """One training run in this process, made by ``outrider.core.init()``.

    A context manager: ``with init() as run:`` finishes it, as failed where an exception leaves the
    block. Nothing here raises; what cannot be kept is said once on stderr and counted.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        run_id: str,
        project: str,
        name: str,
        folder: str | None,
        writer: JournalWriter | None,
        config: dict[str, Any],
        attempt: int = 1,
        first_step: int = 0,
        is_new: bool = True,
    ) -> None:
        self.settings = settings
        self.id = run_id
        self.project = project
        self.name = name
        self.folder = folder
        self.attempt = attempt
        self.resumed = attempt > 1
        self._writer = writer
        self._is_new = is_new
        self._refused = 0
        self._look_at = monotonic() + RESTART_SECONDS
        self._pause = RESTART_SECONDS
        self._finished = writer is None
        self.has_saved = False
        self._spooled = count(1)
        self.before_end: list[Callable[[], object]] = []
        self._capture: Capture | None = None
        self._straight = straight.make(writer, first_step, self._log_carefully, self._log_tended)
        self.log = self._straight.log  # type: ignore[method-assign]
        self.on_end: Callable[[Run], object] | None = None
        self.read_summary: Callable[[str], Mapping[str, Any]] | None = None
        self.config = Config(config, self._config_changed)
        self.summary = Summary(self._summary_changed, self._read_summary)

    @property
    def step(self) -> int:
        """The step that the next ``log()`` without one gets."""
        return self._straight.peek()

    # --- the log path ---------------------------------------------------------------------

    def log(self, data: Mapping[str, Any], step: int | None = None, commit: bool = True) -> None:
        """Record metric values: when this returns, they survive the death of the process.

        ``data`` maps names to scalars (Python, NumPy, 0-d tensors, decimals); nested mappings
        flatten with ``.``. Without ``step`` the run's own counter is used and advanced; with it,
        the counter goes on behind it. Steps are 64-bit and need not grow. ``commit=False`` writes
        at once and does not advance the counter. Values may be media, too (``outrider.Image`` and
        its kin, figures, data frames), alone or in lists. Never raises and never waits for a network.
        """
        self._log_tended(data, step, commit)  # each run has a quicker one of its own: straight.py

    def _log_tended(self, data: Any, step: Any = None, commit: Any = True) -> None:
        """The rest of ``log()``: look after the file and the streamer, settle the step."""
        try:
            if self._finished or self._writer is None:
                if self.folder is not None:
                    say_once(f"{self.id} finished", "log() after finish() is not recorded")
                return
            now = self._writer.clock.now()
            if now >= self._writer.due:
                self._writer.tend(now)
                self._look_after_streamer()
            if step is None:
                number = self._straight.next_step() if commit else self.step
            else:
                try:
                    number = values.step(step)
                    self._straight.go_on_at(number + 1 if commit else number)
                except values.NotANumber as error:
                    say_once(f"step {error}", f"log(): {error}; the run's own step is used")
                    number = self._straight.next_step()
            self._log_carefully(data, number)
        except Exception as error:
            swallow("log()", error)

    def _log_carefully(self, data: Any, step: int) -> None:
        """Convert every value, keep what can be kept, name the rest once."""
        try:
            if not isinstance(data, Mapping):
                self._refuse("log()", f"takes a mapping of names to values, not {data!r:.60}")
                return
            media: values.Found = []
            kept, refused = values.points(data, media)
            for key, reason in refused:
                self._refuse(f"log(): {key!r:.80}", f"cannot be kept as a metric ({reason})")
            for key, found in media:
                self._log_media(key, found, step)
            if kept or not data:
                self._append({"s": step, "p": kept})
        except Exception as error:
            swallow("log()", error)

    def _log_media(self, key: str, media: list[Media], step: int) -> None:
        """Copy what is large into the run's folder; the streamer makes files of it."""
        from outrider.mediatypes import recording
        from outrider.mediatypes.spool import Spool

        writer = self._writer
        if writer is None or self.folder is None or self._finished:
            return
        spool = Spool(self.folder, writer.writer, self._spooled)
        for problem in recording.record(spool, key, media, step, self._append):
            self._refuse(f"log(): {key!r:.80}", f"cannot be kept ({problem})")

    def _refuse(self, where: str, why: str) -> None:
        self._refused += 1
        say_once(where, f"{where} {why}; said once, the rest is kept")

    def _append(self, record: Mapping[str, Any]) -> bool:
        writer = self._writer
        if writer is None or self._finished:
            return False
        return writer.append(record)

    def _look_after_streamer(self) -> None:
        """Start another streamer where the last one died: looked at every few seconds at most."""
        now = monotonic()
        if now < self._look_at or self.folder is None or self._writer is None:
            return
        self._look_at = now + RESTART_SECONDS
        if spawn.is_running(self.folder):
            return
        self._look_at = now + self._pause
        self._pause = min(self._pause * 2, 300.0)
        start_streamer(self.folder, self.settings)

    # --- everything else a run records ----------------------------------------------------

    def _config_changed(self, changed: dict[str, Any], deleted: list[str]) -> None:
        record: dict[str, Any] = {"k": "config", "c": changed}
        if deleted:
            record["x"] = deleted
        self._append(record)

    def _summary_changed(self, changed: dict[str, Any], deleted: list[str]) -> None:
        record: dict[str, Any] = {"k": "summary", "c": changed}
        if deleted:
            record["x"] = deleted
        self._append(record)

    def _read_summary(self) -> Mapping[str, Any]:
        if self.folder is None or self.read_summary is None:
            return {}
        return self.read_summary(self.folder)

    def define_metric(
        self,
        name: str,
        step: str | None = None,
        summary: str | None = None,
        goal: str | None = None,
        hidden: bool = False,
        **other: Any,
    ) -> None:
        """Say what a metric means: ``name`` may be a glob such as ``val/*``.

        ``step`` names the metric to draw it against; ``summary`` is min, max, mean, last, best or
        none; ``goal`` is minimize or maximize (it says what best is); ``hidden`` draws no chart.
        """
        step = other.pop("step_metric", step)  # wandb's word for it
        if summary is not None and summary not in ("min", "max", "mean", "last", "best", "none"):
            first = str(summary).split(",")[0]
            self._refuse("define_metric()", f"does not know summary={summary!r}")
            summary = first if first in ("min", "max", "mean", "last", "best", "none") else None
        if goal is not None and goal not in ("minimize", "maximize"):
            self._refuse("define_metric()", f"does not know goal={goal!r} (minimize or maximize)")
            goal = None
        given: object = name
        if not isinstance(given, str) or not given:
            self._refuse("define_metric()", f"needs a name that is a text, not {name!r:.60}")
            return
        step = step if isinstance(step, str) else None
        self._append(
            {
                "k": "metric",
                "name": name,
                "step": step,
                "summary": summary,
                "goal": goal,
                "hidden": bool(hidden),
            }
        )

    def alert(self, title: str, text: str = "", level: str = "INFO", **other: Any) -> None:
        """Record an alert; ``level`` is INFO, WARN or ERROR."""
        word = str(getattr(level, "value", level)).upper()
        if word == "WARNING":
            word = "WARN"
        if word not in _LEVELS:
            self._refuse("alert()", f"does not know level={level!r}; INFO is used")
            word = "INFO"
        title, text = values.text(title), values.text(text)
        self._append({"k": "alert", "title": title, "text": text, "level": word})

    def save(
        self,
        path_or_glob: Any,
        base: Any = None,
        policy: str = "now",
        *,
        metadata: Any = None,
        aliases: Any = (),
        **other: Any,
    ) -> list[str]:
        """Keep files with the run; returns the names, below ``base``, under which they are kept.

        Nothing of a user's data is stored unless it is named here: a file, a folder or a glob
        (``**`` too). ``base`` is the working folder by default. ``policy`` is ``now`` (as it is at
        this moment), ``live`` (again whenever it has changed) or ``end`` (as it is when the run
        ends). ``metadata`` (a mapping) and ``aliases`` are kept with each file. One record a file
        is written here; hashing, copying and sending happen in the streamer. Never raises.
        """
        try:
            if self.folder is None or self._finished:
                return []
            from outrider.keeping import keep_files

            base = other.get("base_path", base)  # wandb's word for it
            self.has_saved = True
            return keep_files(
                self.folder,
                path_or_glob,
                base,
                policy,
                self._append,
                metadata=metadata,
                aliases=aliases,
            )
        except Exception as error:
            swallow("save()", error)
            return []

    def capture_console(self) -> None:
        """Record what this process prints from now on, until the run ends; see docs/console.md."""
        try:
            if self._capture is None and not self._finished:
                from outrider.console import Capture

                self._capture = Capture(self._append)
        except Exception as error:
            swallow("console", error)

    # --- the end --------------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """Whether the run has ended in this process: what is logged now is not recorded."""
        return self._finished

    def finish(self, exit_code: int | None = 0, *, wait: bool = True, **other: Any) -> None:
        """Write the run's end and wait, for a bounded time, until it has been delivered.

        Nothing is lost where the wait ends first, or with ``wait=False``: the streamer goes on
        alone. A second call does nothing; so does one in a forked child, which only ends its own
        writing.
        """
        code = exit_code if isinstance(exit_code, int) else 0
        self._end(Ending("finished" if code == 0 else "failed", code), wait=bool(wait))

    def _end(self, ending: Ending, *, wait: bool = True) -> None:
        try:
            writer = self._writer
            if self._finished or writer is None or self.folder is None:
                return
            if writer.pid != os.getpid():  # a forked child that wrote nothing has nothing to end
                self._finished = True
                writer.due = -1.0
                return
            now = writer.clock.now()
            if now >= writer.due:
                writer.tend(now)
            for last_word in self.before_end.copy():
                try:
                    last_word()
                except Exception as problem:  # the end is written whatever goes wrong before it
                    swallow("finish()", problem)
            if self._capture is not None:
                error = sys.exc_info()[1] if ending.state != "finished" else None
                self._capture.stop(error)
            writer.append(
                {
                    "k": "end",
                    "w": writer.writer,
                    "a": self.attempt,
                    "state": ending.state,
                    "code": ending.code,
                    "signal": ending.signal,
                    "why": ending.why,
                    "refused": self._refused,
                }
            )
            self._finished = True
            writer.due = -1.0
            carried = spawn.is_running(self.folder) or start_streamer(self.folder, self.settings)
            if wait:  # loaded when the end is written: nothing can come between
                from outrider.finishing import wait_for_delivery

                wait_for_delivery(self, writer.position(), ending, carried=carried)
        except Exception as error:
            swallow("finish()", error)
        finally:
            if self._capture is not None:
                self._capture.stop()
            if self.on_end is not None:
                self.on_end(self)

    def _end_at_exit(self) -> None:
        """What ``atexit`` calls: the interpreter leaves without a ``finish()``.

        An exception that nobody caught is known here. An exit code is not: the end is written
        without one, and the streamer's word stands where it learns better from the kernel.
        """
        if self._writer is None or self._writer.pid != os.getpid():
            return
        error = getattr(sys, "last_value", None)
        self._end(Ending("finished") if error is None else self._ending_of(error))

    def _ending_of(self, error: BaseException) -> Ending:
        try:
            from outrider.finishing import end_of_exception

            return end_of_exception(error, with_code=not self.settings.disable_code)
        except Exception as problem:  # nothing left to load it with: the end is told all the same
            swallow("finish()", problem)
            return Ending("failed", 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(Ending("finished", 0) if error is None else self._ending_of(error))
