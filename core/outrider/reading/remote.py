"""Reads a run from a server, through its HTTP API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from outrider.reading.alerts import Alert
from outrider.reading.console import Output, server_console
from outrider.reading.run import Overview
from outrider.reading.series import Attempt, Series
from outrider.reading.summary import revived

if TYPE_CHECKING:
    from outrider.reading.files import File
    from outrider.reading.medium import ServerMedia
    from outrider.transport import Transport

PAGE = 1000
_PIECE = 32 << 20


def ask(transport: Transport, method: str, path: str, **how: Any) -> Any:
    """One question to the server; returns the answer's JSON or raises a ``ServerError``."""
    from outrider.transport import check

    answer = check(transport.request(method, path, **how))
    return answer.json() if answer.body else None


def run_path(project: str, run: str) -> str:
    """The path of a run in the HTTP API."""
    return f"/api/projects/{quote(project, safe='')}/runs/{quote(run, safe='')}"


def page_path(project: str, run: str | None = None) -> str:
    """The path of the page that shows a project, or one of its runs."""
    path = f"/p/{quote(project, safe='')}"
    return path if run is None else f"{path}/r/{quote(run, safe='')}"


class ServerSource:
    """A run on a server. ``url`` is the server's."""

    def __init__(self, transport: Transport, url: str, project: str, run: str) -> None:
        self.transport = transport
        self.url = url
        self.project = project
        self.run = run
        self.page = url + page_path(project, run)
        self._path = run_path(project, run)

    def detail(self) -> dict[str, Any]:
        """Everything that the server says of the run. Raises ``NotFound``."""
        found: dict[str, Any] = ask(self.transport, "GET", self._path)
        return found

    def overview(self) -> Overview:
        """What the run says of itself."""
        row = self.detail()
        return overview_of(row, self.page)

    def attempts(self) -> list[Attempt]:
        """Every attempt, in order."""
        return attempts_of(self.detail())

    def keys(self) -> list[str]:
        """The names of all metrics."""
        return [item["key"] for item in self.detail()["metrics"]]

    def points(self, key: str) -> Series:
        """All points of a metric."""
        return self._points(key, system=False)

    def system_keys(self) -> list[str]:
        """The names of all system metrics."""
        answer = ask(self.transport, "GET", f"{self._path}/system", params={"width": 1})
        return [item["key"] for item in answer["series"]]

    def system_points(self, key: str) -> Series:
        """All points of a system metric."""
        return self._points(key, system=True)

    def _points(self, key: str, *, system: bool) -> Series:
        series = Series()
        params: dict[str, Any] = {"key": key, "system": int(system)}
        while True:
            page = ask(self.transport, "GET", f"{self._path}/points", params=params)
            times = page["times"]
            series.extend(
                [0] * len(times) if system else page["attempt"],
                [0] * len(times) if system else page["steps"],
                times,
                [float(value) if isinstance(value, str) else value for value in page["values"]],
            )
            if page.get("next") is None:
                return series
            params["cursor"] = page["next"]

    def records(self, kind: str) -> list[dict[str, Any]]:
        """All records of a kind by time, as they were written."""
        found: list[dict[str, Any]] = []
        params: dict[str, Any] = {"kind": kind, "limit": PAGE}
        while True:
            page = ask(self.transport, "GET", f"{self._path}/records", params=params)
            found.extend(page["records"])
            if page.get("next") is None:
                break
            params["after"] = page["next"]
        return sorted(found, key=lambda body: float(body["t"]))

    def alerts(self) -> list[Alert]:
        """All alerts by time."""
        found: list[Alert] = []
        params: dict[str, Any] = {"limit": PAGE}
        while True:
            page = ask(self.transport, "GET", f"{self._path}/alerts", params=params)
            found += [
                Alert(a["t"], a["level"], a["title"], a["text"], a["source"], a["rule"])
                for a in page["alerts"]
            ]
            if page.get("next") is None:
                return sorted(found, key=lambda alert: alert.time)
            params["after"] = page["next"]

    def console(self, last: int | None) -> list[Output]:
        """Every line that was printed, or the last so many."""
        return server_console(self.transport, self._path, last)

    def files(self, role: str | None, prefix: str, *, versions: bool) -> list[File]:
        """The files, by path."""
        from outrider.reading.files import server_files

        return server_files(self.transport, self._path, role, prefix, versions=versions)

    def media(self) -> ServerMedia:
        """Its images, sounds, texts, tables and so on."""
        from outrider.reading.medium import ServerMedia

        def below(path: str, params: dict[str, Any]) -> Any:
            return ask(self.transport, "GET", self._path + path, params=params)

        return ServerMedia(below, self.content)

    def content(self, sha256: str) -> bytes:
        """The bytes of one content, fetched in pieces. Raises ``NotFound``."""
        from outrider.transport import check

        found = bytearray()
        while True:
            span = f"bytes={len(found)}-{len(found) + _PIECE - 1}"
            answer = check(
                self.transport.request(
                    "GET", f"{self._path}/blobs/{sha256}", headers={"Range": span}
                )
            )
            found += answer.body
            total = answer.headers.get("content-range", "").rpartition("/")[2]
            if answer.status != 206 or not answer.body or len(found) >= int(total or 0):
                return bytes(found)


def attempts_of(row: dict[str, Any]) -> list[Attempt]:
    """A run's attempts, from what the server says of it."""
    found = [Attempt(item["a"], item.get("t"), item.get("rewind")) for item in row["attempts"]]
    return sorted(found, key=lambda attempt: attempt.number)


def overview_of(row: dict[str, Any], url: str) -> Overview:
    """What a run says of itself, from the server's answer about it."""
    return Overview(
        id=row["id"],
        project=row["project"],
        name=row.get("name") or row["id"],
        state=row["state"],
        config=revived(row.get("config") or {}),
        summary=revived(row.get("summary") or {}),
        tags=list(row.get("tags") or ()),
        notes=row.get("notes"),
        created=float(row["created"]),
        ended=row.get("ended"),
        updated=row.get("updated"),
        attempts=attempts_of(row) if "attempts" in row else [],
        gaps=int(row.get("gaps") or 0),
        group=row.get("group"),
        job_type=row.get("job_type"),
        host=row.get("host"),
        url=url,
        end=row.get("end"),
        origin=url,
    )
