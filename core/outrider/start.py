"""Starts a run: settles the settings, makes its folder, opens its journal, starts its streamer.

No network, no import of pluggy, and nothing that raises but wrong arguments and settings. What only
a run that goes on needs is in ``resuming``, loaded for such a run alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from outrider import __version__
from outrider.attributes import read_config
from outrider.errors import SettingsError, UsageError
from outrider.folder import claim_meta, make_run_folder, state_root
from outrider.ids import DEFAULT_PROJECT, new_run_id, new_run_name, new_writer_id
from outrider.journal.writer import Clock, JournalWriter, boot_id, start_ticks
from outrider.notice import say, swallow
from outrider.settings import Settings, load, working_folder
from outrider.streamer import spawn
from outrider.training import Run, start_streamer
from outrider.values import plain

PLAIN_ADAPTER = {"framework": "plain", "version": None, "step": "the call's number"}


def start_run(
    arguments: Mapping[str, Any],
    *,
    config: Any = None,
    rewind_to: int | None = None,
    adapter: Mapping[str, Any] | None = None,
    argv: Sequence[str] | None = None,
) -> Run:
    """Make the run that ``init()`` returns. Raises ``UsageError`` and ``SettingsError`` only.

    With ``argv`` it is the run of that command, which somebody else starts: nothing of this process
    is recorded.
    """
    try:
        settings = load(arguments)
    except SettingsError as error:
        if not _is_the_systems(error.__cause__):
            raise
        # What the file would have said (off? offline? another server?) is not known: record nothing.
        return _unrecorded(error, Settings(mode="disabled"), read_config(config))
    values = read_config(config)
    if rewind_to is not None and (isinstance(rewind_to, bool) or not isinstance(rewind_to, int)):
        raise UsageError(
            f"rewind_to must be a step (a whole number), not {rewind_to!r}",
            hint="the last step to keep; what was logged behind it is hidden",
        )
    if rewind_to is not None and not -(1 << 63) <= rewind_to < (1 << 63) - 1:
        raise UsageError(
            f"rewind_to must be a step of 64 bits, not {rewind_to!r}",
            hint="the last step to keep; what was logged behind it is hidden",
        )
    if rewind_to is not None and settings.id is None and settings.resume != "auto":
        raise UsageError("rewind_to needs the run to resume", hint="give id= and resume=")
    if settings.resume in ("must", "never") and settings.id is None:
        raise UsageError(f"resume={settings.resume!r} needs an id", hint="give id= or OUTRIDER_ID")
    if os.name == "nt":
        say("recording is off: Windows is not supported; the training runs on without it")
        return _disabled(settings, values)
    if settings.mode == "disabled":
        return _disabled(settings, values)
    try:
        start = Start(settings, values, rewind_to, dict(adapter or PLAIN_ADAPTER), argv)
        return start.run()
    except (UsageError, SettingsError):
        raise
    except Exception as error:
        return _unrecorded(error, settings, values)


def _is_the_systems(error: BaseException | None) -> bool:
    """Whether this is the system's failure (no descriptor left, a broken disk), which is no reason to
    stop a training, and not a file that somebody should mend."""
    return isinstance(error, OSError) and not isinstance(
        error, (PermissionError, IsADirectoryError)
    )


def _unrecorded(error: Exception, settings: Settings, values: dict[str, Any]) -> Run:
    swallow("init()", error)
    say("nothing is recorded in this run; the training goes on")
    return _disabled(settings, values)


def _disabled(settings: Settings, values: dict[str, Any]) -> Run:
    return Run(
        settings=settings,
        run_id=settings.id or new_run_id(),
        project=settings.project or DEFAULT_PROJECT,
        name=settings.name or "disabled",
        folder=None,
        writer=None,
        config=values,
    )


class Start:
    """The steps of one start, in their order."""

    def __init__(
        self,
        settings: Settings,
        config: dict[str, Any],
        rewind_to: int | None,
        adapter: dict[str, Any],
        argv: Sequence[str] | None = None,
    ) -> None:
        self.settings = settings
        self.config = config
        self.rewind_to = rewind_to
        self.adapter = adapter
        self.argv = argv
        self.clock = Clock()

    def run(self) -> Run:
        """A new run, or one that goes on: what only the latter needs is loaded for it alone."""
        if self.argv is None and "OUTRIDER_RUN_DIR" in os.environ:
            from outrider.attempts import given_folder

            given = given_folder(self.settings.id)
            if given is not None:
                from outrider.resuming import join_given

                return join_given(self, given)
        run_id = self.settings.id
        if run_id is None and self.settings.resume == "auto":
            from outrider.resuming import unfinished

            run_id = unfinished(self.settings)
        run_id = run_id or new_run_id()
        shared = self.settings.id is not None or self.settings.resume == "auto"
        folder, is_new = self._folder(run_id, shared)
        if is_new:
            return self._start_new(folder, self.meta(run_id, {}))
        from outrider.resuming import go_on

        return go_on(self, folder, run_id)

    def _folder(self, run_id: str, shared: bool) -> tuple[str, bool]:
        roots = []
        if self.settings.dir is not None:
            roots.append(os.path.join(self.settings.dir, ".outrider"))
        problem: OSError | None = None
        for root in roots:
            try:
                return make_run_folder(root, run_id, self.settings.project, shared_id=shared)
            except OSError as error:
                problem = error
        root = state_root()
        folder, is_new = make_run_folder(root, run_id, self.settings.project, shared_id=shared)
        why = problem.strerror if problem is not None else "there is no working folder"
        say(f"cannot write below {self.settings.dir} ({why}); recording in {folder}")
        return folder, is_new

    def meta(self, run_id: str, known: dict[str, Any]) -> dict[str, Any]:
        """What run.json says of this start; ``known`` is what it said before."""
        settings = self.settings
        main = sys.modules.get("__main__")
        program = getattr(main, "__file__", None) if self.argv is None else _script(self.argv)
        pid = os.getpid()
        here = working_folder()
        meta = {
            "format": 1,
            "id": run_id,
            "project": settings.project or known.get("project") or DEFAULT_PROJECT,
            "name": settings.name or known.get("name") or new_run_name(),
            "mode": settings.mode,
            "server": settings.url,
            "created": known.get("created") or self.clock.now(),
            "group": settings.group or known.get("group"),
            "job_type": settings.job_type or known.get("job_type"),
            "tags": list(settings.tags or known.get("tags") or ()),
            "notes": settings.notes or known.get("notes"),
            "resume": settings.resume,
            "rewind_to": self.rewind_to,
            "attempt": known.get("attempt", 1),
            "writer": None,
            "host": os.uname().nodename,
            "pid": pid,
            "start_ticks": start_ticks(pid),
            "boot_id": boot_id(),
            "program": os.path.join(here or "", program) if program else None,
            "argv": list(getattr(sys, "argv", []) if self.argv is None else self.argv),
            "cwd": here,
            "python": ".".join(map(str, sys.version_info[:3])),
            "outrider": __version__,
            "adapter": self.adapter,
            "settings": {
                "sample_seconds": settings.sample_seconds,
                "average_seconds": settings.average_seconds,
                "finish_seconds": settings.finish_seconds,
                "segment_bytes": settings.segment_bytes,
                "console": settings.console,
                "disable_code": settings.disable_code,
                "ignore_globs": list(settings.ignore_globs),
                "plugins": settings.plugins,
            },
            "origins": {"url": _kind_of_origin(settings.origin("url"))},
        }
        return {key: plain(value) for key, value in meta.items()}  # argv may hold anything

    def _start_new(self, folder: str, meta: dict[str, Any]) -> Run:
        asks_server = self.settings.resume is not None and self.settings.id is not None
        if asks_server and self.settings.mode == "online":
            from outrider.resuming import ask_server

            return ask_server(self, folder, meta)
        meta["writer"] = new_writer_id()
        if not claim_meta(folder, meta):  # another rank was quicker: join it
            from outrider.resuming import join

            return join(self, folder, meta)
        writer = self.journal(folder, meta["id"], attempt=1, name=meta["writer"])
        return self.open(folder, meta, writer, attempt=1)

    def journal(self, folder: str, run_id: str, *, attempt: int, name: str | None) -> JournalWriter:
        """A journal for this process; with ``name``, as the writer whose end is the run's."""
        return JournalWriter(
            folder,
            run_id,
            attempt=attempt,
            primary=name is not None,
            writer=name,
            segment_bytes=self.settings.segment_bytes,
            clock=self.clock,
        )

    def open(
        self,
        folder: str,
        meta: dict[str, Any],
        writer: JournalWriter,
        *,
        attempt: int,
        first_step: int = 0,
        is_new: bool = True,
    ) -> Run:
        """The run itself, its streamer started and its first line said."""
        if self.config:
            writer.append({"k": "config", "c": self.config})
        run = Run(
            settings=self.settings,
            run_id=meta["id"],
            project=meta["project"],
            name=meta["name"],
            folder=folder,
            writer=writer,
            config=self.config,
            attempt=attempt,
            first_step=first_step,
            is_new=is_new,
        )
        if not spawn.is_running(folder):
            start_streamer(folder, self.settings)
        if not self.settings.quiet and is_new:
            where = f"{run.url}" if self.settings.mode == "online" else f"offline, in {folder}"
            say(f"{'resuming' if attempt > 1 else 'recording'} {run.name} · {where}")
        if self.settings.console and self.argv is None:
            run.capture_console()
        return run


def _script(argv: Sequence[str]) -> str | None:
    """The source that a command runs: ``train.py`` of ``python train.py``, else a program that lies
    in the working folder."""
    here = working_folder() or os.sep
    scripts = [word for word in argv[1:] if not word.startswith("-") and os.path.isfile(word)]
    own = [argv[0]] if os.path.abspath(argv[0]).startswith(os.path.join(here, "")) else []
    return next(iter(scripts + own), None)


def _kind_of_origin(origin: str) -> str:
    if origin.startswith("environment"):
        return "environment"
    if origin in ("argument", "default"):
        return origin
    return "folder" if origin.endswith(os.path.join(".outrider", "settings.toml")) else "user"
