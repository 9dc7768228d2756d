"""Exit codes: what each means, and which error ends with which."""

from __future__ import annotations

from enum import IntEnum

from outrider.errors import (
    NotFound,
    NotOutrider,
    SettingsError,
    Unauthorized,
    Unreachable,
    UsageError,
)


class Exit(IntEnum):
    """What a command's exit code says."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    UNREACHABLE = 4
    UNAUTHORIZED = 5
    UNDELIVERED = 6
    INCOMPLETE = 7
    INTERRUPTED = 130


MEANINGS: dict[Exit, str] = {
    Exit.OK: "done",
    Exit.FAILED: "failed, or something is broken",
    Exit.USAGE: "a wrong argument or setting",
    Exit.NOT_FOUND: "no such run",
    Exit.UNREACHABLE: "no Outrider server answers",
    Exit.UNAUTHORIZED: "the token is missing, wrong or not enough",
    Exit.UNDELIVERED: "records remain undelivered",
    Exit.INCOMPLETE: "done, but something did not come back as it was",
    Exit.INTERRUPTED: "interrupted by Ctrl-C",
}

_CODES: tuple[tuple[type[Exception], Exit], ...] = (
    (NotFound, Exit.NOT_FOUND),
    (Unreachable, Exit.UNREACHABLE),
    (NotOutrider, Exit.UNREACHABLE),
    (Unauthorized, Exit.UNAUTHORIZED),
    (UsageError, Exit.USAGE),
    (SettingsError, Exit.USAGE),
)


def code_of(error: Exception) -> Exit:
    """The exit code that an error ends a command with."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), Exit.FAILED)


def epilog(*codes: Exit) -> str:
    """A help page's last lines: what the exit codes mean (all of them, where none is named)."""
    named = sorted(set(codes or MEANINGS))
    return "[dim]Exit codes:[/] " + ", ".join(
        f"[bold]{int(code)}[/] {MEANINGS[code]}" for code in named
    )
