"""Makes the copy of a patch that may leave: secrets in added lines redacted, ignored files left out.

Only added lines are changed. Context and removed lines come back from the commit when the patch is
applied, and a patch with one of them changed would not apply any more.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO

from outrider.capture.redact import redact

SHOWN = 200
"""How many places, at most, are listed one by one."""

_BLOCK_BYTES = 1 << 20
"""Added lines are looked through in blocks of about this size, none of which ends within a key."""

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_BASE64_LINE = re.compile(rb"\+[\sA-Za-z0-9+/=]*")
_QUOTED = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPES = {
    b"n": b"\n",
    b"t": b"\t",
    b"r": b"\r",
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"v": b"\v",
}
_DATA = frozenset(
    "yaml yml env ini cfg toml json conf properties tfvars txt sh bash zsh ipynb csv xml md rst".split()
)


@dataclass(slots=True)
class Copied:
    """What became of a patch: its files, and the lines and files that are not as they were."""

    files: int = 0
    redacted: int = 0
    places: list[tuple[str, int]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether the copy is the same as the patch."""
        return not self.redacted and not self.left_out


def copy_patch(source: str, target: str, is_ignored: Callable[[str], bool]) -> Copied:
    """Write ``target`` for this user alone; line numbers are those of the new files."""
    fd = os.open(
        target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
    )
    with open(source, "rb") as patch, os.fdopen(fd, "wb") as copy:
        return _Copying(patch, copy, is_ignored).run()


class _Copying:
    def __init__(
        self, patch: IO[bytes], copy: IO[bytes], is_ignored: Callable[[str], bool]
    ) -> None:
        self.patch = patch
        self.copy = copy
        self.is_ignored = is_ignored
        self.seen = Copied()
        self.path = ""
        self.is_left_out = False

    def run(self) -> Copied:
        lines = iter(self.patch)
        header: list[bytes] = []
        for line in lines:
            hunk = _HUNK.match(line)
            if line.startswith(b"diff --git "):
                self._begin(header)
                header = [line]
            elif header and hunk is None and not line.startswith(b"GIT binary patch"):
                header.append(line)
            else:
                self._begin(header)
                header = []
                self._write(line)
                if hunk is not None:
                    self._hunk(hunk, lines)
        self._begin(header)
        return self.seen

    def _begin(self, header: list[bytes]) -> None:
        """A file's section: decide whether it may leave before its first line does."""
        if not header:
            return
        paths = section_paths(header)
        self.path = paths[-1]
        self.is_left_out = any(self.is_ignored(path) for path in paths)
        if self.is_left_out:
            self.seen.left_out.append(self.path)
        else:
            self.seen.files += 1
        for line in header:
            self._write(line)

    def _write(self, line: bytes) -> None:
        if not self.is_left_out:
            self.copy.write(line)

    def _hunk(self, found: re.Match[bytes], lines: Iterator[bytes]) -> None:
        old, new = (int(found[at]) if found[at] is not None else 1 for at in (2, 4))
        number = int(found[3])
        added: list[bytes] = []
        size = 0
        while old > 0 or new > 0:
            line = next(lines, b"")
            if not line:
                break
            sign = line[:1]
            if sign == b"+":
                added.append(line)
                new -= 1
                number += 1
                size += len(line)
                if size > _BLOCK_BYTES and not _BASE64_LINE.fullmatch(line):
                    self._added(added, number)
                    added, size = [], 0
                continue
            self._added(added, number)
            added, size = [], 0
            if sign == b"-":
                old -= 1
            elif sign in b" \n":
                old, new, number = old - 1, new - 1, number + 1
            self._write(line)
        self._added(added, number)

    def _added(self, added: list[bytes], end: int) -> None:
        """A block of added lines, which end before line ``end`` of the new file."""
        if not added or self.is_left_out:
            return
        text = b"".join(line[1:] for line in added).decode("utf-8", "surrogateescape")
        shown = redact(text, is_data=self.path.rpartition(".")[2].lower() in _DATA)
        if not shown.found:
            self.copy.writelines(added)
            return
        first = end - len(added)
        for at, (line, new) in enumerate(
            zip(text.split("\n"), shown.text.split("\n"), strict=True)
        ):
            if line != new:
                self.seen.redacted += 1
                if len(self.seen.places) < SHOWN:
                    self.seen.places.append((self.path, first + at))
        whole = shown.text.encode("utf-8", "surrogateescape")
        self.copy.writelines(b"+" + line for line in re.findall(rb"[^\n]*\n|[^\n]+", whole))


def section_paths(header: list[bytes]) -> list[str]:
    """The paths that a section is about: the old one where it has another, then the new one."""
    found: list[str] = []
    for line in header[1:]:
        for mark in (b"--- ", b"+++ ", b"rename from ", b"rename to ", b"copy from ", b"copy to "):
            if line.startswith(mark):
                name = unquoted(line[len(mark) :].rstrip(b"\n").rstrip(b"\t"))
                if mark in (b"--- ", b"+++ "):
                    if name == b"/dev/null":
                        continue
                    name = name[2:]
                found.append(_text(name))
    if not found:
        both = header[0][len(b"diff --git ") :].rstrip(b"\n")
        if both.startswith(b'"'):
            name = unquoted(both[: both.index(b'" ') + 1])[2:]
        else:
            name = both[2 : (len(both) - 1) // 2]
        found.append(_text(name))
    return list(dict.fromkeys(found))


def unquoted(name: bytes) -> bytes:
    """A path as git writes it, with or without quotes."""
    if len(name) < 2 or not name.startswith(b'"') or not name.endswith(b'"'):
        return name
    return _QUOTED.sub(
        lambda found: (
            bytes([int(found[1], 8)]) if len(found[1]) == 3 else _ESCAPES.get(found[1], found[1])
        ),
        name[1:-1],
    )


def quoted(name: str) -> str:
    """A path as git writes it in a patch."""
    data = os.fsencode(name)
    if re.fullmatch(rb"[ !#-\[\]-~]*", data):
        return name
    kept = (
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}" for byte in data
    )
    return '"' + "".join(kept) + '"'


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
