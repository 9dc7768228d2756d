"""A server, where one is needed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from outrider_server.background import Background, start_background


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    """A real server in a process of its own."""
    made = start_background(tmp_path_factory.mktemp("server") / "data")
    yield made
    made.stop()
