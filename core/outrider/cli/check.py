"""``outrider check FOLDER``: does a program write its run as docs/file-format.md has it?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.cli.exits import Exit
from outrider.cli.options import RUNS, Json, command
from outrider.cli.screen import plain, print_json, say

if TYPE_CHECKING:
    from outrider.conformance import Checked

app = command(RUNS, Exit.NOT_FOUND)

_EACH = 5
"""A rule that is broken again and again is shown so often a file, then counted."""


@app.command()
def check(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="The folder with run.json.")],
    as_json: Json = False,
) -> None:
    """Check a run's folder that another program wrote: what is wrong, where, and what is right.

    Exits with 1 where a rule is broken; advice alone breaks none.
    """
    from outrider.conformance import check_folder

    found = check_folder(folder)
    if as_json:
        print_json(
            {
                "path": found.path,
                "conforms": found.conforms,
                "writers": found.writers,
                "records": found.records,
                "findings": [finding._asdict() for finding in found.findings],
                "more": found.more,
            }
        )
    else:
        _show(found)
    if not found.conforms:
        raise typer.Exit(Exit.FAILED)


def _show(found: Checked) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    for finding in found.findings:
        key = (finding.file, finding.rule)
        seen[key] += 1
        if seen[key] > _EACH:
            continue
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        word = "[red]error[/]" if finding.is_error else "[yellow]advice[/]"
        say(f"[bold]{plain(place)}[/] {word} {plain(finding.rule)}: {plain(finding.reason)}")
        say(f"  [dim]hint:[/] {plain(finding.hint)}")
    for (file, rule), count in seen.items():
        if count > _EACH:
            say(f"[dim]{plain(file)}: {plain(rule)} {count - _EACH} times more[/]")
    errors = sum(finding.is_error for finding in found.findings) + found.more
    counted = f"{found.records} records of {found.writers} writers"
    verdict = "[green]conforms[/]" if found.conforms else f"[red]{errors} errors[/]"
    say(f"{verdict}, {counted}")
