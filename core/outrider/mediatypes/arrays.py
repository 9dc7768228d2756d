"""Takes arrays of any library as NumPy arrays: a copy where the original can still change."""

from __future__ import annotations

import sys
from typing import Any

from outrider.mediatypes.base import MediaError


def library(value: Any) -> str:
    """The package that a value's type comes from, such as ``torch``."""
    for kind in type(value).__mro__:
        package = (getattr(kind, "__module__", "") or "").partition(".")[0]
        if package not in ("builtins", "__main__", "typing", "abc"):
            return package
    return ""


def is_array(value: Any) -> bool:
    """Whether a value looks like an array or a list of numbers."""
    return hasattr(type(value), "__array__") or isinstance(value, (list, tuple))


def viewed(value: Any) -> Any:
    """A NumPy array of a value's numbers, where possible of the very same memory.

    A tensor is taken from its graph and its device. Raises ``MediaError``.
    """
    try:
        import numpy as np
    except ImportError:
        raise MediaError("arrays need numpy, which is not installed") from None
    if "torch" in sys.modules and hasattr(value, "detach"):
        value = value.detach()
        if getattr(value, "is_sparse", False):
            value = value.to_dense()
        torch = sys.modules["torch"]
        if value.dtype is torch.bfloat16:
            value = value.float()
        value = value.cpu().resolve_conj().resolve_neg().numpy()
    try:
        array = np.asarray(value)
    except Exception as error:
        raise MediaError(f"{type(value).__name__} gives no array: {error}") from None
    if array.dtype.name == "bfloat16" or array.dtype.name.startswith("float8"):  # jax's own types
        array = array.astype(np.float32)
    if array.dtype.kind not in "biuf":
        raise MediaError(f"an array of {array.dtype} cannot be shown; numbers can")
    return array


def owned(array: Any, original: Any) -> Any:
    """The array in one piece of memory that nobody changes any more.

    Copies, unless ``original`` is of a library whose arrays never change.
    """
    import numpy as np

    if library(original) == "jax" and array.flags.c_contiguous:
        return array
    if isinstance(original, (list, tuple)) and array.flags.c_contiguous:
        return array
    return np.array(array, order="C", copy=True)
