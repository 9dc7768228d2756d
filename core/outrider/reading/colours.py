"""Colours of a terminal: which SGR codes hold after others (ECMA-48, 8.3.117; xterm's colours)."""

from __future__ import annotations

from functools import lru_cache

_ON = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 5, 7: 7, 8: 8, 9: 9, 21: 4}
_OFF = {22: (1, 2), 23: (3,), 24: (4,), 25: (5,), 27: (7,), 28: (8,), 29: (9,)}
_COLOURED = {38: 30, 48: 40, 58: 50}
_PLAIN_AGAIN = {39: 30, 49: 40, 59: 50}
_MOST = 256


@lru_cache(maxsize=4096)
def amended(style: str, given: str) -> str:
    """The codes that hold, in a fixed order, once ``given`` was said where ``style`` held.

    Both are parameters of SGR without the letter, such as ``1;31``; "" is plain.
    """
    kept = _read(style, {})
    return ";".join(code for _, code in sorted(_read(given or "0", kept).items()))


def _read(given: str, kept: dict[int, str]) -> dict[int, str]:
    parts = given[:_MOST].split(";")
    at = 0
    while at < len(parts):
        part = parts[at]
        head, _, more = part.partition(":")
        number = int(head) if head.isdigit() else 0 if not head else -1
        if number in _COLOURED:
            slot = _COLOURED[number]
            if more:
                kept[slot] = part
            else:
                size = {"5": 3, "2": 5}.get(parts[at + 1] if at + 1 < len(parts) else "", 1)
                code = parts[at : at + size]
                if size > 1 and len(code) == size and all(c.isdigit() for c in code):
                    kept[slot] = ";".join(code)
                at += size - 1
        elif number == 4 and more == "0":
            kept.pop(4, None)
        else:
            _simple(number, kept)
        at += 1
    return kept


def _simple(number: int, kept: dict[int, str]) -> None:
    if number == 0:
        kept.clear()
    elif number in _ON:
        kept[_ON[number]] = str(_ON[number])
    elif number in _OFF:
        for slot in _OFF[number]:
            kept.pop(slot, None)
    elif number in _PLAIN_AGAIN:
        kept.pop(_PLAIN_AGAIN[number], None)
    elif 30 <= number <= 37 or 90 <= number <= 97:
        kept[30] = str(number)
    elif 40 <= number <= 47 or 100 <= number <= 107:
        kept[40] = str(number)
