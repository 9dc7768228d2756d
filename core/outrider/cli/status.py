"""``outrider status``: what this folder records, where to, and what is not delivered yet."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outrider.amounts import size
from outrider.cli.exits import Exit
from outrider.cli.options import RUNS, Json, command
from outrider.cli.screen import ago, console, facts, plain, print_json, say, state_text, table

if TYPE_CHECKING:
    from outrider.cli.finding import Local
    from outrider.settings import Settings

app = command(RUNS, Exit.UNDELIVERED)

_RECENT = 10


@app.command()
def status(
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 6 where records are undelivered.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what this folder records, where to, and what is not delivered yet."""
    from outrider.cli.finding import local_runs
    from outrider.settings import load

    settings = load()
    server = _server(settings)
    runs = [_state_of(run) for run in local_runs()]
    behind = sum(_left(run) for run in runs)
    undelivered = any(run["behind"] or run["files_left"] for run in runs)
    if as_json:
        print_json(
            {
                "mode": settings.mode,
                "url": settings.url,
                "folder": settings.dir,
                "server": server,
                "behind": behind,
                "runs": runs,
            }
        )
    else:
        _show(settings, server, runs, behind)
    if check and undelivered:
        raise typer.Exit(Exit.UNDELIVERED)


def _server(settings: Settings) -> dict[str, Any]:
    from outrider.errors import OutriderError
    from outrider.reading.remote import ask
    from outrider.transport import HttpTransport

    try:
        health = ask(HttpTransport(settings.url), "GET", "/api/health", timeout=2.0)
    except OutriderError as error:
        return {"reachable": False, "problem": error.message, "hint": error.hint}
    return {"reachable": True, "version": health.get("version")}


def _state_of(run: Local) -> dict[str, Any]:
    from outrider.cli.delivery import delivery_of
    from outrider.reading.local import FolderSource
    from outrider.streamer.spawn import is_running

    seen = FolderSource(run.folder, without_points=True).overview()
    sent = delivery_of(run.folder)
    return {
        "id": seen.id,
        "project": seen.project,
        "name": seen.name,
        "state": seen.state,
        "created": seen.created,
        "mode": run.meta.get("mode"),
        "folder": run.folder.path,
        "streamer": is_running(run.folder.path),
        "behind": sent.behind,
        "files_left": sent.files,
        "file_bytes_left": sent.file_bytes,
        "delivery": sent.state,
        "reason": sent.reason,
        "hint": sent.hint,
        "gaps": seen.gaps,
    }


def _show(
    settings: Settings, server: dict[str, Any], runs: list[dict[str, Any]], behind: int
) -> None:
    modes = {"online": "[green]on[/]", "offline": "[yellow]off[/] (recorded here, sent nowhere)"}
    answer = (
        f"[green]answers[/] (version {plain(server['version'])})"
        if server["reachable"]
        else f"[red]does not answer[/]: {plain(server['problem'].removeprefix(settings.url + ': '))}"
    )
    console().print(
        facts(
            [
                ("recording", modes.get(settings.mode, "[red]disabled[/]")),
                ("server", f"{plain(settings.url)} {answer}"),
                ("folder", plain(settings.dir)),
            ]
        )
    )
    if not runs:
        say("\nno runs here yet")
        return
    rows = table("state", "id", "name", "project", "created", "delivery", wrap=["name", "delivery"])
    for run in sorted(runs, key=lambda run: (-bool(run["behind"]), -run["created"]))[:_RECENT]:
        rows.add_row(
            state_text(run["state"]),
            plain(run["id"]),
            f"[bold]{plain(run['name'])}[/]",
            plain(run["project"]),
            ago(run["created"], time.time()),
            _delivery_text(run),
        )
    say("")
    console().print(rows)
    if len(runs) > _RECENT:
        say(f"[dim]{len(runs) - _RECENT} more:[/] outrider runs")
    left = sum(_left(run) for run in runs if not _is_on_its_way(run))
    if left:
        say(f"\n[yellow]{size(left)}[/] are not delivered; outrider sync sends them")
    elif behind:
        say(f"\n{size(behind)} are on their way")


def _left(run: dict[str, Any]) -> int:
    return int(run["behind"] + run["file_bytes_left"])


def _is_on_its_way(run: dict[str, Any]) -> bool:
    """Whether a streamer sends a run's last records just now, as it does all the time of a live one."""
    return bool(run["streamer"]) and run["mode"] != "offline" and not run["reason"]


def _delivery_text(run: dict[str, Any]) -> str:
    if not run["behind"] and not run["files_left"]:
        return "[green]delivered[/]"
    text = f"[yellow]{size(_left(run))} to send[/]"
    if run["mode"] == "offline":
        return f"{text} [dim](offline)[/]"
    if run["streamer"]:
        reason = run["reason"] or run["delivery"] or ""
        return f"{text} [dim]({plain(reason or 'streaming')})[/]"
    return f"{text} [dim](no streamer)[/]"
