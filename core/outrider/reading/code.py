"""Which of a run's records tell of its code and of its environment, for folder and server alike.

The rule: those of the latest attempt; of these, the one of the machine that started it; of several,
the earliest, since the code may have changed by the time of a later one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

CODE, ENVIRONMENT = "code", "environment"


def chosen(records: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """What the record that counts says; None where there is none."""
    sound = [body for body in records if isinstance(body.get("c"), Mapping)]
    if not sound:
        return None
    return dict(min(sound, key=_rank)["c"])


def _rank(body: Mapping[str, Any]) -> tuple[int, bool, float]:
    attempt, moment = body.get("a"), body.get("t")
    return (
        -attempt if isinstance(attempt, int) else -1,
        body.get("primary") is not True,
        float(moment) if isinstance(moment, (int, float)) else 0.0,
    )
