"""The arrows between the parts point one way."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from house import imports, inside, modules

MODULES = modules()
ADAPTERS = ("outrider_plain", "outrider_lightning", "outrider_keras", "outrider_more")
OURS = ("outrider", "outrider_server", *ADAPTERS)

# A module below the left side imports, of ours, nothing below the right side.
FORBIDDEN = {
    "outrider.journal": (
        "outrider.core", "outrider.training", "outrider.streamer", "outrider.sampler",
        "outrider.plugins", "outrider.hooks", "outrider.api", "outrider.transport",
        "outrider.settings",
    ),
    "outrider.training": ("outrider.core", "outrider.api", "outrider.transport"),
    "outrider.sampler": ("outrider.core", "outrider.training", "outrider.transport"),
    "outrider.streamer": (
        "outrider.core", "outrider.training", "outrider.api", "outrider.reading",
        "outrider.journal.segment", "outrider.journal.files",
    ),
    "outrider.transport": ("outrider.core", "outrider.training", "outrider.streamer"),
    "outrider.api": ("outrider.core", "outrider.training", "outrider.streamer"),
    "outrider.reading": ("outrider.core", "outrider.training", "outrider.streamer"),
}  # fmt: skip

# What the server may know of the other side: how a line is read, names, errors, tokens.
SERVER_KNOWS = {
    "outrider",
    "outrider.credentials",
    "outrider.errors",
    "outrider.folder",
    "outrider.ids",
    "outrider.journal.line",
    "outrider.journal.record",
    "outrider.notice",
    "outrider.reading.alerts",
    "outrider.reading.ends",
    "outrider.reading.code",  # which record counts, the same on both sides
    "outrider.reading.fold",  # one set of rules for state and summary on both sides
    "outrider.reading.line",  # what the folding makes
    "outrider.reading.media",
    "outrider.reading.summary",
    "outrider.reading.terminal",  # one folding of what was printed on both sides
}

THIRD_PARTY_OF_CORE = {
    "orjson", "psutil", "requests", "pluggy", "watchdog", "zstandard", "platformdirs", "typer",
    "rich", "yaml", "tomli", "click", "urllib3", "numpy", "pandas", "pyarrow", "pynvml",
    "starlette", "sklearn", "uvicorn", "torch", "jax", "packaging", "PIL", "imageio_ffmpeg",
}  # fmt: skip


# On 3.10 `tomli` stands in for it.
STANDARD_LIBRARY = sys.stdlib_module_names | {"tomllib"}

# Single small rooms of a part that are open to others: a probe, and facts of a process.
OPEN = {"outrider.streamer.spawn"}


def ours(path: Path) -> set[str]:
    return {name for name in imports(path) if inside(name, *OURS)}


@pytest.mark.parametrize("part", FORBIDDEN)
def test_a_lower_part_knows_nothing_of_an_upper_one(part: str) -> None:
    """Core → training → journal; the streamer reads the journal only through its reader."""
    seen = [name for name in MODULES if inside(name, part)]
    assert seen, f"{part} is gone: take it out of this table"
    wrong = {
        f"{name} imports {target}"
        for name in seen
        for target in ours(MODULES[name])
        if inside(target, *FORBIDDEN[part]) and target not in OPEN
    }
    assert not wrong


def test_the_server_knows_only_batches() -> None:
    """The server never imports the training side, the streamer or the command line."""
    wrong = {
        f"{name} imports {target}"
        for name, path in MODULES.items()
        if inside(name, "outrider_server")
        for target in ours(path)
        if not inside(target, "outrider_server") and target not in SERVER_KNOWS
    }
    assert not wrong


def test_nothing_imports_the_command_line_or_the_server() -> None:
    """Only the command line itself starts a server; everything else does without both."""
    wrong = {
        f"{name} imports {target}"
        for name, path in MODULES.items()
        if not inside(name, "outrider.cli", "outrider_server")
        for target in ours(path)
        if inside(target, "outrider.cli", "outrider_server")
    }
    assert not wrong


def test_adapters_use_the_public_side_only() -> None:
    """An adapter of ours is written with what a third party has: no streamer, no network."""
    wrong = {
        f"{name} imports {target}"
        for name, path in MODULES.items()
        if inside(name, *ADAPTERS)
        for target in ours(path)
        if inside(target, "outrider.journal.segment", "outrider.streamer", "outrider.transport")
    }
    assert not wrong


def test_the_core_needs_no_package_beyond_its_dependencies() -> None:
    """What core/ imports is the standard library, ours, a dependency, or optional and guarded."""
    wrong = {
        f"{name} imports {target}"
        for name, path in MODULES.items()
        if inside(name, "outrider")
        for target in imports(path)
        if (top := target.split(".")[0]) not in STANDARD_LIBRARY
        and top not in OURS
        and top not in THIRD_PARTY_OF_CORE
    }
    assert not wrong
