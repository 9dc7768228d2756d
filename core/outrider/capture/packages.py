"""Lists the installed packages by their metadata folders, without reading each one's metadata."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable
from typing import Any

from outrider.capture.redact import redact

LIMIT = 5000

_FOLDER = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.]*?)-(?P<version>\d[^-]*)(?:-[^.]*)?\.(?:dist|egg)-info"
)


def installed(path: Iterable[str] | None = None, *, with_commits: bool = True) -> dict[str, Any]:
    """``{"packages": {name: version}, "direct": {name: where from}}``; the first on the path counts.

    ``direct`` holds packages that were installed from a folder or from a repository; with
    ``with_commits`` the commit stands beside it.
    """
    packages: dict[str, str] = {}
    direct: dict[str, dict[str, Any]] = {}
    for place in dict.fromkeys(sys.path if path is None else path):
        try:
            names = sorted(os.listdir(place or "."))
        except OSError:
            continue
        for name in names:
            found = _FOLDER.fullmatch(name)
            if found is None or len(packages) >= LIMIT:
                continue
            package = found["name"].replace("_", "-").lower()
            if package in packages:
                continue
            packages[package] = found["version"]
            origin = _origin(os.path.join(place, name), with_commits=with_commits)
            if origin:
                direct[package] = origin
    return {"packages": dict(sorted(packages.items())), **({"direct": direct} if direct else {})}


def _origin(folder: str, *, with_commits: bool) -> dict[str, Any]:
    """Where a package came from, if not from an index (PEP 610's direct_url.json)."""
    try:
        with open(os.path.join(folder, "direct_url.json"), encoding="utf-8") as file:
            told = json.load(file)
    except (OSError, ValueError):
        return {}
    if not isinstance(told, dict) or not isinstance(told.get("url"), str):
        return {}
    origin: dict[str, Any] = {"url": redact(told["url"]).text}
    for part in ("dir_info", "vcs_info"):
        said = told.get(part)
        if isinstance(said, dict):
            if said.get("editable"):
                origin["editable"] = True
            if with_commits and isinstance(said.get("commit_id"), str):
                origin["commit"] = said["commit_id"]
    return origin
