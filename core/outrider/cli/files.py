"""``outrider files RUN``: the files of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from outrider.amounts import size
from outrider.cli.exits import Exit
from outrider.cli.options import RUNS, Json, RunName, Url, command
from outrider.cli.screen import ago, console, plain, print_json, say, table

if TYPE_CHECKING:
    from outrider.reading.files import File

app = command(RUNS, Exit.NOT_FOUND, Exit.UNREACHABLE, Exit.UNAUTHORIZED)


@app.command()
def files(
    run: RunName,
    role: Annotated[
        Optional[str],  # noqa: UP045 - read at run time
        typer.Option("--role", help="Only save, media or code.", show_default="all"),
    ] = None,
    prefix: Annotated[
        str, typer.Option("--prefix", help="Only paths that begin so.", show_default=False)
    ] = "",
    versions: Annotated[
        bool, typer.Option("--versions", help="Every version, not only the latest.")
    ] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List the files of a run: what was saved, media, and code."""
    from outrider.cli.finding import find_run

    found = find_run(run, url=url).files(role, prefix, versions=versions)
    if as_json:
        print_json([row(file) for file in found])
        return
    if not found:
        say("the run has no such files")
        return
    _show(found)


def row(file: File) -> dict[str, Any]:
    """A file as JSON tells it."""
    return {
        "path": file.path,
        "sha256": file.sha256,
        "size": file.size,
        "type": file.type,
        "role": file.role,
        "state": file.state,
        "why": file.why,
        "t": file.time,
        "present": file.present,
        "meta": file.meta,
    }


def _show(found: list[File]) -> None:
    rows = table("path", "size", "role", "saved", "sha256", "", right=["size"], wrap=["path", ""])
    for file in found:
        rows.add_row(
            f"[bold]{plain(file.path)}[/]",
            "" if file.size is None else size(file.size),
            plain(file.role),
            ago(file.time),
            f"[dim]{(file.sha256 or '')[:12]}[/]",
            _remark(file),
        )
    console().print(rows)
    total = sum(file.size or 0 for file in found)
    say(f"{len(found)} files, {size(total)}")


def _remark(file: File) -> str:
    if file.sha256 is None:
        return f"[red]{plain(file.state)}: {plain(file.why or '')}[/]"
    missing = "" if file.present else "[red]the content is not there[/] "
    if file.state == "local":
        missing = "[dim]kept where it was recorded, never sent[/]" if missing else "[dim]local[/]"
    changed = f"[yellow]{plain(file.why or 'changed')}[/]" if file.state == "changed" else ""
    return missing + changed
