"""Media as a reader sees them, the same whether a folder or a server tells it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from outrider.errors import NotFound
from outrider.journal.record import Damaged
from outrider.reading import media as told
from outrider.reading.summary import revived

if TYPE_CHECKING:
    from outrider.journal.reader import RunFolder
    from outrider.reading.fold import Fold

Read = Callable[[str], bytes]
"""Gives the bytes of a content, by its SHA-256. Raises ``NotFound``."""


@dataclass(frozen=True, slots=True)
class Part:
    """One picture, sound, video, page, text or figure.

    ``sha256``, ``size`` and ``type`` are its file's, None while it is being made (``state`` is then
    ``pending``) or where it could not be (``why`` says so in ``about``). ``about`` holds what was said
    of it (``width``, ``height``, ``boxes``, ``fps``, …), ``masks`` its masks by name, ``value`` what
    stood in the record itself. ``media`` is what it is, in a cell of a table.
    """

    sha256: str | None
    size: int | None
    type: str | None
    state: str
    caption: str | None
    about: dict[str, Any]
    masks: dict[str, Part]
    value: dict[str, Any] | None = None
    media: str | None = None
    _read: Read | None = field(default=None, compare=False, repr=False)

    def read(self) -> bytes:
        """The bytes of its file. Raises ``NotFound`` where there is none, or none here."""
        if self.sha256 is None or self._read is None:
            raise NotFound(f"there is no file of it: {self.about.get('why', self.state)}")
        return self._read(self.sha256)


@dataclass(frozen=True, slots=True)
class Medium:
    """What was logged under one key at one step: ``type`` is image, audio, video, html, text,
    histogram, table or figure. A histogram, a short text and a small table are in ``value``, or in
    a list of them in each part's ``value``."""

    step: int
    time: float
    key: str
    type: str
    parts: list[Part]
    value: dict[str, Any] | None
    _handle: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was logged: rows of plain values, cells of media as ``Part``."""

    columns: list[str]
    types: list[str]
    rows: list[list[Any]]

    def __len__(self) -> int:
        return len(self.rows)

    def to_pandas(self) -> Any:
        """The table as a DataFrame."""
        from outrider.reading.history import _need

        return _need("pandas").DataFrame(self.rows, columns=self.columns)


def medium(body: dict[str, Any], handle: Any, read: Read) -> Medium:
    """One record, as ``told.shown`` gives it."""
    return Medium(
        step=body["step"],
        time=float(body["t"]),
        key=body["key"],
        type=body["type"],
        parts=[_part(part, read) for part in body["parts"]],
        value=body["value"] if body["value"] is None else revived(body["value"]),
        _handle=handle,
    )


def _part(said: dict[str, Any], read: Read) -> Part:
    known = ("sha256", "size", "type", "state", "caption", "masks", "value", "present", "media")
    value = said.get("value")
    return Part(
        sha256=said.get("sha256"),
        size=said.get("size"),
        type=said.get("type"),
        state=said.get("state", "ok"),
        caption=said.get("caption"),
        about={key: item for key, item in said.items() if key not in known},
        masks={name: _part(mask, read) for name, mask in (said.get("masks") or {}).items()},
        value=value,
        media=said.get("media"),
        _read=read,
    )


def table(columns: list[told.Column], rows: list[list[Any]], read: Read) -> Table:
    """A table of rows whose cells of media are what ``told.cell_shown`` gives."""
    for at, column in enumerate(columns):
        if column.type == "media":
            for row in rows:
                row[at] = None if row[at] is None else _part(row[at], read)
        elif column.type == "number":
            for row in rows:
                row[at] = float(row[at]) if isinstance(row[at], str) else row[at]
    return Table([column.name for column in columns], [column.type for column in columns], rows)


class LocalMedia:
    """The media in a run's folder."""

    def __init__(self, folder: RunFolder, fold: Fold) -> None:
        self._folder = folder
        self._fold = fold
        self._files: dict[str, dict[str, Any]] = {}
        self._bodies: list[dict[str, Any]] = []
        limits = fold.limits()
        for writer, _, _, record in folder.records():
            if isinstance(record, Damaged):
                continue
            if record.kind == "file" and isinstance(record.body.get("spool"), str):
                self._files[record.body["spool"]] = self._file(record.body)
            elif record.kind == "media" and told.is_media(record.body):
                limit = limits.get(fold.attempt_of(writer))
                if limit is None or record.body["s"] <= limit:
                    self._bodies.append(record.body)

    def _file(self, body: dict[str, Any]) -> dict[str, Any]:
        return {name: body.get(name) for name in ("sha256", "size", "type", "state", "why")}

    def read(self, sha256: str) -> bytes:
        """A content's bytes."""
        path = os.path.join(self._folder.path, "files", sha256[:2], sha256)
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError:
            raise NotFound(f"the content {sha256[:12]}… is not in {self._folder.path}") from None

    def items(self, key: str | None) -> Iterator[Medium]:
        """Every record, or those of one key."""
        for body in self._bodies:
            if key is None or body["key"] == key:
                yield medium(told.shown(body, self._files), body, self.read)

    def table(self, item: Medium) -> Table:
        """The rows of a table."""
        body = item._handle
        columns, cells = told.columns_of(body), told.parts_of(body, "cells")
        rows = told.inline_rows(body)
        if rows is None:
            lines = item.parts[0].read().split(b"\n") if item.parts else []
            rows = list(told.file_rows(lines))
        shown = told.with_media(columns, rows, lambda at: told.cell_shown(cells, at, self._files))
        return table(columns, shown, self.read)


class ServerMedia:
    """The media of a run on a server; ``ask`` asks below the run's path."""

    def __init__(self, ask: Callable[..., Any], read: Read) -> None:
        self._ask = ask
        self.read = read

    def items(self, key: str | None) -> Iterator[Medium]:
        """Every record, or those of one key."""
        params: dict[str, Any] = {"limit": 500, **({} if key is None else {"key": key})}
        while True:
            page = self._ask("/media", params)
            for body in page["media"]:
                yield medium(body, body["seq"], self.read)
            if page["next"] is None:
                return
            params["after"] = page["next"]

    def table(self, item: Medium) -> Table:
        """The rows of a table."""
        rows: list[list[Any]] = []
        while True:
            params = {"offset": len(rows), "limit": 10_000}
            page = self._ask(f"/tables/{item._handle}", params)
            rows += page["rows"]
            if not page["rows"] or len(rows) >= page["total"]:
                break
        columns = [told.Column(one["name"], one["type"]) for one in page["columns"]]
        return table(columns, rows, self.read)


def in_order(items: Iterator[Medium]) -> list[Medium]:
    """By step, then time, then key."""
    return sorted(items, key=lambda one: (one.step, one.time, one.key))
