"""The stream of live events."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.responses import Response

from outrider_server.problems import forbidden
from outrider_server.routes.operation import Call, Operation, Parameter
from outrider_server.tokens import Role

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from outrider_server.live import Subscriber
    from outrider_server.services import Services

PING_SECONDS = 15.0


class EventStream(Response):
    """Sends what a subscriber is offered until the client leaves or the stream is closed."""

    def __init__(self, services: Services, subscriber: Subscriber) -> None:
        super().__init__(
            status_code=200,
            headers={"cache-control": "no-store", "x-accel-buffering": "no", "connection": "close"},
            media_type="text/event-stream",
        )
        del self.headers["content-length"]
        self._services = services
        self._subscriber = subscriber

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream."""
        subscriber = self._subscriber
        leaving = asyncio.ensure_future(self._watch(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            piece: bytes | None = b"retry: 2000\n\n"
            while piece is not None:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                piece = await subscriber.next(PING_SECONDS)
                if not self._services.tokens.is_valid(subscriber.principal):
                    break
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._services.hub.unsubscribe(subscriber)
            leaving.cancel()
            with suppress(asyncio.CancelledError):
                await leaving

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._subscriber.close()


async def events(call: Call) -> Response:
    """Open a stream of changes."""
    projects, run = call.query["project"], call.query["run"]
    # a browser has one stream for all its pages: one project too many must not cost the others theirs
    if projects and not any(map(call.who.may_see, projects)):
        raise forbidden(f"the token {call.who.name!r} is not for this project")
    subscriber = call.services.hub.subscribe(call.who, projects, run)
    return EventStream(call.services, subscriber)


OPERATIONS = (
    Operation(
        "GET",
        "/api/events",
        "events",
        "Live changes, as server-sent events",
        Role.READ,
        events,
        query=(
            Parameter("project", "only these projects, repeated", is_many=True),
            Parameter("run", "only this run (of that project)"),
        ),
        errors=(503,),
        is_raw=True,
        media_type="text/event-stream",
        description="`change`: {project, run, kinds, keys or null for any, state}, merged, at "
        "most twice a second for a run. `resync`: events were dropped because they were not read "
        "in time, so fetch anew. `ping` each 15 s.",
    ),
)
