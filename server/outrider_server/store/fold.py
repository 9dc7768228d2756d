"""Folds the tail of a run: many small tables become one long column for each metric.

Pure: takes what the tail holds, returns columns. Metrics that were logged in the same records share
one axis (steps and times), which is then stored once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from outrider_server.numbered import Numbered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from outrider_server.store.codec import Block, Floats, Ints

CHUNK = 2048
"""About how many points make a chunk."""

SMALL = 1000
"""A last chunk with fewer points than this is joined with what follows."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Metrics that share an axis: ``values`` is (points × metrics), rows in the order of arrival."""

    attempt: int
    kids: NDArray[np.int32]
    steps: Ints
    times: Floats
    values: Floats
    exact: Mapping[tuple[int, int], int]


def fold(tail: Iterable[tuple[int, Sequence[Block]]]) -> list[Columns]:
    """Return the columns of (attempt, blocks) pairs given in the order of their arrival."""
    found: list[Columns] = []
    attempt: int | None = None
    stretch: list[Sequence[Block]] = []
    for now, blocks in tail:
        if now != attempt and stretch and attempt is not None:
            found += _fold_stretch(attempt, stretch)
            stretch = []
        attempt = now
        stretch.append(blocks)
    if stretch and attempt is not None:
        found += _fold_stretch(attempt, stretch)
    return found


@dataclass(slots=True)
class _Stack(Numbered):
    """Tables of the same metrics put together; with each comes where its batch begins."""

    blocks: Sequence[tuple[int, Block]]
    kids: list[int]
    numbers: Floats

    def places(self) -> NDArray[np.int64]:
        """The places of the records in the whole stretch."""
        return np.concatenate([base + block.rows for base, block in self.blocks], dtype=np.int64)

    def exact(self) -> Mapping[tuple[int, int], int]:
        """The integers, by (row, column), that float64 cannot hold."""
        found: dict[tuple[int, int], int] = {}
        at = 0
        for _, block in self.blocks:
            if block.exact:
                found.update({(at + row, c): number for (row, c), number in block.exact.items()})
            at += len(block.rows)
        return found


def _stack(blocks: Sequence[tuple[int, Block]]) -> _Stack:
    numbers = np.concatenate([block.numbers for _, block in blocks])
    return _Stack(blocks, blocks[0][1].kids.tolist(), numbers)


def _fold_stretch(attempt: int, batches: Sequence[Sequence[Block]]) -> Iterator[Columns]:
    tables = _joined(batches)
    where: dict[int, list[tuple[int, int]]] = {}
    for number, stack in enumerate(tables):
        for column, kid in enumerate(stack.kids):
            where.setdefault(kid, []).append((number, column))
    alike: dict[tuple[int, ...], list[int]] = {}
    for kid, places in where.items():
        alike.setdefault(tuple([number for number, _ in places]), []).append(kid)
    for numbers, kids in alike.items():
        yield _together(attempt, kids, [tables[number] for number in numbers], where)


def _joined(batches: Sequence[Sequence[Block]]) -> list[_Stack]:
    """One stack of tables for each set of metrics."""
    alike: dict[bytes, list[tuple[int, Block]]] = {}
    base = 0
    for blocks in batches:
        last = 0
        for block in blocks:
            alike.setdefault(block.kids.tobytes(), []).append((base, block))
            last = max(last, int(block.rows[-1]))
        base += 1 + last
    return [_stack(blocks) for blocks in alike.values()]


def _together(
    attempt: int,
    kids: list[int],
    tables: list[_Stack],
    where: Mapping[int, list[tuple[int, int]]],
) -> Columns:
    """The columns of metrics that occur in the same tables."""
    columns = [[where[kid][nth][1] for kid in kids] for nth in range(len(tables))]
    values = [
        stack.values if at == list(range(len(stack.kids))) else stack.values[:, at]
        for stack, at in zip(tables, columns, strict=True)
    ]
    exact: dict[tuple[int, int], int] = {}
    base = 0
    for stack, at, some in zip(tables, columns, values, strict=True):
        back = {column: place for place, column in enumerate(at)}
        for (row, column), number in stack.exact().items():
            if column in back:
                exact[base + row, back[column]] = number
        base += len(some)
    numbers = np.array(kids, np.int32)
    if len(tables) == 1:
        (stack,) = tables
        steps, times = stack.steps.copy(), stack.times.copy()
        return Columns(attempt, numbers, steps, times, values[0], exact)
    order = np.argsort(np.concatenate([stack.places() for stack in tables]), kind="stable")
    if exact:
        placed = np.empty(len(order), np.int64)
        placed[order] = np.arange(len(order))
        exact = {(int(placed[row]), column): n for (row, column), n in exact.items()}
    return Columns(
        attempt,
        numbers,
        np.concatenate([stack.steps for stack in tables])[order],
        np.concatenate([stack.times for stack in tables])[order],
        np.concatenate(values)[order],
        exact,
    )


def joined(before: Columns, after: Columns) -> Columns:
    """Two stretches of the same metrics, one after the other."""
    shift = len(before.steps)
    return Columns(
        before.attempt,
        before.kids,
        np.concatenate([before.steps, after.steps]),
        np.concatenate([before.times, after.times]),
        np.concatenate([before.values, after.values]),
        {**before.exact, **{(shift + r, c): number for (r, c), number in after.exact.items()}},
    )


def chosen(columns: Columns, kids: Sequence[int]) -> Columns:
    """Only some of the metrics, in the order given."""
    place = {kid: at for at, kid in enumerate(columns.kids.tolist())}
    at = [place[kid] for kid in kids]
    back = {column: new for new, column in enumerate(at)}
    exact = {(r, back[c]): number for (r, c), number in columns.exact.items() if c in back}
    return Columns(
        columns.attempt,
        np.array(kids, np.int32),
        columns.steps,
        columns.times,
        columns.values[:, at],
        exact,
    )


def pieces(columns: Columns) -> Iterator[Columns]:
    """The columns cut into chunks of about ``CHUNK`` points."""
    count = len(columns.steps)
    number = max(1, round(count / CHUNK))
    bounds = [count * at // number for at in range(number + 1)]
    for low, high in pairwise(bounds):
        cut: dict[tuple[int, int], int] = {
            (r - low, c): value for (r, c), value in columns.exact.items() if low <= r < high
        }
        yield Columns(
            columns.attempt,
            columns.kids,
            columns.steps[low:high],
            columns.times[low:high],
            columns.values[low:high],
            cut,
        )


def rises(column: NDArray[Any], *, strictly: bool) -> bool:
    """Does each number come after the one before it?"""
    if strictly:
        return bool((column[1:] > column[:-1]).all())
    return bool((column[1:] >= column[:-1]).all())
