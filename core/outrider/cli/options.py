"""Options and arguments that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from outrider.cli.exits import Exit, epilog

RUNS, SERVER, SETUP = "Runs", "Server", "Setup"
"""The panels that the help shows commands in."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]
Url = Annotated[
    Optional[str],  # noqa: UP045 - typer reads this at run time, on Python 3.10 too
    typer.Option("--url", help="The server to ask.", show_default="from the settings"),
]
RunName = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run's folder, its id, project/id, or how its name begins; "
        "this folder's runs first, then the server's.",
        show_default=False,
    ),
]


def command(panel: str, *codes: Exit) -> typer.Typer:
    """An application of one command, for a panel of the help; ``codes`` are its own exit codes."""
    made = typer.Typer(
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        epilog=epilog(Exit.OK, Exit.FAILED, Exit.USAGE, *codes) if codes else None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.info.rich_help_panel = panel
    return made
