"""Fixtures of these tests; what they are made of lies beside."""

from __future__ import annotations

from programs import program, serving, workplace

__all__ = ["program", "serving", "workplace"]
