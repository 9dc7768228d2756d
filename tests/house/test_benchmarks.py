"""docs/benchmarks.md is made of docs/benchmarks.json, by the kit and by nobody's hand."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from house import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DOCS = ROOT / "docs"
PAGE = ("benchmarks.md", "benchmarks-peers.svg", "benchmarks-growth.svg")
KIT = str(ROOT / "tests" / "bench" / "peers")


def rendered(into: Path) -> None:
    """Run the kit's renderer on the figures and the page that lie in a folder."""
    command = [sys.executable, KIT, "--render", "--into", str(into)]
    subprocess.run(command, check=True, capture_output=True)


def test_the_page_and_its_charts_follow_from_the_figures(tmp_path: Path) -> None:
    """Rendering the committed figures once more gives the committed files, to the byte."""
    for name in ("benchmarks.md", "benchmarks.json"):
        shutil.copy(DOCS / name, tmp_path)
    rendered(tmp_path)
    for name in PAGE:
        assert (tmp_path / name).read_bytes() == (DOCS / name).read_bytes(), name


def test_a_figure_that_is_changed_changes_the_page(tmp_path: Path) -> None:
    """No number of the tables is written by hand: with other figures there are others."""
    found = json.loads((DOCS / "benchmarks.json").read_text(encoding="utf-8"))
    piece = next(one for one in found["pieces"] if one["measure"] == "trainer")
    for one in piece["rounds"]:
        one["import_ms"] = 123_456.0
    (tmp_path / "benchmarks.json").write_text(json.dumps(found), encoding="utf-8")
    shutil.copy(DOCS / "benchmarks.md", tmp_path)
    rendered(tmp_path)
    assert "123 s" in (tmp_path / "benchmarks.md").read_text(encoding="utf-8")


def test_a_figure_beyond_its_budget_says_so(tmp_path: Path) -> None:
    """What is over what we allow ourselves stands there as over, and nothing else does."""
    found = json.loads((DOCS / "benchmarks.json").read_text(encoding="utf-8"))
    rows = [row for one in found["budgets"] for row in one["rows"]]
    for row in rows:
        row["value"] = 2 * row["budget"] if row["at_least"] else row["budget"] / 2
    rows[0]["value"] = 0 if rows[0]["at_least"] else 2 * rows[0]["budget"]
    (tmp_path / "benchmarks.json").write_text(json.dumps(found), encoding="utf-8")
    shutil.copy(DOCS / "benchmarks.md", tmp_path)
    rendered(tmp_path)
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    (line,) = [line for line in page.splitlines() if "**over**" in line]
    assert rows[0]["what"] in line


def test_the_charts_are_drawings_and_nothing_else() -> None:
    """No style, script, link or foreign content: they show under any policy, in light and in dark."""
    for name in PAGE[1:]:
        text = (DOCS / name).read_text(encoding="utf-8")
        for mark in ("<style", "<script", "href", "<foreignObject", "style=", "url("):
            assert mark not in text, (name, mark)


def test_the_kit_works_on_ourselves(tmp_path: Path) -> None:
    """A short form of one measure is run for real: scripts that log are killed, and every record is found."""
    command = [sys.executable, KIT, "--quick", "--only", "outrider", "--measures", "kill"]
    subprocess.run([*command, "--into", str(tmp_path)], check=True, capture_output=True)
    found = json.loads((tmp_path / "benchmarks.json").read_text(encoding="utf-8"))
    (piece,) = found["pieces"]
    (one,) = piece["rounds"]
    assert one["full_found"] == one["full_returned"] > 0
    assert one["paced_found"] == one["paced_returned"] > 0
    assert not one["full_doubled"]
    assert not one["paced_doubled"]
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert f"0 of {one['full_returned']:,}" in page
