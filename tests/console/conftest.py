"""Fixtures of these tests; what they are made of lies beside."""

from __future__ import annotations

from printing import server, training

__all__ = ["server", "training"]
