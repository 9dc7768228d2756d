"""Asks the plugins, once an attempt, what code a run was started from and what it runs in.

It happens in a thread, after the streamer is ready: git may take its time, and nothing waits for it
but the streamer's end. The trainer has no part in it.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from outrider.capture.redact import redact_all
from outrider.journal.record import Damaged, decode, lines
from outrider.streamer.log import say, trace
from outrider.streamer.process import is_of_this_host
from outrider.streamer.resume import is_asking

if TYPE_CHECKING:
    from outrider.journal.reader import RunFolder
    from outrider.streamer.loop import Streamer

PATIENCE_SECONDS = 180.0
"""How long, at most, the streamer stays for a capture after the run has ended."""

OWN = "capture"
"""The plugin whose answer is the record itself; what others answer stands below their names."""

_MARK = b'"k":"environment"'


class Capturing:
    """Captures each attempt of one run on this host."""

    def __init__(self, streamer: Streamer) -> None:
        self._streamer = streamer
        self._begun: set[int] = set()
        self._ended: set[int] = set()
        self._patience_ends: float | None = None
        self._is_asking = False

    def look(self) -> None:
        """Begin with the present attempt, if that was not done; not while the trainer still asks the
        server which attempt it is."""
        meta = dict(self._streamer.meta)
        self._is_asking = is_asking(meta)
        if self._is_asking:
            return
        attempt = int(meta.get("attempt") or 1)
        if attempt in self._begun:
            return
        self._begun.add(attempt)
        thread = threading.Thread(
            target=self._guarded, args=(meta, attempt), name="capturing", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            self._ended.add(attempt)
            raise

    def is_busy(self) -> bool:
        """Whether a capture is still under way; called when everything else is done."""
        tick = self._streamer.clock.tick()
        if self._patience_ends is None:
            self._patience_ends = tick + PATIENCE_SECONDS
        return tick < self._patience_ends and not self._is_asking and self.is_under_way()

    def is_under_way(self) -> bool:
        """Whether an attempt is being captured, or the first is about to be: that a thread is not
        alive yet does not say that it has done its work."""
        return not self._begun or self._begun != self._ended

    def _guarded(self, meta: dict[str, Any], attempt: int) -> None:
        try:
            if attempt not in set(captured(self._streamer.folder)):
                self._capture(meta, attempt)
        except Exception as error:
            say(f"capture: {trace(error)}")
        finally:
            self._ended.add(attempt)
        self._streamer.wake()

    def _capture(self, meta: dict[str, Any], attempt: int) -> None:
        from outrider import plugins

        streamer = self._streamer
        code: Any = None
        environment: dict[str, Any] = {}
        context = {**meta, "folder": streamer.folder.path}
        answers = plugins.call_each("capture", patience=plugins.WORKING_SECONDS, context=context)
        for name, answer in answers:
            if name != OWN:
                environment[name] = redact_all(answer)
                continue
            code = answer.get("code")
            environment.update(answer.get("environment") or {})
            for file in answer.get("files") or ():
                self._keep(file)
        said = {"a": attempt, "host": os.uname().nodename, "primary": is_of_this_host(meta)}
        if code is not None:
            streamer.own.append({"k": "code", **said, "c": code})
        streamer.own.append({"k": "environment", **said, "c": environment})

    def _keep(self, file: Any) -> None:
        stored = self._streamer.upkeep.files.add(
            file.local,
            path=file.path,
            role="code",
            type=file.type,
            spool=os.path.basename(file.local),
            meta=file.meta,
            upload=file.upload,
        )
        file.said.update(sha256=stored.sha256, size=stored.size)


def captured(folder: RunFolder) -> Iterator[int]:
    """The attempts that streamers of this host have captured."""
    for record in _told(folder):
        number = record.get("a")
        if isinstance(number, int):
            yield number


def _told(folder: RunFolder) -> Iterator[Mapping[str, Any]]:
    for writer in folder.writers():
        head = folder.head(writer) or {}
        if head.get("role") != "streamer" or not is_of_this_host(head):
            continue
        for segment in folder.segments(writer):
            offset = 0
            while (piece := folder.read(writer, segment, offset)).data:
                for line in lines(piece.data):
                    if _MARK in line:
                        with contextlib.suppress(Damaged):
                            yield decode(line).body
                offset = piece.end
