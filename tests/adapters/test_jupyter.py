"""A real notebook in a real kernel: its console, its file, and how a run shows itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from outrider import api
from outrider.journal.reader import find_folders
from waiting import eventually

CELLS = [
    "from outrider import core\nrun = core.init('notes', id='cells', mode='offline')",
    (
        "print('from a cell')\nimport sys; print('to stderr', file=sys.stderr)\nfrom tqdm import tqdm\n"
        "for step in tqdm(range(3)): core.log({'loss': 1 / (1 + step)})"
    ),
    "run",
    "!echo from a shell",
    "1 / 0",
    "print('goes on')\ncore.finish()",
]


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The folder in which a notebook ran, as Jupyter's server starts its kernels, and the notebook."""
    folder = tmp_path_factory.mktemp("notebook")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in CELLS])
    nbformat.write(notebook, folder / "first look.ipynb")
    client = NotebookClient(
        notebook, timeout=150, allow_errors=True, kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )  # fmt: skip
    client.execute(env={**os.environ, "JPY_SESSION_NAME": str(folder / "first look.ipynb")})
    return folder, notebook


def outputs(notebook: Any, cell: int, kind: str) -> str:
    """What a cell shows, of one kind: ``stdout``, ``stderr`` or a type of media."""
    found = ""
    for output in notebook.cells[cell].outputs:
        if output.output_type == "stream" and output.name == kind:
            found += output.text
        found += "".join(output.get("data", {}).get(kind, ""))
    return found


def test_what_a_cell_prints_is_recorded_and_shown(executed: tuple[Path, Any]) -> None:
    """The cell shows it as ever; bars are folded; a cell that fails ends no run."""
    folder, notebook = executed
    assert outputs(notebook, 1, "stdout") == "from a cell\n"
    assert "to stderr\n" in outputs(notebook, 1, "stderr")
    assert "3/3" in outputs(notebook, 1, "stderr")
    assert notebook.cells[4].outputs[0].ename == "ZeroDivisionError"
    (found,) = find_folders(folder)
    texts = [line.text for line in api.open(found.path).console()]
    assert [texts.count(one) for one in ("from a cell", "to stderr", "goes on")] == [1, 1, 1]
    assert texts.count("ZeroDivisionError: division by zero") == 1
    assert sum("3/3" in text for text in texts) == 1
    read = api.open(found.path)
    assert read.state == "finished"
    assert len(read.points("loss").values) == 3


def test_a_run_shows_itself_in_a_cell(executed: tuple[Path, Any]) -> None:
    """HTML without scripts, the run's name in it."""
    _, notebook = executed
    shown = outputs(notebook, 2, "text/html")
    assert "cells" in shown
    assert "<script" not in shown


def test_the_notebook_is_captured(executed: tuple[Path, Any]) -> None:
    """The file that Jupyter names to its kernel, whole."""
    folder, _ = executed
    (found,) = find_folders(folder)
    code = eventually(lambda: api.open(found.path).code)
    assert code["notebook"] == "first look.ipynb"
    patch = Path(found.path, "code", "notebook.patch").read_text()
    assert "from a cell" in patch
