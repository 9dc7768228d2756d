"""The HTTP sink as a plugin of the same kind as anybody's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outrider.hooks import hookimpl

HTTP_SINK = "outrider.streamer.sender:Sender"
"""The one sink that the streamer runs itself: it needs the server's offsets, not a cursor here."""


@hookimpl
def outrider_sinks(settings: Mapping[str, Any]) -> list[str]:
    """The server, unless the run is recorded offline."""
    return [HTTP_SINK] if settings.get("mode") == "online" else []
