"""Makes the ``media`` record of what stood in a row, and keeps it below a record's longest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from outrider.mediatypes.base import Media, MediaError

if TYPE_CHECKING:
    from outrider.mediatypes.spool import Spool

MAX_ITEMS = 1000
"""How many media one list in a row holds."""

MAX_BYTES = 12 << 20
"""What a record of media may be long; what a record of the journal may be is a little more."""


def record(
    spool: Spool,
    key: str,
    media: Sequence[Media],
    step: int,
    append: Callable[[Mapping[str, Any]], bool],
) -> list[str]:
    """Put the media under one key into the run; returns what could not be kept, and why."""
    kinds = sorted({one.kind for one in media})
    if len(kinds) > 1:
        return [f"a list holds media of one kind, not {' and '.join(kinds)}"]
    if kinds == ["table"] and len(media) > 1:
        return ["a list of tables: give each a name of its own"]
    before = spool.mark()
    parts, problems = _parts(spool, media)
    if not parts:
        return problems
    body: dict[str, Any] = {"k": "media", "s": step, "key": key, "type": kinds[0]}
    if len(media) == 1:
        body |= {name: parts[0].pop(name) for name in ("v", "cells") if name in parts[0]}
    body["parts"] = [part for part in parts if part]
    if not _fits(body):
        if [part for part in body["parts"] if part.pop("boxes", None)]:
            problems.append("more boxes than one record has room for: they are left out")
        if not _fits(body):
            spool.discard(before)
            return [*problems, "it is too large for one record"]
    if not append(body):
        spool.discard(before)
        problems.append("the record could not be written")
    return problems


def _parts(spool: Spool, media: Sequence[Media]) -> tuple[list[dict[str, Any]], list[str]]:
    """What can be kept, and what is wrong with the others."""
    parts: list[dict[str, Any]] = []
    problems: list[str] = []
    if len(media) > MAX_ITEMS:
        problems.append(f"{len(media)} media in one list: the first {MAX_ITEMS} are kept")
    for one in media[:MAX_ITEMS]:
        before = spool.mark()
        try:
            parts.append(one.part(spool))
        except (MediaError, OSError) as error:
            spool.discard(before)
            problems.append(str(error))
        except Exception as error:
            spool.discard(before)
            problems.append(f"{type(error).__name__}: {error}")
    return parts, problems


def _fits(body: Mapping[str, Any]) -> bool:
    return len(orjson.dumps(body)) <= MAX_BYTES
