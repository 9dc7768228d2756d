"""What the server is told of a run: its run.json, without what looks like a secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

HIDDEN = "[hidden]"
_SECRET = ("token", "secret", "password", "passwd", "api_key", "api-key", "apikey", "credential")


def description(meta: Mapping[str, Any]) -> dict[str, Any]:
    """run.json as it goes to the server; the command line's secrets are masked."""
    told = dict(meta)
    argv = told.get("argv")
    if isinstance(argv, list):
        told["argv"] = without_secrets([str(word) for word in argv])
    told.pop("origins", None)  # paths of this machine that say nothing about the run
    return told


def without_secrets(argv: Sequence[str]) -> list[str]:
    """A command line with the values of options that name a secret masked.

    >>> without_secrets(["--lr", "0.1", "--api-key", "abc", "--token=xyz"])
    ['--lr', '0.1', '--api-key', '[hidden]', '--token=[hidden]']
    """
    kept: list[str] = []
    is_value = False
    for word in argv:
        name, equals, _ = word.partition("=")
        if is_value and not word.startswith("-"):
            kept.append(HIDDEN)
            is_value = False
        elif any(secret in name.lower() for secret in _SECRET) and (equals or word[:1] == "-"):
            kept.append(f"{name}={HIDDEN}" if equals else word)
            is_value = not equals
        else:
            kept.append(word)
            is_value = False
    return kept
