"""A measured figure beside its budget, and the table that shows them."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what was measured, how much it is, and how much it may be.

    `detail` holds what the figure was made from. A budget with `at_least` is a lower bound.
    """

    what: str
    value: float
    unit: str = ""
    budget: float | None = None
    detail: str = ""
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """`ok`, `OVER`, or nothing where there is no budget."""
        if self.budget is None:
            return ""
        is_ok = self.value >= self.budget if self.at_least else self.value <= self.budget
        return "ok" if is_ok else "OVER"


def show(figures: Iterable[Figure]) -> str:
    """The table as text."""
    rows = [("what", "measured", "budget", "", "from")]
    for figure in figures:
        sign = "≥" if figure.at_least else "≤"
        budget = "" if figure.budget is None else f"{sign} {short(figure.budget)}{figure.unit}"
        value = f"{short(figure.value)}{figure.unit}"
        rows.append((figure.what, value, budget, figure.verdict, figure.detail))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = []
    for what, value, budget, verdict, detail in rows:
        cells = (what.ljust(widths[0]), value.rjust(widths[1]), budget.rjust(widths[2]))
        lines.append("  ".join([*cells, verdict.ljust(widths[3]), detail]).rstrip())
    lines.insert(1, "─" * (sum(widths) + 6))
    load, cores = os.getloadavg()[0], os.cpu_count()
    lines.append(f"load average {load:.1f} on {cores} cores: above {cores}, wall times say little")
    return "\n".join(lines)


def short(value: float) -> str:
    """Three significant digits, thousands grouped."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of all lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return quantile(values, 0.5)


def main(*measures: Callable[[], Iterable[Figure]]) -> None:
    """Run measurements from the command line: a table, or `--json` for further work."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    arguments = parser.parse_args()
    figures = [figure for measure in measures for figure in measure()]
    if arguments.json:
        for figure in figures:
            sys.stdout.write(json.dumps(asdict(figure) | {"verdict": figure.verdict}) + "\n")
    else:
        sys.stdout.write(show(figures) + "\n")
