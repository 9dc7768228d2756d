"""What a run's summary says of each metric: its definition found, its points reduced to a value.

The rules, which the server's own summary follows too:

* A metric's definition is the one with its exact name; else the latest defined whose glob matches
  (``fnmatch`` rules, case-sensitive). A later definition of the same name replaces the earlier.
* ``summary`` says how: ``last`` (the default) is the value logged last, by (attempt, time, order);
  ``min``, ``max`` and ``mean`` are over the finite values of all points that show; ``best`` is
  ``min`` with the goal ``minimize`` or none, ``max`` with ``maximize``; ``none`` leaves it out.
  Where no value is finite, each of them gives the last value.
* A value that the script put into the summary stands before the metric's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from math import fsum, isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from outrider.reading.series import Series

REDUCTIONS = ("last", "min", "max", "mean", "best", "none")


class Definition(NamedTuple):
    """What ``define_metric`` said of a metric, or of all that a glob matches."""

    name: str
    step: str | None = None
    summary: str | None = None
    goal: str | None = None
    hidden: bool = False


def definition(body: Mapping[str, Any]) -> Definition:
    """The definition that a ``metric`` record holds."""
    return Definition(
        str(body.get("name", "")),
        body.get("step"),
        body.get("summary"),
        body.get("goal"),
        bool(body.get("hidden", False)),
    )


def definition_for(key: str, definitions: Sequence[Definition]) -> Definition | None:
    """The definition that holds for a metric, from all that were made, in their order."""
    glob: Definition | None = None
    exact: Definition | None = None
    for item in definitions:
        if item.name == key:
            exact = item
        elif fnmatchcase(key, item.name):
            glob = item
    return exact or glob


def reduced(series: Series, how: str | None, goal: str | None = None) -> float | None:
    """A metric's value in the summary, or None where it has none."""
    if not len(series) or how == "none":
        return None
    if how == "best":
        how = "max" if goal == "maximize" else "min"
    if how in ("min", "max", "mean"):
        finite = [float(value) for value in series.values if isfinite(value)]
        if finite and how == "mean":
            return fsum(finite) / len(finite)
        if finite:
            return min(finite) if how == "min" else max(finite)
    return series.values[-1]


def automatic(
    points: Iterable[tuple[str, Series]], definitions: Sequence[Definition]
) -> dict[str, float]:
    """The summary that the points alone make; each series as ``logged`` returns it."""
    found: dict[str, float] = {}
    for key, series in points:
        known = definition_for(key, definitions)
        value = reduced(series, known.summary, known.goal) if known else reduced(series, None)
        if value is not None:
            found[key] = value
    return found


def amended(base: Mapping[str, Any], changes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """``base`` with records' ``c`` put in and ``x`` taken out, one record after the other.

    A key's new value replaces the old one whole, mappings too, as ``config.update()`` does. ``x``
    names a key, or the dotted path to one inside mappings; it is taken out before ``c`` is put in.
    """
    whole = dict(base)
    for change in changes:
        for name in change.get("x") or ():
            _remove(whole, str(name))
        content = change.get("c")
        if isinstance(content, Mapping):
            whole.update(content)
    return whole


def _remove(whole: dict[str, Any], name: str) -> None:
    if name in whole:
        del whole[name]
        return
    first, dot, rest = name.partition(".")
    inner = whole.get(first)
    if dot and isinstance(inner, Mapping):
        whole[first] = amended(inner, [{"x": [rest]}])


_WORDS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def revived(value: Any) -> Any:
    """``value`` with the words NaN, Infinity and -Infinity turned into floats again."""
    if isinstance(value, str):
        return _WORDS.get(value, value)
    if isinstance(value, Mapping):
        return {key: revived(item) for key, item in value.items()}
    if isinstance(value, list):
        return [revived(item) for item in value]
    return value
