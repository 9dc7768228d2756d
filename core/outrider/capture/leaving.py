"""Redacts what of a journal is captured or may hold secrets, the console and the config, as it leaves.

A record is identified by its byte offset, so that a line keeps its length: what a redacted one is
shorter, it is filled up with blanks, which JSON allows behind an object. The journal itself stays
as it was written.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import orjson

from outrider.capture.redact import MARK, redact, redact_all

_KINDS = re.compile(rb'"k"\s*:\s*"(?:console|config)"')
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_STAND_IN = "\ue000"  # for private use: no sign of a word, a key or a blank
SHORTER = "***"
"""What stands for a secret where there is no room for more."""


def leaving(data: bytes) -> bytes:
    """Whole lines of a journal as they may leave: as many bytes, each line where it was."""
    if _KINDS.search(data) is None:
        return data
    return b"\n".join(
        line if _KINDS.search(line) is None else _leaving_line(line) for line in data.split(b"\n")
    )


def _leaving_line(line: bytes) -> bytes:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line  # nobody will read a word of it: whoever stores it counts a gap
    kind = record.get("k") if isinstance(record, dict) else None
    change = _CHANGES.get(kind) if isinstance(kind, str) else None
    changed = None if change is None else change(record)
    if changed is None or changed == record:
        return line
    shown = orjson.dumps(changed)
    if len(shown) > len(line):
        shown = shown.replace(MARK.encode(), SHORTER.encode())
    if len(shown) > len(line):  # it was not written as tersely as we write: nothing of it leaves
        return b" " * len(line)
    return shown.ljust(len(line))


def _config(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "c": redact_all(record.get("c"))}


def _console(record: dict[str, Any]) -> dict[str, Any] | None:
    text, packed = record.get("b"), record.get("x")
    if isinstance(text, str):
        return {**record, "b": printed(text)}
    if isinstance(packed, str):
        try:
            whole = b64decode(packed).decode("utf-8", "surrogateescape")
        except ValueError:
            return None
        shown = printed(whole)
        if shown == whole:
            return None
        again = _packed(shown)
        if len(again) > len(packed):
            again = _packed(shown.replace(MARK, SHORTER))
        return {**record, "x": again}
    return None


def _packed(text: str) -> str:
    return b64encode(text.encode("utf-8", "surrogateescape")).decode()


_CHANGES: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
    "config": _config,
    "console": _console,
}


def printed(text: str) -> str:
    """A printed text without its secrets. Colours do not hide one; where one had colours inside,
    the text loses them."""
    colours = _COLOUR.findall(text)
    if not colours:
        return redact(text, is_data=True).text
    if _STAND_IN in text:
        return redact(_COLOUR.sub("", text), is_data=True).text
    shown = redact(_COLOUR.sub(_STAND_IN, text), is_data=True)
    if not shown.found:
        return text
    if shown.text.count(_STAND_IN) != len(colours):
        return shown.text.replace(_STAND_IN, "")
    rest = iter(colours)
    return re.sub(_STAND_IN, lambda _: next(rest), shown.text)
