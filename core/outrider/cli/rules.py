"""``outrider rules``: what the server watches in a project's runs, to raise alerts."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Optional
from urllib.parse import quote

import typer

from outrider.cli.exits import Exit
from outrider.cli.options import SERVER, Json, Url, command
from outrider.cli.screen import console as screen
from outrider.cli.screen import plain, print_json, say, table
from outrider.errors import UsageError

app = command(SERVER, Exit.NOT_FOUND, Exit.UNREACHABLE, Exit.UNAUTHORIZED)

Project = Annotated[
    Optional[str],  # noqa: UP045 - read at run time
    typer.Option("--project", "-p", help="Whose.", show_default="from the settings"),
]


class Kind(str, Enum):
    """What a rule may be about."""

    nonfinite = "nonfinite"
    above = "above"
    below = "below"
    stalled = "stalled"
    died = "died"
    oom = "oom"
    silent = "silent"


NEEDED = {
    "nonfinite": ("metric",),
    "above": ("metric", "value"),
    "below": ("metric", "value"),
    "stalled": ("metric", "minutes"),
    "silent": ("minutes",),
}
"""What a rule of a kind cannot be without."""


class Level(str, Enum):
    """How serious an alert is."""

    info = "info"
    warn = "warn"
    error = "error"


@app.callback(no_args_is_help=True)
def rules() -> None:
    """List, add and remove the rules that raise alerts."""


def _ask(url: str | None, method: str, project: str | None, rest: str = "", **how: Any) -> Any:
    from outrider.api import Client
    from outrider.settings import load

    name = project or load().project or "uncategorized"
    return Client(url).ask(method, f"/api/projects/{quote(name, safe='')}/rules{rest}", **how)


@app.command("list")
def list_rules(project: Project = None, url: Url = None, as_json: Json = False) -> None:
    """List a project's rules."""
    found = _ask(url, "GET", project)["rules"]
    if as_json:
        print_json(found)
        return
    if not found:
        say("no rules; [bold]outrider rules add[/] makes one", stderr=True)
        return
    rows = table("id", "level", "raises an alert when", wrap=["raises an alert when"])
    for rule in found:
        rows.add_row(plain(rule["id"]), plain(rule["level"]), plain(rule["says"]))
    screen().print(rows)


@app.command()
def add(
    kind: Annotated[
        Kind,
        typer.Argument(
            metavar="KIND",
            help="nonfinite, above, below, stalled (of --metric); died, oom, silent (of a run).",
        ),
    ],
    metric: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--metric", "-m", help="Which metric, or a pattern such as 'val/*'."),
    ] = None,
    value: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="For above and below."),
    ] = None,
    minutes: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="For stalled and silent."),
    ] = None,
    level: Annotated[
        Optional[Level],  # noqa: UP045
        typer.Option(help="The alert's level.", show_default="warn of a value, else error"),
    ] = None,
    project: Project = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Make a rule. It sees what comes in from now on, in every run of the project."""
    given = {"metric": metric, "value": value, "minutes": minutes, "level": level and level.value}
    wanted = {name: item for name, item in given.items() if item is not None}
    missing = [f"--{name}" for name in NEEDED.get(kind.value, ()) if name not in wanted]
    if missing:
        raise UsageError(
            f"a rule of kind {kind.value} needs {' and '.join(missing)}",
            hint="`outrider rules add --help` says what each is",
        )
    made = _ask(url, "POST", project, json={"kind": kind.value, **wanted})
    if as_json:
        print_json(made)
        return
    say(f"{plain(made['id'])}: an alert ({made['level']}) when {plain(made['says'])}")


@app.command()
def remove(
    rule: Annotated[str, typer.Argument(metavar="ID", help="From outrider rules list.")],
    project: Project = None,
    url: Url = None,
) -> None:
    """Remove a rule; the alerts that it raised stay."""
    _ask(url, "DELETE", project, f"/{quote(rule, safe='')}")
    say(f"{plain(rule)} is removed")
