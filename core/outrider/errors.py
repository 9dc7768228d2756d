"""Every error that Outrider raises on purpose, in one tree.

    OutriderError
    ├── UsageError        an argument cannot be right (also a ValueError)
    │   └── NotStarted    a run is needed and none is active
    ├── SettingsError     a setting or a settings file cannot be read
    ├── JournalError      a run folder or a journal cannot be read
    ├── NotFound          no such run, file or project
    ├── ServerError       the server answered, but not with what was asked for
    │   ├── Unreachable   nobody answered
    │   ├── NotOutrider   somebody else answered
    │   ├── Unauthorized  the token is missing, wrong or not enough
    │   └── Refused       the server understood and said no
    └── StoreError        the server's data folder cannot be used
        ├── StoreTooNew   written by a newer version
        └── ForeignData   not Outrider's data

Each says what happened and where, and carries a hint about what to do next. In the training
process they are raised by ``init()`` and by reading calls only; after ``init()`` nothing is.
"""

from __future__ import annotations


class OutriderError(Exception):
    """Something went wrong that a person can mend; ``hint`` says how."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class UsageError(OutriderError, ValueError):
    """An argument cannot be right: its type, its name or its value."""


class NotStarted(UsageError):
    """A run is needed, and none is active in this process."""


class SettingsError(OutriderError):
    """A setting or a settings file cannot be read."""


class JournalError(OutriderError):
    """A run folder, a segment or a record cannot be read or written."""


class NotFound(OutriderError):
    """There is no such run, project or file."""


class ServerError(OutriderError):
    """The server answered with a failure; ``status`` is the HTTP status, 0 where there was none."""

    def __init__(self, message: str, *, hint: str | None = None, status: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class Unreachable(ServerError):
    """Nobody answered; ``kind`` is one of refused, dns, tls, timeout, reset, proxy or other."""

    def __init__(self, message: str, *, hint: str | None = None, kind: str = "other") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind


class NotOutrider(ServerError):
    """Something answered that is not an Outrider server."""


class Unauthorized(ServerError):
    """The token is missing, wrong, revoked, or its role is not enough (401 or 403)."""


class Refused(ServerError):
    """The server understood the request and refused it (another 4xx)."""


class StoreError(OutriderError):
    """The server's data folder or database cannot be used."""


class StoreTooNew(StoreError):
    """The store was written by a newer version than this one."""


class ForeignData(StoreError):
    """The folder or database holds something that is not Outrider's."""
