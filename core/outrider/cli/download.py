"""``outrider download RUN``: writes a run's files into a folder."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from outrider.amounts import size
from outrider.cli.exits import Exit
from outrider.cli.options import RUNS, Json, RunName, Url, command
from outrider.cli.screen import plain, print_json, say

if TYPE_CHECKING:
    from outrider.reading.files import File

app = command(RUNS, Exit.NOT_FOUND, Exit.UNREACHABLE, Exit.UNAUTHORIZED)


@app.command()
def download(
    run: RunName,
    paths: Annotated[
        Optional[list[str]],  # noqa: UP045 - read at run time
        typer.Argument(
            metavar="PATH",
            help="Paths, folders or globs among the run's files.",
            show_default="all that was saved",
        ),
    ] = None,
    to: Annotated[str, typer.Option("--to", metavar="FOLDER", help="Where to write them.")] = ".",
    role: Annotated[str, typer.Option("--role", help="save, media, code or all.")] = "save",
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Write a run's files into a folder, each under its own path, its hash compared.

    A file that lies there with the same content is left; each is written whole or not at all.
    """
    from outrider.cli.finding import find_run
    from outrider.errors import NotFound

    found = find_run(run, url=url).files(None if role == "all" else role)
    wanted = [file for file in found if not paths or any(is_meant(file, one) for one in paths)]
    for one in paths or ():
        if not any(is_meant(file, one) for file in found):
            raise NotFound(f"the run has no file {one!r}", hint=f"outrider files {run} lists them")
    results = [_fetch(file, to, quiet=as_json) for file in wanted]
    failed = sum(result["error"] is not None for result in results)
    if as_json:
        print_json(results)
    elif not wanted:
        say("the run has no such files")
    else:
        total = sum(file.size or 0 for file in wanted)
        say(f"{len(wanted) - failed} of {len(wanted)} files, {size(total)} in all, in {plain(to)}")
    if failed:
        raise typer.Exit(Exit.FAILED)


def is_meant(file: File, asked: str) -> bool:
    """Whether a path, a folder or a glob names a file."""
    asked = asked.rstrip("/")
    return file.path == asked or file.path.startswith(f"{asked}/") or fnmatchcase(file.path, asked)


def _fetch(file: File, to: str, *, quiet: bool) -> dict[str, Any]:
    from outrider.errors import OutriderError

    result: dict[str, Any] = {
        "path": file.path,
        "sha256": file.sha256,
        "state": file.state,
        "to": None,
        "error": None,
    }
    try:
        result["to"] = file.download(to)
    except OutriderError as error:
        result["error"] = error.message
        if not quiet:
            say(f"[red]✗[/] {plain(file.path)}: {plain(error.message)}", stderr=True)
            if error.hint:
                say(f"  [dim]{plain(error.hint)}[/]", stderr=True)
    except OSError as error:
        result["error"] = str(error)
        if not quiet:
            say(f"[red]✗[/] {plain(file.path)}: {plain(error)}", stderr=True)
    else:
        if not quiet and file.state == "changed":
            say(f"[yellow]![/] {plain(file.path)}: {plain(file.why or 'changed')}", stderr=True)
    return result
