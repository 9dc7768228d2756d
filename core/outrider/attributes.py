"""``config`` and ``summary``: mappings whose every change becomes one record."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from outrider.errors import UsageError
from outrider.notice import say_once, swallow
from outrider.values import plain, shape_of, text

Change = Callable[[dict[str, Any], list[str]], None]
"""What to do with a change: (values set, keys deleted)."""


def read_config(source: Any) -> dict[str, Any]:
    """Turn anything that ``config=`` takes into a dict of plain JSON values.

    ``source`` is a mapping, a namespace (argparse), a dataclass, anything that a plugin knows (see
    ``outrider_config``), or the path of a YAML, TOML or JSON file. Raises ``UsageError``.
    """
    if source is None:
        return {}
    if isinstance(source, Config):
        return source.as_dict()
    if isinstance(source, (str, os.PathLike)):
        return _read_file(os.fspath(source))
    shaped = shape_of(source)
    if shaped is None and isinstance(source, Mapping):
        shaped = dict(source)
    if shaped is None:
        from outrider import plugins

        convert = plugins.converter("config", type(source))
        if convert is not None:
            try:
                shaped = convert(source)
            except Exception as error:
                raise UsageError(
                    f"config cannot be this {type(source).__name__}: {type(error).__name__}: {error}"
                ) from error
    if not isinstance(shaped, Mapping):
        raise UsageError(
            f"config cannot be {type(source).__name__}",
            hint="a dict, a namespace, a dataclass, or the path of a YAML, TOML or JSON file",
        )
    return {text(key): plain(value) for key, value in shaped.items()}


def _read_file(path: str) -> dict[str, Any]:
    ending = os.path.splitext(path)[1].lower()
    try:
        with open(path, "rb") as file:
            data = file.read()
        if ending in (".yaml", ".yml"):
            import yaml

            found = yaml.safe_load(data)
        elif ending == ".toml":
            if sys.version_info >= (3, 11):
                import tomllib
            else:
                import tomli as tomllib
            found = tomllib.loads(data.decode("utf-8"))
        elif ending == ".json":
            import json

            found = json.loads(data)
        else:
            raise UsageError(
                f"config file {path!r} has no ending that is known", hint=".yaml, .toml or .json"
            )
    except UsageError:
        raise
    except OSError as error:
        raise UsageError(
            f"cannot read config file {path!r}: {error.strerror}",
            hint=f"looked for at {os.path.abspath(path)}",
        ) from error
    except Exception as error:
        raise UsageError(
            f"cannot read config file {path!r}: {error}",
            hint=f"it is read as {ending[1:].upper()} in UTF-8, as its ending says",
        ) from error
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise UsageError(
            f"config file {path!r} holds no table of names and values",
            hint="one name and value a line, such as lr: 0.1 in YAML",
        )
    return {text(key): plain(value) for key, value in found.items()}


class Config(MutableMapping[str, Any]):
    """What a run was configured with: a mapping with attribute access.

    Every change is recorded when it is made. Values are kept as plain JSON; a nested dict that is
    read from it is a copy, so assign it back to change it. Before ``init()`` changes are kept for
    the next run. Nothing here raises but ``KeyError`` and ``AttributeError`` for a missing name.
    """

    __slots__ = ("_change", "_values")

    def __init__(self, values: dict[str, Any] | None = None, change: Change | None = None) -> None:
        object.__setattr__(self, "_values", dict(values or {}))
        object.__setattr__(self, "_change", change)

    def update(self, *sources: Any, allow_val_change: bool = True, **values: Any) -> None:
        """Set many values at once from anything that ``config=`` takes, or from keywords."""
        for source in (*sources, values):
            try:
                self._set(read_config(source))
            except UsageError as error:
                say_once(f"config: {error.message}", f"config.update(): {error}")
            except Exception as error:
                swallow("config.update()", error)

    def follow(self, other: Config | None) -> None:
        """Be the same mapping as another from now on; with None, an empty one of its own."""
        object.__setattr__(self, "_values", {} if other is None else other._values)
        object.__setattr__(self, "_change", None if other is None else other._change)

    def setdefaults(self, values: Mapping[str, Any]) -> None:
        """Set the values whose names are not there yet."""
        self.update({key: value for key, value in values.items() if key not in self._values})

    def as_dict(self) -> dict[str, Any]:
        """A plain copy of everything."""
        return {key: plain(value) for key, value in self._values.items()}

    def _set(self, values: dict[str, Any]) -> None:
        if values:
            self._values.update(values)
            if self._change is not None:
                self._change(values, [])

    def __getitem__(self, key: str) -> Any:
        value = self._values[key]
        return plain(value) if isinstance(value, (dict, list)) else value

    def __setitem__(self, key: str, value: Any) -> None:
        self._set({text(key): plain(value)})

    def __delitem__(self, key: str) -> None:
        del self._values[key]
        if self._change is not None:
            self._change({}, [key])

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._values))

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"config has no {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(f"config has no {name!r}") from None

    def __repr__(self) -> str:
        return repr(self._values)


class Summary(MutableMapping[str, Any]):
    """The values a run ends with: the last of each metric by itself, or what was set here.

    Setting is one record. Reading a value that was not set here reads the run's own journal, which
    costs time in proportion to what was logged; logging stays free of it.
    """

    __slots__ = ("_change", "_read", "_set_here")

    def __init__(self, change: Change, read: Callable[[], Mapping[str, Any]]) -> None:
        self._change = change
        self._read = read
        self._set_here: dict[str, Any] = {}

    def update(self, *sources: Any, **values: Any) -> None:
        """Set many values at once."""
        for source in (*sources, values):
            try:
                found = read_config(source)
                if found:
                    self._set_here.update(found)
                    self._change(found, [])
            except UsageError as error:
                say_once(f"summary: {error.message}", f"summary.update(): {error.message}")
            except Exception as error:
                swallow("summary.update()", error)

    def as_dict(self) -> dict[str, Any]:
        """Everything, read from the journal and set here."""
        try:
            return {**self._read(), **self._set_here}
        except Exception as error:
            swallow("summary", error)
            return dict(self._set_here)

    def __getitem__(self, key: str) -> Any:
        if key in self._set_here:
            return self._set_here[key]
        return self.as_dict()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({str(key): value})

    def __delitem__(self, key: str) -> None:
        self._set_here.pop(key, None)
        self._change({}, [key])

    def __iter__(self) -> Iterator[str]:
        return iter(self.as_dict())

    def __len__(self) -> int:
        return len(self.as_dict())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"summary has no {name!r}") from None

    def __repr__(self) -> str:
        return repr(self.as_dict())
