"""Turns a record into its line: one JSON object and a newline.

The format is documented in docs/file-format.md. A line begins with ``{"t":`` always, so that
a whole record that was glued behind a torn one can be found and kept. All that ``init()`` needs of
records is here; the trainer never loads what reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import orjson

FORMAT = 1
"""The version of the journal's format that this code writes."""

MAX_RECORD = 16 << 20
"""The longest record, in bytes, newline included."""


def encode(record: Mapping[str, Any]) -> bytes:
    """Return the record's line, newline included; ``t`` comes first, non-finite floats as words.

    Raises ``TypeError`` for a value that JSON has no form for.
    """
    whole = {"t": record["t"], **record}
    line = orjson.dumps(whole, option=orjson.OPT_APPEND_NEWLINE)
    if b"null" in line:  # orjson writes NaN and infinities as null: say them in words
        line = orjson.dumps(worded(whole), option=orjson.OPT_APPEND_NEWLINE)
    return line


def worded(value: Any) -> Any:
    """Return ``value`` with every non-finite float replaced by its word."""
    if isinstance(value, float):
        return value if isfinite(value) else word(value)
    if isinstance(value, Mapping):
        return {key: worded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [worded(item) for item in value]
    return value


def word(value: float) -> str:
    """The word for a non-finite float: NaN, Infinity or -Infinity."""
    if value != value:
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
