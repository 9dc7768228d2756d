"""Live events: tells every open page which runs changed, at a rate it can bear.

Changes of one run are merged and go out at most twice a second. What waits for a client is one
merged entry a run, and of those a bounded number: a client that does not read gets one ``resync``
in their place, and never makes the server grow.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from outrider_server.problems import busy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from outrider_server.tokens import Principal

INTERVAL = 0.5
_KEYS = 200  # more changed keys than this are told as "any"

Run = tuple[str, str]


@dataclass(slots=True)
class Change:
    """What changed in one run since it was last told; ``keys`` None means any."""

    kinds: set[str] = field(default_factory=set)
    keys: set[str] | None = field(default_factory=set)
    state: str | None = None

    def merge(self, kinds: Iterable[str], keys: Iterable[str] | None, state: str | None) -> None:
        """Add a later change."""
        self.kinds.update(kinds)
        if keys is None or self.keys is None:
            self.keys = None
        else:
            self.keys.update(keys)
            if len(self.keys) > _KEYS:
                self.keys = None
        self.state = state or self.state


class Subscriber:
    """One event stream: whose it is, what it wants, and what waits for it."""

    def __init__(
        self, principal: Principal, projects: Collection[str], run: str | None, limit: int
    ) -> None:
        self.principal = principal
        self._projects = frozenset(projects)
        self._run = run
        self._limit = limit
        self._waiting: OrderedDict[Run, Change] = OrderedDict()
        self._needs_resync = False
        self._is_closed = False
        self._wake = asyncio.Event()

    def wants(self, project: str, run: str) -> bool:
        """Whether a change of this run is for this stream."""
        return (
            (not self._projects or project in self._projects)
            and (self._run is None or self._run == run)
            and self.principal.may_see(project)
        )

    def offer(self, run: Run, change: Change) -> None:
        """Leave a change to be fetched; never waits, never grows beyond the limit."""
        if self._needs_resync:
            return
        kept = self._waiting.get(run)
        if kept is None:
            kept = self._waiting[run] = Change()
        kept.merge(change.kinds, change.keys, change.state)
        if len(self._waiting) > self._limit:
            self._waiting.clear()
            self._needs_resync = True
        self._wake.set()

    def close(self) -> None:
        """End the stream after what it is sending now."""
        self._is_closed = True
        self._wake.set()

    async def next(self, seconds: float) -> bytes | None:
        """The next events as bytes, a ping when nothing happened for so long, None at the end."""
        if not self._wake.is_set():
            try:
                await asyncio.wait_for(self._wake.wait(), seconds)
            except asyncio.TimeoutError:
                return b"event: ping\ndata: {}\n\n"
        if self._is_closed:
            return None
        self._wake.clear()
        if self._needs_resync:
            self._needs_resync = False
            return b"event: resync\ndata: {}\n\n"
        waiting, self._waiting = self._waiting, OrderedDict()
        return b"".join(_event(run, change) for run, change in waiting.items())


class Hub:
    """Takes changes from the routes and spreads them to the streams; lives on the event loop."""

    def __init__(self, clients: int, runs: int) -> None:
        self._clients = clients
        self._runs = runs
        self._subscribers: set[Subscriber] = set()
        self._pending: dict[Run, Change] = {}
        self._told: dict[Run, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    def subscribe(
        self, principal: Principal, projects: Collection[str], run: str | None
    ) -> Subscriber:
        """Open a stream of some projects (of all when none is named); 503 when there are too many."""
        if self._is_closed or len(self._subscribers) >= self._clients:
            raise busy("too many event streams are open", after=5)
        subscriber = Subscriber(principal, projects, run, self._runs)
        self._subscribers.add(subscriber)
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Forget a stream."""
        self._subscribers.discard(subscriber)

    def publish(
        self,
        project: str,
        run: str,
        kinds: Iterable[str],
        keys: Iterable[str] | None = None,
        state: str | None = None,
    ) -> None:
        """Tell the streams of a change; free when nobody listens."""
        if not self._subscribers:
            return
        key = (project, run)
        change = self._pending.get(key)
        if change is None:
            change = self._pending[key] = Change()
        change.merge(kinds, keys, state)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            delay = max(0.0, self._told.get(key, 0.0) + INTERVAL - loop.time())
            self._timer = loop.call_later(delay, self._flush)

    def end(self, token_ids: Iterable[str]) -> None:
        """Close the streams of revoked tokens."""
        ids = set(token_ids)
        for subscriber in list(self._subscribers):
            if subscriber.principal.id in ids:
                subscriber.close()

    def close(self) -> None:
        """Close every stream; no new one opens."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for subscriber in list(self._subscribers):
            subscriber.close()

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        now = loop.time()
        self._told = {key: when for key, when in self._told.items() if when + INTERVAL > now}
        due = [key for key in self._pending if key not in self._told]
        for key in due:
            change = self._pending.pop(key)
            self._told[key] = now
            for subscriber in self._subscribers:
                if subscriber.wants(*key):
                    subscriber.offer(key, change)
        if self._pending:
            soonest = min(self._told[key] for key in self._pending)
            self._timer = loop.call_later(max(0.01, soonest + INTERVAL - now), self._flush)


def _event(run: Run, change: Change) -> bytes:
    content: dict[str, Any] = {
        "project": run[0],
        "run": run[1],
        "kinds": sorted(change.kinds),
        "keys": None if change.keys is None else sorted(change.keys),
        "state": change.state,
    }
    return b"event: change\ndata: " + orjson.dumps(content) + b"\n\n"
