"""``save()`` in the training process: one record a file, and one call that holds on to it.

Nothing is read or copied here. Where the file system can share blocks (a reflink), the file as it is
at this moment lies in the run's spool when ``save()`` returns. Elsewhere a second name of the file
lies there until the streamer has copied it, so that one that is replaced or removed meanwhile, as
checkpoints are, is the one that was meant; one that is rewritten in place is noticed.
"""

from __future__ import annotations

import base64
import fcntl
import glob
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any, NamedTuple

from outrider.ids import host_label
from outrider.notice import say_once
from outrider.values import plain, text

POLICIES = ("now", "live", "end")

_FICLONE = 0x40049409  # linux/fs.h: share the blocks of one file with another, copy on write
_KINDS = (
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)

_numbers = count(1)
_no_reflinks: set[tuple[int, int]] = set()
"""Pairs of devices between which blocks cannot be shared: asked once."""


class Saving(NamedTuple):
    """What one ``save()`` was asked: ``base`` is absolute, ``m`` goes into each record."""

    folder: str
    base: str
    has_base: bool
    fallback: str
    policy: str
    m: dict[str, Any] | None
    append: Callable[[Mapping[str, Any]], bool]


def keep_files(
    folder: str,
    path_or_glob: Any,
    base: Any,
    policy: str,
    append: Callable[[Mapping[str, Any]], bool],
    *,
    metadata: Any = None,
    aliases: Any = (),
) -> list[str]:
    """Ask the streamer to keep every file that a path or glob names; returns their names there."""
    if policy not in POLICIES:
        say_once("save policy", f"save(): policy {policy!r} is not known; 'now' is used")
        policy = "now"
    pattern = os.fsdecode(path_or_glob)
    fixed = _fixed_part(pattern)
    top = os.path.abspath(os.fsdecode(base)) if base is not None else os.getcwd()
    asked = Saving(folder, top, base is not None, fixed, policy, _meta(metadata, aliases), append)
    found = [pattern] if os.path.lexists(pattern) else sorted(_matches(pattern))
    files = dict.fromkeys(os.path.abspath(one) for path in found for one in _files_below(path))
    kept = [name for path in files if (name := _keep_one(asked, path)) is not None]
    if not found:
        say_once(f"save {pattern}", f"save(): {pattern!r} matches nothing; nothing is kept of it")
    return kept


def _meta(metadata: Any, aliases: Any) -> dict[str, Any] | None:
    found = plain(dict(metadata)) if metadata else {}
    if aliases:
        several = [aliases] if isinstance(aliases, str) else aliases
        found["aliases"] = [text(alias) for alias in several]
    return found or None


def _fixed_part(pattern: str) -> str:
    """The folder that a pattern's matches lie in for certain, as an absolute path."""
    path = os.path.abspath(pattern)
    while glob.has_magic(path) and not os.path.lexists(path):
        path = os.path.dirname(path)
    return os.path.dirname(path) if path == os.path.abspath(pattern) else path


def _matches(pattern: str) -> Iterator[str]:
    """What a glob names; hidden names only where it says so, as in a shell.

    ``**`` is walked here. The standard library follows links to folders there: one that leads to a
    folder above itself would name every file forty times, and several of them would take for ever.
    """
    parts = pattern.split("/")
    if "**" not in parts:
        yield from glob.iglob(pattern)
        return
    at = parts.index("**")
    before, after = "/".join(parts[:at]), "/".join(parts[at + 1 :])
    tops = glob.iglob(before) if before else ["/" if pattern.startswith("/") else ""]
    for top in tops:
        for folder, names in _walked(top, with_hidden=False):
            if after:
                yield from _matches(os.path.join(glob.escape(folder), after))
            else:
                yield from (os.path.join(folder, name) for name in names)


def _walked(top: str, *, with_hidden: bool = True) -> Iterator[tuple[str, list[str]]]:
    """Each folder below one, itself first, with the names of its files; links to folders are left out."""
    for place, folders, names in os.walk(top or "."):
        at = place if top else place[2:]
        folders[:] = sorted(name for name in folders if with_hidden or name[0] != ".")
        for name in folders:
            path = os.path.join(at, name)
            if os.path.islink(path):
                known = f"save {os.path.abspath(path)}"
                say_once(known, f"save(): {path!r} is a link to a folder: left out")
        yield at, sorted(name for name in names if with_hidden or name[0] != ".")


def _files_below(top: str) -> Iterator[str]:
    if not os.path.isdir(top):
        yield top
        return
    for at, names in _walked(top):
        for name in names:
            yield os.path.join(at, name)


def _keep_one(asked: Saving, path: str) -> str | None:
    """Write the record for one file; its name, or None where it cannot be kept."""
    try:
        status = os.stat(path)
    except OSError as error:
        what = "it is a link that leads nowhere" if os.path.islink(path) else error.strerror
        say_once(f"save {path}", f"save(): {path!r} is not kept: {what}")
        return None
    if not stat.S_ISREG(status.st_mode):
        kind = next((word for test, word in _KINDS if test(status.st_mode)), "no file")
        say_once(f"save {path}", f"save(): {path!r} is not kept: it is {kind}")
        return None
    if not os.access(path, os.R_OK):
        say_once(f"save {path}", f"save(): {path!r} is not kept: it may not be read")
        return None
    name = _name(asked, path)
    record: dict[str, Any] = {
        "k": "save",
        "path": name,
        "source": path,
        "policy": asked.policy,
        "at": [status.st_size, status.st_mtime_ns, status.st_ino],
    }
    try:
        path.encode()
    except UnicodeEncodeError:  # a name that is not UTF-8
        record["source"] = name
        record["sourcex"] = base64.b64encode(os.fsencode(path)).decode()
    if asked.m is not None:
        record["m"] = asked.m
    if asked.policy != "end":
        record.update(_hold(asked.folder, path, status))
    return name if asked.append(record) else None


def _name(asked: Saving, path: str) -> str:
    """The path below the base, with ``/``; for one outside, below what the pattern named."""
    relative = os.path.relpath(path, asked.base)
    if relative == ".." or relative.startswith("../"):
        relative = os.path.relpath(path, asked.fallback)
        if relative == ".." or relative.startswith("../"):
            relative = os.path.basename(path)
        if asked.has_base:
            known = f"save outside {asked.fallback} {asked.base}"
            say_once(
                known, f"save(): {path!r} lies outside of base {asked.base!r}: kept as {relative!r}"
            )
    return os.fsencode(relative).decode("utf-8", "backslashreplace")


def _hold(folder: str, path: str, status: os.stat_result) -> dict[str, str]:
    """Hold on to a file in the spool, by a reflink (``spool``) or a second name (``held``)."""
    name = f"save-{host_label()}-{os.getpid()}-{next(_numbers)}-{os.urandom(4).hex()}"
    target = os.path.join(folder, "files", "spool", name)
    try:
        pair = (status.st_dev, os.stat(folder).st_dev)
        if not os.path.isdir(os.path.dirname(target)):
            os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
    except OSError:
        return {}
    if pair not in _no_reflinks:
        if _reflink(path, target):
            return {"spool": name}
        _no_reflinks.add(pair)
    if pair[0] != pair[1]:
        return {}
    try:  # link() takes a symbolic link for what it is
        os.link(os.path.realpath(path) if os.path.islink(path) else path, target)
    except OSError:  # somebody else's file, or a file system without links
        return {}
    return {"held": name}


def _reflink(path: str, target: str) -> bool:
    """Make a file of its own that shares all blocks with another, without copying a byte."""
    try:
        source = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return False
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        copy = os.open(target, flags, 0o600)
        try:
            fcntl.ioctl(copy, _FICLONE, source)
        except OSError:
            os.unlink(target)
            return False
        finally:
            os.close(copy)
    except OSError:
        return False
    finally:
        os.close(source)
    return True
