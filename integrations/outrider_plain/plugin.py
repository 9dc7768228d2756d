"""The plain-Python adapter: types that scripts log and configure with, none of them imported here.

A type is known by its module's name, so that a script which never imported pandas, matplotlib or
pydantic does not import it through us either.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from outrider.hooks import hookimpl


@hookimpl
def outrider_adapter() -> Mapping[str, Any]:
    """Plain Python: a step is the number of the call, or what the call says."""
    return {"framework": "plain", "version": None, "step": "the call's number"}


def _package(cls: type) -> str:
    return (getattr(cls, "__module__", "") or "").partition(".")[0]


def _numeric_series(value: Any) -> dict[str, Any]:
    return {str(key): item for key, item in value.items()}


@hookimpl
def outrider_convert(cls: type) -> Callable[[Any], Any] | None:
    """Rows that name their values: a pandas Series is logged like a dict. Pictures, figures and data
    frames become media. Types are told by their names: nothing is imported that the script did not."""
    package = _package(cls)
    if package == "pandas" and cls.__name__ == "Series":
        return _numeric_series
    if package in ("pandas", "polars") and cls.__name__ == "DataFrame":
        return _table
    if any(_package(kind) == "PIL" and kind.__name__ == "Image" for kind in cls.__mro__):
        return _image
    if any(_is_figure(kind) for kind in cls.__mro__) or cls is ModuleType:
        return _figure
    return None


def _is_figure(cls: type) -> bool:
    package = _package(cls)
    if package == "matplotlib":
        return cls.__name__ in ("Figure", "Axes", "Artist", "FigureBase")
    return package == "plotly" and cls.__name__ in ("Figure", "BaseFigure", "FigureWidget")


def _image(value: Any) -> Any:
    from outrider.media import Image

    return Image(value)


def _figure(value: Any) -> Any:
    from outrider.media import Figure

    return Figure(value)


def _table(value: Any) -> Any:
    from outrider.media import Table

    return Table(dataframe=value)


def _from_omegaconf(value: Any) -> Any:
    return sys.modules["omegaconf"].OmegaConf.to_container(
        value, resolve=True, throw_on_missing=False
    )


def _from_pydantic(value: Any) -> Any:
    dump = getattr(value, "model_dump", None) or value.dict
    return dump()


def _from_attrs(value: Any) -> Any:
    return {item.name: getattr(value, item.name) for item in type(value).__attrs_attrs__}


@hookimpl
def outrider_config(cls: type) -> Callable[[Any], Any] | None:
    """Configuration objects: OmegaConf's, pydantic's and attrs' turn into dicts, absl's flags too."""
    package = _package(cls)
    if package == "omegaconf" and cls.__name__ in ("DictConfig", "ListConfig"):
        return _from_omegaconf
    if hasattr(cls, "model_fields") or hasattr(cls, "__pydantic_fields__"):
        return _from_pydantic
    if hasattr(cls, "__attrs_attrs__"):
        return _from_attrs
    if package == "absl" and cls.__name__ == "FlagValues":
        return lambda flags: flags.flag_values_dict()
    if package in ("torch", "jax", "numpy") and cls.__name__ in ("dtype", "device", "Size"):
        return str
    return None
