"""The attacks' real server, shared with the tests of the server itself."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "server"))

from server_fixtures import client, shared, start

__all__ = ["client", "shared", "start"]
