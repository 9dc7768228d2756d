"""The user's repository while a run's code is restored in it: every check comes before any change."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence

from outrider.errors import OutriderError, UsageError

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Repository:
    """A work tree, by its top folder."""

    def __init__(self, top: str) -> None:
        self.top = top

    @classmethod
    def here(cls, folder: str) -> Repository:
        """The work tree that a folder lies in. Raises ``UsageError``."""
        try:
            top = _git(folder, ["rev-parse", "--show-toplevel"]).strip("\n")
        except OutriderError as error:
            raise UsageError(
                f"{folder} lies in no git repository that can be used ({error.message})",
                hint="run it inside a clone of the run's repository; --no-git only fetches files",
            ) from None
        return cls(top)

    def ask(self, *arguments: str, given: str | None = None, index: str | None = None) -> str:
        """What git prints. Raises ``OutriderError`` with git's own words."""
        return _git(self.top, arguments, given, index)

    def says(self, *arguments: str) -> bool:
        """Whether git ends well."""
        try:
            self.ask(*arguments)
        except OutriderError:
            return False
        return True

    def has_commit(self, commit: str) -> bool:
        """Whether a commit is in this clone."""
        return bool(_COMMIT.fullmatch(commit)) and self.says(
            "cat-file", "-e", f"{commit}^{{commit}}"
        )

    def is_unborn(self) -> bool:
        """Whether there is no commit yet."""
        return not self.says("rev-parse", "--verify", "-q", "HEAD")

    def changes(self) -> list[str]:
        """The tracked files that differ from the commit; submodules are asked themselves."""
        how = ("--porcelain", "-z", "--untracked-files=no", "--ignore-submodules=all")
        rows = self.ask("status", *how).split("\0")
        return [row[3:] for row in rows if len(row) > 3 and row[2] == " "]

    def against(self, commit: str | None, patch: str | None, index: str) -> str | None:
        """What speaks against a patch on a commit, tried on an index of its own; None: it applies."""
        if patch is None:
            return None
        try:
            if commit is not None:
                self.ask("read-tree", commit, index=index)
            else:
                self.ask("read-tree", "--empty", index=index)
            self.ask("apply", "--cached", "--whitespace=nowarn", patch, index=index)
        except OutriderError as error:
            return error.message
        return None

    def made_by(self, commit: str | None, index: str) -> list[str]:
        """The files that the patch tried on ``index`` makes anew."""
        base = commit or self.ask("hash-object", "-t", "tree", os.devnull).strip()
        how = ("--cached", "--name-only", "--no-renames", "--diff-filter=A", "-z")
        return [path for path in self.ask("diff", *how, base, index=index).split("\0") if path]

    def untracked(self, paths: Sequence[str]) -> list[str]:
        """Those of these files that are there, and not in the index."""
        there = [path for path in paths if os.path.lexists(os.path.join(self.top, path))]
        tracked = set(self.ask("ls-files", "-z").split("\0")) if there else set()
        return [os.path.join(self.top, path) for path in there if path not in tracked]

    def free_branch(self, name: str) -> str:
        """The name, or with a number behind it where there is such a branch already."""
        found, number = name, 1
        while self.says("rev-parse", "--verify", "-q", f"refs/heads/{found}"):
            number += 1
            found = f"{name}-{number}"
        return found

    def put_away(self, words: str, paths: Sequence[str] = ()) -> None:
        """Stash the tracked changes, or these untracked files."""
        if paths:
            named = [os.path.relpath(path, self.top) for path in paths]
            self.ask("stash", "push", "-q", "-u", "-m", words, "--", *named)
        else:
            self.ask("stash", "push", "-q", "-m", words)

    def check_out(self, branch: str, commit: str | None) -> None:
        """Switch to a new branch at a commit; without one, to a branch without commits."""
        if commit is None:
            self.ask("symbolic-ref", "HEAD", f"refs/heads/{branch}")
        else:
            self.ask("checkout", "-q", "--no-track", "-b", branch, commit)

    def apply(
        self, patch: str | None, made: Sequence[str] = (), staged: Sequence[str] = ()
    ) -> None:
        """Apply a patch to the work tree; new files are made known, and what was staged is again."""
        if patch is None:
            return
        self.ask("apply", "--whitespace=nowarn", patch)
        from_input = ("--pathspec-from-file=-", "--pathspec-file-nul")
        for how, paths in (("-N", sorted({*made} - {*staged})), ("-A", staged)):
            if paths:
                self.ask("add", how, *from_input, given="\0".join(paths))

    def gitlinks(self) -> set[str]:
        """The paths of the submodules."""
        rows = self.ask("ls-files", "--stage", "-z").split("\0")
        return {row.partition("\t")[2] for row in rows if row.startswith("160000 ")}


def _git(
    folder: str, arguments: Sequence[str], given: str | None = None, index: str | None = None
) -> str:
    surroundings = {
        **os.environ,
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LITERAL_PATHSPECS": "1",
    }
    if index is not None:
        surroundings["GIT_INDEX_FILE"] = index
    try:
        done = subprocess.run(
            ["git", "--no-pager", "-C", folder, *arguments],
            input=given, env=surroundings, capture_output=True, text=True, errors="surrogateescape",
            check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise UsageError("git is not installed", hint="--no-git only fetches files") from None
    if done.returncode != 0:
        said = done.stderr.encode("utf-8", "replace").decode().strip()
        raise OutriderError(f"git {arguments[0]}: {said or f'exit code {done.returncode}'}")
    return done.stdout
