"""Fixtures of these tests; what they are made of lies beside."""

from __future__ import annotations

from cli_shell import recorded, shell

__all__ = ["recorded", "shell"]
