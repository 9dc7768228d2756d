"""``save()``: keeps snapshots of named files in the run's folder, by reflink where it can."""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
from collections.abc import Callable, Mapping
from typing import Any

from outrider.notice import say_once

_FICLONE = 0x40049409  # linux/fs.h: share the blocks of one file with another, copy on write
POLICIES = ("now", "live", "end")


def keep_files(
    folder: str,
    path_or_glob: Any,
    base: str | None,
    policy: str,
    append: Callable[[Mapping[str, Any]], bool],
) -> list[str]:
    """Snapshot every file that the path or glob names; returns the names kept."""
    if policy not in POLICIES:
        say_once("save policy", f"save(): policy {policy!r} is not known; 'now' is used")
        policy = "now"
    pattern = os.fspath(path_or_glob)
    base = os.path.abspath(base or os.getcwd())
    found = [pattern] if os.path.exists(pattern) else sorted(glob.glob(pattern, recursive=True))
    kept: list[str] = []
    for top in found:
        for path in _files_below(top):
            name = _name_below(os.path.abspath(path), base)
            if _keep_one(folder, path, name):
                status = os.stat(path)
                append({"k": "file", "path": name, "size": status.st_size, "policy": policy})
                kept.append(name)
    if not kept:
        say_once(f"save {pattern}", f"save(): nothing to keep at {pattern!r}")
    return kept


def _files_below(top: str) -> list[str]:
    if not os.path.isdir(top):
        return [top]
    return sorted(os.path.join(at, name) for at, _, names in os.walk(top) for name in names)


def _name_below(path: str, base: str) -> str:
    relative = os.path.relpath(path, base)
    return os.path.basename(path) if relative.startswith("..") else relative


def _keep_one(folder: str, path: str, name: str) -> bool:
    if not os.path.isfile(path):
        say_once(f"save {path}", f"save(): {path!r} is not a file")
        return False
    target = os.path.join(folder, "files", name)
    temporary = f"{target}.{os.getpid()}.tmp"
    try:
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        with open(path, "rb") as source, open(temporary, "wb") as copy:
            os.fchmod(copy.fileno(), 0o600)
            try:
                fcntl.ioctl(copy.fileno(), _FICLONE, source.fileno())
            except OSError:
                shutil.copyfileobj(source, copy, 1 << 20)
        os.replace(temporary, target)
    except OSError as error:
        say_once(f"save {path}", f"save(): cannot keep {path!r}: {error.strerror}")
        if os.path.exists(temporary):
            os.unlink(temporary)
        return False
    return True
