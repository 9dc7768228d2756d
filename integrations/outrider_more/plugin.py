"""The small adapters among the plugins, one for each framework. Imports none of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from outrider.adapter import installed_version
from outrider.hooks import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Small:
    """A framework's plugin: what a step means there, and how its types read as configuration.

    ``readers`` are tried in order on a type of the framework: the method that the type must have,
    and what it takes to make plain data of a value.
    """

    framework: str
    step: str
    readers: tuple[tuple[str, Callable[[Any], Any]], ...]
    distributions: tuple[str, ...] = ()

    @hookimpl
    def outrider_adapter(self) -> Mapping[str, Any]:
        """Say which callback this is."""
        version = installed_version(*(self.distributions or (self.framework,)))
        return {"framework": self.framework, "version": version, "step": self.step}

    @hookimpl
    def outrider_config(self, cls: type) -> Callable[[Any], Any] | None:
        """Read the framework's own objects, and those that inherit from them."""
        if not any(kind.__module__.split(".")[0] == self.framework for kind in cls.__mro__):
            return None
        return next(
            (read for name, read in self.readers if callable(getattr(cls, name, None))), None
        )


transformers = Small(
    "transformers",
    "optimizer steps",
    (("to_dict", lambda value: value.to_dict()),),  # the configuration of a model, a generation, …
)
xgboost = Small(
    "xgboost",
    "boosting rounds",
    (
        ("save_config", lambda booster: json.loads(booster.save_config())),
        ("get_params", lambda model: model.get_params()),
    ),
    ("xgboost", "xgboost-cpu"),
)
lightgbm = Small(
    "lightgbm",
    "boosting rounds",
    (
        ("get_params", lambda model: model.get_params()),
        ("num_trees", lambda booster: dict(booster.params)),
    ),
)
optuna = Small(
    "optuna",
    "the trial's reports",
    (("should_prune", lambda trial: dict(trial.params)),),
)
