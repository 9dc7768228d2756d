"""Which encoders this machine has beside our own."""

from __future__ import annotations

from functools import cache


@cache
def ffmpeg() -> str | None:
    """The ffmpeg program: the system's, or the one that imageio-ffmpeg brings; None without."""
    import shutil

    found = shutil.which("ffmpeg")
    if found is not None:
        return found
    from importlib import import_module

    try:
        return str(import_module("imageio_ffmpeg").get_ffmpeg_exe())
    except Exception:
        return None


@cache
def animated() -> bool:
    """Whether pillow is installed; imports nothing."""
    from importlib.util import find_spec

    try:
        return find_spec("PIL") is not None
    except (ImportError, ValueError):
        return False
