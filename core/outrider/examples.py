"""A few examples of a data set as a table: what went in, what was expected, what the model says of it.

Nothing of a data set is stored unless somebody asks for this. The adapters of frameworks share it;
each says how its model is asked and how its tensors become arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from outrider.errors import UsageError
from outrider.media import Image, Table

COUNT = 16
_CHANNELS = (1, 3, 4)
_SCORES = 20
_LONGEST = 64


class Examples:
    """A few examples of a data set, and how to show them.

    ``data`` is ``(x, y)`` or ``x``, arrays or tensors, or anything that gives batches of them (a
    data loader, a ``PyDataset``, a data set of TensorFlow). They are taken when first needed, and
    copied. ``class_names`` turns class numbers into words; ``image_shape`` shows flat inputs as
    images. Subclasses say how a tensor becomes an array.
    """

    def __init__(
        self,
        data: Any,
        count: int = COUNT,
        class_names: Sequence[str] | None = None,
        image_shape: tuple[int, ...] | None = None,
    ) -> None:
        if type(count) is not int or not 0 < count <= 10_000:
            raise UsageError(f"count={count!r} is not possible", hint="1 to 10,000 examples")
        self._data = data
        self._count = count
        self._names = None if class_names is None else [str(name) for name in class_names]
        self._shape = image_shape
        self._inputs: Any = None
        self._labels: Any = None
        self._is_taken = False

    def array(self, value: Any) -> Any:
        """A tensor of the framework's as an array."""
        return np.asarray(value)

    def table(self, ask: Callable[[Any], Any]) -> Table:
        """The examples with what ``ask`` says of their inputs (arrays) now."""
        if not self._is_taken:
            self._inputs, self._labels = self._take(self._data)
            self._data, self._is_taken = None, True
        said = ask(self._inputs)
        found = {name: self.array(one) for name, one in _named("prediction", said)}
        table = Table(columns=["example"], data=[[at] for at in range(_length(self._inputs))])
        for name, values in _named("input", self._inputs):
            table.add_column(name, [self._shown(value) for value in np.asarray(values)])
        if self._labels is not None:
            for name, values in _named("label", self._labels):
                table.add_column(name, [self._label(value) for value in np.asarray(values)])
        for name, values in found.items():
            for column, cells in self._predicted(name, values):
                table.add_column(column, cells)
        return table

    def _take(self, data: Any) -> tuple[Any, Any]:
        """The first examples of a data set, as arrays: (inputs, labels or None)."""
        if isinstance(data, tuple):
            if len(data) not in (2, 3):
                raise UsageError("predictions are made of (x, y), x, or what gives batches of them")
            return self._first(data[0]), self._first(data[1])
        if hasattr(data, "shape") or isinstance(data, (list, dict)):
            return self._first(data), None
        inputs: list[Any] = []
        labels: list[Any] = []
        there = 0
        for batch in islice(data, self._count):
            x, y = (batch[0], batch[1]) if isinstance(batch, (tuple, list)) else (batch, None)
            inputs.append(self._first(x))
            labels.append(None if y is None else self._first(y))
            there += _length(inputs[-1])
            if there >= self._count:
                break
        if not inputs:
            raise UsageError("the data set for predictions gave no batch")
        joined = self._first(_joined(inputs))
        return joined, None if labels[0] is None else self._first(_joined(labels))

    def _first(self, values: Any) -> Any:
        if isinstance(values, Mapping):
            return {key: self._first(one) for key, one in values.items()}
        return np.array(self.array(values[: self._count]), copy=True)

    def _shown(self, value: Any) -> Any:
        """An input as an image, where it is one, else as plain data."""
        if self._shape is not None:
            return Image(value.reshape(self._shape))
        is_picture = value.ndim == 3 and {value.shape[0], value.shape[-1]} & set(_CHANNELS)
        if is_picture or (value.ndim == 2 and min(value.shape) >= 8):
            return Image(value)
        return _plain(value)

    def _label(self, value: Any) -> Any:
        if value.ndim and value.size > 1 and set(np.unique(value)) <= {0, 1} and value.sum() == 1:
            value = np.argmax(value)  # one-hot
        return self._word(value) if np.size(value) == 1 else _plain(value)

    def _word(self, number: Any) -> Any:
        plain = np.asarray(number).reshape(-1)[0].item()
        if self._names is not None and float(plain).is_integer():
            at = int(plain)
            return self._names[at] if 0 <= at < len(self._names) else str(at)
        return plain

    def _predicted(self, name: str, values: Any) -> Iterable[tuple[str, list[Any]]]:
        """Of scores by class the best class, its score and all scores; of others the value."""
        if values.ndim == 2 and values.shape[1] > 1:
            best = values.argmax(axis=1)
            yield name, [self._word(at) for at in best]
            yield f"{name} score", [row[at].item() for row, at in zip(values, best, strict=True)]
            if values.shape[1] <= _SCORES:
                yield f"{name} scores", values.tolist()
        else:
            yield name, [_plain(value) for value in values]


def _joined(parts: list[Any]) -> Any:
    if isinstance(parts[0], Mapping):
        return {key: _joined([part[key] for part in parts]) for key in parts[0]}
    return np.concatenate(parts)


def _length(values: Any) -> int:
    return len(next(iter(values.values())) if isinstance(values, Mapping) else values)


def _named(name: str, values: Any) -> list[tuple[str, Any]]:
    """One value under its name, several under names of their own."""
    if isinstance(values, Mapping):
        return [(f"{name} {key}", one) for key, one in values.items()]
    if isinstance(values, (list, tuple)):
        return [(f"{name} {at}", one) for at, one in enumerate(values)]
    return [(name, values)]


def _plain(value: Any) -> Any:
    value = np.asarray(value)
    if value.size == 1:
        return value.reshape(-1)[0].item()
    return value.tolist() if value.size <= _LONGEST else f"{value.dtype} of shape {value.shape}"
