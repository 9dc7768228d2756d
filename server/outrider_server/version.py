"""The version that every answer names, and the protocol it speaks."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

PROTOCOL = 1


@cache
def version() -> str:
    """The installed version of Outrider."""
    try:
        return installed_version("outrider")
    except PackageNotFoundError:
        return "0"
