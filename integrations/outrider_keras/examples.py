"""Examples for Keras: how its models are asked, on whatever backend, and leave no trace of it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from outrider import examples
from outrider_keras.framework import keras

if TYPE_CHECKING:
    from outrider.media import Table


class Examples(examples.Examples):
    """A few examples of a data set, shown with what a Keras model says of them."""

    def array(self, value: Any) -> Any:
        """Whatever the backend's tensors are, as an array."""
        return keras.ops.convert_to_numpy(value)

    def predicted_by(self, model: Any) -> Table:
        """The table of what ``model`` says now; changes nothing in the model."""
        with _without_gradients():
            return self.table(lambda inputs: model(inputs, training=False))


def as_examples(data: Any) -> Examples:
    """What ``predictions=`` takes, as examples."""
    return data if isinstance(data, Examples) else Examples(data)


def _without_gradients() -> AbstractContextManager[Any]:
    if keras.backend.backend() != "torch":
        return nullcontext()
    import torch

    context: AbstractContextManager[Any] = torch.no_grad()
    return context
