"""Turns what people log into numbers, and what they configure into plain JSON values.

Nothing is imported for a value that the script did not import itself: a tensor is recognised by
what its type can do, everything else is asked of the plugins, once per type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from outrider.journal.line import word

if TYPE_CHECKING:
    from outrider.mediatypes.base import Media

_INT64 = 1 << 63
_DEPTH = 16
_TEXT = 16_384
_VALUES = 100_000
_NEVER = (str, bytes, bytearray, list, tuple, set, frozenset, complex)

Number = int | float | str
"""A point's value as it stands in a record: a number, or the word for a non-finite one."""

_converters: dict[type, Callable[[Any], Any] | None] = {}


class NotANumber(ValueError):
    """A value cannot be kept as a point; the message says what it is instead."""


Found = list[tuple[str, "list[Media]"]]
"""Media by name, as they stood in a row: alone or in a list."""


def points(
    data: Mapping[Any, Any], media: Found | None = None
) -> tuple[dict[str, Number], list[tuple[str, str]]]:
    """Flatten ``data`` into points; returns them and what could not be kept as (key, reason).

    Media among the values are put into ``media``, where it is given.
    """
    plain_row = spelled(data)
    if plain_row is not None:
        return plain_row, []
    row = _Row({}, [], media)
    row.flatten("", data, ())
    return row.kept, row.refused


def spelled(data: Mapping[Any, Any]) -> dict[str, Number] | None:
    """A row of plain numbers with what is not finite in words; None if there is anything else in it.

    A training whose loss has become NaN goes on logging: its rows come here, at a fifth of what the
    conversion of any value costs.
    """
    row: dict[str, Number] = {}
    for key, value in data.items():
        if type(key) is not str or not key or not key.isascii():
            return None
        kind = type(value)
        if kind is float:
            row[key] = value if value - value == 0.0 else word(value)
        elif kind is int and -_INT64 <= value < _INT64:
            row[key] = value
        else:
            return None
    return row


class _Row:
    """A row on its way into points."""

    def __init__(
        self, kept: dict[str, Number], refused: list[tuple[str, str]], media: Found | None
    ) -> None:
        self.kept = kept
        self.refused = refused
        self.media = media

    def flatten(self, prefix: str, data: Mapping[Any, Any], above: tuple[int, ...]) -> None:
        """Take in a mapping that stands below those whose ids are ``above``."""
        if id(data) in above:
            self.refused.append((prefix.rstrip("."), "holds itself"))
            return
        above = (*above, id(data))
        for key, value in list(data.items()):
            name = prefix + (key if isinstance(key, str) else str(key))
            if not name:
                self.refused.append(("''", "a name must not be empty"))
            elif len(self.kept) + len(self.refused) >= _VALUES:
                self.refused.append((name, f"a row holds at most {_VALUES:,} values"))
                return
            elif isinstance(value, Mapping):
                if len(above) <= _DEPTH:
                    self.flatten(name + ".", value, above)
                else:
                    self.refused.append((name, "nested too deeply"))
            else:
                self._take(name, value, above)

    def _take(self, name: str, value: Any, above: tuple[int, ...]) -> None:
        try:
            converted = number(value) if self.media is None else _number_or_media(value)
        except Exception as error:
            self.refused.append((name, str(error) or type(error).__name__))
            return
        if isinstance(converted, Mapping):
            self.flatten(name + ".", converted, above)
            return
        name = name.encode("utf-8", "replace").decode()
        if isinstance(converted, list) and self.media is not None:
            self.media.append((name, converted))
        else:
            self.kept[name] = converted


def is_media(value: Any) -> bool:
    """Whether a value is one of ``outrider.Image`` and its kin."""
    return hasattr(type(value), "outrider_media")


def _number_or_media(value: Any) -> Any:
    """A value as ``number()`` gives it, or a list of the media that it holds."""
    if is_media(value):
        return [value]
    if isinstance(value, (list, tuple)) and value and _is_of_media(value[0]):
        found = [item if is_media(item) else number(item) for item in value]
        if not all(map(is_media, found)):
            raise NotANumber("a list that mixes media with something else")
        return found
    converted = number(value)
    return [converted] if is_media(converted) else converted


def _is_of_media(value: Any) -> bool:
    if is_media(value):
        return True
    if value is None or isinstance(value, (int, float, *_NEVER, Mapping)):
        return False
    try:
        return is_media(number(value))
    except Exception:
        return False


def number(value: Any) -> Any:
    """Return one value as a number of a record (or, from a plugin, a mapping of numbers or media).

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

        _converters[kind] = plugins.converter("convert", kind)
    convert = _converters[kind]
    if convert is None:
        raise NotANumber(reason or f"not a number but {kind.__name__}")
    converted = convert(value)
    if isinstance(converted, Mapping) or is_media(converted):
        return converted
    if isinstance(converted, (int, float)):
        return number(converted)
    raise NotANumber(f"the converter of {kind.__name__} gave {type(converted).__name__}")


def step(value: Any) -> int:
    """Return a step as a 64-bit integer; raises ``NotANumber`` where it is none."""
    try:
        got = number(value)
    except NotANumber:
        got = None
    if isinstance(got, float) and got.is_integer():
        got = int(got)
    if not isinstance(got, int) or not -_INT64 <= got < _INT64:
        raise NotANumber(f"a step must be a whole number of 64 bits, not {value!r:.60}")
    return got


def plain(value: Any) -> Any:
    """Return a configuration value as plain JSON: never raises, never shares with the original.

    Mappings, lists, sets, dataclasses, namespaces, paths, enums and arrays keep their shape;
    anything else becomes a text that a person can read. What holds itself is cut there.
    """
    return _Plain().of(value, ())


class _Plain:
    """One conversion: it makes a bounded number of values, whatever holds whatever how often."""

    def __init__(self) -> None:
        self.left = _VALUES

    def of(self, value: Any, above: tuple[int, ...]) -> Any:
        """A value that stands inside of those whose ids are ``above``."""
        try:
            return self._of(value, above)
        except Exception:
            return f"<unreadable {type(value).__name__}>"

    def _of(self, value: Any, above: tuple[int, ...]) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return value.encode("utf-8", "replace").decode()[: _TEXT * 16]
        if isinstance(value, (int, float)) and not hasattr(type(value), "__members__"):
            return number(value)
        self.left -= 1
        if self.left < 0:
            return f"<left out: more than {_VALUES:,} values>"
        if id(value) in above:
            return f"<{type(value).__name__} that holds itself>"
        if len(above) >= _DEPTH:
            return text(value)
        above = (*above, id(value))
        shaped = shape_of(value)
        if shaped is not None:
            value = shaped
        if isinstance(value, Mapping):
            return {text(key): self.of(item, above) for key, item in list(value.items())}
        if isinstance(value, (list, tuple)):
            return [self.of(item, above) for item in value]
        if isinstance(value, (set, frozenset)):
            return sorted((self.of(item, above) for item in value), key=str)
        return self._object(value, above)

    def _object(self, value: Any, above: tuple[int, ...]) -> Any:
        """What is neither a scalar nor a container: enums, small arrays, functions, plugins' types."""
        kind = type(value)
        if hasattr(kind, "__members__"):  # an enum
            return self.of(value.value, above)
        if callable(getattr(kind, "tolist", None)):
            size = 1
            for length in getattr(value, "shape", ()):
                size *= length
            if size <= 1000:
                return self.of(value.tolist(), above)
        if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
            return f"{value.__module__}.{value.__qualname__}"
        from outrider import plugins

        convert = plugins.converter("config", kind)
        if convert is not None:
            return self.of(convert(value), above)
        try:
            return self.of(number_of_type(value), above)
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
