"""Names and identities: made here, checked here, and nowhere else."""

from __future__ import annotations

import os

from outrider.errors import UsageError

DEFAULT_PROJECT = "uncategorized"

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_ID_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
_WRITER_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
_HOST_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")

_ADJECTIVES = (
    "amber bold brisk calm clear crisp deft eager early fair fleet fresh gentle golden keen lively "
    "lucid mellow mild nimble noble patient proud quick quiet rapid ready silver sleek smooth "
    "solid spry steady still stout sunny swift tidy true vivid warm wise"
).split()
_NOUNS = (
    "aspen badger bison brook canyon cedar condor coyote crane creek dingo eagle falcon finch fox "
    "glacier harbor hare heron ibex jay kestrel lark ledger lynx marten mesa moose osprey otter "
    "owl pine plover prairie puma raven ridge robin sable saddle sparrow summit swallow trail "
    "valley vole wolf wren"
).split()


def _letters(count: int) -> str:
    return "".join(_ALPHABET[byte & 31] for byte in os.urandom(count))


def new_run_id() -> str:
    """A run id of 10 characters (50 random bits), fit for a file name and a URL."""
    return _letters(10)


def new_writer_id() -> str:
    """A writer id of 12 characters (60 random bits)."""
    return _letters(12)


def new_run_name() -> str:
    """Two words and a number that a person can say, such as ``brisk-otter-41``."""
    one, two, three = os.urandom(3)
    return f"{_ADJECTIVES[one % len(_ADJECTIVES)]}-{_NOUNS[two % len(_NOUNS)]}-{three % 90 + 10}"


def check_run_id(value: object) -> str:
    """Return a usable run id, or say what is wrong with it."""
    if (
        not isinstance(value, str)
        or not 1 <= len(value) <= 64
        or not _ID_LETTERS.issuperset(value)
        or value[0] == "."
    ):
        raise UsageError(
            f"{value!r} cannot be a run id",
            hint="1 to 64 letters, digits, '_', '-' or '.', not beginning with '.'",
        )
    return value


def check_project(value: object) -> str:
    """Return a usable project name, or say what is wrong with it."""
    if (
        not isinstance(value, str)
        or not 1 <= len(value) <= 128
        or value in (".", "..")
        or value != value.strip()
        or not value.isprintable()
        or "/" in value
        or "\\" in value
    ):
        raise UsageError(
            f"{value!r} cannot be a project name",
            hint="1 to 128 printable characters without '/' or '\\' and without spaces at the ends",
        )
    return value


def is_run_id(value: str) -> bool:
    """Whether ``value`` may stand as a run id."""
    return 1 <= len(value) <= 64 and _ID_LETTERS.issuperset(value) and value[0] != "."


def is_writer_id(value: str) -> bool:
    """Whether ``value`` may stand as a writer id."""
    return 1 <= len(value) <= 64 and _WRITER_LETTERS.issuperset(value)


def host_label(host: str | None = None) -> str:
    """This machine's name, reduced to what a file name bears."""
    name = os.uname().nodename if host is None else host
    label = "".join(letter if letter in _HOST_LETTERS else "-" for letter in name)[:64]
    return label or "host"
