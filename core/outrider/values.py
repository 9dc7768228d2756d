"""Turns what people log into numbers, and what they configure into plain JSON values.

Nothing is imported for a value that the script did not import itself: a tensor is recognised by
what its type can do, everything else is asked of the plugins, once per type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from outrider.journal.record import word

_INT64 = 1 << 63
_DEPTH = 16
_TEXT = 16_384
_NEVER = (str, bytes, bytearray, list, tuple, set, frozenset, complex)

Number = int | float | str
"""A point's value as it stands in a record: a number, or the word for a non-finite one."""

_converters: dict[type, Callable[[Any], Any] | None] = {}


class NotANumber(ValueError):
    """A value cannot be kept as a point; the message says what it is instead."""


def points(data: Mapping[Any, Any]) -> tuple[dict[str, Number], list[tuple[str, str]]]:
    """Flatten ``data`` into points; returns them and what could not be kept as (key, reason)."""
    kept: dict[str, Number] = {}
    refused: list[tuple[str, str]] = []
    _flatten("", data, kept, refused, 0)
    return kept, refused


def _flatten(
    prefix: str,
    data: Mapping[Any, Any],
    kept: dict[str, Number],
    refused: list[tuple[str, str]],
    depth: int,
) -> None:
    for key, value in list(data.items()):
        name = prefix + (key if isinstance(key, str) else str(key))
        if not name:
            refused.append(("''", "a name must not be empty"))
        elif isinstance(value, Mapping):
            if depth < _DEPTH:
                _flatten(name + ".", value, kept, refused, depth + 1)
            else:
                refused.append((name, "nested too deeply"))
        else:
            try:
                converted = number(value)
            except Exception as error:
                refused.append((name, str(error) or type(error).__name__))
            else:
                if isinstance(converted, Mapping):
                    _flatten(name + ".", converted, kept, refused, depth + 1)
                else:
                    kept[name.encode("utf-8", "replace").decode()] = converted


def number(value: Any) -> Any:
    """Return one value as a number of a record (or, from a plugin, a mapping of numbers).

    Raises ``NotANumber`` where it is none.
    """
    if isinstance(value, float):
        value = float(value)
        return value if isfinite(value) else word(value)
    if isinstance(value, int):
        value = int(value)
        return value if -_INT64 <= value < _INT64 else float(value)
    return number_of_type(value)


def number_of_type(value: Any) -> Any:
    """The number in a value that is neither float nor int: scalar arrays, decimals, plugins' types."""
    kind = type(value)
    if value is None or isinstance(value, _NEVER):
        raise NotANumber("None" if value is None else f"not a number but {kind.__name__}")
    if callable(getattr(kind, "item", None)):
        shape = tuple(getattr(value, "shape", ()))
        if all(length == 1 for length in shape):
            return number(_python_scalar(value.item(), kind))
        return _by_plugin(kind, value, f"not a scalar: shape {shape}")
    if hasattr(kind, "__index__") and not hasattr(kind, "__float__"):
        return number(int(value))
    if hasattr(kind, "__float__") and not hasattr(kind, "__array__"):
        return number(float(value))
    if hasattr(kind, "__array__") and hasattr(kind, "numpy"):  # a TensorFlow tensor
        return number(_python_scalar(value.numpy().item(), kind))
    return _by_plugin(kind, value)


def _python_scalar(value: Any, kind: type) -> int | float:
    if isinstance(value, (int, float)):
        return value
    raise NotANumber(f"not a real number: {kind.__name__} of {type(value).__name__}")


def _by_plugin(kind: type, value: Any, reason: str = "") -> Any:
    if kind not in _converters:
        from outrider import plugins

        _converters[kind] = plugins.first("convert", cls=kind)
    convert = _converters[kind]
    if convert is None:
        raise NotANumber(reason or f"not a number but {kind.__name__}")
    converted = convert(value)
    if isinstance(converted, Mapping):
        return converted
    if isinstance(converted, (int, float)):
        return number(converted)
    raise NotANumber(f"the converter of {kind.__name__} gave {type(converted).__name__}")


def step(value: Any) -> int:
    """Return a step as a 64-bit integer; raises ``NotANumber`` where it is none."""
    got = number(value)
    if isinstance(got, float) and got.is_integer():
        got = int(got)
    if not isinstance(got, int) or not -_INT64 <= got < _INT64:
        raise NotANumber(f"a step must be a whole number of 64 bits, not {value!r:.60}")
    return got


def plain(value: Any, depth: int = 0) -> Any:
    """Return a configuration value as plain JSON: never raises, never shares with the original.

    Mappings, lists, sets, dataclasses, namespaces, paths, enums and arrays keep their shape;
    anything else becomes a text that a person can read.
    """
    try:
        return _plain(value, depth)
    except Exception:
        return f"<unreadable {type(value).__name__}>"


def _plain(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()[: _TEXT * 16]
    if isinstance(value, (int, float)) and not hasattr(type(value), "__members__"):
        return number(value)
    if depth >= _DEPTH:
        return text(value)
    shaped = shape_of(value)
    if shaped is not None:
        value = shaped
    if isinstance(value, Mapping):
        return {text(key): plain(item, depth + 1) for key, item in list(value.items())}
    if isinstance(value, (list, tuple)):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item, depth + 1) for item in value), key=str)
    return _plain_object(value, depth)


def _plain_object(value: Any, depth: int) -> Any:
    """What is neither a scalar nor a container: enums, small arrays, functions, plugins' types."""
    kind = type(value)
    if hasattr(kind, "__members__"):  # an enum
        return plain(value.value, depth + 1)
    if callable(getattr(kind, "tolist", None)):
        size = 1
        for length in getattr(value, "shape", ()):
            size *= length
        if size <= 1000:
            return plain(value.tolist(), depth + 1)
    if isinstance(value, type) or callable(value):
        return f"{value.__module__}.{value.__qualname__}"
    from outrider import plugins

    convert = plugins.first("config", cls=kind)
    if convert is not None:
        return plain(convert(value), depth + 1)
    try:
        return plain(number_of_type(value))
    except Exception:
        return text(value)


def shape_of(value: Any) -> dict[str, Any] | None:
    """The fields of a dataclass or a namespace, or None for anything else."""
    kind = type(value)
    if hasattr(kind, "__dataclass_fields__"):
        return {name: getattr(value, name, None) for name in kind.__dataclass_fields__}
    if kind.__name__ in ("Namespace", "SimpleNamespace"):
        return dict(vars(value))
    return None


def text(value: Any) -> str:
    """A text for any object, bounded, whatever its own ``str`` does."""
    try:
        return str(value).encode("utf-8", "replace").decode()[:_TEXT]
    except Exception:
        return f"<unprintable {type(value).__name__}>"
