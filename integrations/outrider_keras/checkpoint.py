"""``OutriderCheckpoint``: Keras' ModelCheckpoint whose files are kept with the run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from outrider.errors import UsageError
from outrider.notice import say_once, swallow
from outrider_keras.attached import Attached
from outrider_keras.framework import keras

if TYPE_CHECKING:
    from outrider.training import Run
    from outrider_keras.callback import OutriderCallback

POLICIES = ("now", "live", "end")


class OutriderCheckpoint(Attached, keras.callbacks.ModelCheckpoint):  # type: ignore[misc,unused-ignore]
    """Saves models as ``keras.callbacks.ModelCheckpoint`` does and keeps each file with the run.

    Args:
        filepath: where to save, as ModelCheckpoint takes it (``"best.keras"``).
        run: the run, or the ``OutriderCallback`` that logs to it (put that one first in the list);
            by default the run that is active.
        policy: when the file is handed over, as ``Run.save`` takes it: now, live or end.
        arguments: everything that ModelCheckpoint takes (``monitor``, ``save_best_only``, …).
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        *,
        run: Run | OutriderCallback | None = None,
        policy: str = "now",
        **arguments: Any,
    ) -> None:
        if policy not in POLICIES:
            raise UsageError(f"policy={policy!r} is not known", hint=", ".join(POLICIES))
        super().__init__(filepath, **arguments)
        self._to = run
        self._policy = policy
        self._kept: tuple[str, int, int] | None = None

    def _save_model(self, epoch: int, batch: int | None, logs: Any) -> Any:
        answer = super()._save_model(epoch, batch, logs)
        try:
            self._keep(self._get_file_path(epoch, batch, logs))
        except Exception as error:
            swallow("OutriderCheckpoint", error)
        return answer

    def _keep(self, path: str) -> None:
        try:
            status = os.stat(path)
        except OSError:
            return  # not saved this time: it was not the best
        stamp = (path, status.st_mtime_ns, status.st_size)
        if stamp == self._kept:
            return
        run = self._run_now()
        if run is None:
            say_once("OutriderCheckpoint", "OutriderCheckpoint has no run to keep its files with")
            return
        self._kept = stamp
        base = os.path.dirname(os.path.abspath(path))
        run.save(path, base=base, policy=self._policy)
