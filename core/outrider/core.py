"""The functions that a training script calls: init, log, config, summary, save, finish and kin.

    from outrider import core

    core.init(project="mnist")
    core.log({"loss": 0.3})
    core.finish()

Importing this costs next to nothing: everything is loaded by ``init()``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from outrider.attributes import Config, Summary
    from outrider.media import Audio, Histogram, Html, Image, Table, Text, Video
    from outrider.training import AlertLevel, Run

    config: Config
    run: Run | None
    summary: Summary

__all__ = [
    "AlertLevel",
    "Audio",
    "Histogram",
    "Html",
    "Image",
    "Table",
    "Text",
    "Video",
    "alert",
    "config",
    "define_metric",
    "fingerprint",
    "finish",
    "init",
    "log",
    "login",
    "run",
    "save",
    "summary",
    "unwatch",
    "watch",
]

_active: Run | None = None
_open_runs: list[Run] = []
_config: Config | None = None
_was_started = False

_REINIT = (None, True, False, "finish_previous", "return_previous", "create_new")


def init(
    project: str | None = None,
    *,
    name: str | None = None,
    config: Any = None,
    id: str | None = None,  # noqa: A002 - the field's word for it
    resume: str | bool | None = None,
    group: str | None = None,
    job_type: str | None = None,
    tags: Any = (),
    notes: str | None = None,
    dir: Any = None,  # noqa: A002 - the field's word for it
    mode: str | None = None,
    rewind_to: int | None = None,
    reinit: str | bool | None = None,
    settings: Mapping[str, Any] | None = None,
    **unknown: Any,
) -> Run:
    """Start a run: make its folder, open its journal, start its streamer; no network is used.

    ``config`` is a dict, a namespace, a dataclass or the path of a YAML, TOML or JSON file. With
    ``id`` several processes write to one run, and a run that ended goes on as a new attempt;
    ``resume`` is allow, must, never or auto; ``rewind_to`` hides what earlier attempts logged
    behind that step. ``mode`` is online, offline (or dryrun) or disabled. ``reinit`` says what
    becomes of a run that is still active: "finish_previous" (the default), "return_previous" or
    "create_new". ``settings`` takes any other setting by name, see docs/settings.md.

    Raises ``UsageError`` for a wrong argument and ``SettingsError`` for a wrong variable or
    settings file, each with a hint; nothing else, and nothing after it.
    """
    global _was_started
    _load()
    from outrider.errors import UsageError
    from outrider.start import start_run

    if reinit not in _REINIT:
        raise UsageError(
            f"reinit={reinit!r} is not known",
            hint="finish_previous, return_previous or create_new",
        )
    previous = _active
    if previous is not None:
        if reinit == "return_previous":
            return previous
        if reinit != "create_new":
            previous.finish()
    if unknown:
        _warn_unknown(unknown)
    if settings is None:
        more = {}
    elif hasattr(settings, "keys"):
        more = {str(key): settings[key] for key in settings.keys()}  # noqa: SIM118
    else:
        raise UsageError(
            f"settings must be a mapping of names to values, not {type(settings).__name__}",
            hint="such as settings={'sample_seconds': 5}; docs/settings.md lists them",
        )
    adapter = more.pop("adapter", None)
    if previous is None and _config is not None and len(_config):
        from outrider.attributes import read_config

        config = {**_config.as_dict(), **read_config(config)}
    given = {
        "project": project,
        "name": name,
        "id": id,
        "resume": resume or None,
        "group": group,
        "job_type": job_type,
        "tags": tags or None,
        "notes": notes,
        "dir": dir,
        "mode": mode,
    }
    arguments = {**more, **{key: value for key, value in given.items() if value is not None}}
    run = start_run(arguments, config=config, rewind_to=rewind_to, adapter=adapter)
    run.on_end = _forget
    run.read_summary = _read_summary
    _open_runs.append(run)
    _activate(run)
    if not _was_started:
        import atexit

        _was_started = True
        atexit.register(_finish_at_exit)
    return run


def _load() -> None:
    """Load what a run needs, with the collector at rest: modules are no garbage, and its passes over
    them, and over all that NumPy has made, would be a tenth of what ``init()`` costs."""
    import sys

    if "outrider.start" in sys.modules:
        return
    import gc

    was_on = gc.isenabled()
    if was_on:
        gc.collect(1)  # the script's own young objects have their turn: those behind are modules
    gc.disable()
    try:
        import outrider.console
        import outrider.start  # noqa: F401
    finally:
        if was_on:
            if not gc.get_freeze_count():  # else it is the script that froze something
                gc.freeze()
                gc.unfreeze()  # the modules are old now: nobody looks through them at once
            gc.enable()


def log(data: Mapping[str, Any], step: int | None = None, commit: bool = True) -> None:
    """Record metric values of the active run; see ``Run.log``.

    One line is written to a local file, and no network is waited for. Before ``init()`` this
    raises ``NotStarted``; after it nothing is raised.
    """
    _log(data, step, commit)


def define_metric(
    name: str,
    step: str | None = None,
    summary: str | None = None,
    goal: str | None = None,
    hidden: bool = False,
    **other: Any,
) -> None:
    """Say what a metric of the active run means; see ``Run.define_metric``."""
    if _active is None:
        _not_started("define_metric()")
    else:
        _active.define_metric(name, step, summary, goal, hidden, **other)


def save(path_or_glob: Any, base: Any = None, policy: str = "now", **more: Any) -> list[str]:
    """Keep files with the active run; see ``Run.save``."""
    if _active is None:
        _not_started("save()")
        return []
    return _active.save(path_or_glob, base, policy, **more)


def fingerprint(path: Any) -> str | None:
    """The SHA-256 of a file, or of a folder's names and contents, to tell a data set by.

    Nothing is stored: ``core.config.update({"data": core.fingerprint("data/train")})``. A text such
    as ``sha256:9f86…`` for a file (what ``sha256sum`` prints) or ``sha256-tree:…`` for a folder; a
    progress bar appears on stderr after a second. What cannot be read is said on stderr, and None
    is returned.
    """
    from outrider.fingerprinting import fingerprint as of

    return of(path)


def alert(title: str, text: str = "", level: str = "INFO", **other: Any) -> None:
    """Record an alert of the active run; see ``Run.alert``."""
    if _active is None:
        _not_started("alert()")
    else:
        _active.alert(title, text, level, **other)


def watch(
    models: Any,
    criterion: Any = None,
    log: str | None = "gradients",
    log_freq: int = 100,
    **other: Any,
) -> None:
    """Record how a torch model's gradients or parameters are distributed, every ``log_freq`` steps
    of its optimizer; see ``outrider.watching``."""
    if _active is None:
        _not_started("watch()")
    else:
        from outrider.watching import watch as start_watching

        start_watching(_active, models, log, log_freq)


def unwatch(models: Any = None) -> None:
    """Stop watching these models, or all that are watched."""
    from outrider.watching import unwatch as stop_watching

    stop_watching(models)


def finish(exit_code: int | None = 0, *, wait: bool = True, **other: Any) -> None:
    """Finish the active run; see ``Run.finish``. Without one this does nothing."""
    if _active is not None:
        _active.finish(exit_code, wait=wait, **other)


def login(url: str | None = None, key: str | None = None, **other: Any) -> bool:
    """Whether this user has a token for the server; with ``key``, store it first.

    Uses no network; ``outrider login`` also asks the server.
    """
    from outrider import credentials
    from outrider.settings import load

    settings = load({"url": url} if url else {})
    if key:
        credentials.store(settings.url, key)
    return credentials.token_for(settings.url, api_key=settings.api_key) is not None


def _finish_at_exit() -> None:
    for run in _open_runs.copy():  # each leaves the list as it ends
        run._end_at_exit()


def _read_summary(folder: str) -> Mapping[str, Any]:
    from outrider import api

    return api.open(folder).summary


def _forget(run: Run) -> None:
    """A run ended: it is not active any more."""
    if run in _open_runs:
        _open_runs.remove(run)
    if _active is run:
        _activate(_open_runs[-1] if _open_runs else None)


def _activate(run: Run | None) -> None:
    """Make a run the active one; ``core.config``, once handed out, follows it."""
    global _active, _log
    _active = run
    _log = run._straight.quick if run is not None else _log_without_run
    if _config is not None:
        _config.follow(run.config if run is not None else None)


def _not_started(what: str) -> None:
    """Raise before the first ``init()``; after it, where nothing may raise, say it once."""
    message = f"{what} was called and no run is active"
    if _was_started:
        from outrider.notice import say_once

        say_once(what, f"{message}: it was finished (nothing is recorded; said once)")
        return
    from outrider.errors import NotStarted

    raise NotStarted(message, hint="call core.init(project='...') first")


def _log_without_run(data: object, step: object, commit: object) -> None:
    _not_started("log()")


_log: Callable[..., None] = _log_without_run
"""The active run's own: looked up once a run, since ``log()`` is to find it at hand."""


def _warn_unknown(unknown: Mapping[str, Any]) -> None:
    from difflib import get_close_matches

    from outrider.notice import say

    known = (
        "project name config id resume group job_type tags notes dir mode rewind_to reinit settings"
    ).split()
    # wandb's words that look like none of ours, or like the wrong one.
    meant_by = {
        "entity": "project",
        "save_code": "settings",
        "allow_val_change": "config",
        "force": "mode",
    }
    for key in unknown:
        near = [meant_by[key]] if key in meant_by else get_close_matches(key, known, 1, 0.5)
        meant = f"; did you mean {near[0]}=?" if near else ""
        say(f"init() has no argument {key!r}{meant} (it is left out, the run goes on)")


def __getattr__(name: str) -> object:
    global _config
    if name == "run":
        return _active
    if name == "config":
        if _config is None:
            from outrider.attributes import Config

            _config = Config()
            if _active is not None:
                _config.follow(_active.config)
        return _config
    if name == "summary":
        if _active is None:
            _not_started("summary")
            return {}
        return _active.summary
    import outrider

    if name in outrider.__all__:  # pictures, tables and so on: whoever has one has both
        return getattr(outrider, name)
    raise AttributeError(
        f"outrider.core has no {name!r}; the public names are {', '.join(sorted(outrider.__all__))}"
    )
