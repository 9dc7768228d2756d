"""``outrider tail RUN``: what a run logs, as it logs it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from outrider.cli.exits import Exit
from outrider.cli.following import follow_console
from outrider.cli.options import RUNS, RunName, Url, command
from outrider.cli.screen import number, plain, say, state_text, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from outrider.api import Run

app = command(RUNS, Exit.NOT_FOUND, Exit.UNREACHABLE, Exit.UNAUTHORIZED)

_SECONDS = 0.5

Row = dict[str, Any]


@app.command()
def tail(
    run: RunName,
    lines: Annotated[
        int, typer.Option("--lines", "-n", help="Begin with so many rows.", min=0)
    ] = 10,
    keys: Annotated[
        Optional[list[str]],  # noqa: UP045 - read at run time
        typer.Option("--key", "-k", help="Only this metric; repeat for several."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Stay until the run ends.")
    ] = True,
    printed: Annotated[
        bool, typer.Option("--console", "-c", help="What it prints instead of what it logs.")
    ] = False,
    url: Url = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Follow what a run logs, row by row, or prints, until it ends or Ctrl-C."""
    from outrider.cli.finding import find_run

    found = find_run(run, url=url)
    if printed:
        follow_console(found, lines, follow, as_json)
        return
    _tail(found, keys, lines, follow, _print_json if as_json else _print)
    if not as_json:
        say(f"[dim]{plain(found.name)} is[/] {state_text(found.state)}", stderr=True)


def _tail(
    run: Run, keys: list[str] | None, lines: int, follow: bool, show: Callable[[Row], None]
) -> None:
    shown: dict[int, Row] = {}
    first = True
    while True:
        state = run.refresh().state
        fresh = list(news(run, keys, shown))
        for row in fresh[max(0, len(fresh) - lines) :] if first else fresh:
            show(row)
        first = False
        if not follow or state != "running":
            return
        time.sleep(_SECONDS)


def news(run: Run, keys: list[str] | None, shown: dict[int, Row]) -> Iterator[Row]:
    """The rows, and of rows that grew the values, which were not shown before; ``shown`` learns.

    A row that is logged in pieces, or late, or behind the last one, is not missed: all rows are
    compared, by step.
    """
    known = run.keys()
    wanted = None if keys is None else [key for key in keys if key in known]
    for row in run.history(wanted).rows():
        before = shown.get(row["_step"], {})
        if row["_time"] == before.get("_time"):
            continue
        fresh = {
            key: value
            for key, value in row.items()
            if key in ("_step", "_time") or key not in before or not _same(before[key], value)
        }
        shown[row["_step"]] = row
        yield fresh


def _same(one: float, two: float) -> bool:
    return one == two or (one != one and two != two)


def _print(row: Row) -> None:
    moment = time.strftime("%H:%M:%S", time.localtime(row["_time"]))
    values = "  ".join(
        f"[dim]{plain(key)}[/] {number(value)}" for key, value in row.items() if key[0] != "_"
    )
    say(f"[dim]{moment}[/] [bold]{row['_step']:>8}[/]  {values}")


def _print_json(row: Row) -> None:
    import orjson

    from outrider.journal.line import worded

    write(orjson.dumps(worded(row), option=orjson.OPT_APPEND_NEWLINE))
