"""What each hook may answer. An answer of another shape is the failure of the plugin that gave it,
and not of whoever works with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def complaint(hook: str, answer: Any) -> str | None:
    """What is wrong with a plugin's answer, or None. No answer (None) is never wrong."""
    wanted = _WANTED.get(hook)
    if answer is None or wanted is None or wanted[1](answer):
        return None
    return f"answered {answer!r:.80}, which is not {wanted[0]}"


def _is_list(answer: Any) -> bool:
    return isinstance(answer, Sequence) and not isinstance(answer, (str, bytes))


def _are_places(answer: Any) -> bool:
    return _is_list(answer) and all(isinstance(one, str) and ":" in one for one in answer)


def _are_commands(answer: Any) -> bool:
    return _is_list(answer) and all(
        hasattr(one, "registered_commands")  # a Typer application
        or (_is_list(one) and len(one) == 2 and isinstance(one[0], str))
        for one in answer
    )


def _is_mapping(answer: Any) -> bool:
    return isinstance(answer, Mapping)


_WANTED: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "adapter": ("a mapping", _is_mapping),
    "convert": ("a function", callable),
    "config": ("a function", callable),
    "probes": ('a list of "module:factory"', _are_places),
    "capture": ("a mapping", _is_mapping),
    "sinks": ('a list of "module:factory"', _are_places),
    "commands": ('a list of (name, "module:function")', _are_commands),
}
