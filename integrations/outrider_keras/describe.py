"""What a Keras model is made of, as plain data for a run's configuration.

Everything here only reads. What one part cannot tell (a subclassed model that is not built yet has
no shapes and no count of parameters) is said instead of it, and the rest is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outrider.notice import say_once
from outrider_keras.framework import keras

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_LAYERS = 2000


def describe_model(model: Any) -> dict[str, Any]:
    """Backend, model (name, class, parameters, summary, graph), optimizer and loss."""
    return {
        "keras": {"version": keras.__version__, "backend": keras.backend.backend()},
        "model": {
            "name": _try(lambda: str(model.name)),
            "class": type(model).__name__,
            "parameters": _parameters(model),
            "summary": _summary(model),
            "graph": _try(lambda: graph(model)),
        },
        "optimizer": _try(lambda: _serialised(getattr(model, "optimizer", None))),
        "loss": _try(lambda: _serialised(getattr(model, "loss", None))),
    }


def _try(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except Exception as error:
        return f"<{type(error).__name__}: {error}>"


def _parameters(model: Any) -> int | None:
    if not getattr(model, "built", False):
        say_once(
            f"unbuilt {type(model).__name__}",
            f"the model {type(model).__name__} is not built yet, so its summary and number of"
            " parameters are not recorded; give it an Input, or call model.build() before fit()",
        )
        return None
    try:
        return int(model.count_params())
    except ValueError:  # some of its layers are not built
        return None


def _summary(model: Any) -> str | None:
    if not getattr(model, "built", False):
        return None
    lines: list[str] = []

    def keep(line: object, *_: object, **__: object) -> None:
        lines.append(str(line))

    try:
        model.summary(print_fn=keep, line_length=100)
    except Exception as error:
        return f"<{type(error).__name__}: {error}>"
    return "\n".join(lines)


def graph(model: Any) -> dict[str, Any]:
    """The layers as nodes (name, class, output shape, parameters) and what feeds what as edges."""
    layers = list(getattr(model, "layers", ()))[:_MOST_LAYERS]
    names = {layer.name for layer in layers}
    edges = []
    for layer in layers:
        for node in getattr(layer, "_inbound_nodes", ()):
            for parent in getattr(node, "parent_nodes", ()):
                edge = [parent.operation.name, layer.name]
                if edge[0] in names and edge not in edges:
                    edges.append(edge)
    return {"nodes": [_node(layer) for layer in layers], "edges": edges}


def _node(layer: Any) -> dict[str, Any]:
    shape = _try(lambda: list(layer.output.shape))
    return {
        "name": layer.name,
        "class": type(layer).__name__,
        "shape": shape if isinstance(shape, list) else None,
        "parameters": int(layer.count_params()) if getattr(layer, "built", False) else None,
    }


def _serialised(thing: Any) -> Any:
    """An optimizer's or a loss's own configuration; names and functions as they are called."""
    if isinstance(thing, dict):
        return {str(key): _serialised(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [_serialised(value) for value in thing]
    if thing is None or isinstance(thing, str):
        return thing
    if callable(getattr(thing, "get_config", None)):
        return {"class": type(thing).__name__, **thing.get_config()}
    return getattr(thing, "__name__", type(thing).__name__)


def learning_rates(optimizer: Any) -> dict[str, float]:
    """The learning rate now, whatever it is held in; one for each where there are several."""
    several = getattr(optimizer, "optimizers", None)
    if several:
        return {f"learning_rate_{one.name}": _rate(one.learning_rate) for one in several}
    if optimizer is None or not hasattr(optimizer, "learning_rate"):
        return {}
    return {"learning_rate": _rate(optimizer.learning_rate)}


def _rate(value: Any) -> float:
    if isinstance(value, (int, float)):
        return float(value)
    return float(keras.ops.convert_to_numpy(value))
