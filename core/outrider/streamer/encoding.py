"""Answers ``media`` records: what lies raw in the spool becomes a file that people can open."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from outrider.mediatypes.making import make

if TYPE_CHECKING:
    from outrider.journal.record import Record
    from outrider.streamer.errands import ErrandContext

TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "svg": "image/svg+xml",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "oga": "audio/ogg",
    "opus": "audio/ogg",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "weba": "audio/webm",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "ogv": "video/ogg",
    "html": "text/html",
    "txt": "text/plain",
    "jsonl": "application/x-ndjson",
    "plotly": "application/vnd.plotly.v1+json",
}
"""The media type of what a part is made into."""

_ENDINGS = {"jpeg": "jpg", "plotly": "plotly.json"}
_NOT_IN_A_PATH = re.compile(r"[\\\x00-\x1f\x7f]|^\.+$")


def encode(record: Record, context: ErrandContext) -> None:
    """Make and keep the files of one record's parts; those that are kept already are left."""
    body = record.body
    for part in parts_of(body):
        _keep(body, part, context)


def parts_of(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Everything in a ``media`` record that a file belongs to: parts, cells, and masks of both."""
    for name in ("parts", "cells"):
        found = body.get(name)
        for part in found if isinstance(found, list) else ():
            if not isinstance(part, dict):
                continue
            if isinstance(part.get("spool"), str):
                yield part
            masks = part.get("masks")
            for mask in masks.values() if isinstance(masks, dict) else ():
                if isinstance(mask, dict) and isinstance(mask.get("spool"), str):
                    yield mask


def shown_path(body: Mapping[str, Any], part: Mapping[str, Any]) -> str:
    """The path that a part's file is listed under: ``media/<key>/<step>-<name>.<ending>``."""
    names = [_NOT_IN_A_PATH.sub("_", name) for name in str(body.get("key")).split("/") if name]
    wanted = str(part.get("as"))
    stem = str(part["spool"]).rpartition(".")[0] or str(part["spool"])
    ending = _ENDINGS.get(wanted, wanted if wanted in TYPES else "bin")
    return "/".join(["media", *names, f"{body.get('s')}-{stem}.{ending}"])


def _keep(body: Mapping[str, Any], part: dict[str, Any], context: ErrandContext) -> None:
    files, name = context.files, part["spool"]
    raw = files.spool(name)
    if files.has_spool(name):
        _remove(raw)
        return
    path = shown_path(body, part)
    about = {"key": body.get("key"), "step": body.get("s"), "media": body.get("type")}
    if not os.path.isfile(raw):
        why = "it was not in the spool any more"
        files.tell(path=path, role="media", state="vanished", why=why, spool=name, meta=about)
        return
    wanted = str(part.get("as"))
    local = raw
    if part.get("encoding") != wanted:
        local = f"{raw}.made"
        try:
            make(raw, local, part)
        except OSError:
            _remove(local)
            raise
        except Exception as error:
            _remove(local)
            why = str(error) or type(error).__name__
            files.tell(path=path, role="media", state="unreadable", why=why, spool=name, meta=about)
            _remove(raw)
            return
    mime = TYPES.get(wanted, "application/octet-stream")
    files.add(local, path=path, role="media", type=mime, spool=name, meta=about)
    _remove(raw)


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)
