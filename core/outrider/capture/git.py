"""Asks git about a repository without ever writing into it, without network, and not for ever."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from outrider.errors import OutriderError

ASK_SECONDS = 60.0
"""How long one question to git may take; a repository on a slow network file system takes long."""

_NICENESS = 10
_ARGUMENT_BYTES = 96 << 10
_LOUD = (
    "GIT_TRACE",
    "GIT_DIFF_OPTS",
    "GIT_EXTERNAL_DIFF",
    "GIT_PAGER",
    "GIT_ASKPASS",
    "GIT_REDACT",
)

# No lock (so the index is never refreshed on disk), no prompt, no transport (a partial clone would
# fetch what it lacks into the repository), no translation of its words.
_QUIET = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_FLUSH": "0",
    "LC_ALL": "C",
    "LANGUAGE": "",
}
# No program that the repository's configuration names is started, and none of its tastes changes
# what a patch looks like.
_PLAIN = (
    "core.fsmonitor=false",
    "core.quotePath=true",
    "core.untrackedCache=keep",
    "diff.noprefix=false",
    "diff.mnemonicPrefix=false",
    "diff.relative=false",
    "diff.suppressBlankEmpty=false",
    "diff.interHunkContext=0",
    "core.splitIndex=false",
    "diff.wsErrorHighlight=none",
    "diff.colorMoved=no",
    "log.showSignature=false",
    "submodule.recurse=false",
)


class GitFailed(OutriderError):
    """Git said no, took too long, or is not there."""


class Git:
    """One work tree, asked from its top folder.

    ``scratch`` is a file for a copy of the index, which git may refresh as it likes: the user's own
    is never written to.
    """

    def __init__(self, top: str, scratch: str) -> None:
        self.top = top
        self._index = self._copy_index(scratch)

    def _copy_index(self, scratch: str) -> str | None:
        told = _ask(["git", "-C", self.top, "rev-parse", "--git-path", "index"], None, ASK_SECONDS)
        own = os.path.join(self.top, os.fsdecode(told.rstrip(b"\n")))
        try:
            # with its times: git looks into files that changed in the second the index was written
            shutil.copy2(own, scratch)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise GitFailed(f"git's index cannot be copied: {error.strerror}") from error
        os.chmod(scratch, 0o600)
        return scratch

    def close(self) -> None:
        """Remove the copy of the index."""
        if self._index is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._index)

    def text(self, *arguments: str, seconds: float = ASK_SECONDS) -> str:
        """What git prints, without the newline at its end. Raises ``GitFailed``."""
        return self.raw(*arguments, seconds=seconds).decode("utf-8", "surrogateescape").rstrip("\n")

    def known(self, *arguments: str) -> str | None:
        """The same, or None where git says no or nothing."""
        try:
            return self.text(*arguments) or None
        except GitFailed:
            return None

    def names(self, *arguments: str) -> list[str]:
        """Names that git prints with NUL between them."""
        return split_names(self.raw(*arguments))

    def raw(
        self,
        *arguments: str,
        given: bytes | None = None,
        seconds: float = ASK_SECONDS,
    ) -> bytes:
        """The bytes that git prints. Raises ``GitFailed``."""
        return _ask(self._command(arguments), given, seconds, index=self._index)

    def write(self, path: str, *arguments: str, seconds: float = ASK_SECONDS) -> None:
        """Append what git prints to a file, however long it is. Raises ``GitFailed``."""
        with open(path, "ab", opener=_private) as file:
            _ask(self._command(arguments), None, seconds, into=file.fileno(), index=self._index)

    def _command(self, arguments: Sequence[str]) -> list[str]:
        settings = [*_PLAIN, *self._filters]
        plain = [word for setting in settings for word in ("-c", setting)]
        return ["git", "--no-pager", "--literal-pathspecs", "-C", self.top, *plain, *arguments]

    @cached_property
    def _filters(self) -> list[str]:
        """Settings that switch off every filter: one may write into the repository, as LFS does."""
        try:
            told = _ask(
                ["git", "-C", self.top, "config", "--null", "--name-only", "--get-regexp",
                 r"^filter\..*\.(clean|smudge|process|required)$"], None, ASK_SECONDS,
            )  # fmt: skip
        except GitFailed:
            return []
        names = [name for name in split_names(told) if "=" not in name]
        return [f"{name}={'false' if name.endswith('required') else ''}" for name in names]


def find_top(folder: str) -> str | None:
    """The top of the work tree that a folder lies in; None where it lies in none.

    Raises ``GitFailed`` where git is not installed or refuses the repository.
    """
    command = ["git", "-C", folder, "rev-parse", "--is-inside-work-tree", "--show-toplevel"]
    try:
        told = os.fsdecode(_ask(command, None, ASK_SECONDS))
    except GitFailed as error:
        if "not a git repository" in error.message or "must be run in a work tree" in error.message:
            return None
        raise
    is_inside, _, top = told.partition("\n")
    return top.rstrip("\n") or None if is_inside == "true" else None


def split_names(told: bytes) -> list[str]:
    """Names with NUL between them; bytes that are no UTF-8 come as ``os.fsdecode`` gives them."""
    return [os.fsdecode(name) for name in told.split(b"\0") if name]


def in_portions(paths: Iterable[str]) -> Iterable[list[str]]:
    """Paths in lists that are short enough for a command line."""
    portion: list[str] = []
    room = _ARGUMENT_BYTES
    for path in paths:
        size = len(os.fsencode(path)) + 1
        if portion and size > room:
            yield portion
            portion, room = [], _ARGUMENT_BYTES
        portion.append(path)
        room -= size
    if portion:
        yield portion


def environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment in which git is asked."""
    kept = {
        name: value
        for name, value in (os.environ if given is None else given).items()
        if not name.startswith(_LOUD)
    }
    return {**kept, **_QUIET}


def _ask(
    command: Sequence[str],
    given: bytes | None,
    seconds: float,
    *,
    into: int | None = None,
    index: str | None = None,
) -> bytes:
    began = time.monotonic()
    surroundings = environment()
    if index is not None:
        surroundings["GIT_INDEX_FILE"] = index
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
            stdout=subprocess.PIPE if into is None else into,
            stderr=subprocess.PIPE,
            env=surroundings,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise GitFailed("git is not installed") from None
    except OSError as error:
        raise GitFailed(f"git cannot be started: {error.strerror}") from error
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
    try:
        out, err = process.communicate(given, timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        took = time.monotonic() - began
        raise GitFailed(f"git {_verb(command)} did not end within {took:.0f} seconds") from None
    if process.returncode != 0:
        said = err.decode("utf-8", "replace").strip().partition("\n")[0]
        raise GitFailed(f"git {_verb(command)}: {said or f'exit code {process.returncode}'}")
    return out or b""


def _verb(command: Sequence[str]) -> str:
    words = iter(command[1:])
    for word in words:
        if word in ("-C", "-c"):
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
