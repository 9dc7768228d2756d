"""Which of a run's records tell of its code and of its environment, for folder and server alike.

The rule: those of the latest attempt; of these, the one of the machine that started it; of several,
the earliest, since the code may have changed by the time of a later one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

CODE, ENVIRONMENT = "code", "environment"

OFF = {"off": True}
"""What the ``code`` record of an attempt says where no code may be captured."""


def chosen(records: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """What the record that counts says; None where there is none, or where it says that nothing
    may be captured."""
    sound = [body for body in records if isinstance(body.get("c"), Mapping)]
    if not sound:
        return None
    found = dict(min(sound, key=_rank)["c"])
    return None if found == OFF else found


def named_in(code: Mapping[str, Any] | None) -> set[str]:
    """The paths of the patches that a code record tells of; an earlier attempt had others."""
    if code is None:
        return set()
    said = [code.get("patch"), code.get("untracked"), code.get("upstream_patch")]
    said += [one.get("patch") for one in _mappings(code.get("submodules"))]
    said += _mappings(code.get("apart"))
    return {str(one.get("path")) for one in said if isinstance(one, Mapping)}


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _rank(body: Mapping[str, Any]) -> tuple[int, bool, float]:
    attempt, moment = body.get("a"), body.get("t")
    return (
        -attempt if isinstance(attempt, int) else -1,
        body.get("primary") is not True,
        float(moment) if isinstance(moment, (int, float)) else 0.0,
    )
