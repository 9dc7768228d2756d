"""The documentation as a tested artefact: what can be set, hooked or typed is described, and runs."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from house import ROOT, modules
from outrider import hooks
from outrider.cli.plugin import COMMANDS
from outrider.settings import NAMES, Settings

DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *(path for path in ROOT.glob("*.md"))])


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_documented_with_its_variable(name: str) -> None:
    """docs/settings.md has a row for every setting: its name, its variable, its default."""
    row = re.search(
        rf"^\| `{name}` \| `OUTRIDER_{name.upper()}` \| (.*?) \|",
        text_of("settings.md"),
        re.MULTILINE,
    )
    assert row, f"{name} has no row"
    default = getattr(Settings(), name)
    if isinstance(default, bool):
        assert row[1] == f"`{str(default).lower()}`"
    elif isinstance(default, (int, float)):
        assert row[1] == f"`{default:g}`" or row[1] == f"`{default}`"
    elif isinstance(default, str):
        assert row[1] == f"`{default}`"


def test_no_variable_is_read_that_is_not_documented() -> None:
    """Every OUTRIDER_* name in shipped code stands in docs/settings.md."""
    known = text_of("settings.md")
    missing = {
        f"{module}: {name}"
        for module, path in modules().items()
        for name in re.findall(r"\bOUTRIDER_[A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8"))
        if f"`{name}" not in known
    }
    assert not missing


@pytest.mark.parametrize("name", hooks.SPECIFICATIONS)
def test_every_hook_is_documented_with_its_arguments(name: str) -> None:
    """docs/hooks.md has a heading for every hook, with exactly its arguments, and an example."""
    arguments = ", ".join(inspect.signature(getattr(hooks, f"outrider_{name}")).parameters)
    _, heading, rest = text_of("hooks.md").partition(f"### `outrider_{name}({arguments})`")
    assert heading
    assert f"def outrider_{name}(" in rest.partition("\n##")[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_with_its_options(name: str) -> None:
    """docs/cli.md has a heading for every command, and names each of its options and exit codes."""
    from outrider.cli.app import Commands

    section = re.search(
        rf"^### `outrider {name}\b.*?(?=^##|\Z)", text_of("cli.md"), re.MULTILINE | re.DOTALL
    )
    assert section, f"outrider {name} has no section"
    command = Commands()[name]
    parts = [command, *getattr(command, "commands", {}).values()]
    options = {
        option
        for part in parts
        for parameter in part.params
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("--") and option != "--help"
    }
    missing = {option for option in options if option not in section[0]}
    assert not missing


def test_every_exit_code_is_documented() -> None:
    """docs/cli.md lists what each exit code means."""
    from outrider.cli.exits import MEANINGS

    page = text_of("cli.md")
    assert all(f"| {int(code)} | {meaning} |" in page for code, meaning in MEANINGS.items())


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A link to a file of the repository, and to a heading in it, is not broken."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        file, _, heading = target.partition("#")
        path = (page.parent / file) if file else page
        assert path.exists(), f"{page.name}: {target}"
        if heading:
            heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
            assert heading in slugs, f"{page.name}: {target}"


def test_every_page_is_found_from_the_index() -> None:
    """docs/index.md names every page."""
    index = text_of("index.md")
    assert all(f"({page.name})" in index for page in DOCS.glob("*.md") if page.name != "index.md")


def test_the_readme_opens_with_the_two_commands() -> None:
    """The first screen holds the command that shows everything and the one that checks everything."""
    screen = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:15])
    assert "pip install '.[demo]' && outrider demo" in screen
    assert "pip install tox && tox" in screen


def test_the_page_has_a_test_for_each_of_its_fourteen_points() -> None:
    """docs/page.md has a row a point, and the tests that it names are there."""
    page = text_of("page.md")
    rows = re.findall(r"^\| (\d+)\. .*\| (.*) \|$", page, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 15))
    for number, shown_by in rows:
        assert "::" in shown_by, f"point {number}"
    for file, test in re.findall(r"`(test_\w+\.py)(?:::(test_\w+))?`", page):
        source = (ROOT / "tests" / "browser" / file).read_text(encoding="utf-8")
        assert not test or f"def {test}(" in source, f"{file}::{test}"


BLOCK = re.compile(
    r"(?P<mark><!-- [^\n]* -->\n)?^```python\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL
)
MARK = re.compile(
    r"<!-- (not run: \w.*|needs: (keras|lightgbm|lightning|optuna|transformers|xgboost)) -->\n"
)


def test_a_block_that_is_not_run_here_says_why() -> None:
    """Or which framework it needs: those are run by tests/adapters/test_framework_docs.py."""
    marks = [
        block["mark"]
        for page in PAGES
        for block in BLOCK.finditer(page.read_text(encoding="utf-8"))
        if block["mark"]
    ]
    assert marks
    assert not [mark for mark in marks if not MARK.fullmatch(mark)]


def blocks() -> list[object]:
    found: list[object] = []
    for page in PAGES:
        for number, block in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8")), 1):
            if not block["mark"]:
                found.append(pytest.param(block["code"], id=f"{page.stem}-{number}"))
    return found


@pytest.mark.parametrize("code", blocks())
def test_every_example_runs(code: str, tmp_path: Path) -> None:
    """A Python block of the documentation runs as it stands, warnings being errors, in an empty
    folder; nothing is said about a value that could not be kept."""
    env = {**os.environ, "OUTRIDER_MODE": "offline", "OUTRIDER_RAISE": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "cannot be kept" not in done.stderr
