"""Outrider's own capture of code and environment, asked through the same hook as anybody's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from outrider.hooks import hookimpl


@hookimpl
def outrider_capture(context: Mapping[str, Any]) -> dict[str, Any]:
    """``{"code", "environment", "files"}``; no code at all where the run's settings forbid it: the
    record then says only that, so that an earlier attempt's code does not pass for this one's."""
    from outrider.capture.code import Capture
    from outrider.capture.environment import capture_environment
    from outrider.reading.code import OFF

    is_off = is_switched_off(context)
    found: dict[str, Any] = {
        "environment": capture_environment(context, with_commits=not is_off),
    }
    if is_off:
        found["code"] = dict(OFF)
    else:
        capture = Capture(str(context["folder"]), context)
        found["code"] = capture.run()
        found["files"] = capture.files
    return found


def is_switched_off(context: Mapping[str, Any]) -> bool:
    """Whether the run's settings, or the variable of the process that joined it here, forbid it."""
    settings = context.get("settings")
    of_run = isinstance(settings, dict) and bool(settings.get("disable_code"))
    here = os.environ.get("OUTRIDER_DISABLE_CODE", "").strip().lower()
    return of_run or here in ("1", "true", "yes", "on")
