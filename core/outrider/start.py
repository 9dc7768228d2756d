"""Starts a run: settles the settings, makes its folder, opens its journal, starts its streamer.

No network, no import of pluggy, and nothing that raises but wrong arguments and settings. What only
a run that goes on needs (``attempts``, the journal's reader) is loaded for such a run: it is a tenth of
what ``init()`` costs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from outrider import __version__
from outrider.attributes import read_config
from outrider.errors import JournalError, SettingsError, UsageError
from outrider.folder import (
    claim_meta,
    make_run_folder,
    remove_run_folder,
    state_root,
    write_meta,
)
from outrider.ids import DEFAULT_PROJECT, new_run_id, new_run_name, new_writer_id
from outrider.journal.writer import Clock, JournalWriter, boot_id, start_ticks
from outrider.notice import say, swallow
from outrider.settings import Settings, load, working_folder
from outrider.streamer import spawn
from outrider.training import Run, start_streamer
from outrider.values import plain

if TYPE_CHECKING:
    from outrider.journal.reader import RunFolder

RESUME_SECONDS = 3.0
"""How long ``init()`` waits for the server's word on a run that has no folder here."""

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
        raise UsageError(f"rewind_to must be a step (a whole number), not {rewind_to!r}")
    if rewind_to is not None and not -(1 << 63) <= rewind_to < (1 << 63) - 1:
        raise UsageError(f"rewind_to must be a step of 64 bits, not {rewind_to!r}")
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
        start = _Start(settings, values, rewind_to, dict(adapter or PLAIN_ADAPTER), argv)
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


class _Start:
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
        if self.argv is None and "OUTRIDER_RUN_DIR" in os.environ:
            from outrider.attempts import given_folder

            given = given_folder(self.settings.id)
            if given is not None:
                return self._join_given(given)
        run_id = self.settings.id or self._auto_id() or new_run_id()
        shared = self.settings.id is not None or self.settings.resume == "auto"
        folder, is_new = self._folder(run_id, shared)
        if is_new:
            return self._start_new(folder, self._meta(run_id, {}))
        known = _described(folder)
        if self.settings.resume == "never":
            self._refuse_never(run_id)
        return self._join_or_resume(folder, self._meta(run_id, known), known)

    def _refuse_never(self, run_id: str) -> NoReturn:
        raise UsageError(
            f"the run {run_id!r} is there already, and resume='never' was asked for",
            hint="leave the id out for a new run",
        )

    def _auto_id(self) -> str | None:
        """With resume="auto": the newest run of this folder and project that did not finish."""
        if self.settings.resume != "auto" or self.settings.dir is None:
            return None
        from outrider.attempts import last_of
        from outrider.journal.reader import find_folders

        project = self.settings.project or DEFAULT_PROJECT
        for folder in reversed(find_folders(self.settings.dir)):
            try:
                meta = folder.meta()
            except JournalError:
                continue
            if meta.get("project") == project:
                last = last_of(folder, str(meta.get("writer")), "end")
                is_over = last is not None and last.get("state") == "finished"
                return None if is_over else str(meta["id"])
        return None

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

    def _meta(self, run_id: str, known: dict[str, Any]) -> dict[str, Any]:
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
            if claim_meta(folder, meta):
                return self._resume_from_server(folder, meta)
            return self._join_or_resume(folder, meta, _described(folder))
        meta["writer"] = new_writer_id()
        if not claim_meta(folder, meta):  # another rank was quicker: join it
            return self._join_or_resume(folder, meta, _described(folder))
        writer = self._writer(folder, meta["id"], attempt=1, name=meta["writer"])
        return self._open(folder, meta, writer, attempt=1)

    def _resume_from_server(self, folder: str, meta: dict[str, Any]) -> Run:
        """A run that only the server may know: ask through the streamer, wait a little, go on."""
        start_streamer(folder, self.settings)
        word = await_word(os.path.join(folder, "resume.json"), RESUME_SECONDS)
        if word is None:
            say(
                f"the server did not say within {RESUME_SECONDS:g} s where run {meta['id']} stands; "
                "going on as its newest attempt, with steps from 0"
            )
            # Behind every attempt that the server can know of: these are small numbers.
            return self._new_attempt(folder, meta, int(self.clock.now()), 0)
        exists = bool(word.get("exists"))
        if not exists and self.settings.resume == "must":
            remove_run_folder(folder, meta["id"], meta["project"])
            raise UsageError(
                f"there is no run {meta['project']}/{meta['id']} to resume at {meta['server']}",
                hint="outrider runs lists what is there; resume='allow' starts it anew",
            )
        if exists and self.settings.resume == "never":
            remove_run_folder(folder, meta["id"], meta["project"])
            self._refuse_never(meta["id"])
        if not exists:
            return self._new_attempt(folder, meta, 1, 0)
        last = word.get("last_step")
        meta["name"] = self.settings.name or word.get("name") or meta["name"]
        attempt = int(word.get("attempt") or 0) + 1
        return self._new_attempt(folder, meta, attempt, 0 if last is None else int(last) + 1)

    def _join_or_resume(self, folder: str, meta: dict[str, Any], known: dict[str, Any]) -> Run:
        from outrider.attempts import (
            await_attempt,
            await_writer,
            claim,
            is_being_written,
            next_step,
        )
        from outrider.journal.reader import RunFolder

        reader = RunFolder(folder)
        if known.get("writer") is None:  # another rank asks the server at this moment
            known = await_writer(reader, RESUME_SECONDS + 2.0)
            if known.get("writer") is None:
                write_meta(folder, meta)
                return self._resume_from_server(folder, meta)
        is_same = self.rewind_to is None or self.rewind_to == known.get("rewind_to")
        if is_same and is_being_written(reader, known):
            return self._join(folder, {**meta, **known})
        attempt = int(known.get("attempt", 1)) + 1
        step = next_step(reader)
        while not claim(folder, attempt):  # another rank resumes it at this moment: join that
            begun = await_attempt(reader, attempt, 1.0)
            if begun is not None:
                return self._join(folder, begun)
            attempt += 1
        return self._new_attempt(folder, meta, attempt, step)

    def _join(self, folder: str, known: dict[str, Any]) -> Run:
        attempt = int(known.get("attempt", 1))
        writer = self._writer(folder, known["id"], attempt=attempt, name=None)
        return self._open(folder, known, writer, attempt=attempt, is_new=False)

    def _join_given(self, folder: RunFolder) -> Run:
        """Write to the run of the ``outrider run`` that started this process: it records what is
        printed, waits for the delivery and writes the run's end."""
        known = folder.meta()
        wanted = self.settings.project
        if wanted is not None and wanted != known["project"]:
            say(
                f"this process belongs to the run {known['project']}/{known['id']}; project="
                f"{wanted!r} is left out\n  hint: outrider run --project {wanted} -- …"
            )
        said = {name: getattr(self.settings, name) for name in ("name", "notes", "tags")}
        self.settings = self.settings.but(
            mode=known.get("mode", self.settings.mode),
            url=known.get("server", self.settings.url),
            console=False,
            finish_seconds=0.0,
            quiet=True,
        )
        run = self._join(folder.path, known)
        told = {name: plain(value) for name, value in said.items() if value}
        if told:
            run._append({"k": "run", **told})
        return run

    def _new_attempt(self, folder: str, meta: dict[str, Any], attempt: int, first_step: int) -> Run:
        writer = self._writer(folder, meta["id"], attempt=attempt, name=new_writer_id())
        meta.update(attempt=attempt, writer=writer.writer)
        if attempt > 1:
            writer.append({"k": "attempt", "a": attempt, "rewind": self.rewind_to})
            if self.rewind_to is not None:
                first_step = self.rewind_to + 1
        write_meta(folder, meta)
        return self._open(folder, meta, writer, attempt=attempt, first_step=first_step)

    def _writer(self, folder: str, run_id: str, *, attempt: int, name: str | None) -> JournalWriter:
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

    def _open(
        self,
        folder: str,
        meta: dict[str, Any],
        writer: JournalWriter,
        *,
        attempt: int,
        first_step: int = 0,
        is_new: bool = True,
    ) -> Run:
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


def _described(folder: str) -> dict[str, Any]:
    from outrider.attempts import described
    from outrider.journal.reader import RunFolder

    return described(RunFolder(folder))


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
