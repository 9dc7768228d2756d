"""Answers, in resume.json, a run that wants to go on from what only the server knows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from outrider.folder import write_file
from outrider.transport import Transport, check

if TYPE_CHECKING:
    from outrider.journal.reader import RunFolder

FILE = "resume.json"
_TOLD = ("attempt", "last_step", "state", "name", "url")


def is_asking(meta: Mapping[str, Any]) -> bool:
    """Whether the trainer waits to be told which attempt of the run it is."""
    return bool(meta.get("resume")) and meta.get("writer") is None


class Resume:
    """Tells the trainer what the server knows of a run with ``resume=`` that has no local folder.

    The trainer writes run.json without a ``writer`` while it waits for the answer. A run that must
    exist and does not is for the trainer to refuse: nothing is made on the server before it has
    decided to record all the same.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._is_unknown = False

    def may_create(self, meta: Mapping[str, Any], transport: Transport) -> bool:
        """Whether the run may be made known now. Raises what the transport raises."""
        if meta.get("resume") != "must" or meta.get("writer") is not None:
            return True
        if self._is_unknown:
            return False
        project = quote(str(meta.get("project")), safe="")
        answer = transport.request("GET", f"/api/projects/{project}/runs/{meta['id']}")
        if answer.status != 404:
            check(answer)
            return True
        self._is_unknown = True
        self._write({"exists": False})
        return False

    def answered(self, meta: Mapping[str, Any], told: Mapping[str, Any]) -> None:
        """Hand the server's answer to ``POST /api/runs`` to the trainer."""
        if is_asking(meta):
            exists = not told.get("created", False)
            self._write({"exists": exists} | {name: told.get(name) for name in _TOLD})

    def _write(self, answer: Mapping[str, Any]) -> None:
        import orjson

        try:
            write_file(os.path.join(self._folder.path, FILE), orjson.dumps(dict(answer)))
        except OSError:  # the trainer waits 3 seconds at most and goes on without it
            return
