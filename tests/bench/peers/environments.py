"""Makes an environment for each tracker, once, and says which could not be made, and why.

They lie in the folder that OUTRIDER_TEST_VENVS names, else in `.tox/peers-environments`; pip takes its
own settings (PIP_*, its configuration) from where it always does. Outrider is measured where the kit
itself runs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from subjects import OURS, Subject

ROOT = Path(__file__).resolve().parents[3]
PLACE = "OUTRIDER_TEST_VENVS"
TORCH = "torch==2.13.0"
PATIENCE = 900.0


@dataclass(frozen=True, slots=True)
class Environment:
    """An interpreter that has the tracker, and which release of it."""

    python: str
    version: str


class NotInstalled(Exception):
    """The tracker cannot be had here; the message is pip's."""


def place() -> Path:
    """Where the environments lie."""
    return Path(os.environ.get(PLACE) or ROOT / ".tox" / "peers-environments")


def made(subject: Subject) -> Environment:
    """The tracker's environment, made where it is not there yet. Raises ``NotInstalled``."""
    if subject.name == OURS:
        return Environment(sys.executable, _version(sys.executable, OURS))
    home = place() / subject.environment
    python, done = str(home / "bin" / "python"), home / "made"
    if not done.exists():
        print(f"{subject.environment}: being installed", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        venv.create(home, with_pip=True)
        _pip(python, "install", "--no-compile", *subject.packages, "numpy")
        done.touch()
    return Environment(python, _version(python, subject.packages[0]))


@cache
def torch() -> str | None:
    """A folder with one torch for all, put behind each environment's own packages, if it can be had."""
    home = place() / "torch"
    if not (home / "made").exists():
        print("torch: being installed", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        try:
            _pip(sys.executable, "install", "--no-compile", "--target", str(home), TORCH)
        except NotInstalled as error:
            print(f"no step of torch is measured: {error}", file=sys.stderr)
            return None
        (home / "made").touch()
    return str(home)


def _pip(python: str, *arguments: str) -> None:
    command = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise NotInstalled(" ".join(said[-1:]) or done.stderr.strip()[-200:])


def _version(python: str, package: str) -> str:
    code = f"import importlib.metadata as m, json; print(json.dumps(m.version({package!r})))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return str(json.loads(done.stdout))
