"""Fixtures of these tests; what they are made of lies beside."""

from __future__ import annotations

from handmade import made

__all__ = ["made"]
