"""What the streamer does about files beside its loop: errands in one thread, uploads in another.

Light to import: what the threads need, they load themselves, after the streamer is ready.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from outrider.streamer.log import say, trace

if TYPE_CHECKING:
    from outrider.streamer.errands import Errands
    from outrider.streamer.files import Files
    from outrider.streamer.loop import Streamer


class Upkeep:
    """Owns a streamer's ``files`` and ``errands``; the loop tells it when to look and to end."""

    def __init__(self, streamer: Streamer) -> None:
        self.is_over = False
        self._has_failed = False
        self._streamer = streamer
        self._files: Files | None = None
        self._errands: Errands | None = None
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._news = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def files(self) -> Files:
        """The files of the run, made when they are first asked for."""
        with self._lock:
            if self._files is None:
                from outrider.streamer.files import Files

                streamer = self._streamer
                server = streamer.server if streamer.is_online else None
                self._files = Files(streamer.folder, streamer.own, server=server)
            return self._files

    def start(self) -> None:
        """Begin."""
        targets = [self._run_errands]
        if self._streamer.is_online:
            targets.append(self._run_uploads)
        for target in targets:
            thread = threading.Thread(target=self._guarded, args=(target,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def look(self, *, grew: bool, is_over: bool) -> None:
        """A round of the loop: something grew, or nobody writes any more."""
        if grew or is_over != self.is_over:
            self.is_over = is_over
            self._news.set()

    def is_busy(self) -> bool:
        """Whether an errand or an upload is still open."""
        if self._has_failed:
            return False  # a fault of ours, said in the log, must not keep the streamer for ever
        if self._errands is None or not self._errands.is_drained(self._streamer.sizes):
            self._news.set()
            return True
        return self.files.is_busy()

    def left(self) -> tuple[int, int]:
        """How many contents wait to be sent, and their bytes."""
        return self._files.shelf.left() if self._files is not None else (0, 0)

    def stop(self) -> None:
        """End both threads at their next step."""
        self._ends.set()
        self._news.set()

    def _guarded(self, target: Any) -> None:
        try:
            target()
        except Exception as error:
            say(f"{target.__name__.lstrip('_')}: {trace(error)}")
            self._has_failed = True

    def _run_errands(self) -> None:
        from outrider.streamer.errands import Errands

        streamer = self._streamer
        errands = Errands(streamer.folder, self.files, lambda: streamer.sizes, clock=streamer.clock)
        self._errands = errands
        while not self._ends.is_set():
            self._news.clear()
            try:
                while errands.work(self._ends) and not self._ends.is_set():
                    pass
                errands.follow(is_last=self.is_over)
            except Exception as error:  # a fault of ours must not end the errands
                say(f"errands: {trace(error)}")
                self._ends.wait(5.0)
            streamer.wake()
            self._news.wait(1.0)

    def _run_uploads(self) -> None:
        from outrider.streamer.loop import connect
        from outrider.streamer.uploads import Uploads

        streamer = self._streamer
        self.files.load()
        uploads = Uploads(
            streamer.folder,
            self.files,
            lambda: connect(streamer.meta),
            clock=streamer.clock,
        )
        while not self._ends.is_set():
            sender = streamer.sender
            if sender is None or not sender.has_contact:
                self._ends.wait(0.1)
                continue
            try:
                seconds = uploads.step()
            except Exception as error:  # a fault of ours must not end the uploads
                say(f"uploads: {trace(error)}")
                seconds = 5.0
            if seconds is None or seconds > 0:
                self._ends.wait(0.2 if seconds is None else seconds)
