"""Validation examples as a table: what went in, what was expected, what the model says of it.

Nothing of a data set is stored unless somebody asks for this, and then a few examples only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import Any

import numpy as np

from outrider.errors import UsageError
from outrider.media import Image, Table
from outrider_keras.framework import keras

COUNT = 16
_CHANNELS = (1, 3, 4)
_SCORES = 20
_LONGEST = 64


class Examples:
    """A few examples of a data set, and how to show them.

    ``data`` is ``(x, y)`` or ``x``, arrays or tensors, or anything that gives batches of them (a
    ``PyDataset``, a data set of TensorFlow, a data loader). They are taken when first needed.
    ``class_names`` turns class numbers into words; ``image_shape`` shows flat inputs as images.
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

    def table(self, model: Any) -> Table:
        """The examples with what ``model`` says of them now; changes nothing in the model."""
        if not self._is_taken:
            self._inputs, self._labels = _take(self._data, self._count)
            self._data, self._is_taken = None, True
        with _without_gradients():
            said = model(self._inputs, training=False)
        found = {name: keras.ops.convert_to_numpy(one) for name, one in _named("prediction", said)}
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

    def _shown(self, value: Any) -> Any:
        """An input as an image, where it is one, else as plain data."""
        if self._shape is not None:
            return Image(value.reshape(self._shape))
        is_picture = value.ndim == 3 and value.shape[-1] in _CHANNELS
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


def as_examples(data: Any) -> Examples:
    """What ``predictions=`` takes, as examples."""
    return data if isinstance(data, Examples) else Examples(data)


def _take(data: Any, count: int) -> tuple[Any, Any]:
    """The first examples of a data set, as arrays: (inputs, labels or None)."""
    if isinstance(data, tuple):
        if len(data) not in (2, 3):
            raise UsageError("predictions= takes (x, y), x, or a data set that gives batches")
        return _first(data[0], count), _first(data[1], count)
    if hasattr(data, "shape") or isinstance(data, (list, dict)):
        return _first(data, count), None
    inputs: list[Any] = []
    labels: list[Any] = []
    there = 0
    for batch in islice(data, count):
        x, y = (batch[0], batch[1]) if isinstance(batch, (tuple, list)) else (batch, None)
        inputs.append(_first(x, count))
        labels.append(None if y is None else _first(y, count))
        there += _length(inputs[-1])
        if there >= count:
            break
    if not inputs:
        raise UsageError("the data set for predictions= gave no batch")
    joined = _first(_joined(inputs), count)
    return joined, None if labels[0] is None else _first(_joined(labels), count)


def _joined(parts: list[Any]) -> Any:
    if isinstance(parts[0], Mapping):
        return {key: _joined([part[key] for part in parts]) for key in parts[0]}
    return np.concatenate(parts)


def _first(values: Any, count: int) -> Any:
    if isinstance(values, Mapping):
        return {key: _first(one, count) for key, one in values.items()}
    few = keras.ops.convert_to_numpy(values[:count])
    return np.array(few, copy=True)


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


def _without_gradients() -> AbstractContextManager[Any]:
    if keras.backend.backend() != "torch":
        return nullcontext()
    import torch

    context: AbstractContextManager[Any] = torch.no_grad()
    return context
