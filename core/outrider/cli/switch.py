"""``outrider on`` and ``outrider off``: whether this folder's runs leave the machine."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from outrider.cli.options import SETUP, command
from outrider.cli.screen import plain, say

on = command(SETUP)
off = command(SETUP)

Folder = Annotated[
    str, typer.Argument(metavar="FOLDER", help="The training folder.", show_default=False)
]


@on.command(name="on")
def switch_on(folder: Folder = ".") -> None:
    """Send this folder's runs to the server again."""
    _switch(folder, "online")
    say("[green]on[/]: runs of this folder are streamed to the server")
    say("[dim]what was recorded offline waits for[/] outrider sync")


@off.command(name="off")
def switch_off(
    folder: Folder = ".",
    disabled: Annotated[
        bool, typer.Option("--disabled", help="Record nothing at all, not even locally.")
    ] = False,
) -> None:
    """Keep this folder's runs on this machine; [bold]outrider sync[/] sends them later."""
    _switch(folder, "disabled" if disabled else "offline")
    if disabled:
        say("[yellow]disabled[/]: nothing is recorded in this folder until outrider on")
    else:
        say("[yellow]off[/]: runs are recorded here and sent nowhere; later: outrider sync")


def _switch(folder: str, mode: str) -> None:
    from outrider.settings import load, write_folder_setting

    folder = os.path.abspath(folder)
    if not os.path.isdir(folder):
        raise typer.BadParameter(f"{folder} is not a folder", param_hint="FOLDER")
    path = write_folder_setting(folder, "mode", mode)
    settled = load(cwd=folder)
    if settled.mode != mode:
        say(
            f"[yellow]but[/] {plain(settled.origin('mode'))} says {settled.mode}, and that comes "
            f"before {plain(path)}",
            stderr=True,
        )
