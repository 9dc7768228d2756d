"""What the server is told of a run: its run.json, without what looks like a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outrider.capture.redact import redact, redact_arguments


def description(meta: Mapping[str, Any]) -> dict[str, Any]:
    """run.json as it goes to the server; the command line's secrets are redacted."""
    told = dict(meta)
    argv = told.get("argv")
    if isinstance(argv, list):
        told["argv"] = redact_arguments([str(word) for word in argv])
    for name in ("program", "cwd"):
        if isinstance(told.get(name), str):
            told[name] = redact(told[name]).text
    told.pop("origins", None)  # paths of this machine that say nothing about the run
    return told
