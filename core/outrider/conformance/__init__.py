"""Checks what a program wrote against docs/file-format.md, rule by rule.

``check_folder`` reads a run's folder and tells every line that a reader would not take as it was
meant, with what is wrong and how it is written right. It changes nothing and asks no server.
"""

from __future__ import annotations

from outrider.conformance.folder import Checked, check_folder
from outrider.conformance.shapes import Finding

__all__ = ["Checked", "Finding", "check_folder"]
