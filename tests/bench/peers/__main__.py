"""Outrider beside its peers, and how its own cost grows: measured, kept, and made into docs/benchmarks.md.

    tox -e peers                                   everything: some twenty minutes on two idle cores
    tox -e peers -- --only wandb,mlflow            some trackers, always in turn with ours
    tox -e peers -- --measures kill,helper         some measures
    tox -e peers -- --growth ingest                how one of our own costs grows
    tox -e peers -- --quick --into /tmp/figures    to see that it works
    tox -e peers -- --render                       only make the page again of the figures that are there

Each run adds to the figures of the last (docs/benchmarks.json), so that it can be done in pieces.
Trackers run in turn, A B C A B C, so that what else the machine does hits all of them; what is shown
are medians and ratios to ours.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(
    0, str(Path(__file__).resolve().parents[1])
)  # figures, place, load: the benches' own

import environments
import growth
import page
import pages
import servers
from environments import Environment, NotInstalled
from measures import ALONE, TIMED, WAITING, Effort, Measure, Round
from raw import Figures
from subjects import BY_NAME, OURS, Subject
from training import Failed, said, sandbox

ONCE: dict[str, Measure] = {**WAITING, **ALONE, **servers.SERVED, **pages.SEEN}
ALL = (*TIMED, *ONCE)
AT_ONCE = 2
"""How many trackers have a fault at the same time, where a measure is mostly waiting."""


def main(arguments: Sequence[str]) -> None:
    """Measure what is asked for, add it to the figures, render."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(BY_NAME), help="trackers, with commas between")
    parser.add_argument("--measures", help=f"of {', '.join(ALL)}")
    parser.add_argument("--growth", help=f"of {', '.join(growth.GROWTHS)}")
    parser.add_argument("--rounds", type=int, help="turns of what is timed (2)")
    parser.add_argument("--quick", action="store_true", help="short loops, one round")
    parser.add_argument("--into", type=Path, default=page.DOCS, help="folder of the page (docs)")
    parser.add_argument("--render", action="store_true", help="measure nothing")
    asked = parser.parse_args(arguments)
    figures = Figures(asked.into / page.JSON)
    figures.is_quick, effort = asked.quick, Effort.quick() if asked.quick else Effort()
    rounds = asked.rounds or effort.rounds
    if not asked.render:
        everything = not asked.measures and not asked.growth
        measures = _chosen(asked.measures, ALL) if asked.measures or everything else []
        if measures:
            _measure(figures, _chosen(asked.only, list(BY_NAME)), measures, effort, rounds)
        for name in (
            _chosen(asked.growth, list(growth.GROWTHS)) if asked.growth or everything else []
        ):
            said(f"growth: {name}")
            figures.grew(name, growth.GROWTHS[name](quick=asked.quick))
    page.write(figures, asked.into)
    said(f"see {asked.into / page.PAGE}")


def _chosen(text: str | None, known: Sequence[str]) -> list[str]:
    names = [name.strip() for name in text.split(",")] if text else list(known)
    for name in names:
        if name not in known:
            raise SystemExit(f"there is no {name!r}: choose of {', '.join(known)}")
    return names


def _measure(
    figures: Figures, names: list[str], measures: list[str], effort: Effort, rounds: int
) -> None:
    ready: dict[str, Environment] = {}
    for name in dict.fromkeys([OURS, *names]):
        subject = BY_NAME[name]
        try:
            ready[name] = environments.made(subject)
            with sandbox(subject, ready[name]) as one:
                one.run("warmed", {}, 240)
        except (NotInstalled, Failed) as error:
            ready.pop(name, None)
            said(f"{name} is left out: {error}")
            figures.add("install", name, why=str(error))
    os.environ["OUTRIDER_TEST_VENVS"] = str(environments.place())  # for the pages' own kit
    there = [BY_NAME[name] for name in ready]
    for measure in (one for one in measures if one in TIMED):
        _in_turn(figures, measure, there, ready, effort, rounds)
    asked = [BY_NAME[name] for name in names if name in ready]
    for some, at_once in ((WAITING, AT_ONCE), (ONCE.keys() - WAITING, 1)):
        once = [
            (measure, subject)
            for measure in measures
            for subject in asked
            if measure in some and _applies(measure, subject)
        ]
        _each(figures, once, ready, effort, at_once)


def _applies(measure: str, subject: Subject) -> bool:
    needed = {"down": subject.down, "server": subject.server, "page": subject.page}
    return needed.get(measure, "") is not None


def _each(
    figures: Figures,
    once: Iterable[tuple[str, Subject]],
    ready: dict[str, Environment],
    effort: Effort,
    at_once: int,
) -> None:
    """Measures that are taken once, so many at the same time; each is kept as soon as it is there."""
    running = {}
    with ThreadPoolExecutor(at_once) as several:
        for measure, subject in once:
            place = ready[subject.name]
            begun = several.submit(_tried, ONCE[measure], subject, place, effort, measure)
            running[begun] = measure, subject.name
        for done in as_completed(running):
            measure, name = running[done]
            figures.add(measure, name, version=ready[name].version, rounds=[done.result()])


def _in_turn(
    figures: Figures,
    measure: str,
    there: list[Subject],
    ready: dict[str, Environment],
    effort: Effort,
    rounds: int,
) -> None:
    found: dict[str, list[Round]] = {subject.name: [] for subject in there}
    for _ in range(rounds):
        for subject in there:
            name = subject.name
            one = _tried(TIMED[measure], subject, ready[name], effort, measure)
            found[name].append(one)
            if name != OURS or len(there) == 1:  # kept at once: who stops the kit loses one round
                more = {} if name == OURS else {"ours": list(found[OURS])}
                own = list(found[name])
                figures.add(measure, name, version=ready[name].version, rounds=own, **more)


def _tried(
    call: Measure, subject: Subject, environment: Environment, effort: Effort, what: str
) -> Round:
    began = time.monotonic()
    try:
        found = call(subject, environment, effort)
    except Failed as error:
        said(f"{what}: {subject.name} failed: {error}")
        return {"failed": str(error)}
    said(f"{what}: {subject.name}, {time.monotonic() - began:.0f} s")
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
