"""A column over the runs of a project: numbers and a text for each, compared and ranked at once.

Plain values: nothing here reads. Texts are numbered, so that a condition on a text is asked once for
each text that occurs, and 20,000 runs are then one look into an array.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from outrider_server.buckets import Floats, Ints

    Bools = NDArray[np.bool_]

Made = TypeVar("Made")

COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
"""The operators of a filter that compare; its parser turns ``!=`` into the opposite of ``=``."""

_SPARE = 1000


class Texts:
    """Distinct texts, each with a number. Never changed, so that readers may share them."""

    __slots__ = ("_numbers", "_places", "all")

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        self.all = list(self._numbers)
        self._places: Ints | None = None

    def with_all(self, texts: Iterable[str | None]) -> tuple[Texts, list[int]]:
        """Texts that hold these too, and the number of each of these; -1 for None."""
        given = list(texts)
        if given.count(None) == len(given):  # a column of numbers
            return self, [-1] * len(given)
        new = {text for text in given if text is not None} - self._numbers.keys()
        to = Texts((*self.all, *sorted(new))) if new else self
        numbers = to._numbers
        return to, [-1 if text is None else numbers[text] for text in given]

    def places(self) -> Ints:
        """By number: how many texts come before. Texts sort as SQLite has them, by code point."""
        if self._places is None:
            order = sorted(range(len(self.all)), key=self.all.__getitem__)
            places = np.empty(len(order), np.int64)
            places[order] = np.arange(len(order))
            self._places = places
        return self._places


class Column:
    """What each run has: ``numbers`` is (width × runs), NaN where there is none, ``codes`` says which
    of ``texts``, -1 for none, and ``has`` whether the run has anything at all. Never changed."""

    __slots__ = ("_made", "codes", "has", "numbers", "runs", "texts")

    def __init__(
        self, runs: Ints, has: Bools, numbers: Floats, codes: NDArray[np.int32], texts: Texts
    ) -> None:
        self.runs = runs
        self.has = has
        self.numbers = numbers
        self.codes = codes
        self.texts = texts
        self._made: dict[Hashable, Any] = {}

    @classmethod
    def of(cls, runs: Ints, rows: Sequence[Sequence[Any]], width: int) -> Column:
        """The column of rows (run, numbers…, text); ``runs`` rise, and rows of others are left out."""
        return cls._empty(runs, width).with_rows(np.arange(len(runs)), rows)

    @classmethod
    def _empty(cls, runs: Ints, width: int) -> Column:
        count = len(runs)
        none = np.full(count, -1, np.int32)
        numbers = np.full((width, count), np.nan)
        return cls(runs, np.zeros(count, np.bool_), numbers, none, Texts())

    def with_rows(self, places: Ints, rows: Sequence[Sequence[Any]]) -> Column:
        """The column whose runs at these places have these rows, and nothing where there is none."""
        has, numbers, codes = self.has.copy(), self.numbers.copy(), self.codes.copy()
        has[places], numbers[:, places], codes[places] = False, np.nan, -1
        texts = self.texts
        if rows and len(self.runs):
            runs, *given, words = zip(*rows, strict=True)
            found = np.array(runs, np.int64)
            at = np.searchsorted(self.runs, found).clip(max=len(self.runs) - 1)
            ours = self.runs[at] == found
            texts, said = texts.with_all(words)
            has[at[ours]] = True
            codes[at[ours]] = np.array(said, np.int32)[ours]
            for line, values in zip(numbers, given, strict=True):
                line[at[ours]] = np.array(values, np.float64)[ours]
        column = Column(self.runs, has, numbers, codes, texts)
        return column._compact() if len(texts.all) > 2 * len(has) + _SPARE else column

    def _compact(self) -> Column:
        """The same without texts that no run has any more."""
        used = np.unique(self.codes[self.codes >= 0])
        codes = np.where(self.codes < 0, -1, np.searchsorted(used, self.codes)).astype(np.int32)
        texts = Texts([self.texts.all[number] for number in used.tolist()])
        return Column(self.runs, self.has, self.numbers, codes, texts)

    def over(self, runs: Ints) -> tuple[Column, Ints]:
        """The column over other runs, and the places of those of which it knows nothing."""
        if runs is self.runs or np.array_equal(runs, self.runs):
            return self, np.empty(0, np.int64)
        new = Column._empty(runs, len(self.numbers))
        _, to, here = np.intersect1d(runs, self.runs, assume_unique=True, return_indices=True)
        new.has[to], new.codes[to] = self.has[here], self.codes[here]
        new.numbers[:, to] = self.numbers[:, here]
        new.texts = self.texts
        return new, np.setdiff1d(np.arange(len(runs)), to, assume_unique=True)

    def made(self, make: Callable[[Column], Made]) -> Made:
        """What a function makes of the column, worked out once."""
        if make not in self._made:
            self._made[make] = make(self)
        found: Made = self._made[make]
        return found

    def compared(self, sign: str, value: float, line: int = 0) -> Bools:
        """Which runs have a number that compares so with ``value``."""
        found: Bools = COMPARE[sign](self.numbers[line], value)
        return found

    def said(self, holds: Callable[[str], Any]) -> Bools:
        """Which runs have a text for which this holds; asked once for each text."""
        answers = np.zeros(len(self.texts.all) + 1, np.bool_)  # the last is that of no text: -1
        answers[:-1] = [bool(holds(text)) for text in self.texts.all]
        found: Bools = answers[self.codes]
        return found

    def is_bare(self) -> Bools:
        """Which runs have a row with neither number nor text."""
        found: Bools = self.has & (self.codes < 0) & np.isnan(self.numbers[0])
        return found


def ranks(column: Column, line: int = 0) -> Ints:
    """Equal values equal, -1 where a run has nothing, and otherwise as an index has them: what is
    neither, texts, numbers."""
    numbers = column.numbers[line]
    found = np.where(column.has, np.int64(0), -1)
    count = len(column.texts.all)
    if count:
        written = column.codes >= 0
        found[written] = 1 + column.texts.places()[column.codes[written]]
    known = ~np.isnan(numbers)
    if known.any():
        found[known] = count + 1 + np.unique(numbers[known], return_inverse=True)[1]
    return found
