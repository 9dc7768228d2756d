"""Keras itself, or a clear word about why it cannot be used here."""

from __future__ import annotations

from typing import Any

from outrider.errors import OutriderError

OLDEST = 3


class KerasMissing(OutriderError, ImportError):
    """Keras 3 cannot be used here: it is missing, too old, or hidden by a file of its name."""


def load() -> Any:
    """Import Keras (and with it the backend that the user chose); raises ``KerasMissing``."""
    hint = 'pip install "outrider[keras]"'
    try:
        import keras
    except ModuleNotFoundError as error:
        if error.name != "keras":
            raise
        raise KerasMissing("OutriderCallback needs Keras 3, which is not here", hint=hint) from None
    version = str(getattr(keras, "__version__", ""))
    if not hasattr(getattr(keras, "callbacks", None), "Callback"):
        where = getattr(keras, "__file__", None) or "a folder"
        raise KerasMissing(
            f"the module 'keras' that Python finds is not Keras but {where}",
            hint=f"rename it; then, if Keras is missing: {hint}",
        )
    major = version.split(".", 1)[0]
    if major.isdigit() and int(major) < OLDEST:
        raise KerasMissing(f"OutriderCallback needs Keras 3, and this is {version}", hint=hint)
    return keras


keras: Any = load()
