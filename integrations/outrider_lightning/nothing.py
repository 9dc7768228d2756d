"""What ``logger.experiment`` is on ranks that write nothing: it takes anything and does nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_DUMMY_HOMES = ("lightning_fabric.loggers.logger", "lightning.fabric.loggers.logger")


class Nothing:
    """Every attribute, item and call of it is again nothing, so that chains of them work."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        pass

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: D102 - it does nothing
        return self

    def __getitem__(self, key: Any) -> Any:
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True  # a dummy experiment is still an experiment, as Lightning's own is

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *reason: object) -> None:
        pass

    def __repr__(self) -> str:
        return "<no experiment on this rank>"


def nothing() -> Nothing:
    """A ``Nothing`` that is also the dummy experiment of every loaded Lightning (isinstance)."""
    homes = (sys.modules.get(name) for name in _DUMMY_HOMES)
    dummies = [getattr(home, "_DummyExperiment", None) for home in homes]
    bases = tuple(dummy for dummy in dummies if isinstance(dummy, type))
    if not bases:
        return Nothing()
    made: Nothing = type("Nothing", (Nothing, *bases), {})()
    return made
