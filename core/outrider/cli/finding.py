"""Finds the run that a person means: a folder, an id, ``project/id``, or how a name begins."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from outrider.errors import JournalError, NotFound, ServerError

if TYPE_CHECKING:
    from outrider.api import Client, Run
    from outrider.journal.reader import RunFolder

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Local:
    """A run folder of this machine and what its run.json says."""

    folder: RunFolder
    meta: dict[str, Any]

    @property
    def names(self) -> tuple[str, ...]:
        """What the run may be called."""
        project, run = self.meta.get("project"), self.meta["id"]
        return tuple(name for name in (run, f"{project}/{run}", self.meta.get("name")) if name)

    @property
    def path(self) -> str:
        """``project/id``."""
        return f"{self.meta.get('project')}/{self.meta['id']}"


def local_runs(root: str | None = None) -> list[Local]:
    """The runs of this folder and those that had to be kept in the user's state folder, by age."""
    from outrider.folder import state_root
    from outrider.journal.reader import find_folders

    roots = [root or training_folder()]
    if root is None:
        with suppress(JournalError):  # no home folder: then nothing was kept there either
            roots.append(state_root())
    found: dict[str, Local] = {}
    for place in roots:
        for folder in find_folders(place):
            try:
                meta = folder.meta()
            except JournalError:
                continue
            found.setdefault(os.path.realpath(folder.path), Local(folder, meta))
    return sorted(found.values(), key=lambda run: float(run.meta.get("created") or 0))


def training_folder() -> str:
    """The folder whose runs are meant where none is named."""
    from outrider.settings import load

    return load().dir or os.getcwd()


def find_local(name: str) -> Local | None:
    """The local run of a name, None where there is none. Raises ``NotFound`` where several fit."""
    from outrider.journal.reader import RunFolder

    if os.path.isfile(os.path.join(name, "run.json")):
        folder = RunFolder(name)
        return Local(folder, folder.meta())
    runs = local_runs()
    exact = [run for run in runs if name in run.names]
    if exact:
        return _only(name, [run for run in exact if name in run.names[:2]] or exact)
    return _only(name, [run for run in runs if any(one.startswith(name) for one in run.names)])


def _only(name: str, found: list[Local]) -> Local | None:
    if len(found) > 1:
        raise _several(name, [run.path for run in found])
    return found[0] if found else None


def _several(name: str, paths: list[str]) -> NotFound:
    shown = ", ".join(paths[:_SHOWN]) + (" …" if len(paths) > _SHOWN else "")
    return NotFound(f"{len(paths)} runs fit {name!r}", hint=f"which one? {shown}")


def find_run(name: str, *, url: str | None = None) -> Run:
    """The run that ``name`` means; with ``url``, only that server is asked.

    Raises ``NotFound``, and a ``ServerError`` where no local run fits and no server can be asked.
    """
    from outrider.api import Client, Run
    from outrider.reading.local import FolderSource

    if url is None:
        local = find_local(name)
        if local is not None:
            return Run(FolderSource(local.folder))
    client = Client(url)
    try:
        return find_remote(client, name)
    except ServerError as error:
        if url is None:
            error.message = f"no run {name!r} in this folder, and {error.message}"
        raise


def find_remote(client: Client, name: str) -> Run:
    """The run that ``name`` means on a server."""
    if "/" in name:
        try:
            return client.run(name)
        except NotFound:
            pass
    exact, near = [], []
    for project in client.projects():
        for row in client.rows(project["name"]):
            names = (row["id"], f"{row['project']}/{row['id']}", row.get("name") or "")
            if name in names:
                exact.append(names[1])
            elif any(one.startswith(name) for one in names):
                near.append(names[1])
    found = exact or near
    if len(found) > 1:
        raise _several(name, found)
    if not found:
        raise NotFound(
            f"there is no run {name!r}, neither in this folder nor at {client.url}",
            hint="`outrider runs` lists this folder's, `outrider runs --server` the server's",
        )
    return client.run(found[0])
