"""What a run's restoring is made of: its patches, from its folder whole, or as they were uploaded."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from outrider.errors import NotFound, OutriderError

if TYPE_CHECKING:
    from outrider.api import Run

APART = ("program.patch", "notebook.patch")
"""Sources that lie in no repository."""


@dataclass(slots=True)
class Material:
    """A run's captured code. ``folder`` is the run's, where it is on this machine; ``scratch`` is a
    folder for what is taken apart."""

    run: Run
    code: dict[str, Any]
    folder: str | None
    scratch: str
    redacted: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def patch(self, said: Mapping[str, Any] | None) -> str | None:
        """The file of a patch that the record names; None where there was nothing to patch.

        Raises ``NotFound`` where it lies neither here nor at the server.
        """
        if not isinstance(said, Mapping) or not isinstance(said.get("path"), str):
            return None
        from outrider.reading.files import absence, safe_path

        path = str(said["path"])
        if self.folder is not None:
            whole = os.path.join(self.folder, safe_path(path))
            if os.path.isfile(whole):
                return whole
        found = [file for file in self.run.files(role="code") if file.path == path]
        if not found or not found[-1].present:
            state = found[-1].state if found else None
            why = absence(found[-1]) if found else "it has not been delivered"
            raise NotFound(
                f"the patch {path} of {self.run.path} is not here: {why}",
                hint="it was kept on the machine that trained (ignore_globs): name the run's folder there"
                if state == "local"
                else "`outrider sync` on the machine that trained sends it; or name the run's folder there",
            )
        self._note(said)
        return found[-1].download(self.scratch)

    def _note(self, said: Mapping[str, Any]) -> None:
        """What did not come back as it was, from a copy that was uploaded."""
        places = said.get("places") or []
        self.redacted += [f"{file}:{line}" for file, line in places]
        more = int(said.get("redacted") or 0) - len(places)
        if more > 0:
            self.redacted.append(f"and {more} more lines of {said['path']}")
        if said.get("withheld"):
            self.missing.append(f"{said['withheld']} files of {said['path']}: kept by ignore_globs")

    def sources(self, patch: str | None, name: str) -> dict[str, str]:
        """The files that a patch makes: path → where each lies, taken apart in the scratch folder."""
        if patch is None:
            return {}
        place = os.path.join(self.scratch, "sources", name)
        os.makedirs(place, exist_ok=True)
        surroundings = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
            "GIT_CEILING_DIRECTORIES": os.path.dirname(place),
        }
        done = subprocess.run(
            ["git", "apply", "--whitespace=nowarn", patch],
            cwd=place, env=surroundings, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise OutriderError(
                f"the patch {os.path.basename(patch)} is damaged: {done.stderr.strip()}",
                hint="restore from the run's folder on the machine that trained, or from the server",
            )
        return dict(_files_below(place))

    def command(self) -> str | None:
        """The command that ran, as a shell takes it."""
        words = list((self.run.environment or {}).get("command") or ())
        if self.folder is not None and "[redacted]" in " ".join(words):
            from outrider.journal.reader import RunFolder

            argv = [str(word) for word in RunFolder(self.folder).meta().get("argv") or ()]
            words = words[: len(words) - len(argv)] + argv
        folder = self.code.get("folder")
        there = "" if folder in (None, ".") else f"cd {shlex.quote(str(folder))} && "
        return there + shlex.join(words) if words else None


def _files_below(place: str) -> Iterator[tuple[str, str]]:
    """Plain files only: a patch may make a link that leads elsewhere."""
    for at, folders, names in os.walk(place):
        folders[:] = [name for name in folders if not os.path.islink(os.path.join(at, name))]
        for name in names:
            path = os.path.join(at, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                yield os.path.relpath(path, place), path


def differing(targets: Mapping[str, str]) -> list[str]:
    """Of files to be written (target → where it lies), those that are there with other content."""
    return [
        target
        for target, source in targets.items()
        if os.path.lexists(target) and not _is_same(target, source)
    ]


def _is_same(one: str, two: str) -> bool:
    if (
        os.path.islink(one)
        or not os.path.isfile(one)
        or os.stat(one).st_size != os.stat(two).st_size
    ):
        return False
    with open(one, "rb") as first, open(two, "rb") as second:
        while piece := first.read(1 << 20):
            if piece != second.read(1 << 20):
                return False
    return True


def write_files(top: str, targets: Mapping[str, str]) -> None:
    """Copy files to places below ``top``, each whole or not at all, with a checkout's mode.

    Raises ``OutriderError`` where a link leads out of ``top``, as in a commit that was made for it.
    """
    from outrider.reading.target import make_way, replacing

    mask = os.umask(0)
    os.umask(mask)
    for target, source in targets.items():
        make_way(top, target)
        is_program = bool(os.stat(source).st_mode & stat.S_IXUSR)
        with open(source, "rb") as read, replacing(target) as write:
            while piece := read.read(1 << 20):
                write.write(piece)
            os.fchmod(write.fileno(), (0o777 if is_program else 0o666) & ~mask)
