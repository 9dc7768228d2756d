"""Tokens: who is asking, what they may do, and how that ends at once.

A token is ``outr_<id>_<secret>``: the id finds its row, and the SHA-256 of the whole text is
compared with the row's in constant time. Only the hash is stored. The secret has 256 random bits,
so that a plain hash is enough. A browser session is such a token too, in a cookie, that dies with
the token it came from.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

from outrider_server.problems import bad_request, forbidden, not_found

PREFIX = "outr"
LOCAL = "local"
SESSION_SECONDS = 30 * 86400
_NOBODY = hashlib.sha256(b"nobody").digest()


class Role(IntEnum):
    """What a token may do; each role may do what the smaller ones may."""

    READ = 1
    WRITE = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """The role as JSON names it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: one token or one browser session."""

    id: str
    name: str
    role: Role
    projects: frozenset[str] | None
    digest: bytes
    created: float
    kind: str = "token"  # or session, local
    parent: str | None = None
    expires: float | None = None

    def may_see(self, project: str) -> bool:
        """Whether the token's project limit lets it touch ``project``."""
        return self.projects is None or project in self.projects

    def require(self, role: Role, project: str | None = None) -> None:
        """Raise 403 unless this token has the role and, where one is named, the project."""
        if self.role < role:
            raise forbidden(
                f"this needs the role {role.word}; the token {self.name!r} has {self.role.word}",
                hint="ask an admin of this server for a token with that role",
            )
        if project is not None and not self.may_see(project):
            raise forbidden(f"the token {self.name!r} is not for this project")


class TokenRows(Protocol):
    """The store's tables of tokens, as this module uses them."""

    def tokens_add(self, row: dict[str, Any]) -> None:
        """Keep a row."""

    def tokens_all(self) -> list[dict[str, Any]]:
        """Every row that is not revoked."""

    def tokens_revoke(self, token_id: str) -> bool:
        """Forget a row."""


class Tokens:
    """All tokens of a running server, in memory; the store keeps them over a restart.

    One server owns a data folder, so what memory says is the truth: a revoked token stops working
    with the next request, and ``on_revoke`` ends what it has open.
    """

    def __init__(self, rows: TokenRows, clock: Callable[[], float] = time.time) -> None:
        self._rows = rows
        self._clock = clock
        self._lock = threading.Lock()
        self._by_id: dict[str, Principal] = {}
        self._used: dict[str, float] = {}
        self.on_revoke: Callable[[Iterable[str]], None] = lambda ids: None
        now = clock()
        for row in rows.tokens_all():
            principal = _from_row(row)
            if principal.expires is not None and principal.expires <= now:
                rows.tokens_revoke(principal.id)
            else:
                self._by_id[principal.id] = principal

    def create(
        self,
        name: str,
        role: Role,
        projects: Iterable[str] | None = None,
        *,
        parent: Principal | None = None,
    ) -> tuple[Principal, str]:
        """Make a token, or with ``parent`` a browser session of it; returns it and its text.

        The text is nowhere else: it cannot be shown again.
        """
        now = self._clock()
        token_id = secrets.token_hex(6)
        text = f"{PREFIX}_{token_id}_{secrets.token_urlsafe(32)}"
        principal = Principal(
            id=token_id,
            name=name,
            role=role,
            projects=None if projects is None else frozenset(projects),
            digest=_digest(text),
            created=now,
            kind="token" if parent is None else "session",
            parent=None if parent is None else parent.id,
            expires=None if parent is None else now + SESSION_SECONDS,
        )
        with self._lock:
            if parent is not None and parent.id not in self._by_id:
                raise forbidden("the token that this session came from was revoked")
            self._rows.tokens_add(_to_row(principal))
            self._by_id[token_id] = principal
        return principal, text

    def adopt_local(self, text: str | None = None) -> tuple[Principal, str]:
        """Make the admin token of this user's local clients; it is kept in no table.

        ``text`` is the one of the last start, so that clients go on over a restart.
        """
        parts = (text or "").split("_", 2)
        if text is None or len(parts) != 3 or parts[:2] != [PREFIX, LOCAL] or len(parts[2]) < 43:
            text = f"{PREFIX}_{LOCAL}_{secrets.token_urlsafe(32)}"
        now = self._clock()
        principal = Principal(LOCAL, LOCAL, Role.ADMIN, None, _digest(text), now, kind=LOCAL)
        self._by_id[LOCAL] = principal
        return principal, text

    def find(self, text: str) -> Principal | None:
        """Whose token this is, or None: unknown, revoked, expired or no token at all."""
        parts = text.split("_", 2)
        found = self._by_id.get(parts[1]) if len(parts) == 3 else None
        digest = _digest(text)
        expected = _NOBODY if found is None else found.digest
        if not hmac.compare_digest(digest, expected) or found is None:
            return None
        now = self._clock()
        if found.expires is not None and found.expires <= now:
            self._by_id.pop(found.id, None)  # its row goes with the next start
            return None
        self._used[found.id] = now
        return found

    def is_valid(self, principal: Principal) -> bool:
        """Whether a token that was good a moment ago still is."""
        return self._by_id.get(principal.id) is principal and (
            principal.expires is None or principal.expires > self._clock()
        )

    def revoke(self, token_id: str) -> None:
        """End a token and the sessions that came from it, now."""
        if token_id == LOCAL:
            raise bad_request(
                "the local token cannot be revoked",
                hint="stop the server and remove its file in the user's state folder",
            )
        if token_id not in self._by_id:
            raise not_found("there is no such token")
        self._forget(self._descendants(token_id))

    def listing(self) -> list[dict[str, Any]]:
        """Every token and session as JSON, without secrets or hashes."""
        return [
            {
                "id": item.id,
                "name": item.name,
                "kind": item.kind,
                "role": item.role.word,
                "projects": None if item.projects is None else sorted(item.projects),
                "created": item.created,
                "expires": item.expires,
                "last_used": self._used.get(item.id),
            }
            for item in sorted(self._by_id.values(), key=lambda item: item.created)
        ]

    def _descendants(self, token_id: str) -> set[str]:
        ids, size = {token_id}, 0
        while len(ids) > size:
            size = len(ids)
            ids |= {item.id for item in list(self._by_id.values()) if item.parent in ids}
        return ids

    def _forget(self, ids: set[str]) -> None:
        with self._lock:
            for token_id in ids:
                self._by_id.pop(token_id, None)
                self._used.pop(token_id, None)
                self._rows.tokens_revoke(token_id)
        self.on_revoke(ids)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _to_row(principal: Principal) -> dict[str, Any]:
    return {
        "id": principal.id,
        "name": principal.name,
        "role": principal.role.word,
        "projects": None if principal.projects is None else sorted(principal.projects),
        "sha256": principal.digest.hex(),
        "created": principal.created,
        "last_used": None,
        "kind": principal.kind,
        "parent": principal.parent,
        "expires": principal.expires,
    }


def _from_row(row: Mapping[str, Any]) -> Principal:
    projects = row.get("projects")
    return Principal(
        id=row["id"],
        name=row["name"],
        role=Role[row["role"].upper()],
        projects=None if projects is None else frozenset(projects),
        digest=bytes.fromhex(row["sha256"]),
        created=row["created"],
        kind=row.get("kind") or "token",
        parent=row.get("parent"),
        expires=row.get("expires"),
    )
