"""``outrider show RUN``: everything that one run says of itself."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from outrider.cli.exits import Exit
from outrider.cli.following import without_colours
from outrider.cli.options import RUNS, Json, RunName, Url, command
from outrider.cli.screen import (
    ago,
    console,
    facts,
    number,
    plain,
    print_json,
    say,
    span,
    state_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from outrider.api import Run

app = command(RUNS, Exit.NOT_FOUND, Exit.UNREACHABLE, Exit.UNAUTHORIZED)

_LONGEST = 200
_CONSOLE_LINES = 10


@app.command()
def show(run: RunName, url: Url = None, as_json: Json = False) -> None:
    """Show a run: its state, config, summary and metrics."""
    from outrider.cli.finding import find_run

    found = find_run(run, url=url)
    if as_json:
        print_json({**asdict(found.overview), "metrics": found.keys()})
        return
    _show(found)


def _show(run: Run) -> None:
    seen = run.overview
    last = seen.ended or (time.time() if seen.state == "running" else seen.updated) or seen.created
    say(f"[bold]{plain(seen.name)}[/] [dim]{plain(run.path)}[/]  {state_text(seen.state)}")
    how = (seen.end or {}).get("sentence") if seen.state != "finished" else None
    known: list[tuple[str, object]] = [
        ("how it ended", f"[red]{plain(how)}[/]" if how else None),
        ("created", f"{ago(seen.created)} on {plain(seen.host or 'an unknown machine')}"),
        ("took", span(last - seen.created)),
        ("attempts", str(len(seen.attempts)) if len(seen.attempts) > 1 else None),
        ("group", seen.group),
        ("tags", plain(", ".join(seen.tags)) or None),
        ("notes", None if seen.notes is None else plain(seen.notes)),
        ("lost records", f"[red]{seen.gaps}[/]" if seen.gaps else None),
        ("from", plain(seen.origin)),
    ]
    console().print(facts((name, value) for name, value in known if value is not None))
    _section("config", dict(_flat(seen.config)))
    metrics = set(run.keys())
    _section("summary", dict(_flat(seen.summary)))
    rest = metrics - set(seen.summary)
    if rest:
        say(f"\n[dim]metrics without a summary:[/] {plain(', '.join(sorted(rest)))}")
    _console(run)


def _console(run: Run) -> None:
    lines = run.console(_CONSOLE_LINES)
    if lines:
        say("\n[bold]console[/]")
        for line in lines:
            say(f"[dim]{plain(without_colours(line.text)[:_LONGEST])}[/]")


def _section(title: str, values: Mapping[str, Any]) -> None:
    if values:
        say(f"\n[bold]{title}[/]")
        pairs = ((key, number(values[key])[:_LONGEST]) for key in sorted(values))
        console().print(facts(pairs))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
