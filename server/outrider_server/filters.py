"""The filter language of the runs list: text in, a small tree out.

    config.lr < 0.01 and summary."val/acc" > 0.9 and state = "running"
    tags has "baseline" or not (name ~ "^test" and notes = null)

A comparison with a value that a run does not have is false, and ``!=`` is the opposite of ``=``.
Texts are compared as texts, numbers as numbers; ``~`` looks for a regular expression. Words are
``and``, ``or``, ``not``, ``has``, ``true``, ``false``, ``null``; names with other characters than
letters, digits, ``_ . / -`` are quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from outrider.errors import UsageError

RUN_FIELDS = {
    "id": "text",
    "name": "text",
    "state": "text",
    "group": "text",
    "job_type": "text",
    "notes": "text",
    "host": "text",
    "attempt": "number",
    "created": "number",
    "started": "number",
    "ended": "number",
    "updated": "number",
    "duration": "number",
    "gaps": "number",
    "archived": "boolean",
}
"""What can be asked of the run itself, and its type."""

MAX_LENGTH = 10_000
_MAX_DEPTH = 50
_MAX_PATTERN = 300

Literal = str | float | bool | None


class FilterError(UsageError):
    """A filter or a sort cannot be read; ``position`` counts characters from 0."""

    def __init__(self, message: str, position: int, *, hint: str | None = None) -> None:
        super().__init__(f"{message}, at character {position + 1}", hint=hint)
        self.position = position


@dataclass(frozen=True, slots=True)
class Field:
    """What is asked about: a run's own field, its tags, a config or summary key, or what a metric
    comes down to (``metric``, with ``val/acc.max`` as the key)."""

    kind: str
    key: str


ARCHIVED = Field("run", "archived")
REDUCTIONS = ("last", "min", "max", "mean", "best")
"""What a metric comes down to in one number: ``metric.val/acc.max``."""


@dataclass(frozen=True, slots=True)
class Compare:
    """A field, one of = != < <= > >= ~ !~ has, and a value."""

    field: Field
    operator: str
    value: Literal


@dataclass(frozen=True, slots=True)
class Both:
    """All of them hold."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of them holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    part: Node


Node = Compare | Both | Either | Not


def fields_in(node: Node | None) -> Iterator[Field]:
    """The fields that a filter compares."""
    if isinstance(node, Compare):
        yield node.field
    elif isinstance(node, Not):
        yield from fields_in(node.part)
    elif node is not None:
        for part in node.parts:
            yield from fields_in(part)


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


_TOKENS = re.compile(
    r"""(?P<space>\s+)
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<operator><=|>=|!=|!~|==|=|<|>|~)
      | (?P<open>\()|(?P<close>\))
      | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w/]))
      | (?P<word>[^\s"'()<>=!~]+)""",
    re.VERBOSE,
)
_WORDS: dict[str, Literal] = {"true": True, "false": False, "null": None, "none": None}


def parse(text: str) -> Node | None:
    """Read a filter; None for an empty one. Raises ``FilterError`` saying where and what."""
    if len(text) > MAX_LENGTH:
        raise FilterError("the filter is too long", MAX_LENGTH, hint=f"at most {MAX_LENGTH}")
    tokens = list(_split(text))
    if not tokens:
        return None
    parser = _Parser(tokens, len(text))
    node = parser.either(0)
    left = parser.peek()
    if left is not None:
        raise FilterError(
            f"{left.text!r} was not expected", left.at, hint="join conditions with and / or"
        )
    return node


def _split(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        found = _TOKENS.match(text, at)
        if found is None:
            quote = text[at] in "\"'"
            what = "the text has no end" if quote else f"{text[at]!r} means nothing here"
            raise FilterError(
                what, at, hint="close the quote" if quote else "operators: = != < <= > >= ~ !~ has"
            )
        kind = found.lastgroup or ""
        word, end = found.group(), found.end()
        if kind == "word":
            # a quoted part belongs to the name that it is glued to: summary."val/acc"
            while end < len(text) and text[end] in "\"'" and word.endswith("."):
                more = _TOKENS.match(text, end)
                if more is None or more.lastgroup != "text":
                    raise FilterError("the name has no end", end, hint="close the quote")
                word += _unquoted(more.group())
                end = more.end()
        if kind != "space":
            yield _Token(kind, word, at)
        at = end


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


class _Parser:
    """Reads tokens by descending: either, both, one."""

    def __init__(self, tokens: list[_Token], end: int) -> None:
        self._tokens = tokens
        self._next = 0
        self._end = end

    def peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self, what: str, hint: str) -> _Token:
        found = self.peek()
        if found is None:
            raise FilterError(f"{what} is missing", self._end, hint=hint)
        self._next += 1
        return found

    def _takes_word(self, word: str) -> bool:
        found = self.peek()
        if found is not None and found.kind == "word" and found.text.lower() == word:
            self._next += 1
            return True
        return False

    def either(self, depth: int) -> Node:
        parts = [self.both(depth)]
        while self._takes_word("or"):
            parts.append(self.both(depth))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def both(self, depth: int) -> Node:
        parts = [self.one(depth)]
        while self._takes_word("and"):
            parts.append(self.one(depth))
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def one(self, depth: int) -> Node:
        found = self.peek()
        if depth > _MAX_DEPTH and found is not None:
            raise FilterError("the filter is nested too deeply", found.at)
        if self._takes_word("not"):
            return Not(self.one(depth + 1))
        if found is not None and found.kind == "open":
            self._next += 1
            node = self.either(depth + 1)
            closing = self._take("a )", "every ( needs its )")
            if closing.kind != "close":
                raise FilterError(f"{closing.text!r} where a ) was expected", closing.at)
            return node
        return self._comparison()

    def _comparison(self) -> Node:
        name = self._take("a condition", 'such as config.lr < 0.01 or state = "running"')
        if name.kind not in ("word", "text"):
            raise FilterError(
                f"{name.text!r} where a name was expected", name.at, hint="such as config.lr"
            )
        field = field_of(_unquoted(name.text) if name.kind == "text" else name.text, name.at)
        sign = self._take("an operator", "= != < <= > >= ~ !~ has")
        operator = sign.text.lower()
        if sign.kind != "operator" and operator != "has":
            raise FilterError(
                f"{sign.text!r} where an operator was expected",
                sign.at,
                hint="= != < <= > >= ~ !~ has",
            )
        if (operator == "has") != (field.kind == "tags"):
            raise FilterError(
                f"{operator!r} does not go with {name.text!r}", sign.at, hint='tags has "baseline"'
            )
        found = self._take("a value", 'a number, a "text", true, false or null')
        value = _value(found)
        _check(field, operator, value, found)
        negated = operator in ("!=", "!~")
        plain = {"==": "=", "!=": "=", "!~": "~"}.get(operator, operator)
        compare = Compare(field, plain, value)
        return Not(compare) if negated else compare


def _value(token: _Token) -> Literal:
    if token.kind == "text":
        return _unquoted(token.text)
    if token.kind == "number":
        return float(token.text)
    if token.kind == "word" and token.text.lower() in _WORDS:
        return _WORDS[token.text.lower()]
    raise FilterError(
        f"{token.text!r} is no value",
        token.at,
        hint=f'a text needs quotes: "{token.text}"' if token.kind == "word" else None,
    )


def _check(field: Field, operator: str, value: Literal, token: _Token) -> None:
    if operator in ("~", "!~"):
        if not isinstance(value, str):
            raise FilterError("~ needs a text", token.at, hint='name ~ "^run-"')
        try:
            re.compile(value)
        except re.error as error:
            raise FilterError(f"not a regular expression: {error}", token.at) from None
        if len(value) > _MAX_PATTERN:
            raise FilterError("the regular expression is too long", token.at)
    elif operator == "has":
        if not isinstance(value, str):
            raise FilterError("has needs a text", token.at, hint='tags has "baseline"')
    elif operator in ("<", "<=", ">", ">=") and (value is None or isinstance(value, bool)):
        raise FilterError(f"{operator} needs a number or a text", token.at)
    if field == ARCHIVED and (operator not in ("=", "==", "!=") or not isinstance(value, bool)):
        raise FilterError("archived is true or false", token.at, hint="archived = true")
    if field.kind == "metric" and not isinstance(value, float):
        raise FilterError("a metric's value is a number", token.at, hint="give a number")
    if field.kind == "run" and value is not None and operator not in ("~", "!~"):
        is_text = isinstance(value, str)
        if is_text != (RUN_FIELDS[field.key] == "text"):
            wanted = RUN_FIELDS[field.key]
            raise FilterError(f"{field.key} is a {wanted}", token.at, hint=f"give a {wanted}")


def field_of(name: str, at: int = 0) -> Field:
    """What a name means. Raises ``FilterError`` for a name that means nothing."""
    kind, dot, key = name.partition(".")
    if dot and kind in ("config", "summary") and key:
        return Field(kind, key)
    if dot and kind == "metric":
        metric, _, how = key.rpartition(".")
        if not metric or how not in REDUCTIONS:
            hint = f"metric.KEY. and one of {', '.join(REDUCTIONS)}"
            raise FilterError(f"{name!r} says not what of the metric", at, hint=hint)
        return Field(kind, key)
    if name == "tags":
        return Field("tags", "")
    if name in RUN_FIELDS:
        return Field("run", name)
    raise FilterError(
        f"there is no {name!r}",
        at,
        hint=f"config.KEY, summary.KEY, metric.KEY.max, tags, {', '.join(RUN_FIELDS)}",
    )


def parse_sort(text: str) -> list[tuple[Field, bool]]:
    """Read a sort: columns separated by commas, ``-`` before one for falling order.

    Returns (field, falls) pairs. Raises ``FilterError``.
    """
    found: list[tuple[Field, bool]] = []
    at = 0
    for part in re.findall(r'(?:[^,"]|"[^"]*")+', text):
        name = part.strip()
        falls = name.startswith("-")
        name = name.lstrip("+-").replace('"', "")
        if name:
            field = field_of(name, at)
            if field.kind == "tags":
                raise FilterError("tags have no order", at)
            found.append((field, falls))
        at += len(part) + 1
    return found
