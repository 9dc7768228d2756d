"""Makes the folder of a run: its place, its modes, its description.

Folders are 0700 and files 0600 whatever the umask; nothing is ever put into a shared temporary
folder. Where the training folder cannot be written, the user's state folder is used instead.
"""

from __future__ import annotations

import os
import time
from _thread import get_ident
from collections.abc import Mapping
from errno import ENOTDIR
from typing import Any
from zlib import crc32

from outrider.errors import JournalError
from outrider.ids import DEFAULT_PROJECT

RUNS = "runs"


def make_folder(path: str) -> None:
    """Make a folder for this user alone; one that is there already stays as it is."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return
    os.chmod(path, 0o700)  # the umask may have taken bits from us: give back exactly these


def write_file(path: str, data: bytes) -> None:
    """Write a small file for this user alone, whole or not at all (temp + rename)."""
    temporary = f"{path}.{os.getpid()}.{get_ident()}.tmp"
    fd = os.open(
        temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
    )
    try:
        os.fchmod(fd, 0o600)
        while data:
            data = data[os.write(fd, data) :]
    except BaseException:
        os.close(fd)
        os.unlink(temporary)
        raise
    os.close(fd)
    os.replace(temporary, path)


def prepare_root(root: str) -> None:
    """Make a ``.outrider`` folder that git ignores."""
    os.makedirs(os.path.dirname(root) or ".", exist_ok=True)
    make_folder(root)
    ignore = os.path.join(root, ".gitignore")
    if not os.path.exists(ignore):
        write_file(ignore, b"*\n")


def state_root() -> str:
    """The user's own folder for runs that their training folder has no room for."""
    from platformdirs import user_state_dir

    root = user_state_dir("outrider")
    if not os.path.isabs(root):
        raise JournalError("there is no home folder to fall back to", hint="set OUTRIDER_DIR")
    return root


def link_of(root: str, run_id: str, project: str | None) -> str:
    """The symlink by which the ranks of a run agree on its folder. Without a project, the one link
    of that id, if there is one only."""
    by_id = os.path.join(root, RUNS, "by-id")
    if project is None:
        own = [name for name in os.listdir(by_id) if name.rpartition(".")[0] == run_id]
        if len(own) == 1:
            return os.path.join(by_id, own[0])
        project = DEFAULT_PROJECT
    return os.path.join(by_id, f"{run_id}.{crc32(project.encode()):08x}")


def make_run_folder(
    root: str, run_id: str, project: str | None = None, *, shared_id: bool
) -> tuple[str, bool]:
    """Make, or find, a run's folder below ``root``; returns its path and whether it is new.

    With ``shared_id`` several processes may ask for the same id at the same moment: the first one's
    symlink below ``by-id`` decides, atomically, and all of them get the same folder.
    """
    prepare_root(root)
    runs = os.path.join(root, RUNS)
    make_folder(runs)
    make_folder(os.path.join(runs, "by-id"))
    link = link_of(root, run_id, project)
    name = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()) + "-" + run_id
    try:
        os.mkdir(os.path.join(runs, name), 0o700)
    except FileExistsError:  # a rank's, or the same id's in another project: take one of our own
        # Nobody else's name: a rank that finds the link taken removes the folder that it made.
        name += f"{link[-9:]}{os.urandom(4).hex()}"
        make_folder(os.path.join(runs, name))
    is_new = True
    try:
        os.symlink(os.path.join("..", name), link)
    except FileExistsError:
        if shared_id:
            known = os.path.basename(os.readlink(link))
            if known != name:
                _remove_empty(os.path.join(runs, name))
            is_new = not os.path.isfile(os.path.join(runs, known, "run.json"))
            name = known
    path = os.path.join(runs, name)
    below = os.path.join(path, "journal"), os.path.join(path, "files")
    if any(map(os.path.islink, (path, *below))):  # came with a repository, or from a stranger
        raise NotADirectoryError(ENOTDIR, "a link was planted in the place of the run's folder")
    make_folder(path)
    os.chmod(path, 0o700)  # the umask may have taken bits from mkdir's mode
    for one in below:
        make_folder(one)
    return path, is_new


def _remove_empty(path: str) -> None:
    try:
        os.rmdir(path)
    except OSError:  # another rank took it away, or uses it
        return


def unlink_run(path: str, run_id: str, project: str) -> None:
    """Take a run's link away, if it is this folder's."""
    link = link_of(os.path.dirname(os.path.dirname(path)), run_id, project)
    try:
        if os.path.basename(os.readlink(link)) == os.path.basename(path):
            os.unlink(link)
    except OSError:
        return


def remove_run_folder(path: str, run_id: str, project: str) -> None:
    """Take away a run's folder, and its link, that was made in vain."""
    import shutil

    unlink_run(path, run_id, project)
    shutil.rmtree(path, ignore_errors=True)


def write_meta(path: str, meta: Mapping[str, Any]) -> None:
    """Write run.json, whole or not at all."""
    import orjson

    write_file(
        os.path.join(path, "run.json"),
        orjson.dumps(meta, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE),
    )


def claim_meta(path: str, meta: Mapping[str, Any]) -> bool:
    """Write run.json where there is none yet; False where another process was quicker."""
    import orjson

    target = os.path.join(path, "run.json")
    temporary = f"{target}.{os.getpid()}.{get_ident()}.new"
    write_file(
        temporary, orjson.dumps(meta, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    )
    try:
        os.link(temporary, target)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links: the rename below is the best there is
        os.replace(temporary, target)
        return True
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
    return True
