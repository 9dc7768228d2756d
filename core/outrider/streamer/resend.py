"""Sends the contents that a server lacks, in the foreground: all that the run's folder tells of is
compared with what the server has, so that one that was lost there is sent again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from outrider.errors import ServerError
from outrider.streamer.clock import Clock
from outrider.streamer.retry import Decision, judge_error, judge_failure
from outrider.streamer.uploads import Uploads

if TYPE_CHECKING:
    from outrider.journal.reader import RunFolder
    from outrider.streamer.files import Files
    from outrider.transport import Answer, Transport

_PAGE = 1000


class Contents:
    """One ``sync``'s contents; ``sent`` counts those that the server confirmed."""

    def __init__(
        self, folder: RunFolder, files: Files, transport: Transport, clock: Clock | None = None
    ) -> None:
        self.sent = 0
        self.problem: Decision | None = None
        self._folder = folder
        self._files = files
        self._transport = transport
        self._clock = clock or Clock()

    def send(self, progress: Callable[[int, int], None] | None, patience: float) -> None:
        """Until all is there, or nothing was taken for ``patience`` seconds."""
        if not self._compare(patience):
            return
        shelf = self._files.shelf
        uploads = Uploads(self._folder, self._files, lambda: self._transport, clock=self._clock)
        total, before = shelf.left()[1], shelf.left()[0]
        failing_since: float | None = None
        while (seconds := uploads.step()) is not None:
            if progress is not None and total:
                progress(total - shelf.left()[1], total)
            self.problem = uploads.problem
            if uploads.problem is None:
                failing_since = None
                continue
            tick = self._clock.tick()
            failing_since = tick if failing_since is None else failing_since
            if uploads.problem.action == "token" or tick - failing_since >= patience:
                break
            threading.Event().wait(min(seconds, 0.5))
        self.sent = before - shelf.left()[0] - len(shelf.failed)

    def _compare(self, patience: float) -> bool:
        """Learn what the server lacks, and take up what it lost; False where it does not say."""
        meant = self._files.contents()
        names = list(meant)
        until = self._clock.tick() + patience
        at = 0
        while at < len(names):
            some = names[at : at + _PAGE]
            try:
                answer = self._ask(some)
                missing = set(answer.json()["missing"]) if answer.status == 200 else None
            except ServerError as error:
                missing = None
                self.problem = judge_error(error, failures=1, **self._moment())
            else:
                if missing is None:
                    self.problem = judge_failure(answer, failures=1, **self._moment())
            if missing is not None:
                self.problem = None
                for sha256 in some:
                    if sha256 in missing:
                        self._files.shelf.want_again(meant[sha256])
                    else:
                        self._files.shelf.confirm(meant[sha256])
                at += len(some)
            elif self.problem is not None and (
                self.problem.action == "token" or self._clock.tick() > until
            ):
                return False
            else:
                threading.Event().wait(0.3)
        return True

    def _ask(self, some: list[str]) -> Answer:
        meta = self._folder.meta()
        project, run = quote(str(meta["project"]), safe=""), quote(str(meta["id"]))
        path = f"/api/projects/{project}/runs/{run}/blobs/missing"
        return self._transport.request("POST", path, json={"sha256": some})

    def _moment(self) -> dict[str, float]:
        return {"chance": self._clock.chance(), "now": self._clock.now()}
