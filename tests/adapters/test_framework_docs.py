"""The examples of the documentation that need a framework: they run as they stand."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from outrider import api

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(
    r"<!-- needs: (?P<needs>\w+) -->\n^```python\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL
)


def blocks() -> list[object]:
    return [
        pytest.param(block["needs"], block["code"], id=f"{page.stem}-{number}")
        for page in sorted(DOCS.glob("*.md"))
        for number, block in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8")), 1)
    ]


@pytest.mark.parametrize(("needs", "code"), blocks())
def test_every_example_runs_and_records(
    needs: str, code: str, place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """In an empty folder; it makes a run that has recorded something, and nothing of it was refused."""
    if find_spec(needs) is None:
        pytest.skip(f"{needs} is not here")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    exec(compile(code, f"<{needs}>", "exec"), {"__name__": "__main__"})
    found = [run for folder in place.rglob(".outrider") for run in api.runs(folder)]
    assert found
    assert all(run.keys() or run.summary or run.media() for run in found)
    assert "cannot be kept" not in capfd.readouterr().err
