"""Outrider's own commands, given to the program through the same hook as any plugin's."""

from __future__ import annotations

from outrider.hooks import hookimpl

COMMANDS = (
    "check",
    "alerts",
    "clean",
    "demo",
    "doctor",
    "download",
    "export",
    "files",
    "login",
    "off",
    "on",
    "plugins",
    "run",
    "restore",
    "rules",
    "runs",
    "server",
    "show",
    "status",
    "sync",
    "tail",
    "tokens",
)


@hookimpl
def outrider_commands() -> list[tuple[str, str]]:
    """One module a command; ``on`` and ``off`` share theirs."""
    modules = {"on": "switch:on", "off": "switch:off"}
    return [(name, f"outrider.cli.{modules.get(name, name + ':app')}") for name in COMMANDS]
