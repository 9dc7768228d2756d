"""Where the house's parts lie, and what their modules import: shared by the tests beside it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = (ROOT / "core", ROOT / "integrations", ROOT / "server")


def modules() -> dict[str, Path]:
    """Every shipped module by its dotted name."""
    found = {}
    for base in SHIPPED:
        for path in sorted(base.rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            if "node_modules" in parts:
                continue
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = path
    return found


@cache
def imports(path: Path) -> frozenset[str]:
    """The dotted names that a module imports anywhere in it, functions included.

    ``from a import b`` gives ``a.b`` where that is a module of ours and ``a`` otherwise.
    What stands under ``if TYPE_CHECKING:`` is never imported and does not count.
    """
    known = _known()
    found: set[str] = set()
    for node in _walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where an arrow points"
            base = node.module or ""
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                found.add(whole if whole in known else base)
    return frozenset(found)


@cache
def _known() -> frozenset[str]:
    return frozenset(modules())


def _walk(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                yield from _walk(other)
            continue
        yield node
        yield from _walk(node)


def inside(name: str, *parents: str) -> bool:
    """Whether a module is one of these or lies below one of them."""
    return any(name == parent or name.startswith(parent + ".") for parent in parents)


def tracked() -> list[Path]:
    """The repository's text files: what git tracks, or all sources where there is no git."""
    import subprocess

    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
        ).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        return [path for path in ROOT.rglob("*") if path.is_file()]
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
