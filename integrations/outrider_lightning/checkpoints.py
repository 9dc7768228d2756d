"""Keeps the checkpoints that Lightning saves (which, under what name, with what score), and finds
them again.

Everything is copied out of the callback when it reports, so that no callback, and no trainer behind
it, is kept alive. A file that is not there yet (savers may be asynchronous) is looked for again at
the next report and at the end.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from outrider.errors import NotFound, UsageError

if TYPE_CHECKING:
    from outrider import api
    from outrider.training import Run

MODES = (False, True, "all")
_EPOCH = re.compile(r"\bepoch=(\d+)")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint as its callback reports it: where, how good by what, and what it is called."""

    path: str
    score: float | None
    aliases: tuple[str, ...]
    monitor: str | None = None

    @property
    def name(self) -> str:
        """Its name in the run: the file's own below the folder's own."""
        folder, file = os.path.split(self.path.rstrip("/"))
        return os.path.join(os.path.basename(folder), file)

    @property
    def facts(self) -> dict[str, Any]:
        """What is kept beside its file."""
        known = {"score": self.score, "monitor": self.monitor}
        return {key: value for key, value in known.items() if value is not None}


def reported(callback: Any) -> list[Checkpoint]:
    """What a checkpoint callback holds at this moment, read and not kept."""
    best = str(getattr(callback, "best_model_path", "") or "")
    last = str(getattr(callback, "last_model_path", "") or "")
    newest = str(getattr(callback, "_last_checkpoint_saved", "") or last or best)
    scores: dict[str, Any] = {str(path): score for path, score in _top(callback).items()}
    scores.setdefault(newest, getattr(callback, "current_score", None))
    if best:
        scores[best] = getattr(callback, "best_model_score", None)
    if last:
        scores.setdefault(last, getattr(callback, "current_score", None))
    scores.pop("", None)
    monitor = getattr(callback, "monitor", None)
    found = []
    for path, score in scores.items():
        names = [
            alias
            for alias, target in (("best", best), ("latest", last or newest))
            if target == path
        ]
        epoch = _EPOCH.search(os.path.basename(path))  # only the name tells which it was
        if epoch:
            names.append(f"epoch={epoch[1]}")
        found.append(Checkpoint(path, _number(score), tuple(names), monitor))
    return found


def _top(callback: Any) -> dict[str, Any]:
    return dict(getattr(callback, "best_k_models", None) or {})


def _number(score: Any) -> float | None:
    try:
        return float(score)
    except (TypeError, ValueError):
        return None


@dataclass(slots=True)
class Keeper:
    """What has been reported and what has been kept; plain values, so that it pickles."""

    mode: bool | str = False
    pending: dict[str, list[Checkpoint]] = field(default_factory=dict)
    kept: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"log_model={self.mode!r} is not known", hint="False, True or 'all'")

    def report(self, callback: Any, run: Run) -> None:
        """Take a callback's report; with ``all``, or where it keeps every file, keep them now."""
        self.pending[str(getattr(callback, "state_key", id(callback)))] = reported(callback)
        if self.mode == "all" or getattr(callback, "save_top_k", None) == -1:
            self.keep(run)

    def keep(self, run: Run) -> None:
        """Keep every reported checkpoint that is there and changed since it was kept."""
        told = []
        for one in (one for group in self.pending.values() for one in group):
            stamp = _stamp(one.path)
            if stamp is None:
                continue  # not there yet, pruned meanwhile, or on a remote file system
            entry = {"name": one.name, "score": one.score, "aliases": list(one.aliases)}
            told.append(entry)
            if os.path.islink(one.path):
                entry["is"] = Checkpoint(os.path.realpath(one.path), None, ()).name
                continue
            if self.kept.get(one.path) == stamp:
                continue
            self.kept[one.path] = stamp
            base = os.path.dirname(os.path.dirname(os.path.abspath(one.path)))
            run.save(one.path, base=base, policy="now", metadata=one.facts, aliases=one.aliases)
        if told:
            run.summary.update({"checkpoints": told})


def _stamp(path: str) -> tuple[int, int] | None:
    """(modification time, size), or None where there is no such local file or folder."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size


def fetch(run: api.Run, which: str, to: str) -> str:
    """Write a kept checkpoint below ``to``; returns the path of its file or folder.

    ``which`` is an alias, a name, or the last part of one. Raises ``NotFound``.
    """
    name = _named(run, which)
    files = {file.path: file for file in run.files("save")}
    if name in files:
        return files[name].download(to)
    parts = [file for path, file in files.items() if path.startswith(f"{name}/")]
    if not parts:
        raise NotFound(
            f"the checkpoint {name!r} of run {run.id} is not among its kept files",
            hint="wait until it is copied, or until the server has it",
        )
    for part in parts:
        part.download(to)
    return os.path.join(to, name)


def _named(run: api.Run, which: str) -> str:
    """The name of the checkpoint that ``which`` means: as the run tells now, else as it was kept."""
    told = run.summary.get("checkpoints")
    now = {one["name"]: one for one in told} if isinstance(told, list) else {}
    kept = {file.path: file.meta.get("aliases") or () for file in run.files("save")}
    known = dict.fromkeys([*now, *kept])
    for found in (
        [name for name in known if name == which],
        [name for name, one in now.items() if which in one["aliases"]],
        [name for name, aliases in kept.items() if which in aliases],
        [name for name in known if os.path.basename(name) == which],
    ):  # a name goes before an alias, and what is told now before what was true once
        if len(found) > 1:
            raise NotFound(
                f"several checkpoints of run {run.id} are called {which!r}: {', '.join(found)}",
                hint="name one of them",
            )
        if found:
            target = now.get(found[0], {}).get("is", found[0])
            return str(target)
    raise NotFound(
        f"run {run.id} has kept no checkpoint {which!r}",
        hint=f"it has {', '.join(known)}" if known else "checkpoints are kept with log_model=True",
    )
