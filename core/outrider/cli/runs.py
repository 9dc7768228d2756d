"""``outrider runs``: the runs of this folder, or of the server."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from outrider.amounts import size
from outrider.cli.exits import Exit
from outrider.cli.options import RUNS, Json, Url, command
from outrider.cli.screen import ago, console, number, plain, print_json, say, span, table
from outrider.cli.screen import state_text as state_of

if TYPE_CHECKING:
    from outrider.reading.run import Overview

app = command(RUNS, Exit.UNREACHABLE, Exit.UNAUTHORIZED)


@app.command()
def runs(
    project: Annotated[
        Optional[str],  # noqa: UP045 - read at run time
        typer.Option("--project", "-p", help="Only runs of this project."),
    ] = None,
    server: Annotated[
        bool, typer.Option("--server", "-s", help="The server's runs, not this folder's.")
    ] = False,
    filter_by: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--filter", "-f", help="At the server: 'config.lr < 0.01 and state = \"finished\"'."
        ),
    ] = None,
    sort: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--sort", help="At the server: a column; -COLUMN for falling order."),
    ] = None,
    columns: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--column", "-c", help="At the server: config.KEY or summary.KEY; repeat."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.", min=1)] = 20,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List this folder's runs; the server's, where there are none here or it is asked for."""
    at_server = server or url is not None or bool(filter_by or sort or columns)
    if not at_server:
        found = [one for one in _local() if project in (None, one["project"])]
        if found or (project is None and _is_offline()):
            _show_local(found[-limit:], len(found), as_json=as_json)
            return
    from outrider.api import Client

    client = Client(url)
    names = [project] if project else [one["name"] for one in client.projects()]
    wanted = columns or []
    rows = [
        row
        for name in names
        for row in client.rows(name, filter=filter_by, sort=sort, columns=wanted, limit=limit)
    ]
    if len(names) > 1 and not sort:
        rows.sort(key=lambda row: -float(row["created"]))
    _show_remote(rows[:limit], wanted, client.url, as_json=as_json)


def _is_offline() -> bool:
    from outrider.settings import load

    return load().mode != "online"


def _local() -> list[dict[str, Any]]:
    from outrider.cli.delivery import delivery_of
    from outrider.cli.finding import local_runs
    from outrider.reading.local import FolderSource

    found = []
    for run in local_runs():
        seen: Overview = FolderSource(run.folder, without_points=True).overview()
        facts = asdict(seen)
        facts = {name: facts[name] for name in facts if name not in ("config", "summary", "origin")}
        sent = delivery_of(run.folder)
        found.append(
            {**facts, "folder": run.folder.path, "behind": sent.behind, "delivery": sent.state}
        )
    return found


def _show_local(found: list[dict[str, Any]], total: int, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    if not found:
        say("no runs here yet; `outrider demo` makes some, or log one:")
        say("[dim]from outrider import core; core.init(project='first'); core.log({'loss': 1})[/]")
        return
    rows = table("state", "id", "name", "project", "created", "took", "undelivered", wrap=["name"])
    for run in reversed(found):
        last = run["ended"] or run["updated"] or run["created"]
        rows.add_row(
            state_of(run["state"]),
            plain(run["id"]),
            f"[bold]{plain(run['name'])}[/]",
            plain(run["project"]),
            ago(run["created"]),
            span((time.time() if run["state"] == "running" else last) - run["created"]),
            f"[yellow]{size(run['behind'])}[/]" if run["behind"] else "[dim]–[/]",
        )
    console().print(rows)
    if total > len(found):
        say(f"[dim]{total - len(found)} older ones: --limit {total}[/]")


def _show_remote(
    found: list[dict[str, Any]], columns: list[str], url: str, *, as_json: bool
) -> None:
    if as_json:
        print_json(found)
        return
    if not found:
        say(f"no such runs at {plain(url)}")
        return
    known = ("state", "id", "name", "project", "created", "took")
    rows = table(*known, *columns, right=columns, wrap=["name"])
    for run in found:
        values = [_column(run, name) for name in columns]
        rows.add_row(
            state_of(run["state"]),
            plain(run["id"]),
            f"[bold]{plain(run.get('name') or run['id'])}[/]",
            plain(run["project"]),
            ago(run["created"]),
            span(run.get("duration") or 0),
            *("[dim]–[/]" if value is None else number(value) for value in values),
        )
    console().print(rows)


def _column(run: dict[str, Any], name: str) -> Any:
    place, _, key = name.partition(".")
    values = run.get(place) or {}
    return values.get(key, values.get(name))
