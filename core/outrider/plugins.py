"""Finds plugins on first use and calls them so that none can harm the others.

Loading pluggy and scanning entry points costs about 50 ms; nothing on the path of ``init()`` or
of ``log()`` with plain numbers comes here.
"""

from __future__ import annotations

import os
from _thread import get_ident
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pluggy

from outrider import hooks
from outrider.answers import complaint
from outrider.notice import say_once

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

OURS = "outrider"
"""The distribution whose plugins are never switched off."""

BUILT_IN = {
    "plain": "outrider_plain.plugin",
    "sampler": "outrider.sampler.plugin",
    "capture": "outrider.capture.plugin",
    "http": "outrider.streamer.plugin",
    "commands": "outrider.cli.plugin",
    "lightning": "outrider_lightning.plugin",
    "keras": "outrider_keras.plugin",
    "transformers": "outrider_more.plugin:transformers",
    "xgboost": "outrider_more.plugin:xgboost",
    "lightgbm": "outrider_more.plugin:lightgbm",
    "optuna": "outrider_more.plugin:optuna",
}
"""Outrider's own entry points, as pyproject.toml declares them (a test compares): a checkout on the
path or a frozen program has no metadata, and must not be without its sampler and its HTTP sink."""

ALLOWED_FAILURES = 3
"""After so many failures a plugin is not called any more in this process."""


NAMING_SECONDS, WORKING_SECONDS = 10.0, 60.0
"""How long, in the streamer, another distribution's plugin may take: to name probes or sinks, and for
a hook that does something."""


@dataclass(slots=True)
class PluginRecord:
    """What is known of one plugin in this process."""

    name: str
    origin: str
    version: str | None = None
    enabled: bool = True
    failures: int = 0
    problem: str | None = None
    hooks: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Loaded:
    """The manager, and what is known of its plugins by name."""

    pm: pluggy.PluginManager
    records: dict[str, PluginRecord]


listeners: list[Callable[[PluginRecord], object]] = []
"""Told of each failure; the streamer keeps them with the run."""

_loaded: dict[str, _Loaded] = {}
_loading: dict[int, _Loaded] = {}


def manager() -> pluggy.PluginManager:
    """The one plugin manager of this process, made on first use."""
    return _all().pm


def _all() -> _Loaded:
    """Everything that is loaded. Several threads may ask first at one moment: each loads by itself, and
    the first to be done gives the manager that all of them use. A lock would do it once, and would hang
    a child that was forked meanwhile."""
    found = _loaded.get("all")
    if found is not None:
        return found
    thread = get_ident()
    if thread in _loading:  # a plugin asks while it is being loaded
        return _loading[thread]
    made = _loading[thread] = _Loaded(pluggy.PluginManager("outrider"), {})
    try:
        made.pm.add_hookspecs(hooks)
        _load_entry_points(made)
    finally:
        del _loading[thread]
    return _loaded.setdefault("all", made)  # one step, which no other thread can come between


def _third_parties_are_on() -> bool:
    return os.environ.get("OUTRIDER_PLUGINS", "").strip().lower() not in ("0", "off", "false", "no")


def _load_entry_points(into: _Loaded) -> None:
    """Load one at a time, our own first, so that others go before them: a broken one must not hide
    the next."""
    own, others = _declared()
    for entry in own:
        _load(into, PluginRecord(entry.name, OURS), entry)
    for entry in others:
        record = _described(entry)
        if record.name in into.records:
            record.name = f"{record.origin}:{record.name}"
        if _third_parties_are_on():
            _load(into, record, entry)
        else:
            into.records[record.name] = record
            record.enabled = False
            record.problem = "switched off by OUTRIDER_PLUGINS"


def _declared() -> tuple[list[EntryPoint], list[EntryPoint]]:
    """The entry points of our group: our own, in the table's order, and those of others."""
    from importlib.metadata import EntryPoint, entry_points

    own = {name: EntryPoint(name, place, hooks.GROUP) for name, place in BUILT_IN.items()}
    others = []
    try:
        found = list(entry_points(group=hooks.GROUP))
    except Exception as error:  # what a broken installation leaves behind ends the search for all
        found = []
        say_once("entry points", f"plugins cannot be looked for: {type(error).__name__}: {error}")
    for entry in found:
        if _described(entry).origin == OURS:
            own[entry.name] = entry
        else:
            others.append(entry)
    return list(own.values()), others


def _described(entry: EntryPoint) -> PluginRecord:
    try:
        if entry.dist is not None:
            return PluginRecord(entry.name, entry.dist.name, entry.dist.version)
    except Exception:
        pass  # its distribution does not know its own name
    return PluginRecord(entry.name, entry.value)


def _load(into: _Loaded, record: PluginRecord, entry: EntryPoint) -> None:
    into.records[record.name] = record
    try:
        _register(into.pm, record, entry.load())
    except (Exception, SystemExit) as error:
        _failed(record, "loading", error)


def _register(pm: pluggy.PluginManager, record: PluginRecord, plugin: object) -> None:
    pm.register(plugin, record.name)
    for name in dir(plugin):
        if not name.startswith("outrider_") or not pm.parse_hookimpl_opts(plugin, name):
            continue
        short = name.removeprefix("outrider_")
        if short in hooks.SPECIFICATIONS:
            record.hooks.append(short)
        else:
            say_once(
                name, f"plugin {record.name} implements {name}, which is no hook of this version"
            )


def register(plugin: object, name: str) -> None:
    """Add a plugin by hand (tests and notebooks); an unknown hook is a warning, not an error."""
    found = _all()
    record = found.records[name] = PluginRecord(name, "registered by hand")
    _register(found.pm, record, plugin)


def unregister(name: str) -> None:
    """Take a plugin that was added by hand away again."""
    found = _all()
    found.pm.unregister(name=name)
    found.records.pop(name, None)


def call(hook: str, *, patience: float | None = None, **arguments: Any) -> list[Any]:
    """Ask every plugin; returns the answers that are not None, last registered first.

    Never raises: a plugin that does, or that answers what the hook cannot mean, is named, counted
    and, after repeated failures, left out. With ``patience`` others' plugins are given so many
    seconds each, in a thread that is not waited for any longer: for the streamer only, as nothing
    in the training process may start a thread.
    """
    return [answer for _, answer in call_each(hook, patience=patience, **arguments)]


def call_each(
    hook: str, *, patience: float | None = None, **arguments: Any
) -> list[tuple[str, Any]]:
    """Like ``call``, with the plugin's name before each answer."""
    answers: list[tuple[str, Any]] = []
    for implementation in reversed(_implementations(hook)):
        answer = _ask(implementation, hook, arguments, patience)
        if answer is not None:
            answers.append((implementation.plugin_name, answer))
    return answers


def converter(hook: str, cls: type) -> Callable[[Any], Any] | None:
    """The function for values of a type that the first plugin gave which knows it, or None.

    It raises what the plugin's raises, and counts it against the plugin.
    """
    for implementation in reversed(_implementations(hook)):
        answer = _ask(implementation, hook, {"cls": cls})
        if answer is not None:
            return partial(_convert, _record_of(implementation), hook, answer)
    return None


def _convert(record: PluginRecord, hook: str, function: Callable[[Any], Any], value: Any) -> Any:
    if not record.enabled:
        raise RuntimeError(f"plugin {record.name} is left out")
    try:
        return function(value)
    except (Exception, SystemExit) as error:
        if record.origin != OURS:  # ours are written; what is wrong there is the value
            _failed(record, f"outrider_{hook} of {type(value).__name__}", error)
        if isinstance(error, SystemExit):
            raise RuntimeError("the plugin tried to end the process") from error
        raise


def _implementations(hook: str) -> list[pluggy.HookImpl]:
    caller: pluggy.HookCaller = getattr(manager().hook, "outrider_" + hook)
    return caller.get_hookimpls()


def _record_of(implementation: pluggy.HookImpl) -> PluginRecord:
    name = implementation.plugin_name
    return _all().records.setdefault(name, PluginRecord(name, "unknown"))


def _ask(
    implementation: pluggy.HookImpl,
    hook: str,
    arguments: dict[str, Any],
    patience: float | None = None,
) -> Any:
    """One plugin's answer; None where it has none, or none that can be used."""
    record = _record_of(implementation)
    if not record.enabled:
        return None
    wanted = {name: arguments[name] for name in implementation.argnames if name in arguments}
    ask = partial(implementation.function, **wanted)
    try:
        is_trusted = patience is None or record.origin == OURS
        answer = ask() if is_trusted else _in_time(ask, patience, f"{record.name} {hook}")
        wrong = complaint(hook, answer)
        if wrong is not None:
            raise TypeError(wrong)
    except (Exception, SystemExit) as error:
        _failed(record, f"outrider_{hook}", error)
        return None
    return answer


def _in_time(ask: Callable[[], Any], seconds: float | None, name: str) -> Any:
    """What ``ask`` gives; raises ``TimeoutError`` where that takes longer, and leaves it behind."""
    import threading

    outcome: list[tuple[Any, BaseException | None]] = []

    def work() -> None:
        try:
            outcome.append((ask(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise TimeoutError(f"no answer within {seconds:g} seconds")
    answer, error = outcome[0]
    if error is not None:
        raise error
    return answer


def blame(name: str, where: str, error: BaseException) -> None:
    """Count a failure of what a plugin has named (a sink, a probe) against the plugin. Its hooks are still
    called: whoever uses what was named leaves that out by itself."""
    record = _all().records.get(name)
    if record is not None:
        _failed(record, where, error, leaves_out=False)


def _failed(
    record: PluginRecord, where: str, error: BaseException, *, leaves_out: bool = True
) -> None:
    record.failures += 1
    record.problem = f"{where}: {type(error).__name__}: {error}"
    if leaves_out and (record.failures >= ALLOWED_FAILURES or where == "loading"):
        record.enabled = False
    for listen in listeners:
        listen(record)
    say_once(
        f"plugin {record.name} {where}",
        f"plugin {record.name} failed in {record.problem}"
        + ("" if record.enabled else " (it is left out from now on)"),
    )


def listing() -> list[dict[str, Any]]:
    """Every plugin: name, version, hooks, failures, origin, enabled, problem."""
    from outrider import __version__

    return [
        {
            "name": record.name,
            "version": record.version or (__version__ if record.origin == OURS else None),
            "origin": record.origin,
            "hooks": list(record.hooks),
            "failures": record.failures,
            "enabled": record.enabled,
            "problem": record.problem,
        }
        for record in _all().records.values()
    ]
