"""Keeps tokens; what is in one is the guard's business, only its hash and id are looked at here."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from outrider_server.store.writing import Writing


def add(to: Writing, row: Mapping[str, Any]) -> None:
    """Keep a token's row, or replace the one with its id."""
    to.db.execute(
        "INSERT INTO token (id, sha256, body) VALUES (?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET sha256 = excluded.sha256, body = excluded.body",
        (str(row["id"]), str(row["sha256"]), orjson.dumps(dict(row)).decode()),
    )


def revoke(to: Writing, token_id: str) -> bool:
    """Remove a token; False where there was none."""
    return to.db.execute("DELETE FROM token WHERE id = ?", (token_id,)).rowcount > 0


def read_all(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every token's row, as it was added."""
    return [orjson.loads(body) for (body,) in db.execute("SELECT body FROM token ORDER BY rowid")]
