"""``outrider sync``: sends what recorded runs hold and the server lacks."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from outrider.amounts import size
from outrider.cli.exits import Exit
from outrider.cli.options import RUNS, Json, Url, command
from outrider.cli.screen import console, plain, print_json, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from outrider.cli.finding import Local
    from outrider.streamer.loop import Outcome
    from outrider.transport import HttpTransport

app = command(RUNS, Exit.NOT_FOUND, Exit.UNREACHABLE, Exit.UNAUTHORIZED, Exit.UNDELIVERED)


@app.command()
def sync(
    paths: Annotated[
        Optional[list[str]],  # noqa: UP045 - read at run time
        typer.Argument(
            metavar="PATH",
            help="Run folders, training folders, ids or names.",
            show_default="this folder's undelivered runs",
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Stay with a run that still goes on until it ends.")
    ] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Send recorded runs to the server: offline, killed, copied or live ones.

    Sending twice is harmless: the server knows what it has, and nothing is counted twice.
    """
    from outrider.cli.delivery import delivery_of

    runs = _named(paths) if paths else _of_this_folder()
    waiting = runs if paths else [run for run in runs if not delivery_of(run.folder).is_whole]
    results = _send_all(waiting, url, follow, quiet=as_json)
    if as_json:
        print_json(results)
    elif not waiting:
        say("everything is delivered" if runs else "there are no runs here")
    if not all(result["delivered"] for result in results):
        raise typer.Exit(Exit.UNDELIVERED)


def _of_this_folder() -> list[Local]:
    from outrider.cli.finding import local_runs

    return local_runs()


def _named(paths: list[str]) -> list[Local]:
    import os

    from outrider.cli.finding import find_local, local_runs
    from outrider.errors import NotFound

    found: list[Local] = []
    for path in paths:
        inside = local_runs(path) if os.path.isdir(path) else []
        one = None if inside else find_local(path)
        if not inside and one is None:
            hint = "name a run's folder, a training folder, or a run that `outrider runs` lists"
            raise NotFound(f"there is no recorded run {path!r}", hint=hint)
        found += inside or ([one] if one is not None else [])
    return found


def _send_all(
    runs: list[Local], url: str | None, follow: bool, *, quiet: bool
) -> list[dict[str, Any]]:
    from outrider.streamer.loop import deliver

    transports: dict[str, HttpTransport] = {}
    results = []
    for run in runs:
        server, origin = server_of(run, url)
        if server not in transports:
            transports[server] = connected(server, origin)
        # the streamer's loop prints its changes of state; here they would be in the answer's way
        with _bar(run, hidden=quiet) as progress, redirect_stdout(io.StringIO()):
            outcome = deliver(
                run.folder, transport=transports[server], follow=follow, progress=progress
            )
        if not quiet:
            _tell(run, server, outcome)
        results.append(
            {"id": run.meta["id"], "folder": run.folder.path, "server": server, **asdict(outcome)}
        )
    return results


def server_of(run: Local, url: str | None) -> tuple[str, str]:
    """Where a run is to be sent and who says so: ``--url``, then the settings, then run.json."""
    from outrider.settings import load

    settings = load({"url": url})
    if settings.origin("url") != "default":
        return settings.url, settings.origin("url")
    return str(run.meta.get("server") or settings.url), run.folder.path


def connected(server: str, origin: str) -> HttpTransport:
    """A transport to a server that answers and takes our token.

    Raises ``Unreachable``, ``NotOutrider`` or ``Unauthorized`` where it does not.
    """
    from outrider.credentials import token_for
    from outrider.errors import Unauthorized
    from outrider.reading.remote import ask
    from outrider.settings import load
    from outrider.transport import HttpTransport

    token = token_for(server, api_key=load().api_key, url_origin=origin)
    transport = HttpTransport(server, token)
    ask(transport, "GET", "/api/health")
    try:
        ask(transport, "GET", "/api/me")
    except Unauthorized as error:
        raise Unauthorized(
            f"{server}: {error.message}", hint=f"outrider login {server}", status=error.status
        ) from None
    return transport


class _bar:  # noqa: N801 - reads as a function: with _bar(run) as progress
    """A progress bar on a terminal's stderr; elsewhere nothing."""

    def __init__(self, run: Local, *, hidden: bool) -> None:
        self._progress: Any = None
        self._task: Any = None
        if not hidden and sys.stderr.isatty():
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                DownloadColumn(binary_units=True),
                console=console(stderr=True),
                transient=True,
            )
            self._task = self._progress.add_task(plain(run.meta.get("name") or run.meta["id"]))

    def __enter__(self) -> Callable[[int, int], None] | None:
        if self._progress is None:
            return None
        self._progress.start()
        return self._update

    def _update(self, acked: int, total: int) -> None:
        self._progress.update(self._task, completed=acked, total=total)

    def __exit__(self, *error: object) -> None:
        if self._progress is not None:
            self._progress.stop()


def _tell(run: Local, server: str, outcome: Outcome) -> None:
    from outrider.reading.remote import page_path

    name = f"[bold]{plain(run.meta.get('name') or run.meta['id'])}[/]"
    if not outcome.delivered:
        files = f" and {_files(outcome.files_left)}" if outcome.files_left else ""
        reason = plain(outcome.reason or outcome.state)
        say(f"[red]✗[/] {name} {size(outcome.behind)}{files} left: {reason}")
        if outcome.hint:
            say(f"  [dim]{plain(outcome.hint)}[/]")
        return
    page = server + page_path(str(run.meta.get("project")), run.meta["id"])
    parts = [size(outcome.sent)] if outcome.sent else []
    parts += [_files(outcome.files_sent)] if outcome.files_sent else []
    sent = f"{' and '.join(parts)} sent" if parts else "nothing was missing"
    if outcome.files_lost:
        sent += f", [red]{outcome.files_lost} files are neither here nor there[/]"
    lost = f", [red]{outcome.gaps} records were lost[/]" if outcome.gaps else ""
    say(f"[green]✓[/] {name} {sent}{lost} [dim]{plain(page)}[/]")


def _files(number: int) -> str:
    return f"{number} file" + ("" if number == 1 else "s")
