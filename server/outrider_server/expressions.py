"""Expressions of metrics: text in, a small tree out, and its values at every step.

    train/loss - val/loss
    log10(abs(grad/norm)) * 2
    "val loss (ema)" / max("train loss", 1e-8)

A name is letters, digits, ``_`` and, between them, ``.``, ``/``, ``:`` or ``@``; other names are
quoted. So ``a/b`` is one metric: to divide, put spaces round the ``/``. At each step at which one
of the metrics was logged, the others count with their last value at or before it; the line begins
where all are known. What is not a number (0 / 0, log of nothing) is a mark, as anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from outrider.errors import UsageError
from outrider_server.query import Points

if TYPE_CHECKING:
    from outrider_server.buckets import Floats

MOST_CHARACTERS = 2000
MOST_NAMES = 16
_MOST_DEPTH = 40

_TOKENS = re.compile(
    r"""(?P<space>\s+)
      | (?P<quoted>"(?:[^"\\]|\\.)*")
      | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?!\w))
      | (?P<name>[^\W\d]\w*(?:[./:@]\w+)*)
      | (?P<sign>\*\*|[-+*/^(),])""",
    re.VERBOSE,
)
_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "abs": (1, np.abs),
    "sqrt": (1, np.sqrt),
    "exp": (1, np.exp),
    "log": (1, np.log),
    "log2": (1, np.log2),
    "log10": (1, np.log10),
    "sign": (1, np.sign),
    "floor": (1, np.floor),
    "ceil": (1, np.ceil),
    "round": (1, np.round),
    "min": (2, np.minimum),
    "max": (2, np.maximum),
}
_OPERATORS: Mapping[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
    "**": np.power,
}
_SUMS, _PRODUCTS, _POWERS = ("+", "-"), ("*", "/"), ("^", "**")


class ExpressionError(UsageError):
    """An expression cannot be read; ``position`` counts characters from 0."""

    def __init__(self, message: str, position: int, *, hint: str | None = None) -> None:
        super().__init__(f"{message}, at character {position + 1}", hint=hint)
        self.position = position


Values = Mapping[str, "Floats"]
Node = Callable[[Values], Any]


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula that was read: the metrics that it names, each with its place, and what it does."""

    text: str
    names: Mapping[str, int]
    node: Node

    def of(self, series: Mapping[str, Points]) -> Points:
        """Its value at every step; ``series`` has each name, merged, by rising step."""
        steps = np.unique(np.concatenate([series[name].steps for name in self.names]))
        times = np.full(len(steps), -np.inf)
        values: dict[str, Floats] = {}
        known = np.ones(len(steps), bool)
        for name in self.names:
            points = series[name]
            here = np.searchsorted(steps, points.steps)
            times[here] = np.maximum(times[here], points.times)
            at = np.searchsorted(points.steps, steps, side="right") - 1
            known &= at >= 0
            padded = np.append(points.values, np.nan)  # -1, not known yet, is the last
            values[name] = padded[at]
        with np.errstate(all="ignore"):
            found = np.broadcast_to(np.asarray(self.node(values), np.float64), steps.shape)
        steps = steps[known]
        return Points(steps.astype(np.float64), steps, times[known], found[known].copy())


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse(text: str) -> Expression:
    """Read an expression. Raises ``ExpressionError`` saying where and what."""
    if len(text) > MOST_CHARACTERS:
        raise ExpressionError("the expression is too long", MOST_CHARACTERS)
    reader = _Reader(list(_split(text)), len(text))
    node = reader.sums(0)
    left = reader.peek()
    if left is not None:
        raise ExpressionError(
            f"{left.text!r} was not expected", left.at, hint="join metrics with + - * / ^"
        )
    if not reader.names:
        raise ExpressionError("no metric is named", 0, hint="such as train/loss - val/loss")
    if len(reader.names) > MOST_NAMES:
        raise ExpressionError(f"more than {MOST_NAMES} metrics", reader.names[[*reader.names][-1]])
    return Expression(text, reader.names, node)


def _split(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        found = _TOKENS.match(text, at)
        if found is None:
            if text[at] == '"':
                raise ExpressionError("the name has no end", at, hint="close the quote")
            raise ExpressionError(
                f"{text[at]!r} means nothing here",
                at,
                hint='a name with other characters is quoted: "my metric"',
            )
        if found.lastgroup != "space":
            yield _Token(found.lastgroup or "", found.group(), at)
        at = found.end()


class _Reader:
    """Reads tokens by descending: sums, products, powers, one."""

    def __init__(self, tokens: list[_Token], end: int) -> None:
        self._tokens = tokens
        self._next = 0
        self._end = end
        self.names: dict[str, int] = {}

    def peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self, what: str) -> _Token:
        found = self.peek()
        if found is None:
            raise ExpressionError(f"{what} is missing", self._end)
        self._next += 1
        return found

    def _takes(self, *signs: str) -> _Token | None:
        found = self.peek()
        if found is None or found.kind != "sign" or found.text not in signs:
            return None
        self._next += 1
        return found

    def _must(self, sign: str, why: str) -> None:
        if not self._takes(sign):
            found = self.peek()
            where = self._end if found is None else found.at
            raise ExpressionError(f"a {sign} is missing", where, hint=why)

    def sums(self, depth: int) -> Node:
        node = self._products(depth)
        while sign := self._takes(*_SUMS):
            node = _joined(_OPERATORS[sign.text], node, self._products(depth))
        return node

    def _products(self, depth: int) -> Node:
        node = self._signed(depth)
        while sign := self._takes(*_PRODUCTS):
            node = _joined(_OPERATORS[sign.text], node, self._signed(depth))
        return node

    def _signed(self, depth: int) -> Node:
        sign = self._takes("-", "+")
        if sign is None:
            return self._powers(depth)
        self._deeper(depth, sign)
        node = self._signed(depth + 1)
        return node if sign.text == "+" else lambda values: np.negative(node(values))

    def _powers(self, depth: int) -> Node:
        node = self._one(depth)
        sign = self._takes(*_POWERS)
        if sign is None:
            return node
        self._deeper(depth, sign)
        return _joined(np.power, node, self._signed(depth + 1))

    def _one(self, depth: int) -> Node:
        found = self._take("a metric or a number")
        self._deeper(depth, found)
        if found.kind == "number":
            value = float(found.text)
            return lambda values: np.float64(value)
        if found.kind == "quoted":
            return self._metric(re.sub(r"\\(.)", r"\1", found.text[1:-1]), found.at)
        if found.kind == "name":
            after = self.peek()
            if after is not None and after.kind == "sign" and after.text == "(":
                return self._call(found, depth)
            return self._metric(found.text, found.at)
        if found.text == "(":
            node = self.sums(depth + 1)
            self._must(")", "every ( needs its )")
            return node
        raise ExpressionError(f"{found.text!r} where a metric or a number was expected", found.at)

    def _metric(self, name: str, at: int) -> Node:
        if not name:
            raise ExpressionError("a name is empty", at)
        self.names.setdefault(name, at)
        return lambda values: values[name]

    def _call(self, name: _Token, depth: int) -> Node:
        if name.text not in _FUNCTIONS:
            raise ExpressionError(
                f"there is no function {name.text!r}", name.at, hint=", ".join(_FUNCTIONS)
            )
        wanted, function = _FUNCTIONS[name.text]
        self._must("(", "a function takes ( )")
        taken = [self.sums(depth + 1)]
        while self._takes(","):
            taken.append(self.sums(depth + 1))
        self._must(")", "every ( needs its )")
        if len(taken) != wanted:
            raise ExpressionError(f"{name.text} takes {wanted}, not {len(taken)}", name.at)
        return lambda values: function(*(node(values) for node in taken))

    def _deeper(self, depth: int, at: _Token) -> None:
        if depth > _MOST_DEPTH:
            raise ExpressionError("the expression is nested too deeply", at.at)


def _joined(join: Callable[..., Any], left: Node, right: Node) -> Node:
    return lambda values: join(left(values), right(values))
