"""What a rule is: which condition of a run it names, and the words in which it is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import isfinite
from typing import Any

from outrider.errors import UsageError

NEEDS: dict[str, tuple[str, ...]] = {
    "nonfinite": ("metric",),
    "above": ("metric", "value"),
    "below": ("metric", "value"),
    "stalled": ("metric", "minutes"),
    "died": (),
    "oom": (),
    "silent": ("minutes",),
}
"""The kinds of rules and what each of them has to be given."""

LEVELS = ("info", "warn", "error")
DEATHS = frozenset({"failed", "crashed", "killed", "oom", "lost"})
"""The ends that the rule ``died`` is about."""

MOST_MINUTES = 60.0 * 24 * 366
_LONGEST = 256
_WILD = re.compile(r"[*?\[]")
_DEFAULT_LEVEL = {"above": "warn", "below": "warn", "stalled": "warn"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition of a project's runs; what a kind does not need is None."""

    id: str
    project: str
    kind: str
    metric: str | None
    value: float | None
    minutes: float | None
    level: str
    created: float

    @property
    def seconds(self) -> float:
        """The rule's minutes in seconds; without any it never takes effect by time."""
        return float("inf") if self.minutes is None else 60.0 * self.minutes

    def watches(self, key: str, *, system: bool) -> bool:
        """Whether the rule is about a metric; a pattern takes in the machine's metrics only where
        it begins with ``system/``."""
        if self.metric is None or (system and not self.metric.startswith("system/")):
            return False
        return self.metric == key or fnmatchcase(key, self.metric)

    def as_json(self) -> dict[str, Any]:
        """The rule as the API shows it."""
        given = {name: getattr(self, name) for name in NEEDS[self.kind]}
        found = {"id": self.id, "kind": self.kind, **given, "level": self.level}
        return {**found, "created": self.created, "says": self.says()}

    def says(self, key: str | None = None) -> str:
        """The condition in words, for one metric or as it was given."""
        name = self.metric if key is None else key
        return {
            "nonfinite": f"{name} is NaN or infinite",
            "above": f"{name} is above {_plain(self.value)}",
            "below": f"{name} is below {_plain(self.value)}",
            "stalled": f"{name} has not moved for {_minutes(self.minutes)}",
            "died": "the run died",
            "oom": "the run was killed for lack of memory",
            "silent": f"nothing was heard of the run for {_minutes(self.minutes)}",
        }[self.kind]


def read_rule(project: str, rule_id: str, created: float, body: Mapping[str, Any]) -> Rule:
    """The rule that a client describes. Raises ``UsageError`` with what is wrong with it."""
    kind = body.get("kind")
    if not isinstance(kind, str) or kind not in NEEDS:
        raise UsageError(f"{kind!r:.60} is no kind of rule", hint="kinds: " + ", ".join(NEEDS))
    needs = NEEDS[kind]
    unknown = set(body) - {"kind", "level", *needs}
    if unknown:
        takes = " and ".join(needs) or "nothing"
        raise UsageError(
            f"a rule {kind!r} takes no {min(unknown)!r:.60}", hint=f"it takes {takes}, and level"
        )
    level = body.get("level") or _DEFAULT_LEVEL.get(kind, "error")
    if level not in LEVELS:
        raise UsageError(f"{level!r:.60} is no level", hint="levels: " + ", ".join(LEVELS))
    metric = body.get("metric")
    if "metric" in needs:
        if not isinstance(metric, str) or not 0 < len(metric) <= _LONGEST:
            raise UsageError("'metric' must be the name of a metric, of at most 256 characters")
        if kind == "stalled" and _WILD.search(metric):
            raise UsageError("a rule 'stalled' names one metric, not a pattern")
    value = _number(body, "value") if "value" in needs else None
    minutes = _number(body, "minutes") if "minutes" in needs else None
    if minutes is not None and not 0 < minutes <= MOST_MINUTES:
        raise UsageError("'minutes' must be above 0 and at most a year's")
    return Rule(rule_id, project, kind, metric, value, minutes, level, created)


def _number(body: Mapping[str, Any], name: str) -> float:
    found = body.get(name)
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not isfinite(found):
        raise UsageError(f"{name!r} must be a number")
    return float(found)


def _plain(value: float | None) -> str:
    return f"{value:g}" if value is not None else "?"


def _minutes(minutes: float | None) -> str:
    if minutes is None:
        return "?"
    if minutes < 1:
        return f"{minutes * 60:g} seconds"
    return f"{minutes:g} minute{'' if minutes == 1 else 's'}"
