"""Sends contents to the server chunk by chunk, from where the server says it is.

``step`` sends one chunk at most and says how long to wait before the next. Only a small piece of it
is in memory, and nothing is remembered here: after a kill the server tells how much of a content it
has, and the rest follows. The server compares the hash of the whole before it calls it complete.
Small contents travel in bundles, each of which is taken whole or offered again.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from outrider import contents
from outrider.errors import ServerError
from outrider.streamer import bundles
from outrider.streamer.clock import Clock
from outrider.streamer.log import say
from outrider.streamer.retry import Decision, backoff, judge_error, judge_failure, offset_in
from outrider.transport import Answer, Transport, said

if TYPE_CHECKING:
    from outrider.contents import Stored
    from outrider.journal.reader import RunFolder
    from outrider.streamer.files import Files
    from outrider.transport import Body

LARGEST = 8 << 20
"""The most bytes of one chunk; the server takes no longer one."""

SMALLEST = 1 << 16
FIRST = 1 << 20

_QUICK_SECONDS = 0.5
_SLOW_SECONDS = 5.0
_MISMATCHES = 3
_TIMEOUT = (5.0, 120.0)
"""The answer to a last chunk may take as long as hashing the whole."""


class Uploads:
    """Sends what waits on a run's shelf to its server, over a connection of its own."""

    def __init__(
        self,
        folder: RunFolder,
        files: Files,
        connect: Callable[[], Transport],
        *,
        clock: Clock | None = None,
    ) -> None:
        self.files = files
        self.problem: Decision | None = None
        self._folder = folder
        self._connect = connect
        self._clock = clock or Clock()
        self._transport: Transport | None = None
        self._chunk = FIRST
        self._current: str | None = None
        self._offset: int | None = None
        self._failures = 0
        self._mismatches: dict[str, int] = {}
        self._bundle = bundles.MOST
        self._apart: set[str] = set()

    def step(self) -> float | None:
        """Send one chunk, or one bundle; seconds until the next step, None while nothing waits."""
        shelf = self.files.shelf
        stored = shelf.next()
        if stored is None:
            return None
        if self._current != stored.sha256 and self._bundle > 1:
            some = bundles.chosen(shelf.first(2 * self._bundle), self._apart, self._bundle)
            if len(some) > 1 and (seconds := self._send_bundle(some)) is not None:
                return seconds
        if stored.sha256 != self._current:
            self._current = stored.sha256
            self._offset = 0 if stored.size <= self._chunk else None
        try:
            fd = os.open(
                self.files.place(stored.sha256), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
            )
        except OSError as error:
            return self._give_up(stored, f"it cannot be read here: {error.strerror}")
        try:
            if os.fstat(fd).st_size != stored.size:
                return self._give_up(stored, "it is damaged here: its length is another")
            return self._send(fd, stored)
        except ServerError as error:
            self._offset = None
            self._chunk = max(SMALLEST, self._chunk // 2)
            return self._obey(judge_error(error, failures=self._fail(), **self._moment()))
        finally:
            os.close(fd)

    def close(self) -> None:
        """Close the connection; the next step opens another."""
        close = getattr(self._transport, "close", None)
        if close is not None:
            close()
        self._transport = None

    def _send_bundle(self, some: list[Stored]) -> float | None:
        """Send small contents together; None where they have to go one by one."""
        data, inside = bundles.packed(self.files, some)
        self._apart |= {stored.sha256 for stored in some} - {stored.sha256 for stored in inside}
        if len(inside) < 2:
            return None
        try:
            answer = self._request("PUT", "", None, data)
        except ServerError as error:
            self._bundle = max(2, self._bundle // 2)
            return self._obey(judge_error(error, failures=self._fail(), **self._moment()))
        kept = answer.json().get("kept") if answer.status == 200 else None
        if not isinstance(kept, list):
            return self._bundle_refused(answer)
        self._failures = 0
        self.problem = None
        self._bundle = min(bundles.MOST, self._bundle * 2)
        self.files.shelf.confirm(*(stored for stored in inside if stored.sha256 in kept))
        # Why one was not kept, the answer to a request of its own tells.
        self._apart |= {stored.sha256 for stored in inside}.difference(kept)
        return 0.0

    def _bundle_refused(self, answer: Answer) -> float | None:
        if answer.status in (200, 400, 404, 405, 411):  # a server that knows no bundles
            self._bundle = 1
            return None
        if answer.status == 413:
            self._bundle //= 2
            return 0.0
        return self._obey(judge_failure(answer, failures=self._fail(), **self._moment()))

    def _send(self, fd: int, stored: Stored) -> float:
        if self._offset is None:
            answer = self._ask("GET", stored, "/state", {"size": stored.size})
            offset = offset_in(answer)
            if answer.status == 200 and offset is not None:
                # Where the project has it already, an empty chunk at its end makes it this run's.
                self._offset = min(offset, stored.size)
                return 0.0
            return self._refused(answer, stored)
        length = min(self._chunk, stored.size - self._offset)
        # an empty one is told as such: a body that is read while it is sent cannot be empty
        data = contents.Stretch(fd, self._offset, length) if length else b""
        began = self._clock.tick()
        answer = self._ask("PUT", stored, "", {"offset": self._offset, "size": stored.size}, data)
        took = self._clock.tick() - began
        offset = offset_in(answer)
        if answer.status != 200 or offset is None:
            return self._refused(answer, stored)
        self._failures = 0
        self.problem = None
        self._offset = self.files.shelf.sent_of_first = offset
        if took < _QUICK_SECONDS and length == self._chunk:
            self._chunk = min(LARGEST, self._chunk * 2)
        elif took > _SLOW_SECONDS:
            self._chunk = max(SMALLEST, self._chunk // 2)
        if answer.json().get("complete") is True:
            self.files.shelf.confirm(stored)
        return 0.0

    def _ask(
        self,
        method: str,
        stored: Stored,
        below: str,
        params: dict[str, int],
        data: Body | None = None,
    ) -> Answer:
        return self._request(method, f"/{stored.sha256}{below}", params, data)

    def _request(
        self, method: str, below: str, params: dict[str, int] | None, data: Body | None
    ) -> Answer:
        if self._transport is None:
            self._transport = self._connect()
        meta = self._folder.meta()
        project, run = quote(str(meta["project"]), safe=""), quote(str(meta["id"]))
        return self._transport.request(
            method,
            f"/api/projects/{project}/runs/{run}/blobs{below}",
            params=params,
            data=data,
            headers={"Content-Type": "application/octet-stream"} if data is not None else None,
            timeout=_TIMEOUT,
        )

    # --- what a refusal means ---------------------------------------------------------------

    def _refused(self, answer: Answer, stored: Stored) -> float:
        offset = offset_in(answer)
        if answer.status == 409 and offset is not None:
            self._offset = min(offset, stored.size)
            failures = self._fail()
            return backoff(failures, self._clock.chance()) if failures > 2 else 0.0
        self._offset = None
        if answer.status == 422:  # what arrived has another hash: is it ours that is damaged?
            if contents.hash_file(self.files.place(stored.sha256)) != stored:
                return self._give_up(stored, "it is damaged here: its hash is another")
            self._mismatches[stored.sha256] = self._mismatches.get(stored.sha256, 0) + 1
            if self._mismatches[stored.sha256] >= _MISMATCHES:
                return self._give_up(stored, "it arrives with another hash, again and again")
            return 0.0
        if answer.status == 413 and self._chunk > SMALLEST:
            self._chunk = max(SMALLEST, self._chunk // 2)
            return 0.0
        if answer.status in (400, 413):
            return self._give_up(stored, f"the server refuses it: {said(answer)[0]}")
        return self._obey(judge_failure(answer, failures=self._fail(), **self._moment()))

    def _give_up(self, stored: Stored, why: str) -> float:
        """Leave a content that cannot be sent; it stays here, and a ``sync`` tries it again."""
        self.files.shelf.fail(stored, why)
        say(f"{stored.sha256} ({stored.size} bytes) is not sent: {why}")
        return 0.0

    def _obey(self, decision: Decision) -> float:
        self.problem = decision
        if decision.action == "token":
            self.close()
        return max(decision.seconds, 0.1)

    def _fail(self) -> int:
        self._failures += 1
        return self._failures

    def _moment(self) -> dict[str, float]:
        return {"chance": self._clock.chance(), "now": self._clock.now()}
