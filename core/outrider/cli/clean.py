"""``outrider clean``: removes local copies of runs that the server has whole."""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outrider.amounts import size
from outrider.cli.exits import Exit
from outrider.cli.options import RUNS, Json, Url, command
from outrider.cli.screen import ago, console, plain, print_json, say, table
from outrider.errors import UsageError
from outrider.folder import unlink_run
from outrider.ids import DEFAULT_PROJECT

if TYPE_CHECKING:
    from outrider.cli.finding import Local
    from outrider.transport import HttpTransport

app = command(RUNS, Exit.UNREACHABLE, Exit.UNAUTHORIZED)

_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a run's folder may go, its bytes on disk, and what speaks against it."""

    run: Local
    bytes: int
    against: str | None


@app.command()
def clean(
    older: Annotated[
        float, typer.Option("--older-than", metavar="DAYS", help="Only runs created before.", min=0)
    ] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Remove local copies of ended runs that the server has whole.

    Each run's server is asked how much it has of it; what is not acknowledged to the last byte, or
    still goes on, stays.
    """
    from outrider.cli.finding import local_runs

    before = time.time() - older * _DAY
    runs = [run for run in local_runs() if float(run.meta.get("created") or 0) <= before]
    verdicts = _judge_all(runs, url)
    going = [verdict for verdict in verdicts if verdict.against is None]
    if not as_json:
        _show(verdicts, going)
    if going and not dry_run and _is_agreed(going, yes=yes, silent=as_json):
        for verdict in going:
            remove(verdict.run)
        if not as_json:
            say(f"{len(going)} removed")
    if as_json:
        print_json([_as_row(verdict, gone=not dry_run) for verdict in verdicts])


def _as_row(verdict: Verdict, *, gone: bool) -> dict[str, Any]:
    return {
        "id": verdict.run.meta["id"],
        "folder": verdict.run.folder.path,
        "bytes": verdict.bytes,
        "kept_because": verdict.against,
        "removed": gone and verdict.against is None,
    }


def _is_agreed(going: list[Verdict], *, yes: bool, silent: bool) -> bool:
    if yes:
        return True
    if silent or not sys.stdin.isatty():
        raise UsageError("nothing is removed without a yes", hint="add --yes, or --dry-run")
    return typer.confirm(f"Remove these {len(going)} folders?")


def _judge_all(runs: list[Local], url: str | None) -> list[Verdict]:
    from outrider.cli.sync import connected, server_of

    transports: dict[str, HttpTransport] = {}
    verdicts = []
    for run in runs:
        against = objection(run)
        if against is None:
            server, origin = server_of(run, url)
            if server not in transports:
                transports[server] = connected(server, origin)
            against = _servers_objection(run, transports[server])
        verdicts.append(Verdict(run, bytes_of(run.folder.path), against))
    return verdicts


def objection(run: Local) -> str | None:
    """What the folder itself says against removing it."""
    from outrider.cli.delivery import kept_here_only
    from outrider.reading.fold import RUNNING
    from outrider.reading.local import FolderSource
    from outrider.streamer.spawn import is_running

    if FolderSource(run.folder, without_points=True).overview().state == RUNNING:
        return "it still goes on"
    if is_running(run.folder.path):
        return "its streamer is at work"
    return kept_here_only(run.folder)


def _servers_objection(run: Local, transport: HttpTransport) -> str | None:
    """What the server says against removing it: it does not have it, or not all of it."""
    from outrider.cli.delivery import missing, offsets_in, sizes
    from outrider.errors import NotFound
    from outrider.reading.remote import ask, run_path
    from outrider.streamer.describe import description

    try:
        ask(transport, "GET", run_path(str(run.meta.get("project")), run.meta["id"]))
    except NotFound:
        return "the server does not have it"
    known = ask(transport, "POST", "/api/runs", json=description(run.meta))
    acked = offsets_in(known["offsets"])
    left = missing(sizes(run.folder, acked), acked)
    if left:
        return f"{size(left)} are not delivered"
    lacking = _lacking(run, transport)
    return f"{lacking} of its files are not at the server" if lacking else None


def _lacking(run: Local, transport: HttpTransport) -> int:
    """How many of a run's contents the server does not have, by its own word at this moment."""
    from outrider.cli.delivery import contents_of
    from outrider.reading.remote import ask, run_path

    names = list(contents_of(run.folder))
    path = run_path(str(run.meta.get("project")), run.meta["id"]) + "/blobs/missing"
    return sum(
        len(ask(transport, "POST", path, json={"sha256": names[at : at + 1000]})["missing"])
        for at in range(0, len(names), 1000)
    )


def bytes_of(path: str) -> int:
    """How many bytes a folder's files hold."""
    return sum(
        os.lstat(os.path.join(folder, name)).st_size
        for folder, _, names in os.walk(path)
        for name in names
    )


def remove(run: Local) -> None:
    """Remove a run's folder. It is renamed and loses its run.json first, so that one that is
    removed by half never passes for a run."""
    path = run.folder.path
    unlink_run(path, run.meta["id"], str(run.meta.get("project", DEFAULT_PROJECT)))
    going = f"{path}.removing"
    os.rename(path, going)
    os.unlink(os.path.join(going, "run.json"))
    shutil.rmtree(going)


def _show(verdicts: list[Verdict], going: list[Verdict]) -> None:
    if not verdicts:
        say("there are no runs here")
        return
    rows = table("id", "name", "created", "size", "", right=["size"], wrap=["name", ""])
    for verdict in verdicts:
        rows.add_row(
            plain(verdict.run.meta["id"]),
            f"[bold]{plain(verdict.run.meta.get('name') or '')}[/]",
            ago(verdict.run.meta.get("created")),
            size(verdict.bytes),
            "[yellow]goes[/]"
            if verdict.against is None
            else f"[dim]stays: {plain(verdict.against)}[/]",
        )
    console().print(rows)
    if going:
        say(f"{size(sum(verdict.bytes for verdict in going))} in {len(going)} runs would go")
    else:
        say("nothing can go")
