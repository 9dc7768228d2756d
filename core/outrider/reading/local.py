"""Reads a run from its folder: live, killed or copied, with no server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import orjson

from outrider.ids import host_label
from outrider.journal.record import Damaged, decode
from outrider.journal.writer import boot_id
from outrider.reading.alerts import Alert, alert_of
from outrider.reading.console import Output, folder_console
from outrider.reading.ends import told
from outrider.reading.fold import RUNNING, Fold, described
from outrider.reading.run import Overview
from outrider.reading.series import Attempt, Series

if TYPE_CHECKING:
    from outrider.journal.reader import RunFolder
    from outrider.reading.files import File
    from outrider.reading.medium import LocalMedia

_NOBODY_KNOWS = "lost"
_KIND = b'"k":'
"""Every record but points holds this; a points record with a metric called ``k`` does, too."""


class FolderSource:
    """A run's folder, read on from where the last look ended.

    ``without_points`` reads only what the run says of itself, several times as fast; its overview
    then has a summary of explicit values alone, and no metrics are seen.
    """

    def __init__(self, folder: RunFolder, *, without_points: bool = False) -> None:
        self.folder = folder
        self.without_points = without_points
        self._fold = Fold()
        self._read_to: dict[tuple[str, int], int] = {}

    def fold(self) -> Fold:
        """Everything that the journals say now."""
        for writer, numbers in self.folder.all_segments().items():
            for number in numbers:
                self._read_on(writer, number)
        return self._fold

    def _read_on(self, writer: str, number: int) -> None:
        at = self._read_to.get((writer, number), 0)
        while self.folder.size(writer, number) > at:
            try:
                piece = self.folder.read(writer, number, at)
            except FileNotFoundError:
                return
            if not piece.data:
                return
            for line in piece.data.split(b"\n"):
                if not line or (self.without_points and _KIND not in line):
                    continue
                try:
                    self._fold.absorb(writer, decode(line))
                except Damaged as damage:
                    self._fold.absorb(writer, damage)
            at = self._read_to[writer, number] = piece.end

    def overview(self) -> Overview:
        """What the run says of itself. Raises ``JournalError`` where run.json is unreadable."""
        meta, fold = self.folder.meta(), self.fold()
        creator = fold.creator(meta.get("writer"))
        end = fold.end(creator)
        if end is not None:
            state, ended = str(end.body.get("state", "finished")), end.t
        elif is_alive(meta, fold.heads.get(creator or "")) or has_streamer(self.folder.path):
            state, ended = RUNNING, None
        else:
            state, ended = _NOBODY_KNOWS, fold.latest
        said = described(meta, fold.of_kind("run"))
        return Overview(
            id=meta["id"],
            project=meta.get("project") or "uncategorized",
            name=said["name"] or meta["id"],
            state=state,
            config=fold.config(),
            summary=fold.summary(),
            tags=said["tags"],
            notes=said["notes"],
            created=float(meta.get("created") or 0.0),
            ended=ended,
            updated=fold.latest,
            attempts=fold.attempts(),
            gaps=fold.gaps(),
            group=meta.get("group"),
            job_type=meta.get("job_type"),
            host=meta.get("host"),
            url=meta.get("server"),
            end=told(None if end is None else end.body),
            origin=self.folder.path,
        )

    def attempts(self) -> list[Attempt]:
        """Every attempt, in order."""
        return self.fold().attempts()

    def keys(self) -> list[str]:
        """The names of all metrics."""
        return list(self.fold().points)

    def points(self, key: str) -> Series:
        """All points of a metric."""
        return self.fold().points.get(key) or Series()

    def system_keys(self) -> list[str]:
        """The names of all system metrics."""
        return list(self.fold().system)

    def system_points(self, key: str) -> Series:
        """All points of a system metric."""
        return self.fold().system.get(key) or Series()

    def records(self, kind: str) -> list[dict[str, Any]]:
        """All records of a kind by time, as they were written."""
        found = [
            record.body
            for _, _, _, record in self.folder.records()
            if not isinstance(record, Damaged) and record.kind == kind
        ]
        return sorted(found, key=lambda body: float(body["t"]))

    def alerts(self) -> list[Alert]:
        """The script's alerts by time."""
        return [Alert(*alert_of(float(body["t"]), body)) for body in self.records("alert")]

    def console(self, last: int | None) -> list[Output]:
        """Every line that was printed, or the last so many."""
        return folder_console(self.folder, last)

    def files(self, role: str | None, prefix: str, *, versions: bool) -> list[File]:
        """The files, by path."""
        from outrider.reading.files import FolderReader, file_of, listed

        reader = FolderReader(self.folder.path)
        found = (file_of(body, reader) for body in self.records("file"))
        told = [file for file in found if file is not None]
        return listed(told, role, prefix, versions=versions)

    def media(self) -> LocalMedia:
        """Its images, sounds, texts, tables and so on."""
        from outrider.reading.medium import LocalMedia

        return LocalMedia(self.folder, self.fold())


def is_alive(meta: dict[str, Any], head: Any = None) -> bool:
    """Whether the process that writes the run is known to live; one of another machine, of which
    nothing can be known here, is taken to live while run.json's host is not this one."""
    if meta.get("host") != os.uname().nodename:
        return True
    pid = (head or {}).get("pid") or meta.get("pid")
    start = (head or {}).get("start") or meta.get("start_ticks")
    boot = (head or {}).get("boot") or meta.get("boot_id")
    if not isinstance(pid, int):
        return False
    if boot is not None and boot != boot_id():
        return False
    return started_at(pid) == start if start is not None else _answers(pid)


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def started_at(pid: int) -> int | None:
    """A process's start in clock ticks since boot, None where there is none (or no /proc)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return None if fields[0] == b"Z" else int(fields[19])
    except (OSError, ValueError, IndexError):
        return None


def has_streamer(path: str) -> bool:
    """Whether a streamer of this machine works on the run's folder, by what it last wrote there."""
    try:
        with open(os.path.join(path, f"delivery-{host_label()}.json"), "rb") as file:
            said = orjson.loads(file.read())
    except (OSError, orjson.JSONDecodeError):
        return False
    pid = said.get("pid") if isinstance(said, dict) else None
    return isinstance(pid, int) and started_at(pid) is not None
