"""The ``outrider`` command: one module a command, each loaded when it is asked for."""

from __future__ import annotations


def main() -> None:
    """Run the command that the process's arguments name, and exit with its code."""
    from outrider.cli.app import main as run

    run()
