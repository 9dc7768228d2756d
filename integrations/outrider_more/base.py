"""What the small adapters share: the missing framework's error, and the run they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outrider.adapter import About, Adapter, Ends
from outrider.errors import OutriderError

if TYPE_CHECKING:
    from outrider.training import Run


class FrameworkMissing(OutriderError, ImportError):
    """The framework that this callback is for cannot be imported, or is something else."""


def need(name: str, attribute: str) -> Any:
    """Import a framework; raises ``FrameworkMissing`` where it is missing or not what it says."""
    from importlib import import_module

    hint = f"pip install {name}"
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise FrameworkMissing(f"this needs {name}, which is not here", hint=hint) from None
    if not hasattr(module, attribute):
        where = getattr(module, "__file__", None) or "a folder"
        raise FrameworkMissing(
            f"the module {name!r} that Python finds is not {name} but {where}",
            hint=f"rename it; then, if {name} is missing: {hint}",
        )
    return module


class Holder(Ends):
    """Mixed into a framework's callback: its run, opened when first needed.

    ``arguments`` are those of ``outrider.init()``; ``run`` is one that is open already.
    """

    about: About

    def _hold(self, run: Run | None, arguments: dict[str, Any]) -> None:
        self._adapter = Adapter(self.about, arguments, run=run)

    @property
    def run(self) -> Run | None:
        """The run, once the training has opened it in this process."""
        return self._adapter.run
