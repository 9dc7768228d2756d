"""Captures the code that a run was started from: commit, changes, untracked sources, submodules."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from outrider.capture import changes
from outrider.capture.changes import LeftOut
from outrider.capture.git import Git, GitFailed, find_top
from outrider.capture.ignoring import is_ignored
from outrider.capture.notebook import find_notebook
from outrider.capture.patch import Copied, copy_patch
from outrider.capture.redact import redact
from outrider.folder import make_folder
from outrider.ids import host_label

FOLDER = "code"
"""Where the whole patches lie in the run's folder; nothing of it is ever uploaded."""

DIFF, UNTRACKED, UPSTREAM = "diff.patch", "untracked.patch", "upstream.patch"
SUBMODULES = 50

_TYPE = "text/x-diff"


@dataclass(slots=True)
class Leaving:
    """A file that is handed on to be kept with the run, and uploaded unless it is to stay here.

    ``said`` is what the record says of it, to which the content's hash and size are added."""

    local: str
    path: str
    type: str | None
    meta: dict[str, Any]
    upload: bool
    said: dict[str, Any]


@dataclass(slots=True)
class Capture:
    """One capture in the making. ``folder`` is the run's, ``meta`` what run.json says."""

    folder: str
    meta: Mapping[str, Any]
    left_out: LeftOut = field(default_factory=LeftOut)
    files: list[Leaving] = field(default_factory=list)

    @property
    def globs(self) -> list[str]:
        """The patterns of files that stay here."""
        settings = self.meta.get("settings")
        found = settings.get("ignore_globs") if isinstance(settings, dict) else None
        return [str(glob) for glob in found or ()]

    @property
    def place(self) -> str:
        """The folder of the whole patches, made where it is not there. A resumed run has another
        patch, and another host too."""
        path = os.path.join(self.folder, FOLDER)
        make_folder(path)
        attempt = int(self.meta.get("attempt") or 1)
        is_first = attempt == 1 and self.meta.get("host") == os.uname().nodename
        if not is_first:
            path = os.path.join(path, f"{attempt}-{host_label()}")
            make_folder(path)
        return path

    def run(self) -> dict[str, Any]:
        """What the ``code`` record says."""
        program = self._program()
        found: dict[str, Any] = {"commit": None}
        top = self._top(program)
        if top is not None:
            git = Git(top, os.path.join(self.place, "index.tmp"))
            try:
                found |= self._repository(git)
                self._submodules(git, found)
            finally:
                git.close()
            if program is not None:
                found["program"] = self._below(top, program)
            found["folder"] = self._below(top, str(self.meta.get("cwd") or ""))
        is_dirty = found.get("dirty") or found.get("untracked")
        found["dirty"] = bool(
            is_dirty or any(one.get("dirty") for one in found.get("submodules", ()))
        )
        covered = self._covered(top, found, program)
        apart = []
        if program is not None and not covered:
            apart.append(self._keep_source(program, "program"))
        notebook = find_notebook(str(self.meta.get("cwd") or ""))
        if notebook is not None:
            apart.append(self._keep_source(notebook, "notebook"))
            found["notebook"] = redact(os.path.basename(notebook)).text
        found["apart"] = [one for one in apart if one is not None]
        found["left_out"] = self.left_out.told()
        found["whole"] = not self.left_out.has("changed", "changes", "submodule")
        return found

    # --- where ------------------------------------------------------------------------------

    def _program(self) -> str | None:
        program = self.meta.get("program")
        if not isinstance(program, str) or not os.path.isfile(program):
            return None
        program = os.path.realpath(program)
        theirs = [sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib", "scripts")]
        roots = [os.path.realpath(root) + os.sep for root in theirs]
        return None if any(program.startswith(root) for root in roots) else program

    def _top(self, program: str | None) -> str | None:
        cwd = self.meta.get("cwd")
        folders = [os.path.dirname(program)] if program is not None else []
        if isinstance(cwd, str):
            folders.append(cwd)
        for folder in dict.fromkeys(folders):
            try:
                if os.path.isdir(folder) and (top := find_top(folder)) is not None:
                    return top
            except GitFailed as error:
                self.left_out.add("repository", error.message)
                return None
        return None

    @staticmethod
    def _below(top: str, path: str) -> str | None:
        relative = os.path.relpath(os.path.realpath(path), os.path.realpath(top)) if path else ".."
        if relative == ".." or relative.startswith("../") or not changes.is_utf8(relative):
            return None
        return redact(relative).text

    # --- the repository -----------------------------------------------------------------------

    def _repository(self, git: Git) -> dict[str, Any]:
        commit = git.known("rev-parse", "--verify", "-q", "HEAD^{commit}")
        branch = git.known("symbolic-ref", "--short", "-q", "HEAD")
        base = commit or git.text("hash-object", "-t", "tree", os.devnull)
        found: dict[str, Any] = {
            "commit": commit,
            "branch": None if branch is None else _shown(branch),
            "remote": remote_of(git, branch),
            "dirty": False,
            "shallow": git.known("rev-parse", "--is-shallow-repository") == "true",
        }
        try:
            changed = changes.find_changed(git, base, self.left_out)
            found["dirty"] = bool(changed.paths)
            found["changed"] = len(changed.paths)
            found["patch"] = self._patch(git, base, changed, DIFF)
            found["staged"] = changes.staged(git, base) if changed.paths else []
        except GitFailed as error:
            self.left_out.add("changes", error.message)
        self._untracked(git, found)
        if commit is not None:
            self._upstream(git, commit, branch, found)
        return found

    def _patch(
        self, git: Git, base: str, changed: changes.Changed, name: str
    ) -> dict[str, Any] | None:
        if not changed.kept:
            return None
        whole = os.path.join(self.place, name)
        os.makedirs(os.path.dirname(whole), mode=0o700, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(whole)
        changes.write_patch(git, base, changed, whole)
        if not os.path.getsize(whole):
            return None
        return self._leave(whole, name)

    def _untracked(self, git: Git, found: dict[str, Any]) -> None:
        try:
            paths = changes.find_untracked(git, self.left_out)
        except GitFailed as error:
            self.left_out.add("untracked", error.message)
            return
        found["untracked"] = None
        if paths:
            whole = os.path.join(self.place, UNTRACKED)
            written = changes.write_new_files(git.top, paths, whole, self.left_out)
            if written:
                found["untracked"] = self._leave(whole, UNTRACKED)

    def _upstream(self, git: Git, commit: str, branch: str | None, found: dict[str, Any]) -> None:
        """The nearest commit that others have, and the patch from it to this work tree."""
        named = git.known("rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}")
        names = [named] if named else ["origin/HEAD", "origin/main", "origin/master"]
        for name in names:
            base = git.known("merge-base", "HEAD", name)
            if base is None:
                continue
            ahead = git.known("rev-list", "--count", f"{base}..HEAD")
            found["upstream"] = {
                "branch": _shown(name),
                "commit": base,
                "ahead": int(ahead) if ahead is not None and ahead.isdigit() else None,
            }
            if base != commit:
                try:
                    changed = changes.find_changed(git, base, LeftOut())
                    found["upstream_patch"] = self._patch(git, base, changed, UPSTREAM)
                    found["upstream"]["whole"] = len(changed.kept) == len(changed.paths)
                except GitFailed as error:
                    self.left_out.add("upstream patch", error.message)
            return

    def _submodules(self, git: Git, found: dict[str, Any]) -> None:
        """Each submodule's commit and changes; those within a submodule are found, too."""
        waiting = [(git, "")]
        told: list[dict[str, Any]] = []
        while waiting:
            outer, above = waiting.pop(0)
            for path in _gitlinks(outer):
                if len(told) >= SUBMODULES:
                    self.left_out.add("submodule", f"more than {SUBMODULES}", above + path)
                    continue
                inner = self._submodule(outer, path, above, len(told), told)
                if inner is not None:
                    waiting.append((inner, f"{above}{path}/"))
            if outer is not git:
                outer.close()
        if told:
            found["submodules"] = told

    def _submodule(
        self, outer: Git, path: str, above: str, number: int, told: list[dict[str, Any]]
    ) -> Git | None:
        top = os.path.join(outer.top, path)
        shown = redact(above + path).text
        if not changes.is_utf8(shown):
            self.left_out.add("submodule", "its name is not UTF-8", above + path)
            return None
        if not os.path.exists(os.path.join(top, ".git")):
            told.append({"path": shown, "commit": None})
            return None
        try:
            inner = Git(top, os.path.join(self.place, f"index-{number}.tmp"))
            commit = inner.text("rev-parse", "--verify", "-q", "HEAD^{commit}")
            remote = remote_of(inner, None)
            changed = changes.find_changed(inner, commit, self.left_out)
            patch = self._patch(inner, commit, changed, f"submodule-{number}.patch")
        except GitFailed as error:
            self.left_out.add("submodule", error.message, above + path)
            return None
        is_dirty = bool(changed.paths)
        told.append(
            {"path": shown, "commit": commit, "remote": remote, "dirty": is_dirty, "patch": patch}
        )
        return inner

    # --- files that leave ---------------------------------------------------------------------

    def _covered(self, top: str | None, found: Mapping[str, Any], program: str | None) -> bool:
        """Whether the program's file comes back from the commit or from a patch."""
        if top is None or program is None or found.get("program") is None:
            return False
        relative = os.path.relpath(program, os.path.realpath(top))
        try:
            git = Git(top, os.path.join(self.place, "index.tmp"))
        except GitFailed:
            return False
        try:
            if git.names("ls-files", "-z", "--", relative):
                return True
            is_ignored_there = git.known("check-ignore", "-q", "--", relative) is not None
            others = git.names("ls-files", "--others", "--exclude-standard", "-z", "--", relative)
            return bool(others) and not is_ignored_there and changes.against_source(program) is None
        except GitFailed:
            return False
        finally:
            git.close()

    def _keep_source(self, path: str, what: str) -> dict[str, Any] | None:
        """A single file that lies in no repository, or is ignored there."""
        why = changes.against_source(path)
        name = os.path.basename(path)
        if why is not None and not (why == "not a source file" and what == "program"):
            self.left_out.add(what, why, name)
            return None
        whole = os.path.join(self.place, f"{what}.patch")
        written = changes.write_new_files(os.path.dirname(path), [name], whole, self.left_out)
        if written:
            return self._leave(whole, f"{what}.patch", names=[os.path.realpath(path), name])
        return None

    def _leave(self, whole: str, name: str, names: list[str] | None = None) -> dict[str, Any]:
        """Make the copy of a patch that may leave; says of it what the record is to say."""
        globs = self.globs
        shown = os.path.relpath(whole, self.folder)
        stays = is_ignored(shown, globs) or any(is_ignored(one, globs) for one in names or ())
        spool = os.path.join(self.folder, "files", "spool")
        make_folder(os.path.dirname(spool))
        make_folder(spool)
        label = re.sub(r"[^A-Za-z0-9_.-]", "-", shown.removeprefix(FOLDER + os.sep))
        leaving = os.path.join(spool, f"code-{host_label()}-{label}")
        if stays:
            shutil.copyfile(whole, leaving)
            os.chmod(leaving, 0o600)
            copied = Copied()
        else:
            copied = copy_patch(whole, leaving, lambda path: is_ignored(path, globs))
        for path in copied.left_out:
            self.left_out.add("upload", "kept on the machine by ignore_globs", path)
        said: dict[str, Any] = {
            "path": f"{FOLDER}/{os.path.relpath(whole, os.path.join(self.folder, FOLDER))}",
            "state": "local" if stays else "whole" if copied.is_whole else "redacted",
            "redacted": copied.redacted,
            "withheld": len(copied.left_out),
        }
        if copied.places:
            said["places"] = [[redact(path).text, line] for path, line in copied.places]
        self.files.append(Leaving(leaving, said["path"], _TYPE, dict(said), not stays, said))
        return said


def remote_of(git: Git, branch: str | None) -> str | None:
    """The address that the branch is fetched from, without credentials."""
    name = git.known("config", f"branch.{branch}.remote") if branch else None
    address = git.known("config", f"remote.{name or 'origin'}.url")
    if address is None:
        first = (git.known("remote") or "").partition("\n")[0]
        address = git.known("config", f"remote.{first}.url") if first else None
    return None if address is None else _shown(without_credentials(address))


def without_credentials(address: str) -> str:
    """A remote's address without user and password; ``git@host:path`` names no secret."""
    address = re.sub(r"^([A-Za-z][\w+.-]*://)[^/@]*:[^/]*@", r"\1[redacted]@", address)
    return re.sub(r"^(https?://)[^/@\s]+@", r"\1[redacted]@", address)


def _gitlinks(git: Git) -> list[str]:
    with contextlib.suppress(GitFailed):
        rows = git.names("ls-files", "--stage", "-z")
        return [row.partition("\t")[2] for row in rows if row.startswith("160000 ")]
    return []


def _shown(text: str) -> str:
    return redact(text.encode("utf-8", "replace").decode()).text
