"""Outrider beside its peers, and how its own cost grows: measured, kept, and made into docs/benchmarks.md.

    tox -e peers                                   everything: some twenty minutes on two idle cores
    tox -e peers -- --only wandb,mlflow            some trackers, always in turn with ours
    tox -e peers -- --measures kill,helper         some measures
    tox -e peers -- --growth ingest                how one of our own costs grows
    tox -e peers -- --budgets log,start            our figures beside what we allow ourselves
    tox -e peers -- --minutes 20                   what has not begun by then keeps its older figure
    tox -e peers -- --quick --into /tmp/figures    to see that it works
    tox -e peers -- --render                       only make the page again of the figures that are there

Each run adds to the figures of the last (docs/benchmarks.json), so that it can be done in pieces.
Trackers run in turn, A B C A B C, so that what else the machine does hits all of them; what is shown
are medians and ratios to ours.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(
    0, str(Path(__file__).resolve().parents[1])
)  # figures, place, load: the benches' own

import budgets
import growth
import page
from measures import Effort
from raw import Figures
from subjects import BY_NAME
from training import said
from turns import ALL, Turns


def main(arguments: Sequence[str]) -> None:
    """Measure what is asked for, add it to the figures, render."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(BY_NAME), help="trackers, with commas between")
    parser.add_argument("--measures", help=f"of {', '.join(ALL)}")
    parser.add_argument("--growth", help=f"of {', '.join(growth.GROWTHS)}")
    parser.add_argument("--budgets", help=f"of {', '.join(budgets.GROUPS)}")
    parser.add_argument("--rounds", type=int, help="turns of what is timed (2)")
    parser.add_argument("--quick", action="store_true", help="short loops, one round")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin nothing later")
    parser.add_argument("--into", type=Path, default=page.DOCS, help="folder of the page (docs)")
    parser.add_argument("--render", action="store_true", help="measure nothing")
    asked = parser.parse_args(arguments)
    until = time.monotonic() + 60 * asked.minutes
    figures = Figures(asked.into / page.JSON)
    figures.is_quick, effort = asked.quick, Effort.quick() if asked.quick else Effort()
    everything = not (asked.measures or asked.growth or asked.budgets or asked.render)
    if asked.measures or everything:
        turns = Turns(figures, effort, asked.rounds or effort.rounds, until)
        turns.take(_chosen(asked.only, list(BY_NAME)), _chosen(asked.measures, list(ALL)))
    if asked.growth or everything:
        for name in _chosen(asked.growth, list(growth.GROWTHS)):
            if time.monotonic() > until:
                said(f"growth: {name} is left out, the time is over")
                continue
            said(f"growth: {name}")
            figures.grew(name, growth.GROWTHS[name](quick=asked.quick))
    if asked.budgets or everything:
        for name in _chosen(asked.budgets, list(budgets.GROUPS)):
            if time.monotonic() > until:
                said(f"budgets: {name} is left out, the time is over")
                continue
            said(f"budgets: {name}")
            figures.kept_to(name, budgets.measured(name))
    page.write(figures, asked.into)
    said(f"see {asked.into / page.PAGE}")


def _chosen(text: str | None, known: Sequence[str]) -> list[str]:
    names = [name.strip() for name in text.split(",")] if text else list(known)
    for name in names:
        if name not in known:
            raise SystemExit(f"there is no {name!r}: choose of {', '.join(known)}")
    return names


if __name__ == "__main__":
    main(sys.argv[1:])
