"""``outrider doctor``: what is set, where it was set, and what is broken."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from outrider.cli.exits import Exit
from outrider.cli.options import SETUP, Json, command
from outrider.cli.screen import console, plain, print_json, say, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from outrider.cli.checks import Finding
    from outrider.settings import Settings

app = command(SETUP, Exit.FAILED)

_SIGNS = {"good": "[green]✓[/]", "note": "[yellow]![/]", "broken": "[bold red]✗[/]"}


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check everything: settings and where they came from, server, token, folder, GPU."""
    from outrider.cli import checks
    from outrider.errors import OutriderError
    from outrider.settings import load

    settings: Settings | None = None
    try:
        settings = load()
        found = [*_examine(settings)]
    except OutriderError as error:
        broken = checks.Finding("settings", checks.BROKEN, error.message, error.hint)
        found = [*checks.python(), broken]
    is_broken = any(one.state == checks.BROKEN for one in found)
    if as_json:
        said = [asdict(one) for one in found]
        print_json({"ok": not is_broken, "settings": _listed(settings), "checks": said})
    else:
        _show(settings, found)
    if is_broken:
        raise typer.Exit(Exit.FAILED)


def _examine(settings: Settings) -> Iterator[Finding]:
    from outrider.cli import checks

    examinations: tuple[Callable[[], Iterator[Finding]], ...] = (
        checks.python,
        lambda: checks.folder(settings),
        lambda: checks.server(settings),
        checks.inotify,
        checks.gpu,
        checks.plugins,
        checks.undelivered,
    )
    for examine in examinations:
        yield from examine()


def _listed(settings: Settings | None) -> dict[str, dict[str, Any]]:
    """Every setting with its value and its origin; a key is never shown."""
    from outrider.settings import NAMES

    if settings is None:
        return {}
    values = {name: getattr(settings, name) for name in NAMES}
    if values.get("api_key"):
        values["api_key"] = "(set)"
    return {
        name: {"value": value, "origin": settings.origin(name)} for name, value in values.items()
    }


def _show(settings: Settings | None, found: list[Finding]) -> None:
    if settings is not None:
        rows = table("setting", "value", "from", wrap=["value", "from"])
        for name, said in _listed(settings).items():
            origin, value = said["origin"], said["value"]
            text = ", ".join(value) if isinstance(value, tuple) else "" if value is None else value
            style = "dim" if origin == "default" else "default"
            rows.add_row(*(f"[{style}]{plain(part)}[/]" for part in (name, text, origin)))
        console().print(rows)
        say("")
    for one in found:
        say(f"{_SIGNS[one.state]} [bold]{plain(one.name)}[/]: {plain(one.said)}")
        if one.hint:
            say(f"  [dim]{plain(one.hint)}[/]")
