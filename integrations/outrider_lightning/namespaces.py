"""The two namespaces that Lightning is published under, and the one class that serves both.

``pytorch_lightning`` and ``lightning.pytorch`` are separate copies of the same code, each with its
own abstract ``Logger``. Ours is one plain class, registered as a virtual subclass of each
``Logger`` that is loaded; nothing here loads one.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

from outrider.errors import OutriderError

MODULES = ("pytorch_lightning", "lightning.pytorch", "lightning_fabric", "lightning.fabric")
OLDEST = (2, 4)
_INSTALL = 'pip install "outrider[lightning]", or upgrade the Lightning that is there'
_LOGGERS = tuple(f"{name}.loggers.logger" for name in MODULES)

_registered: set[int] = set()


class LightningMissing(OutriderError, ImportError):
    """Neither ``lightning`` nor ``pytorch_lightning`` can be used here: missing, or too old."""


def register(cls: type) -> None:
    """Make ``cls`` a subclass of every ``Logger`` that is loaded by now. Cheap to ask again."""
    for name in _LOGGERS:
        module = sys.modules.get(name)
        if module is not None:
            base = getattr(module, "Logger", None)
            if base is not None and id(base) not in _registered:
                base.register(cls)
                _registered.add(id(base))


def callbacks() -> list[type]:
    """The ``Callback`` class of each namespace that is loaded by now."""
    homes = (sys.modules.get(f"{name}.callbacks.callback") for name in MODULES)
    found = (getattr(home, "Callback", None) for home in homes)
    return [one for one in found if isinstance(one, type)]


def check_installed() -> None:
    """Raise ``LightningMissing`` unless one of the namespaces is there and new enough."""
    loaded = [sys.modules[name] for name in MODULES if name in sys.modules]
    if not loaded:
        if any(_is_there(name) for name in ("lightning", "pytorch_lightning", "lightning_fabric")):
            return
        raise LightningMissing("OutriderLogger needs Lightning, which is not here", hint=_INSTALL)
    for module in loaded:
        version = str(getattr(module, "__version__", ""))
        if version and _numbers(version) < OLDEST:
            raise LightningMissing(
                f"OutriderLogger needs Lightning {'.'.join(map(str, OLDEST))} or newer, and"
                f" {module.__name__} is {version}",
                hint=_INSTALL,
            )


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _numbers(version: str) -> tuple[int, ...]:
    head = version.split("+", maxsplit=1)[0].split(".")[:2]
    return tuple(int(part) if part.isdigit() else 0 for part in head)
