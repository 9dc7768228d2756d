"""Which files stay on this machine: the patterns of the setting ``ignore_globs``."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from fnmatch import fnmatchcase


def is_ignored(path: str, globs: Iterable[str]) -> bool:
    """Whether a pattern matches the whole path, the file's name, or a folder above it.

    >>> is_ignored("code/diff.patch", ["*.patch"]), is_ignored("data/a/b.py", ["data"])
    (True, True)
    """
    path = path.replace("\\", "/").removeprefix("./")
    parts = path.split("/")
    folders = ["/".join(parts[:count]) for count in range(1, len(parts))]
    return any(
        fnmatchcase(path, glob)
        or fnmatchcase(posixpath.basename(path), glob)
        or any(fnmatchcase(folder, glob.rstrip("/")) for folder in folders)
        for glob in globs
    )
