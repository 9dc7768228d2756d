"""A request that cannot be answered as asked, and its one JSON form.

Every failure reaches the client as ``{"error": {"code", "message", "hint"}}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Problem(Exception):
    """An answer other than the one asked for; ``extra`` joins the JSON beside ``error``."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    def content(self) -> dict[str, Any]:
        """The JSON form."""
        error = {"code": self.code, "message": self.message, "hint": self.hint}
        return {"error": error, **self.extra}


def bad_request(message: str, *, hint: str | None = None) -> Problem:
    """400: the request itself is wrong, and sending it again will not help."""
    return Problem(400, "bad_request", message, hint=hint)


def unauthorized(message: str) -> Problem:
    """401: who is asking is not known."""
    return Problem(
        401,
        "unauthorized",
        message,
        hint="`outrider login URL` keeps a token for programs (they send `Authorization: Bearer <token>`); "
        "a browser opens the login link that `outrider server` printed",
        headers={"www-authenticate": "Bearer"},
    )


def forbidden(message: str, *, hint: str | None = None) -> Problem:
    """403: who is asking is known and may not, or the request comes from another site."""
    return Problem(403, "forbidden", message, hint=hint)


def not_found(message: str, *, hint: str | None = None) -> Problem:
    """404: there is no such thing."""
    return Problem(404, "not_found", message, hint=hint)


def too_large(message: str, *, hint: str | None = None, close: bool = False) -> Problem:
    """413: the body is larger than the limit; the client splits it."""
    headers = {"connection": "close"} if close else {}
    return Problem(413, "too_large", message, hint=hint, headers=headers)


def busy(message: str, *, after: int = 1) -> Problem:
    """503: try the same again after some seconds."""
    return Problem(503, "busy", message, headers={"retry-after": str(after)})
