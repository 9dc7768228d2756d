"""A real server process, and a client of it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from server_fixtures import client, shared, start

__all__ = ["client", "shared", "start"]
