"""Reads runs back: from a folder with no server, or from a server. Both tell the same.

from outrider import api

run = api.open(".outrider/runs/20260101T120000Z-abcdefghij")
run = api.Client().run("mnist/abcdefghij")
run.history(["loss"]).to_pandas()
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from outrider.errors import NotFound, UsageError
from outrider.reading.alerts import Alert
from outrider.reading.console import Output
from outrider.reading.files import File
from outrider.reading.history import History
from outrider.reading.medium import Medium, Part, Table
from outrider.reading.run import Overview, Point, Points, Run
from outrider.reading.series import Attempt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outrider.transport import Transport

__all__ = [
    "Alert",
    "Attempt",
    "Client",
    "File",
    "History",
    "Medium",
    "Output",
    "Overview",
    "Part",
    "Point",
    "Points",
    "Run",
    "Table",
    "open",
    "runs",
]


def open(folder: str | os.PathLike[str]) -> Run:  # noqa: A001 - api.open() reads as it should
    """The run in a local folder: live, killed or copied; no server is asked.

    ``folder`` is the run's folder, or a training folder (or its ``.outrider``) that holds just one
    run. Raises ``NotFound`` where there is none and ``JournalError`` where it cannot be read.
    """
    from outrider.journal.reader import find_folders
    from outrider.reading.local import FolderSource

    found = find_folders(folder)
    if not found:
        raise NotFound(
            f"there is no run in {os.fspath(folder)}",
            hint="name a folder below .outrider/runs; `outrider runs` lists them",
        )
    if len(found) > 1:
        raise NotFound(
            f"there are {len(found)} runs in {os.fspath(folder)}, which of them?",
            hint=f"name one, such as {found[-1].path}; api.runs() opens them all",
        )
    found[0].meta()
    return Run(FolderSource(found[0]))


def runs(folder: str | os.PathLike[str] = ".") -> list[Run]:
    """All runs in a training folder, oldest first; no server is asked."""
    from outrider.errors import JournalError
    from outrider.journal.reader import find_folders
    from outrider.reading.local import FolderSource

    opened = []
    for one in find_folders(folder):
        try:
            one.meta()
        except JournalError:
            continue
        opened.append(Run(FolderSource(one)))
    return opened


class Client:
    """Reads from a server.

    ``url`` is the server's (default: what the settings say) and ``token`` a token of it (default:
    ``OUTRIDER_API_KEY``, what ``outrider login`` stored, or the local server's own). Nothing is
    asked before the first call. Every call raises ``Unreachable``, ``NotOutrider`` or
    ``Unauthorized`` where the server cannot be asked.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        transport: Transport | None = None,
    ) -> None:
        from outrider.settings import load

        settings = load({"url": url, "api_key": token})
        self.url = settings.url
        if transport is None:
            from outrider.credentials import token_for
            from outrider.transport import HttpTransport

            # A token that is given here is meant for this server, whoever named it.
            origin = "argument" if token else settings.origin("url")
            found = token_for(settings.url, api_key=settings.api_key, url_origin=origin)
            transport = HttpTransport(settings.url, found)
        self.transport: Transport = transport

    def __repr__(self) -> str:
        return f"<Client of {self.url}>"

    def ask(self, method: str, path: str, **how: Any) -> Any:
        """One question to the server's HTTP API; returns the answer's JSON."""
        from outrider.reading.remote import ask

        return ask(self.transport, method, path, **how)

    def projects(self) -> list[dict[str, Any]]:
        """All projects: name, number of runs, how many are running, when last updated."""
        found: list[dict[str, Any]] = self.ask("GET", "/api/projects")["projects"]
        return found

    def rows(
        self,
        project: str,
        *,
        filter: str | None = None,  # noqa: A002 - the word for it
        sort: str | None = None,
        columns: Sequence[str] = (),
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """The rows of a project's table of runs, as the server sends them; see ``runs``.

        ``columns`` are the config and summary values wanted, such as ``config.lr``.
        """
        found: dict[str, dict[str, Any]] = {}
        asked = {"columns": list(columns), "filter": filter, "sort": sort}
        params: dict[str, Any] = {name: value for name, value in asked.items() if value}
        path = f"/api/projects/{quote(project, safe='')}/runs"
        offset = 0
        while limit is None or len(found) < limit:
            size = 500 if limit is None else min(500, limit - len(found))
            page = self.ask("GET", path, params={**params, "limit": size, "offset": offset})
            # A run that is made meanwhile moves the others on: one may come twice.
            found.update((row["id"], row) for row in page["runs"])
            offset += len(page["runs"])
            if not page["runs"] or offset >= page["total"]:
                break
        return list(found.values())

    def runs(
        self,
        project: str | None = None,
        *,
        filter: str | None = None,  # noqa: A002 - the word for it
        sort: str | None = None,
        limit: int | None = None,
    ) -> list[Run]:
        """The runs of a project, or of all projects one after the other.

        ``filter`` is an expression such as ``config.lr < 0.01 and state = "finished"``; ``sort`` is
        a column, ``-`` before it for falling order, such as ``-summary.val/acc`` (default: newest
        first); ``limit`` bounds the number of runs of each project.
        """
        names = [project] if project is not None else [one["name"] for one in self.projects()]
        return [
            self._opened(name, row["id"], row)
            for name in names
            for row in self.rows(name, filter=filter, sort=sort, limit=limit)
        ]

    def run(self, path: str) -> Run:
        """The run ``project/id``. Raises ``NotFound``."""
        project, slash, run = path.rpartition("/")
        if not slash or not project or not run:
            raise UsageError(f"{path!r} does not name a run", hint='write it as "project/id"')
        return self._opened(project, run).refresh()

    def _opened(self, project: str, run: str, row: dict[str, Any] | None = None) -> Run:
        from outrider.reading.remote import ServerSource, overview_of

        source = ServerSource(self.transport, self.url, project, run)
        return Run(source, brief=None if row is None else overview_of(row, source.page))
