"""``Histogram``: counts and edges, worked out where it is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar

from outrider.mediatypes.arrays import is_array, viewed
from outrider.mediatypes.base import Media, MediaError

if TYPE_CHECKING:
    from outrider.mediatypes.spool import Spool

MAX_BINS = 512


class Histogram(Media):
    """How values are distributed.

    Made from the values (any array or list; those that are not finite are counted apart), into
    ``num_bins`` bins, or from ``np_histogram=(counts, edges)`` with one edge more than counts. It is
    worked out at once: nothing of the values is kept. Never raises: see ``Media``.
    """

    kind: ClassVar[str] = "histogram"

    def __init__(
        self,
        sequence: Any = None,
        np_histogram: Sequence[Any] | None = None,
        num_bins: int = 64,
        caption: str | None = None,
    ) -> None:
        self.histogram: list[int | float] = []
        self.bins: list[float] = []
        self.nonfinite = 0
        super().__init__(caption, lambda: self._take(sequence, np_histogram, num_bins))

    def _take(self, values: Any, counted: Any, bins: int) -> None:
        if counted is not None:
            if values is not None:
                raise MediaError("a histogram is made of values or of np_histogram, not of both")
            counts, edges = counted[0], counted[1]
            self.histogram = [_count(value) for value in _listed(counts)]
            self.bins = [float(value) for value in _listed(edges)]
            if len(self.bins) != len(self.histogram) + 1 or not self.histogram:
                raise MediaError(
                    f"np_histogram needs one edge more than counts, not {len(self.bins)} and"
                    f" {len(self.histogram)}"
                )
            if len(self.histogram) > MAX_BINS:
                raise MediaError(f"a histogram has at most {MAX_BINS} bins")
            if not all(map(isfinite, (*self.bins, *self.histogram))):
                raise MediaError("counts and edges of a histogram must be finite")
            return
        if values is None:
            raise MediaError("a histogram needs values or np_histogram")
        if not 0 < int(bins) <= MAX_BINS:
            raise MediaError(f"num_bins={bins} is not possible: 1 to {MAX_BINS}")
        if is_array(values) and not isinstance(values, (list, tuple)):
            self._count_array(viewed(values), int(bins))
        else:
            self._count_values(values, int(bins))

    def _count_array(self, array: Any, bins: int) -> None:
        import numpy as np

        flat = array.reshape(-1)
        if flat.dtype.kind in "fb" or flat.dtype.itemsize == 8:
            flat = flat.astype(np.float64)
            finite = flat[np.isfinite(flat)]
            self.nonfinite = len(flat) - len(finite)
            flat = finite
        counts, edges = np.histogram(flat, bins=bins)
        self.histogram, self.bins = counts.tolist(), edges.astype(float).tolist()

    def _count_values(self, values: Iterable[Any], bins: int) -> None:
        everything = [float(value) for value in values]
        found = [value for value in everything if isfinite(value)]
        self.nonfinite = len(everything) - len(found)
        self.histogram, self.bins = counted_values(found, bins)

    def put(self, spool: Spool) -> dict[str, Any]:
        """Counts and edges; they stand in the record itself."""
        value: dict[str, Any] = {"counts": self.histogram, "edges": self.bins}
        if self.nonfinite:
            value["nonfinite"] = self.nonfinite
        return {"v": value}


def counted_values(values: Sequence[float], bins: int) -> tuple[list[int | float], list[float]]:
    """Counts and edges as ``numpy.histogram`` has them, without numpy."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = [low + (high - low) * at / bins for at in range(bins)] + [high]
    counts: list[int | float] = [0] * bins
    for value in values:
        at = min(int((value - low) / (high - low) * bins), bins - 1)
        if value < edges[at]:
            at -= 1
        elif at + 1 < bins and value >= edges[at + 1]:
            at += 1
        counts[at] += 1
    return counts, edges


def _listed(values: Any) -> list[Any]:
    return viewed(values).tolist() if hasattr(type(values), "__array__") else list(values)


def _count(value: Any) -> int | float:
    number = float(value)
    return int(number) if number.is_integer() else number
