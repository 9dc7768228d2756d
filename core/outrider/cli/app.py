"""The command line as a whole: finds the commands through the plugins, turns errors into a message,
a hint and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from outrider.cli.exits import Exit, code_of, epilog
from outrider.errors import OutriderError


def provided() -> dict[str, Any]:
    """The commands that plugins provide, by name: an import path, or a Typer application.

    Plugins answer last first, so that none takes the name of a command of ours.
    """
    from outrider import plugins

    found: dict[str, Any] = {}
    for answer in plugins.call("commands"):
        for item in answer or ():
            name, place = (item.info.name, item) if isinstance(item, typer.Typer) else item
            if isinstance(name, str):
                found[name] = place
    return dict(sorted(found.items()))


class Commands(MutableMapping[str, Any]):
    """Commands by name, each loaded when it is looked up and not before.

    One that cannot be loaded (a plugin's, broken) stands in the help with what is wrong with it.
    """

    def __init__(self) -> None:
        self._places: dict[str, Any] | None = None
        self._loaded: dict[str, Any] = {}

    @property
    def places(self) -> dict[str, Any]:
        """Where each command lies."""
        if self._places is None:
            self._places = provided()
        return self._places

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            place = self.places[name]
            try:
                self._loaded[name] = load(name, place)
            except Exception as error:
                if debugging():
                    raise
                self._loaded[name] = broken(name, place, error)
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


def load(name: str, place: Any) -> Any:
    """The command at an import path (``module:attribute``) or in a Typer application."""
    if isinstance(place, str):
        module, _, attribute = place.partition(":")
        place = getattr(import_module(module), attribute or "app")
    if not isinstance(place, typer.Typer):
        function, place = place, typer.Typer(add_completion=False)
        place.command()(function)
    command: Any = typer.main.get_command(place)
    command.name = name
    for one in (command, *getattr(command, "commands", {}).values()):
        one.help = flowing(one.help)
    for said in ("epilog", "rich_help_panel"):
        if isinstance(value := getattr(place.info, said), str):
            setattr(command, said, value)
    return command


def flowing(text: str | None) -> str | None:
    """A help text whose paragraphs have no line breaks of their own: the terminal's width makes them."""
    return text and "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def broken(name: str, place: object, error: Exception) -> Any:
    """A command that stands for one that cannot be loaded, and says so."""
    app = typer.Typer(add_completion=False)

    @app.command(
        help=f"[red]cannot be loaded:[/] {type(error).__name__}",
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )
    def stand_in() -> None:
        raise OutriderError(
            f"the command {name!r} cannot be loaded: {type(error).__name__}: {error}",
            hint=f"it is provided by {place}; `outrider plugins` lists plugins and their failures",
        )

    command = typer.main.get_command(app)
    command.name = name
    return command


class Group(TyperGroup):
    """The root command, whose commands are loaded one by one."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = Commands()


def show_version(wanted: bool) -> None:
    """Print the version and end."""
    if wanted:
        from outrider import __version__

        typer.echo(f"outrider {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    epilog=epilog(),
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def outrider(
    version: bool = typer.Option(
        False, "--version", help="Print the version.", callback=show_version, is_eager=True
    ),
) -> None:
    """[bold]Outrider[/] records training runs without getting in their way.

    New here? [bold]outrider demo[/] shows everything in a minute.
    """


def debugging() -> bool:
    """Whether OUTRIDER_DEBUG asks for tracebacks."""
    return os.environ.get("OUTRIDER_DEBUG", "") not in ("", "0")


def main() -> None:
    """Run the command that the process's arguments name, and exit with its code."""
    try:
        app(prog_name="outrider")
    except OutriderError as error:
        if debugging():
            raise
        fail(error.message, error.hint, code_of(error))
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
    except Exception as error:
        if debugging():
            raise
        text = f"{type(error).__name__}: {error}"
        fail(text, "this should not happen; OUTRIDER_DEBUG=1 shows where it did", Exit.FAILED)


def fail(message: str, hint: str | None, code: Exit) -> None:
    """Print an error and its hint, and exit."""
    from outrider.cli.screen import complain

    complain(message, hint)
    sys.exit(code)
