"""Numbers of records in one piece of memory, one line a record: its time, its step, its values.

So a batch is laid down line by line as it is read, written to the tail and read from there in one
copy, and joined to others by a single one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEAD = 2
"""Columns before the values: the time, and the step as the bits of an int64."""


class Numbered:
    """What has ``numbers``, a contiguous array of (records × (2 + metrics)) float64."""

    __slots__ = ()
    numbers: NDArray[np.float64]

    @property
    def times(self) -> NDArray[np.float64]:
        """When each record was logged, in seconds since 1970."""
        return self.numbers[:, 0]

    @property
    def steps(self) -> NDArray[np.int64]:
        """The step of each record."""
        return self.numbers.view(np.int64)[:, 1]

    @property
    def values(self) -> NDArray[np.float64]:
        """The values: (records × metrics)."""
        return self.numbers[:, HEAD:]


def side_by_side(
    steps: NDArray[np.int64], times: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``numbers`` of columns."""
    numbers = np.empty((len(steps), HEAD + values.shape[1]))
    numbers[:, 0] = times
    numbers.view(np.int64)[:, 1] = steps
    numbers[:, HEAD:] = values
    return numbers
