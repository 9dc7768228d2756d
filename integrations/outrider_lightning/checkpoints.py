"""Keeps the checkpoints that Lightning saves: which, under what name, with what score.

Everything is copied out of the callback when it reports, so that no callback, and no trainer behind
it, is kept alive. A file that is not there yet (savers may be asynchronous) is looked for again at
the next report and at the end.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from outrider.errors import UsageError

if TYPE_CHECKING:
    from outrider.training import Run

MODES = (False, True, "all")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint as its callback reports it: where, how good, and what it is called."""

    path: str
    score: float | None
    aliases: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name in the run: the file's own below the folder's own."""
        folder, file = os.path.split(self.path.rstrip("/"))
        return os.path.join(os.path.basename(folder), file)


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
    found = []
    for path, score in scores.items():
        aliases = [("best", best), ("latest", last or newest)]
        names = tuple(alias for alias, target in aliases if target == path)
        found.append(Checkpoint(path, _number(score), names))
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
            told.append({"name": one.name, "score": one.score, "aliases": list(one.aliases)})
            if os.path.islink(one.path) or self.kept.get(one.path) == stamp:
                continue
            self.kept[one.path] = stamp
            base = os.path.dirname(os.path.dirname(os.path.abspath(one.path)))
            score = {} if one.score is None else {"score": one.score}
            run.save(one.path, base=base, policy="now", metadata=score, aliases=one.aliases)
        if told:
            run.summary.update({"checkpoints": told})


def _stamp(path: str) -> tuple[int, int] | None:
    """(modification time, size), or None where there is no such local file or folder."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size
