"""Outrider records machine-learning training runs without ever getting in their way.

``import outrider; outrider.init(); outrider.log({"loss": 0.3})`` is the same as the functions of
``outrider.core``; everything here is looked up there on first use, so that importing stays cheap.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # what is looked up below, for type checkers and editors
    from outrider.core import (
        alert,
        config,
        define_metric,
        fingerprint,
        finish,
        init,
        log,
        login,
        run,
        save,
        summary,
        unwatch,
        watch,
    )
    from outrider.errors import OutriderError
    from outrider.media import Audio, Histogram, Html, Image, Table, Text, Video
    from outrider.training import AlertLevel, Run

__version__ = "0.1.0"

_MEDIA = ("Audio", "Histogram", "Html", "Image", "Table", "Text", "Video")
__all__ = [
    "AlertLevel",
    "Audio",
    "Histogram",
    "Html",
    "Image",
    "OutriderError",
    "Run",
    "Table",
    "Text",
    "Video",
    "__version__",
    "alert",
    "config",
    "define_metric",
    "fingerprint",
    "finish",
    "init",
    "log",
    "login",
    "run",
    "save",
    "summary",
    "unwatch",
    "watch",
]


def __getattr__(name: str) -> object:
    if name in _MEDIA:
        from outrider import media

        return getattr(media, name)
    if name == "Run":
        from outrider.training import Run

        return Run
    if name == "OutriderError":
        from outrider.errors import OutriderError

        return OutriderError
    if name == "AlertLevel":
        from outrider.training import AlertLevel

        return AlertLevel
    if name in __all__:
        from outrider import core

        return getattr(core, name)
    raise AttributeError(
        f"outrider has no {name!r}; the public names are {', '.join(sorted(__all__))}"
    )


def __dir__() -> list[str]:
    return sorted(__all__)
