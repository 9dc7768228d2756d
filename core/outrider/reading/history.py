"""The exact history of a run as a table, in the shape that each reader wants."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from outrider.errors import OutriderError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from outrider.reading.series import Series

STEP, TIME = "_step", "_time"


class History:
    """One row per step, by rising step: ``_step``, ``_time`` and the metrics logged at it.

    ``_time`` is when the row's latest value was logged, in unix seconds. Values are floats; an integer
    beyond 2**53, which a float cannot hold, stays one in ``rows()``. Nothing is sampled and nothing is
    filled in: a metric that was not logged at a step is *absent* there, which is not the same as NaN.
    ``rows()`` leaves an absent metric out, ``columns`` holds NaN for it (``present`` tells the two
    apart), and Arrow holds null.

    A table of system metrics has one row per moment instead, and no ``_step``.
    """

    def __init__(self, series: Mapping[str, Series], *, by_time: bool = False) -> None:
        """``series`` are merged ones; ``by_time`` makes a table of system metrics."""
        self._series = dict(series)
        self.is_by_time = by_time
        latest: dict[float, float] = {}
        for one in self._series.values():
            index = one.times if by_time else one.steps
            for at, time in zip(index, one.times, strict=True):
                if time > latest.get(at, float("-inf")):
                    latest[at] = time
        self._index: list[Any] = sorted(latest)
        self._times = [latest[at] for at in self._index]

    def __len__(self) -> int:
        return len(self._index)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows())

    def __repr__(self) -> str:
        return f"<History: {len(self)} rows of {len(self._series)} metrics>"

    @property
    def keys(self) -> list[str]:
        """The names of the metrics, in the table's order."""
        return list(self._series)

    def rows(self) -> list[dict[str, Any]]:
        """The table as dictionaries; a metric that is absent at a step is not in its row."""
        rows: dict[Any, dict[str, Any]] = {
            at: {TIME: time} if self.is_by_time else {STEP: at, TIME: time}
            for at, time in zip(self._index, self._times, strict=True)
        }
        for key, one in self._series.items():
            for at, value in zip(self._places(one), one.values, strict=True):
                rows[at][key] = value
        return list(rows.values())

    def _places(self, one: Series) -> Sequence[Any]:
        return one.times if self.is_by_time else one.steps

    @cached_property
    def columns(self) -> dict[str, np.ndarray[Any, Any]]:
        """The table as NumPy arrays of one length: ``_step`` int64, all others float64, NaN where
        a metric is absent."""
        numpy = _need("numpy")
        found = self._leading(numpy)
        for key, one in self._series.items():
            column = numpy.full(len(self), numpy.nan)
            column[self._rows_of(one, numpy)] = numpy.array(one.values, dtype=numpy.float64)
            found[key] = column
        return found

    @cached_property
    def present(self) -> dict[str, np.ndarray[Any, Any]]:
        """For each metric, a NumPy array of truth values: was it logged at the row's step?"""
        numpy = _need("numpy")
        found: dict[str, np.ndarray[Any, Any]] = {}
        for key, one in self._series.items():
            mask = numpy.zeros(len(self), dtype=bool)
            mask[self._rows_of(one, numpy)] = True
            found[key] = mask
        return found

    def _leading(self, numpy: Any) -> dict[str, Any]:
        times = numpy.array(self._times, dtype=numpy.float64)
        if self.is_by_time:
            return {TIME: times}
        return {STEP: numpy.array(self._index, dtype=numpy.int64), TIME: times}

    def _rows_of(self, one: Series, numpy: Any) -> Any:
        kind = numpy.float64 if self.is_by_time else numpy.int64
        index = numpy.array(self._index, dtype=kind)
        return numpy.searchsorted(index, numpy.frombuffer(self._places(one), dtype=kind))

    def to_pandas(self) -> pd.DataFrame:
        """The table as a DataFrame; NaN both for NaN and for an absent metric, as pandas has it."""
        pandas = _need("pandas")
        frame: pd.DataFrame = pandas.DataFrame(self.columns)
        return frame

    def to_arrow(self) -> pa.Table:
        """The table as an Arrow table; null for an absent metric, NaN for NaN."""
        numpy, pyarrow = _need("numpy"), _need("pyarrow")
        arrays = {key: pyarrow.array(column) for key, column in self._leading(numpy).items()}
        for key in self._series:
            arrays[key] = pyarrow.array(
                self.columns[key], mask=~self.present[key], from_pandas=False
            )
        table: pa.Table = pyarrow.table(arrays)
        return table


def _need(name: str) -> Any:
    """Import an optional package, or say how to get it."""
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise OutriderError(
            f"this needs {name}, which is not installed ({error})",
            hint="pip install 'outrider[arrow]' brings numpy, pandas and pyarrow",
        ) from error
