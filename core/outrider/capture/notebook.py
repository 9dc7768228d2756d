"""Finds the file of the notebook that a run was started from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping


def find_notebook(cwd: str, environ: Mapping[str, str] | None = None) -> str | None:
    """The notebook's file, as Jupyter's server tells it to its kernels; None outside of one.

    ``cwd`` is the kernel's folder, from which a name without a folder is meant.
    """
    named = (os.environ if environ is None else environ).get("JPY_SESSION_NAME", "")
    found = re.match(r"(.*?\.ipynb)", named)
    if found is None:
        return None
    path = os.path.normpath(os.path.join(cwd or "/", found[1]))
    return path if os.path.isfile(path) else None
