"""The public names, pinned: a name that comes or goes is a decision, not an accident."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import outrider
from outrider import core

NAMES = {
    "AlertLevel", "Audio", "Histogram", "Html", "Image", "OutriderError", "Run", "Table", "Text",
    "Video", "__version__", "alert", "config", "define_metric", "fingerprint", "finish", "init", "log",
    "login", "run", "save", "summary", "unwatch", "watch",
}  # fmt: skip


def test_outrider_has_these_names() -> None:
    """`import outrider` offers exactly these."""
    assert set(outrider.__all__) == NAMES
    assert set(dir(outrider)) == NAMES


def test_outrider_and_core_are_the_same_functions() -> None:
    """`outrider.log` is `outrider.core.log`, and so are the others."""
    for name in ("alert", "define_metric", "finish", "init", "log", "save"):
        assert getattr(outrider, name) is getattr(core, name)


def test_core_has_what_outrider_has() -> None:
    """Whoever imports `core` alone has pictures and tables, too."""
    assert core.Image is outrider.Image
    assert core.AlertLevel is outrider.AlertLevel
    with pytest.raises(AttributeError, match="the public names are AlertLevel, Audio"):
        core.lgo  # noqa: B018 - what a typing mistake says


def test_a_type_checker_sees_every_public_name() -> None:
    """What is looked up at run time is imported for type checkers, and `__all__` is a plain list to them."""
    tree = ast.parse(Path(str(outrider.__file__)).read_text(encoding="utf-8"))
    seen = {
        alias.name
        for block in tree.body
        if isinstance(block, ast.If)
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    assert seen | {"__version__"} == NAMES
    exported = next(
        statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and statement.targets[0].id == "__all__"
    )
    assert set(ast.literal_eval(exported)) == NAMES


def test_init_takes_these_arguments() -> None:
    """What a script may pass by name stays; a project is the only argument by position."""
    parameters = inspect.signature(core.init).parameters
    wanted = {
        "project", "name", "config", "id", "resume", "group", "job_type", "tags", "notes", "dir",
        "mode", "rewind_to", "reinit", "settings",
    }  # fmt: skip
    assert wanted <= set(parameters)
    assert next(iter(parameters)) == "project"
    assert [p.name for p in parameters.values() if p.kind is p.VAR_KEYWORD], "wandb's own keywords"


def test_log_takes_a_row_a_step_and_a_commit() -> None:
    """`log(data, step=None, commit=True)`, in this order."""
    assert list(inspect.signature(core.log).parameters)[:3] == ["data", "step", "commit"]


def test_every_error_is_an_outrider_error_with_a_hint() -> None:
    """One `except outrider.OutriderError` catches all that we raise on purpose."""
    from outrider import errors

    found = [kind for kind in vars(errors).values() if inspect.isclass(kind)]
    assert all(issubclass(kind, errors.OutriderError) for kind in found)
    assert str(errors.NotFound("no run", hint="outrider runs")) == "no run\n  hint: outrider runs"
