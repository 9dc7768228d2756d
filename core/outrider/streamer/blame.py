"""Keeps what failed in plugins beside the run, in plugins-<host>.json, for ``outrider plugins``: the
process that they failed in is not there any more when somebody asks."""

from __future__ import annotations

import glob
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson

from outrider.folder import write_file
from outrider.ids import host_label
from outrider.streamer.status import read_status

if TYPE_CHECKING:
    from outrider.plugins import PluginRecord


class Blame:
    """Listens to the failures of this process. ``Blame(folder)`` is called with each of them."""

    def __init__(self, folder: str) -> None:
        self.path = os.path.join(folder, f"plugins-{host_label()}.json")
        self._told: dict[str, Any] = {}

    def __call__(self, record: PluginRecord) -> None:
        """Write down how often a plugin has failed by now, and how."""
        self._told[record.name] = {
            "failures": record.failures,
            "problem": record.problem,
            "enabled": record.enabled,
        }
        with suppress(OSError):  # the disk is full; streamer.log has it, too, if anything has
            write_file(self.path, orjson.dumps(self._told))


def failures_in(folder: str) -> dict[str, Any]:
    """What plugins have failed at in a run's streamers, by plugin."""
    found: dict[str, Any] = {}
    for path in glob.glob(os.path.join(glob.escape(folder), "plugins-*.json")):
        found.update(read_status(path))
    return found
