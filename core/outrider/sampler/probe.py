"""What a probe is, what it is aimed at, and how probes are loaded by import path."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

log = logging.getLogger("outrider.sampler")


class NotHere(Exception):
    """What this probe reads does not exist on this machine; the probe is left out quietly."""


@dataclass(slots=True)
class Target:
    """What is being watched: the trainer and the folder of its run.

    `pids` is the trainer's process tree as last seen; the process probe keeps it up to date, so
    that other probes (a GPU's memory per process) need not walk it again.
    """

    pid: int | None
    folder: str
    pids: frozenset[int] = field(default_factory=frozenset)


class Probe(Protocol):
    """One source of readings.

    A key is averaged over the window, weighted by time. A key that ends in `.max` or `.min`
    keeps the window's extreme instead. Rates are computed by the probe, between two reads
    (see `rates.Counters`), and are then exact over the window too.
    """

    @property
    def name(self) -> str:
        """A short name for the log."""
        ...

    def read(self) -> Mapping[str, float]:
        """Read now. May raise: the sampler then skips this probe, names it in the log, and
        counts it against the plugin that named it."""
        ...

    def facts(self) -> Mapping[str, Any]:
        """What does not change while the run lives, for the run's `host` record."""
        ...


@runtime_checkable
class Aimed(Protocol):
    """A probe that wants to know what is being watched; called once, before the first read."""

    def aim(self, target: Target) -> None:
        """Take the target. Raise `NotHere` to be left out."""
        ...


def load(
    names: Iterable[str | Probe],
    blame: Callable[[str, BaseException], object] = lambda where, error: None,
) -> list[Probe]:
    """Make probes of `"module:factory"` strings; one that cannot be made is named in the log, and
    `blame` is told."""
    probes: list[Probe] = []
    for name in names:
        if not isinstance(name, str):
            probes.append(name)
            continue
        try:
            module, _, factory = name.partition(":")
            probes.append(getattr(importlib.import_module(module), factory)())
        except NotHere as reason:
            log.info("probe %s is left out: %s", name, reason)
        except Exception as error:
            log.warning("probe %s could not be loaded", name, exc_info=True)
            blame(f"making probe {name}", error)
    return probes
