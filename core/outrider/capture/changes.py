"""What differs in a work tree, and which of it is kept: bounded, with the rest named."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from outrider.capture.git import Git, GitFailed, in_portions
from outrider.capture.patch import quoted
from outrider.capture.redact import redact

FILE_BYTES = 8 << 20
"""A changed file that is longer is left out of the patch."""

PATCH_FILES = 5000
PATCH_BYTES = 32 << 20
"""So many changed files, and bytes in them, go into a patch; the rest is named."""

SOURCE_BYTES = 1 << 20
SOURCE_FILES = 1000
SOURCES_BYTES = 16 << 20
"""The same for untracked sources."""

NAMED = 20
"""How many of the files that are left out are named."""

SOURCES = frozenset(
    "py pyi pyx pxd ipynb c cc cpp cxx cu cuh h hh hpp hxx m mm rs go js jsx mjs ts tsx java kt scala "
    "jl r lua rb pl swift cs f f90 f95 zig nim ex exs sh bash zsh fish ps1 bat sql proto thrift cmake "
    "mk make toml yaml yml json jsonnet ini cfg conf gin hcl tf nix dockerfile j2 jinja tex rmd qmd md "
    "rst".split()
)
"""Untracked files with these endings are sources."""

_NAMES = frozenset(
    "makefile dockerfile containerfile snakefile justfile procfile requirements.txt constraints.txt "
    "cmakelists.txt environment.yml".split()
)
_SECRET_FILES = (
    "secret",
    "credential",
    "password",
    "passwd",
    "token",
    "apikey",
    "api_key",
    "id_rsa",
    "netrc",
)
_DOCUMENTS = frozenset("toml yaml yml json ini cfg conf tf hcl".split())


@dataclass(slots=True)
class LeftOut:
    """What is not kept, by reason."""

    reasons: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, what: str, why: str, path: str | None = None) -> None:
        """One more."""
        key = (what, why)
        self.counts[key] = self.counts.get(key, 0) + 1
        named = self.reasons.setdefault(key, [])
        if path is not None and len(named) < NAMED:
            named.append(os.fsencode(path).decode("utf-8", "replace"))

    def has(self, *kinds: str) -> bool:
        """Whether something of these kinds is not kept."""
        return any(what in kinds for what, _ in self.counts)

    def told(self) -> list[str]:
        """A sentence for each reason, as it stands in the record."""
        return [redact(self._sentence(*key)).text for key in self.counts]

    def _sentence(self, what: str, why: str) -> str:
        count, named = self.counts[what, why], self.reasons[what, why]
        if not named:
            return f"{what}: {why}"
        more = ", …" if count > len(named) else ""
        files = "file" if count == 1 else "files"
        return f"{count} {what} {files} ({why}): {', '.join(named)}{more}"


@dataclass(frozen=True, slots=True)
class Changed:
    """The tracked files that differ from a commit: all of them, and those that a patch takes."""

    paths: list[str]
    kept: list[str]


def find_changed(git: Git, against: str, left_out: LeftOut) -> Changed:
    """The tracked files that differ from ``against`` in the work tree."""
    paths = git.names(*_diff("--name-only", "-z"), "--no-renames", against)
    filtered = _filtered(git, paths)
    kept: list[str] = []
    room = PATCH_BYTES
    for path in paths:
        size = _size(os.path.join(git.top, path))
        if path in filtered:
            left_out.add("changed", f"its content goes through the filter {filtered[path]!r}", path)
        elif size > FILE_BYTES:
            left_out.add("changed", f"longer than {FILE_BYTES >> 20} MiB", path)
        elif len(kept) >= PATCH_FILES:
            left_out.add("changed", f"more than {PATCH_FILES} changed files", path)
        elif size > room:
            left_out.add("changed", f"more than {PATCH_BYTES >> 20} MiB of changed files", path)
        else:
            kept.append(path)
            room -= size
    return Changed(paths, kept)


def write_patch(git: Git, against: str, changed: Changed, path: str) -> None:
    """Write the patch from ``against`` to the work tree, whole, binary files included."""
    how = _diff("--binary", "--full-index", "--unified=3", "--src-prefix=a/", "--dst-prefix=b/")
    if len(changed.kept) == len(changed.paths):
        git.write(path, *how, "--find-renames", against)
        return
    for portion in in_portions(changed.kept):
        git.write(path, *how, "--no-renames", against, "--", *portion)


def _diff(*options: str) -> list[str]:
    plain = ["--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all"]
    return ["diff", f"-O{os.devnull}", *plain, *options]


def _filtered(git: Git, paths: list[str]) -> dict[str, str]:
    """Which of these files a filter changes on their way into the repository, such as LFS."""
    if not paths:
        return {}
    given = b"".join(os.fsencode(path) + b"\0" for path in paths)
    told = [os.fsdecode(part) for part in git.raw(
        "check-attr", "--stdin", "-z", "filter", given=given
    ).split(b"\0")]  # fmt: skip
    values = zip(told[0::3], told[2::3], strict=False)
    return {path: value for path, value in values if value not in ("unspecified", "unset", "")}


def staged(git: Git, against: str, limit: int = 1000) -> list[str]:
    """The changed files whose content in the index is the one in the work tree."""
    try:
        in_index = git.names(*_diff("--name-only", "-z"), "--no-renames", "--cached", against)
        differ = set(git.names(*_diff("--name-only", "-z"), "--no-renames"))
    except GitFailed:
        return []
    found = [path for path in in_index if path not in differ and is_utf8(path)]
    return found if len(found) <= limit else []


def find_untracked(git: Git, left_out: LeftOut) -> list[str]:
    """The untracked, unignored sources that are kept."""
    kept: list[str] = []
    room = SOURCES_BYTES
    for path in git.names("ls-files", "--others", "--exclude-standard", "-z"):
        if path.endswith("/"):
            left_out.add("untracked", "another repository", path)
            continue
        why = against_source(os.path.join(git.top, path))
        if why is None and len(kept) >= SOURCE_FILES:
            why = f"more than {SOURCE_FILES} untracked sources"
        size = _size(os.path.join(git.top, path))
        if why is None and size > room:
            why = f"more than {SOURCES_BYTES >> 20} MiB of untracked sources"
        if why is None:
            kept.append(path)
            room -= size
        else:
            left_out.add("untracked", why, path)
    return kept


def against_source(path: str) -> str | None:
    """What speaks against keeping a file as a source; None where nothing does."""
    name = os.path.basename(path).lower()
    ending = name.rpartition(".")[2] if "." in name else ""
    if ending not in SOURCES and name not in _NAMES and not name.startswith("dockerfile"):
        return "not a source file"
    if (
        ending in _DOCUMENTS
        and any(word in name for word in _SECRET_FILES)
        and "tokeniz" not in name
    ):
        return "its name says that it holds secrets"
    try:
        status = os.lstat(path)
    except OSError:
        return "it vanished"
    if not stat.S_ISREG(status.st_mode):
        return "not a plain file"
    if status.st_size > SOURCE_BYTES:
        return f"longer than {SOURCE_BYTES >> 20} MiB"
    return None


def write_new_files(top: str, paths: Iterable[str], target: str, left_out: LeftOut) -> list[str]:
    """Write a patch that makes these files; returns those that are in it."""
    fd = os.open(
        target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
    )
    written: list[str] = []
    with os.fdopen(fd, "wb") as patch:
        for path in paths:
            try:
                with open(os.path.join(top, path), "rb", opener=_no_link) as file:
                    data = file.read(SOURCE_BYTES + 1)
                    is_program = bool(os.fstat(file.fileno()).st_mode & stat.S_IXUSR)
            except OSError as error:
                left_out.add("untracked", f"cannot be read: {error.strerror}", path)
                continue
            if b"\0" in data or len(data) > SOURCE_BYTES:
                left_out.add("untracked", "not a text", path)
                continue
            patch.writelines(_new_file(path, data, is_program=is_program))
            written.append(path)
    return written


def _new_file(path: str, data: bytes, *, is_program: bool) -> Iterator[bytes]:
    """The section of a patch that makes a file."""
    old, new = (quoted(f"{side}/{path}").encode() for side in "ab")
    yield b"diff --git " + old + b" " + new + b"\n"
    yield b"new file mode " + (b"100755" if is_program else b"100644") + b"\n"
    if not data:
        yield b"index 0000000..e69de29\n"
        return
    lines = data.split(b"\n")
    is_ended = not lines[-1]
    if is_ended:
        lines.pop()
    yield b"--- /dev/null\n+++ " + new + (b"\t" if " " in path else b"") + b"\n"
    yield b"@@ -0,0 +1" + (b"" if len(lines) == 1 else b",%d" % len(lines)) + b" @@\n"
    for line in lines:
        yield b"+" + line + b"\n"
    if not is_ended:
        yield b"\\ No newline at end of file\n"


def is_utf8(path: str) -> bool:
    """Whether a name can stand in a record as it is."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
