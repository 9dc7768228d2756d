"""The hooks: what a plugin of Outrider can be asked, by whom, where and when.

A plugin is any object (mostly a module) with functions of these names that are marked with
``hookimpl``; a distribution names it in the entry-point group ``outrider``. An implementation may
take fewer arguments than its specification. Calls are guarded one plugin at a time: one that
raises is named, counted and, after repeated failures, switched off; the others still run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pluggy

GROUP = "outrider"
"""The entry-point group that plugins are found by."""

hookspec = pluggy.HookspecMarker("outrider")
hookimpl = pluggy.HookimplMarker("outrider")
"""Marks a function as the implementation of the hook of its name."""


@hookspec
def outrider_adapter() -> Mapping[str, Any] | None:
    """Say which entry point this plugin is: ``{"framework", "version", "step"}``.

    Called in the CLI (``outrider plugins``) only; ``step`` says in words what a step means there. An
    adapter passes the same mapping to ``init(settings={"adapter": ...})``.
    """


@hookspec(firstresult=True)
def outrider_convert(cls: type) -> Callable[[Any], Any] | None:
    """Return a function that turns values of type ``cls`` into a number, a mapping of numbers or
    one of the media (``outrider.Image`` and its kin).

    Called in the training process, on every rank, once per type that Outrider does not know, inside
    the first ``log()`` of such a value; the answer is kept. None: this plugin does not know it.
    """


@hookspec(firstresult=True)
def outrider_config(cls: type) -> Callable[[Any], Any] | None:
    """Return a function that turns values of type ``cls`` into plain data for ``config``.

    Called in the training process, once per type; plain data are dicts, lists, texts, numbers.
    """


@hookspec
def outrider_run_started(run: Mapping[str, Any]) -> None:
    """A run's streamer has started; ``run`` is what its run.json says. Called in the streamer."""


@hookspec
def outrider_run_ended(run: Mapping[str, Any], state: str) -> None:
    """A run has ended in ``state`` (finished, failed, killed …) and was delivered as far as can be.

    Called in the streamer, once, just before it exits.
    """


@hookspec
def outrider_probes() -> Sequence[str]:  # type: ignore[empty-body]
    """Name probes as ``"module:factory"``; each factory returns an object that reads the machine.

    Called in the streamer at its start. A probe has ``name``, ``read() -> dict[str, float]`` and
    ``facts() -> dict``; it is read every ``sample_seconds``.
    """


@hookspec
def outrider_capture(context: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return facts about code and environment to keep with the run, as plain data.

    Called in the streamer, once an attempt, in a thread; ``context`` is what run.json says, and
    ``folder``, the run's folder. They stand below the plugin's name in the run's environment.
    """


@hookspec
def outrider_sinks(settings: Mapping[str, Any]) -> Sequence[str]:  # type: ignore[empty-body]
    """Name sinks as ``"module:factory"``; each is given every record of the run.

    Called in the streamer at its start; ``settings`` is what run.json says. The server is one sink,
    and no other can hold it up.
    """


@hookspec
def outrider_commands() -> Sequence[Any]:  # type: ignore[empty-body]
    """Give commands to the ``outrider`` program, as (name, ``"module:function"``) pairs.

    Called in the CLI only; the module is imported when its command is used.
    """


SPECIFICATIONS: tuple[str, ...] = tuple(
    name.removeprefix("outrider_") for name in list(globals()) if name.startswith("outrider_")
)
"""The hooks' names without their prefix."""
