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
    problems: list[str] = []
    kinds = sorted({one.kind for one in media})
    if len(kinds) > 1:
        return [f"a list holds media of one kind, not {' and '.join(kinds)}"]
    if kinds == ["table"] and len(media) > 1:
        return ["a list of tables: give each a name of its own"]
    if len(media) > MAX_ITEMS:
        problems.append(f"{len(media)} media in one list: the first {MAX_ITEMS} are kept")
    parts: list[dict[str, Any]] = []
    for one in media[:MAX_ITEMS]:
        try:
            parts.append(one.part(spool))
        except (MediaError, OSError) as error:
            problems.append(str(error))
        except Exception as error:
            problems.append(f"{type(error).__name__}: {error}")
    if not parts:
        return problems
    body: dict[str, Any] = {"k": "media", "s": step, "key": key, "type": kinds[0]}
    if len(media) == 1 and "v" in parts[0]:
        body["v"] = parts[0].pop("v")
        if "cells" in parts[0]:
            body["cells"] = parts[0].pop("cells")
    body["parts"] = [part for part in parts if part]
    if len(orjson.dumps(body)) > MAX_BYTES:
        for part in body["parts"]:
            part.pop("boxes", None)
        problems.append("boxes and captions are too many for one record: the boxes are left out")
        if len(orjson.dumps(body)) > MAX_BYTES:
            return [*problems, "it is too large for one record"]
    if not append(body):
        problems.append("the record could not be written")
    return problems
