"""The figures as they were measured, in one JSON file to which each run of the kit adds.

A *piece* is one measure of one tracker, with the rounds of Outrider that were measured in turn with it; a
newer piece takes the place of the older one. A *growth* is the rows of one measurement of ours, *budgets*
are our figures that have one.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

Piece = dict[str, Any]


class Figures:
    """What docs/benchmarks.json holds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_quick = False
        found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self.pieces: list[Piece] = found.get("pieces", [])
        self.growth: list[Piece] = found.get("growth", [])
        self.budgets: list[Piece] = found.get("budgets", [])

    def add(self, measure: str, subject: str, **more: Any) -> None:
        """Keep a piece, in the place of an older one; what has become possible is no longer left out."""
        gone = {(measure, subject), ("install", subject)}
        self.pieces = [p for p in self.pieces if (p["measure"], p["subject"]) not in gone]
        form = {"form": "quick"} if self.is_quick else {}
        piece = {"measure": measure, "subject": subject, **stamp(), **form, **_rounded(more)}
        self.pieces.append(piece)
        self._write()

    def grew(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        """Keep the rows of a growth, in the place of older ones."""
        self.growth = [one for one in self.growth if one["name"] != name]
        self.growth.append({"name": name, **stamp(), "rows": _rounded(list(rows))})
        self._write()

    def kept_to(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        """Keep a group of figures that have a budget, in the place of older ones."""
        self.budgets = [one for one in self.budgets if one["name"] != name]
        self.budgets.append({"name": name, **stamp(), "rows": _rounded(list(rows))})
        self._write()

    def _write(self) -> None:
        self.pieces.sort(key=lambda p: (p["measure"], p["subject"]))
        self.growth.sort(key=lambda p: p["name"])
        pieces = _lines(self.pieces)
        growth = _lines(self.growth)
        budgets = _lines(sorted(self.budgets, key=lambda p: p["name"]))
        text = f'{{"format": 1,\n"pieces": [\n{pieces}\n],\n"growth": [\n{growth}\n]'
        text += f',\n"budgets": [\n{budgets}\n]}}\n'
        self.path.parent.mkdir(parents=True, exist_ok=True)
        before = self.path.with_suffix(".part")
        before.write_text(text, encoding="utf-8")
        before.replace(self.path)


def _lines(pieces: list[Piece]) -> str:
    return ",\n".join(json.dumps(one, sort_keys=True, ensure_ascii=False) for one in pieces)


def stamp() -> dict[str, Any]:
    """When and on what."""
    return {
        "when": datetime.now(timezone.utc).date().isoformat(),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
            "system": f"{platform.system()} {platform.release().split('-')[0]}",
            "python": platform.python_version(),
        },
        "load": round(os.getloadavg()[0], 1),
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def _rounded(value: Any) -> Any:
    """Four significant digits: more is noise, and would make each comparison of two files long."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return value
