"""Outrider's own capture of code and environment, asked through the same hook as anybody's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outrider.hooks import hookimpl


@hookimpl
def outrider_capture(context: Mapping[str, Any]) -> dict[str, Any]:
    """``{"code", "environment", "files"}``; no code at all where the run's settings forbid it."""
    from outrider.capture.code import Capture
    from outrider.capture.environment import capture_environment

    settings = context.get("settings")
    is_off = bool(settings.get("disable_code")) if isinstance(settings, dict) else False
    found: dict[str, Any] = {
        "environment": capture_environment(context, with_commits=not is_off),
    }
    if not is_off:
        capture = Capture(str(context["folder"]), context)
        found["code"] = capture.run()
        found["files"] = capture.files
    return found
