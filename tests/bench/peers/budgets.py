"""What we allow ourselves: each figure that has a budget, measured by the bench that knows it.

The budget stands beside the measurement in `tests/bench`, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import log_path
import page_cost
import server_cost
import start_up
import streamer_cost
from figures import short
from words import escaped

if TYPE_CHECKING:
    from figures import Figure
    from raw import Figures

GROUPS: dict[str, tuple[Callable[[], Iterable[Figure]], ...]] = {
    "log": (log_path.costs, log_path.system_calls),
    "start": (start_up.imports, start_up.init),
    "streamer": (streamer_cost.measure,),
    "store": (server_cost.ingest_and_chart,),
    "table": (server_cost.table,),
    "page": (page_cost.growing_lines,),
}
"""What is measured together."""


def measured(name: str) -> list[dict[str, Any]]:
    """The figures of one group that have a budget."""
    found = [figure for measure in GROUPS[name] for figure in measure()]
    return [asdict(figure) for figure in found if figure.budget is not None]


def section(figures: Figures) -> str:
    """One table: budget, figure, and from what it was made."""
    there = {one["name"]: one for one in figures.budgets}
    rows, days = [], []
    for name in GROUPS:
        if name not in there:
            rows.append(f"| {name}: `--budgets {name}` | – | not measured yet | | |")
            continue
        one = there[name]
        days.append(f"{name} {one['when']} at a load average of {one['load']:g}")
        rows += map(_row, one["rows"])
    head = "| what | budget | measured | | from |\n| --- | ---: | ---: | --- | --- |"
    return "\n".join([head, *rows]) + (f"\n\nMeasured: {', '.join(days)}." if days else "")


def _row(one: dict[str, Any]) -> str:
    value, budget, unit = one["value"], one["budget"], one["unit"]
    is_met = value >= budget if one["at_least"] else value <= budget
    sign = "≥" if one["at_least"] else "≤"
    what = one["what"] if "`" in one["what"] else escaped(one["what"], 120)
    told = f"{sign} {short(budget)}{unit}", f"{short(value)}{unit}", "" if is_met else "**over**"
    return f"| {what} | {' | '.join(told)} | {escaped(one['detail'], 120)} |"
