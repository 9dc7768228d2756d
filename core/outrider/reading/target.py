"""Where the files of a run are written: below a folder of the reader's, and no link leads out of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from outrider.errors import OutriderError


def make_way(top: str, target: str) -> None:
    """Make the folders between ``top`` and a target below it.

    Raises ``OutriderError`` where a symbolic link on the way leads out of ``top``: it may have come
    with a repository, or with the very commit that is restored.
    """
    folder = os.path.dirname(target) or "."
    inside = os.path.realpath(top or ".").rstrip(os.sep) + os.sep
    if not (os.path.realpath(folder) + os.sep).startswith(inside):
        raise OutriderError(
            f"{target} is not written: a link on its way leads out of {top or '.'}",
            hint="name the folder that the link points to with --to, or take the link away",
        )
    os.makedirs(folder, exist_ok=True)


@contextmanager
def replacing(target: str) -> Iterator[BinaryIO]:
    """A new file that takes the place of ``target`` at the end, whole or not at all.

    Its name cannot be foreseen and it is never a file that was there: others may write in the folder.
    """
    temporary = f"{target}.{os.urandom(6).hex()}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(temporary, flags, 0o666)
    try:
        with os.fdopen(fd, "wb") as file:
            yield file
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
