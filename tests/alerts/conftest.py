"""A real store with a clock that is set by hand, a real server, and somebody who takes posts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from outrider_server.background import Background, start_background

sys.path.insert(0, str(Path(__file__).parent))

from alert_parts import Hook, Watched


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """A store in a folder, whose time stands still until it is moved."""
    one = Watched(tmp_path / "data")
    yield one
    one.store.close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    """An address that alerts are posted to."""
    found = Hook()
    yield found
    found.stop()


@pytest.fixture
def server(tmp_path: Path, hook: Hook) -> Iterator[Background]:
    """A server that looks at its rules all the time and posts to the hook."""
    arguments = ["--webhook", hook.url]
    arguments += ["--limit", "rules_seconds=0.1", "--limit", "webhook_seconds=0.1"]
    one = start_background(tmp_path / "data", arguments=arguments)
    yield one
    one.stop()
