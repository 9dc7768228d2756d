"""The shapes of records: what each kind must hold, as small checks of plain values."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from math import isfinite
from typing import Any, NamedTuple

from outrider.ids import is_writer_id

_INT64 = 1 << 63
_WORDS = ("NaN", "Infinity", "-Infinity")

Said = tuple[str, str, str]
"""A rule's name, what is wrong, and a hint."""

Body = Mapping[str, Any]


class Finding(NamedTuple):
    """Something that is not as docs/file-format.md has it; ``line`` 0: the whole file.

    ``is_error`` False is advice: readers take it, but something will be missing.
    """

    file: str
    line: int
    rule: str
    reason: str
    hint: str
    is_error: bool = True


def shown(value: object) -> str:
    """A value as a message shows it."""
    return f"{value!r:.60}"


def is_whole(value: object) -> bool:
    """Whether a value is an integer, truth values left out."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def points(body: Body) -> Iterator[Said]:
    """A record without ``k``: a step and numbers by name."""
    step = body.get("s")
    if not is_whole(step) or not -_INT64 <= int(step) < _INT64:  # type: ignore[arg-type]
        yield (
            "step",
            f"the step 's' is {shown(step)}, not a whole number of 64 bits",
            'write "s":17, without a fraction and without quotes',
        )
    values = body.get("p")
    if not isinstance(values, dict):
        yield (
            "points",
            f"'p' is {shown(values)}, not an object of numbers by name",
            'write "p":{"loss":0.1}; a record of another kind names it with "k"',
        )
        return
    yield from _numbers(values)


def _numbers(values: Body) -> Iterator[Said]:
    for key, value in values.items():
        if not key:
            yield "name", "a metric's name is empty", "name it"
        if isinstance(value, bool) or _is_number(value) or value in _WORDS:
            continue
        hint = "only numbers, true and false; texts belong into config or summary"
        if isinstance(value, str) and value.strip("+-").lower() in ("nan", "inf", "infinity"):
            hint = 'write "NaN", "Infinity" or "-Infinity", spelled so'
        elif isinstance(value, dict):
            hint = 'flatten it: "p":{"train/loss":0.1}'
        elif value is None:
            hint = 'leave the name out, or write "NaN"'
        yield "value", f"{shown(key)} is {shown(value)}, which is no number", hint


def _needs(body: Body, key: str, what: str, test: Callable[[Any], bool]) -> Iterator[Said]:
    if not test(body.get(key)):
        kind = body.get("k")
        missing = "is missing" if key not in body else f"is {shown(body[key])}"
        yield "shape", f"{key!r} of a {kind} record {missing}; it is {what}", f'write "{key}"'


def _may(body: Body, key: str, what: str, test: Callable[[Any], bool]) -> Iterator[Said]:
    if body.get(key) is not None:
        yield from _needs(body, key, what, test)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_filled(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_attempt(value: Any) -> bool:
    return is_whole(value) and value >= 1


def _is_count(value: Any) -> bool:
    return is_whole(value) and value > 0


def _one_of(*words: str) -> tuple[str, Callable[[Any], bool]]:
    return "one of " + ", ".join(words), lambda value: value in words


def _config(body: Body) -> Iterator[Said]:
    yield from _needs(body, "c", "an object of values by name", _is_object)
    yield from _may(body, "x", "a list of names to delete", _is_texts)


def _metric(body: Body) -> Iterator[Said]:
    yield from _needs(body, "name", "a metric's name, or a glob", _is_filled)
    yield from _may(body, "step", "a metric's name", _is_filled)
    yield from _may(body, "summary", *_one_of("min", "max", "mean", "last", "best", "none"))
    yield from _may(body, "goal", *_one_of("minimize", "maximize"))
    yield from _may(body, "hidden", "true or false", lambda value: isinstance(value, bool))


def _attempt(body: Body) -> Iterator[Said]:
    yield from _needs(body, "a", "the attempt's number, from 1", _is_attempt)
    yield from _may(body, "rewind", "a step", is_whole)


def _run(body: Body) -> Iterator[Said]:
    yield from _may(body, "name", "a text", _is_text)
    yield from _may(body, "notes", "a text", _is_text)
    yield from _may(body, "tags", "a list of texts", _is_texts)


def _alert(body: Body) -> Iterator[Said]:
    yield from _needs(body, "title", "a text", _is_filled)
    yield from _may(body, "text", "a text", _is_text)
    levels = ("INFO", "WARN", "ERROR")
    what = "INFO, WARN or ERROR"
    yield from _may(body, "level", what, lambda value: str(value).upper() in levels)


def _console(body: Body) -> Iterator[Said]:
    yield from _needs(body, "o", *_one_of("out", "err"))
    given = [key for key in ("b", "x", "n") if key in body]
    if len(given) != 1:
        yield (
            "shape",
            f"a console record holds one of 'b', 'x' and 'n', not {', '.join(given) or 'none'}",
            '"b" is a text, "x" bytes as base64, "n" how many bytes were left out',
        )
    yield from _may(body, "b", "a text", _is_text)
    yield from _may(body, "x", "bytes as base64", _is_base64)
    yield from _may(body, "n", "a number of bytes, from 1", _is_count)


def _is_base64(value: Any) -> bool:
    try:
        b64decode(value, validate=True)
    except (TypeError, ValueError):
        return False
    return True


def _is_path(value: Any) -> bool:
    if not _is_filled(value) or value.startswith("/") or "\\" in value:
        return False
    return not any(part in ("", ".", "..") for part in value.split("/"))


_PATH = "a path with / between its parts, relative, without . and .."


def _save(body: Body) -> Iterator[Said]:
    yield from _needs(body, "path", _PATH, _is_path)
    yield from _needs(
        body, "source", "an absolute path", lambda v: _is_filled(v) and v.startswith("/")
    )
    yield from _needs(body, "policy", *_one_of("now", "live", "end"))
    yield from _may(body, "m", "an object", _is_object)


def _file(body: Body) -> Iterator[Said]:
    yield from _needs(body, "path", _PATH, _is_path)
    yield from _may(body, "role", *_one_of("save", "media", "code"))
    states = ("ok", "changed", "vanished", "unreadable", "local")
    yield from _may(body, "state", *_one_of(*states))
    is_there = body.get("state", "ok") in ("ok", "local")
    test = _needs if is_there else _may
    yield from test(body, "sha256", "64 digits of base 16", _is_sha256)
    yield from test(body, "size", "a number of bytes", lambda v: is_whole(v) and v >= 0)
    yield from _may(body, "type", "a media type", _is_filled)


def _is_sha256(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _media(body: Body) -> Iterator[Said]:
    yield from _needs(body, "s", "a step", is_whole)
    yield from _needs(body, "key", "a name", _is_filled)
    types = "image audio video html text histogram table figure".split()
    yield from _needs(body, "type", *_one_of(*types))
    yield from _may(body, "parts", "a list of objects", lambda v: isinstance(v, list))


def _sys(body: Body) -> Iterator[Said]:
    yield from _needs(body, "d", "seconds", lambda value: _is_number(value) and value > 0)
    yield from _needs(body, "p", "an object of numbers", _is_object)
    if isinstance(body.get("p"), dict):
        yield from _numbers(body["p"])


def _facts(body: Body) -> Iterator[Said]:
    yield from _needs(body, "c", "an object", _is_object)


def _gap(body: Body) -> Iterator[Said]:
    yield from _needs(body, "n", "how many records, from 1", _is_count)
    yield from _may(body, "why", "a text", _is_text)


STATES = "finished failed killed preempted oom lost crashed".split()


def _end(body: Body) -> Iterator[Said]:
    yield from _needs(body, "w", "the id of the writer that ended", is_writer_id)
    yield from _may(body, "a", "the attempt's number, from 1", _is_attempt)
    yield from _needs(body, "state", *_one_of(*STATES))
    yield from _may(body, "code", "an exit code", is_whole)
    yield from _may(body, "signal", "a signal's number", _is_count)
    yield from _may(body, "why", "an object with type and message", _is_object)


_KINDS: dict[str, Callable[[Body], Iterator[Said]]] = {
    "alert": _alert,
    "attempt": _attempt,
    "code": _facts,
    "config": _config,
    "console": _console,
    "end": _end,
    "environment": _facts,
    "file": _file,
    "gap": _gap,
    "host": _facts,
    "media": _media,
    "metric": _metric,
    "run": _run,
    "save": _save,
    "summary": _config,
    "sys": _sys,
}
KINDS = ("head", *_KINDS)
"""Every kind of record that has a ``k``."""


def shape(kind: str, body: Body) -> Iterator[Said]:
    """What is wrong with a record of a kind, but for heads."""
    if kind == "points":
        yield from points(body)
    elif kind in _KINDS:
        yield from _KINDS[kind](body)


def near(kind: str) -> str | None:
    """The kind that an unknown one was probably meant to be."""
    return next(iter(get_close_matches(kind, KINDS, 1)), None) if kind not in KINDS else None


def clock(t: float) -> Iterator[Said]:
    """Whether a time is unix seconds."""
    if not isfinite(t) or not 1e9 <= t < 1e11:
        hint = "unix seconds, such as 1763860000.12"
        if 1e12 <= t < 1e14:
            hint = "these are milliseconds: divide by 1000"
        elif t >= 1e15:
            hint = "these are micro- or nanoseconds: write seconds"
        yield "time", f"'t' is {shown(t)}, which are no unix seconds of our time", hint
