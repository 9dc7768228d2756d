"""Runs npm in ``web/`` with the Node that builds the page: ``python tests/house/npm.py ci``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from hatch_build import find_node  # noqa: E402 - the hook lies beside pyproject.toml

if __name__ == "__main__":
    node, npm = find_node()
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])
    command = [str(node), str(npm), *sys.argv[1:]]
    done = subprocess.run(command, cwd=ROOT / "web", env={**os.environ, "PATH": path}, check=False)
    sys.exit(done.returncode)
