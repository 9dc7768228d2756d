"""The login link: a code that works once, for a while, and is worth nothing afterwards.

A link ends up in terminals, shell histories and chat windows, so that it carries a code and never
a token. The browser that opens it first gets a session cookie.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outrider_server.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from outrider_server.tokens import Principal, Role

CODE_SECONDS = 15 * 60
_OUTSTANDING = 1000


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code is worth: a session of this token, with this role and these projects.

    ``opens`` is the page that the browser then sees.
    """

    parent: Principal
    role: Role
    projects: frozenset[str] | None
    expires: float
    opens: str


class LoginCodes:
    """Codes that were given out and not yet used; they live in memory and end with the server."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._grants: dict[bytes, Grant] = {}

    def create(
        self,
        parent: Principal,
        *,
        role: Role | None = None,
        projects: frozenset[str] | None = None,
        seconds: float = CODE_SECONDS,
        opens: str = "/",
    ) -> tuple[str, float]:
        """Make a code; its session can do no more than ``parent``. Returns it and its end."""
        now = self._clock()
        code = secrets.token_urlsafe(32)
        role = parent.role if role is None else min(role, parent.role)
        if projects is None:
            projects = parent.projects
        elif parent.projects is not None:
            projects &= parent.projects
        grant = Grant(parent, role, projects, now + seconds, opens)
        with self._lock:
            expired = [key for key, kept in self._grants.items() if kept.expires <= now]
            for key in expired:
                del self._grants[key]
            if len(self._grants) >= _OUTSTANDING:
                raise Problem(
                    429,
                    "too_many_codes",
                    "too many login links are waiting to be used",
                    headers={"retry-after": "60"},
                )
            self._grants[_key(code)] = grant
        return code, grant.expires

    def redeem(self, code: str) -> Grant | None:
        """What the code is worth, once; None when it is unknown, used or expired."""
        with self._lock:
            grant = self._grants.pop(_key(code), None)
        return grant if grant is not None and grant.expires > self._clock() else None


def _key(code: str) -> bytes:
    # Found by hash: how long the search takes tells nothing about the code.
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
