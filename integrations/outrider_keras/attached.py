"""Callbacks that stand beside the one that logs: which run they mean, and how they are copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outrider.training import Run
    from outrider_keras.callback import OutriderCallback


class Attached:
    """The part of such a callback that knows its run: given, another callback's, or the active one."""

    _to: Run | OutriderCallback | None

    def _run_now(self) -> Run | None:
        if self._to is None:
            from outrider import core

            return core.run
        run: Run | None = getattr(self._to, "run", self._to)
        return run

    def __getstate__(self) -> dict[str, Any]:
        """Without the model and without a run of its own, neither of which can be copied."""
        to = self._to if hasattr(self._to, "set_model") else None
        return {**self.__dict__, "_to": to, "_model": None}
