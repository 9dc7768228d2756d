"""Sends a run's records to the server, batch by batch, from where the server says it is.

``step`` does one thing (makes the run known, or sends one batch) and says how long to wait before
the next; the thread of the streamer and ``outrider sync`` both are loops around it. It holds one
batch in memory, never more: at any rate of the trainer it falls behind, it does not grow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from outrider.capture.leaving import leaving
from outrider.errors import ServerError
from outrider.streamer import cursor
from outrider.streamer.clock import Clock
from outrider.streamer.describe import description
from outrider.streamer.resume import Resume
from outrider.streamer.retry import Decision, backoff, judge, judge_error, judge_failure
from outrider.transport import Answer, SomebodyElse, Transport

if TYPE_CHECKING:
    from outrider.journal.reader import RunFolder
    from outrider.streamer.cursor import Offsets, Place

PACE_SECONDS = 1.0
"""The least time between two batches while little is waiting."""

_LEVEL = 3  # of zstd: about 4 ms for a MiB of JSON lines, and a sixth of its length
_SMALLEST = 1 << 12


@dataclass(frozen=True, slots=True)
class Report:
    """How delivery stands, as delivery.json tells it."""

    state: str = "starting"
    reason: str | None = None
    hint: str | None = None
    retry_at: float | None = None
    acked: Offsets = field(default_factory=dict)
    gaps: int = 0
    sent: int = 0


class Sender:
    """Delivers one run's folder to one server.

    ``connect`` makes a transport with the token that is kept now; it is asked again when the
    server refuses the one before. ``look`` gives the sizes of the segments to deliver.
    ``tell_gap`` writes a gap record into the streamer's own journal.
    """

    def __init__(
        self,
        folder: RunFolder,
        connect: Callable[[], Transport],
        look: Callable[[], Mapping[Place, int]],
        *,
        known: Offsets | None = None,
        tell_gap: Callable[[dict[str, Any]], object] = lambda record: None,
        clock: Clock | None = None,
    ) -> None:
        self.folder = folder
        self.report = Report(acked=dict(known or {}))
        self.hurries = False
        self.has_contact = False
        self.needs_token = False
        self._connect = connect
        self._transport: Transport | None = None
        self._look = look
        self._tell_gap = tell_gap
        self._clock = clock or Clock()
        self._is_created = False
        self._meta: dict[str, Any] = {}
        self._resume = Resume(folder)
        self._failures = 0
        self._unknown = 0  # how often in a row a run just made known was not known after all
        self._wait_until = 0.0
        self._pace_until = 0.0
        self._limit = cursor.BATCH_BYTES
        self._last: Place | None = None
        self._torn: Offsets = {}
        self._seen: Mapping[Place, int] = {}
        self.gaps_told: set[Place] = set()
        self._stand_ins: dict[Place, list[tuple[int, bytes]]] = {}

    def make_known_again(self) -> None:
        """run.json changed (a new attempt): tell the server before the next batch."""
        self._is_created = False

    def wake(self) -> None:
        """Try at once, whatever the backoff said (a new token, a network that is back)."""
        self._wait_until = 0.0

    def step(self) -> float | None:
        """Do one thing; seconds until the next, 0 for at once, None when all here is acked."""
        tick = self._clock.tick()
        if tick < self._wait_until:
            return self._wait_until - tick
        sizes = self._sizes()
        if not self._is_created:
            return self._create(sizes)
        places = cursor.waiting(sizes, self.report.acked, self._torn)
        if not places:
            return None
        little = cursor.behind(sizes, self.report.acked) < cursor.BATCH_BYTES
        if little and not self.hurries and tick < self._pace_until:
            return self._pace_until - tick
        return self._send(cursor.next_place(places, self._last), sizes)

    def is_drained(self, sizes: Mapping[Place, int]) -> bool:
        """Whether every whole record of ``sizes`` is acknowledged."""
        return self._is_created and not cursor.waiting(sizes, self.report.acked, self._torn)

    def _sizes(self) -> Mapping[Place, int]:
        sizes = self._look()
        if sizes is not self._seen:
            for place, size in self._seen.items():
                if sizes.get(place, size) < size:
                    self._lose(place, size - sizes[place], "was cut short")
            self._seen = sizes
        return sizes

    # --- making the run known -------------------------------------------------------------

    def _create(self, sizes: Mapping[Place, int]) -> float:
        try:
            if self._transport is None:
                self._transport = self._connect()
            self._meta = self.folder.meta()
            if not self._resume.may_create(self._meta, self._transport):
                return 0.25
            answer = self._transport.request("POST", "/api/runs", json=description(self._meta))
        except ServerError as error:
            return self._obey(self._judged(error))
        if not 200 <= answer.status < 300:
            return self._obey(judge_failure(answer, failures=self._fail(), **self._moment()))
        try:
            told = answer.json()
            offered = cursor.offsets_from_json(told["offsets"])
        except (ServerError, KeyError, TypeError):
            reason = "the server's answer names no offsets"
            seconds = backoff(self._fail(), self._clock.chance())
            return self._obey(Decision("wait", seconds, None, "waiting", reason))
        self._resume.answered(self._meta, told)
        known = self.report.acked
        self._is_created = True
        self._succeeded(acked=offered)
        self._failures = self._unknown
        gone = cursor.vanished(known, offered, sizes)
        for place in dict.fromkeys(gone + cursor.missing(sizes, offered)):
            self._lose(place, known.get(place, 0) - offered.get(place, 0), "is gone here")
        return 0.0

    def _lose(self, place: Place, count: int, what: str) -> None:
        if place in self.gaps_told:
            return
        self.gaps_told.add(place)
        self._tell_gap(cursor.gap_for(place, max(0, count), what))
        self._set(gaps=self.report.gaps + 1)

    # --- sending --------------------------------------------------------------------------

    def _send(self, place: Place, sizes: Mapping[Place, int]) -> float:
        offset = self.report.acked.get(place, 0)
        try:
            data = self._data(place, offset)
        except FileNotFoundError:
            self._torn[place] = sizes[place]  # gone since we looked
            return 0.0
        except OSError as error:
            return self._obey(
                Decision(
                    "wait",
                    backoff(self._fail(), self._clock.chance()),
                    None,
                    self.report.state,
                    f"cannot read segment {place.segment} of {place.writer}: {error.strerror}",
                )
            )
        self._last = place
        if not data:
            self._torn[place] = sizes[place]
            return 0.0
        end = offset + len(data)
        try:
            answer = self._post(place, offset, data)
        except ServerError as error:
            decision = self._judged(error)
            if decision.action == "split":
                return self._split(place, offset, data, decision, theirs=True)
            return self._obey(decision)
        failures = self._failures + (not 200 <= answer.status < 300)
        decision = judge(answer, offset, end, failures=failures, **self._moment())
        if decision.action == "acked":
            assert decision.offset is not None
            return self._ack(place, decision.offset, min(decision.offset, end) - offset)
        self._failures = failures
        if decision.action == "split":
            return self._split(place, offset, data, decision, theirs=False)
        if decision.action == "rewind":
            self._set(acked={**self.report.acked, place: decision.offset or 0})
            self._torn.pop(place, None)
            if (decision.offset or 0) < offset:  # an older store: ask how much of all it has
                self._is_created = False
            return self._pause(backoff(failures, self._clock.chance())) if failures > 2 else 0.0
        if decision.action == "create":
            self._is_created = False
            self._unknown += 1
            return self._pause(decision.seconds)
        return self._obey(decision)

    def _data(self, place: Place, offset: int) -> bytes:
        for at, line in self._stand_ins.get(place, ()):
            if at == offset:
                return line
        return self.folder.read(place.writer, place.segment, offset, self._limit).data

    def _post(self, place: Place, offset: int, data: bytes) -> Answer:
        import zstandard

        assert self._transport is not None
        project, run = quote(str(self._meta["project"]), safe=""), quote(str(self._meta["id"]))
        return self._transport.request(
            "POST",
            f"/api/projects/{project}/runs/{run}/journal/{place.writer}/{place.segment}",
            params={"offset": offset},
            data=zstandard.ZstdCompressor(level=_LEVEL).compress(leaving(data)),
            headers={
                "Content-Type": "application/x-ndjson",
                "Content-Encoding": "zstd",
                "Outrider-Raw-Length": str(len(data)),
            },
        )

    def _ack(self, place: Place, offset: int, count: int) -> float:
        rest = [(at, line) for at, line in self._stand_ins.get(place, ()) if at >= offset]
        if rest:
            self._stand_ins[place] = rest
        else:
            self._stand_ins.pop(place, None)
        self._limit = min(cursor.BATCH_BYTES, self._limit * 2)
        self._pace_until = self._clock.tick() + PACE_SECONDS
        self._unknown = 0
        self._succeeded(acked={**self.report.acked, place: offset}, sent=self.report.sent + count)
        return 0.0

    def _split(
        self, place: Place, offset: int, data: bytes, decision: Decision, *, theirs: bool
    ) -> float:
        """Make the next batch smaller. A single record that our own server refuses for its length
        is counted as a gap, by the server's word; one that a proxy refuses waits for a person."""
        half = cursor.halve(data)
        if half is not None:
            self._limit = max(_SMALLEST, min(len(half), self._limit // 2))
            return 0.0
        if theirs or place in self._stand_ins or len(data) < _SMALLEST:
            seconds = backoff(self._fail(), self._clock.chance())
            state = "waiting" if theirs else "refused"
            reason = decision.reason or "the server refuses a record for its length"
            return self._obey(Decision("wait", seconds, None, state, reason, decision.hint))
        at = offset
        lines: list[tuple[int, bytes]] = []
        why = f"refused by the server: {decision.reason or 'too long'}"
        for line in cursor.stand_in(len(data), self._clock.now(), why):
            lines.append((at, line))
            at += len(line)
        self._stand_ins[place] = lines
        self._set(gaps=self.report.gaps + 1)
        return 0.0

    # --- what an answer does to us --------------------------------------------------------

    def _judged(self, error: ServerError) -> Decision:
        if isinstance(error, SomebodyElse) and error.answer.status == 413:
            return judge_error(error, failures=1, **self._moment())
        return judge_error(error, failures=self._fail(), **self._moment())

    def _moment(self) -> dict[str, float]:
        return {"chance": self._clock.chance(), "now": self._clock.now()}

    def _fail(self) -> int:
        self._failures += 1
        return self._failures

    def _obey(self, decision: Decision) -> float:
        """Wait as decided, and say why in the report."""
        seconds = decision.seconds
        self.needs_token = decision.action == "token"
        if self.needs_token:
            close = getattr(self._transport, "close", None)
            if close is not None:
                close()
            self._transport = None
        elif decision.action == "split":  # of a request that has no batch
            seconds = backoff(self._fail(), self._clock.chance())
        self._set(
            state=decision.state,
            reason=decision.reason,
            hint=decision.hint,
            retry_at=self._clock.now() + seconds,
        )
        return self._pause(seconds)

    def _pause(self, seconds: float) -> float:
        self._wait_until = self._clock.tick() + seconds
        return seconds

    def _succeeded(self, **changes: Any) -> None:
        self._failures = 0
        self.has_contact = True
        self.needs_token = False
        self._set(state="streaming", reason=None, hint=None, retry_at=None, **changes)

    def _set(self, **changes: Any) -> None:
        from dataclasses import replace

        self.report = replace(self.report, **changes)
