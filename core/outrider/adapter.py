"""The base that all adapters share: it opens a run when one is first needed, logs to it, ends it.

A framework builds its loggers and callbacks long before anything happens, copies them, pickles them
into other processes, and does not always say how a training ended. So an ``Adapter`` is inert until
it is used, holds a run by its identity and never by a descriptor, and reopens the same run for
append wherever it wakes up.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from outrider import settings
from outrider.described import Ending
from outrider.finishing import end_of_exception
from outrider.folder import link_of
from outrider.ids import DEFAULT_PROJECT, new_run_id
from outrider.notice import swallow

if TYPE_CHECKING:
    from typing_extensions import Self

    from outrider import api
    from outrider.training import Run

_COPY_SECONDS = 60.0

_opened: set[tuple[str, str]] = set()
"""Runs that adapters opened in this process; any other active run is the script's own."""


@dataclass(frozen=True, slots=True)
class About:
    """What an adapter is: its framework, what a step counts, the modules that know its version,
    and the metrics that it defines in each run (arguments of ``define_metric``)."""

    framework: str
    step: str
    modules: tuple[str, ...] = ()
    metrics: tuple[Mapping[str, Any], ...] = ()

    def describe(self) -> dict[str, str | None]:
        """The ``adapter`` entry of run.json. Imports nothing: asks the modules that are loaded."""
        version = None
        for name in self.modules:
            module = sys.modules.get(name)
            version = version or getattr(module, "__version__", None)
        return {"framework": self.framework, "version": version, "step": self.step}


class Adapter:
    """One adapter's hold on one run.

    ``arguments`` are those of ``init()``. They are checked here (``UsageError``, ``SettingsError``)
    and used when the run opens. ``run`` is a run that is open already, to be used as it is. Where
    neither says which run it is to be, a run that the script itself has opened is used.

    With ``fixed`` the identity is settled now, by pure computation, so that every copy of this
    object stands for one run; ``new_id`` is then the id if neither the arguments nor the settings
    name one. Without it the identity is settled when the run opens, and ``deepcopy`` of an adapter
    gives one that will open a run of its own.
    """

    def __init__(
        self,
        about: About,
        arguments: Mapping[str, Any],
        *,
        run: Run | None = None,
        fixed: bool = False,
        new_id: str | None = None,
    ) -> None:
        self.about = about
        self.fixed = fixed
        self._arguments = {key: value for key, value in arguments.items() if value is not None}
        self._run = run
        self._identity: tuple[str, str] | None = (run.project, run.id) if run is not None else None
        self._named = run is not None
        self._was_open = run is not None
        self._fate: dict[str, int | None] = {"code": None}
        self._settle(new_id)

    def _settle(self, new_id: str | None = None) -> None:
        """Check the arguments and, where the identity is to be fixed, fix it."""
        found = settings.load(self._checked_arguments())
        self.dir = found.dir
        self.mode = found.mode
        self._named = self._named or found.id is not None
        if self._identity is None and not self._says_which():
            script_run = _script_run()
            if script_run is not None and self.fixed:
                self._run = script_run
                self._identity = (script_run.project, script_run.id)
        if self._identity is None and (self.fixed or self._named):
            self._identity = (found.project or DEFAULT_PROJECT, found.id or new_id or new_run_id())

    def _checked_arguments(self) -> dict[str, Any]:
        own = {key: self._arguments[key] for key in settings.NAMES if key in self._arguments}
        more = self._arguments.get("settings")
        return {**(more if isinstance(more, Mapping) else {}), **own}

    def _says_which(self) -> bool:
        return any(key in self._arguments for key in ("project", "id", "name", "group"))

    @property
    def identity(self) -> tuple[str, str] | None:
        """(project, run id), or None while that is open."""
        return self._identity

    @property
    def run(self) -> Run | None:
        """The run, where this process has it open."""
        run = self._run
        return run if run is not None and _is_open(run) else None

    def open(self) -> Run:
        """The run, opened now if this process does not have it open."""
        run = self.run
        if run is not None:
            return run
        if self._identity is None and not self._says_which():
            run = _script_run()
            if run is not None:
                self._hold(run)
                return run
        run = self._init()
        _opened.add((run.project, run.id))
        self._hold(run)
        for metric in self.about.metrics:
            run.define_metric(**metric)
        weakref.finalize(self, _end_unheard, run, self._fate, os.getpid()).atexit = False
        _end_with_child_process(run, self._fate)
        return run

    def _init(self) -> Run:
        from outrider import core

        arguments = dict(self._arguments)
        if self._identity is not None:
            arguments["project"], arguments["id"] = self._identity
            if self._was_open or self._named:
                arguments["resume"] = arguments.get("resume") or "allow"
        if self._was_open:
            arguments.pop("config", None)
            arguments.pop("rewind_to", None)
            arguments["resume"] = "allow"
        more = arguments.pop("settings", None) or {}
        arguments.setdefault("reinit", "create_new")
        return core.init(settings={**more, "adapter": self.about.describe()}, **arguments)

    def _hold(self, run: Run) -> None:
        self._run = run
        self._identity = (run.project, run.id)
        self._was_open = True

    def exists(self) -> bool:
        """Whether any process of this machine has opened the run: looks at one name on disk."""
        if self._identity is None or self.dir is None:
            return False
        project, run_id = self._identity
        return os.path.lexists(link_of(os.path.join(self.dir, ".outrider"), run_id, project))

    def log(self, values: Mapping[str, Any], step: int | None = None) -> None:
        """Log one row. The mapping is read, never kept and never changed."""
        run = self._run
        if run is None or (run._finished and not run.disabled):  # _is_open, without its call
            run = self.open()
        self._fate["code"] = None
        run.log(values, step)

    def configure(self, source: Any) -> None:
        """Record configuration, as much of it as is not recorded yet.

        Takes what ``config=`` takes, less paths. Frameworks send the same again at every entry.
        """
        from outrider.attributes import read_config

        try:
            wanted = read_config(source)
            config = self.open().config
            missing = object()
            news = {
                key: value for key, value in wanted.items() if config.get(key, missing) != value
            }
            if news:
                config.update(news)
        except Exception as error:
            swallow("config", error)

    def recorded(self) -> Iterator[api.Run]:
        """The run as it can be read back: from its folder, where that lies here, and from the server.

        What this process has just saved is waited for, for a minute at most. Never opens the run.
        Asking what is given raises what ``outrider.api`` raises.
        """
        from outrider import api
        from outrider.finishing import wait_for_copies

        run = self.run
        if run is not None and run.folder is not None and run._writer is not None:
            wait_for_copies(run.folder, run._writer.position(), _COPY_SECONDS)
        if self._identity is None:
            return
        project, run_id = self._identity
        if self.dir is not None and self.exists():
            yield api.open(link_of(os.path.join(self.dir, ".outrider"), run_id, project))
        if self.mode == "online":
            given = self._checked_arguments()
            yield api.Client(given.get("url"), given.get("api_key")).run(f"{project}/{run_id}")

    def settle(self, code: int) -> None:
        """Note how the run ends if nothing more is logged and nobody says otherwise.

        It stays open. The note counts where this adapter is collected as garbage, and at the end of
        a child of ``multiprocessing``, which leaves without ``atexit``.
        """
        self._fate["code"] = code

    def finish(self, code: int = 0) -> None:
        """End the run in this process, if it is open here. Logging again opens a new attempt."""
        run = self.run
        if run is not None:
            run.finish(code)

    def fail(self, error: BaseException | None) -> None:
        """End the run in this process as failed, by the exception where there is one."""
        run = self.run
        if run is not None:
            with_code = not run.settings.disable_code
            run._end(
                Ending("failed", 1)
                if error is None
                else end_of_exception(error, with_code=with_code)
            )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_run": None, "_fate": {"code": None}}

    def __deepcopy__(self, memo: dict[int, Any]) -> Adapter:
        from copy import deepcopy

        twin = object.__new__(type(self))
        memo[id(self)] = twin
        twin.__dict__.update(self.__getstate__())
        twin._arguments = deepcopy(self._arguments, memo)
        if not self.fixed and not self._named:
            twin._identity = None
            twin._was_open = False
        return twin


class Ends:
    """Mixed into what a framework is given: the script ends its run, by a call or a ``with`` block."""

    _adapter: Adapter

    def finish(self, exit_code: int = 0) -> None:
        """End the run; what is logged later goes on with it as a new attempt."""
        self._adapter.finish(exit_code)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        if error is None:
            self._adapter.finish(0)
        else:
            self._adapter.fail(error)


def _is_open(run: Run) -> bool:
    return not run._finished or run.disabled


def _script_run() -> Run | None:
    """The active run, if the script opened it and not an adapter."""
    core = sys.modules.get("outrider.core")
    run: Run | None = getattr(core, "run", None)
    if run is None or not _is_open(run) or (run.project, run.id) in _opened:
        return None
    return run


def _end_unheard(run: Run, fate: Mapping[str, int | None], pid: int, wait: bool = False) -> None:
    """End a run that its framework was through with, as far as anybody said."""
    code = fate["code"]
    if code is not None and pid == os.getpid():
        run._end(Ending("finished" if code == 0 else "failed", code), wait=wait)


def _end_with_child_process(run: Run, fate: Mapping[str, int | None]) -> None:
    """In a child of ``multiprocessing`` (a spawned rank), end the run when the child leaves.

    Where the framework did not say how its training went, nothing is said here either: such a child
    leaves quietly after an exception too, and the streamer finds out more.
    """
    process = sys.modules.get("multiprocessing.process")
    if process is None or process.parent_process() is None:
        return
    from multiprocessing.util import Finalize

    Finalize(None, _end_unheard, (run, fate, os.getpid(), True), exitpriority=0)


def installed_version(*distributions: str) -> str | None:
    """The version of the first of these distributions that is installed; imports none of them."""
    from importlib.metadata import PackageNotFoundError, version

    for name in distributions:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None
