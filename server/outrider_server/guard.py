"""The guard before every route: which host was meant, which site asks, and who.

* The Host header must name this server, so that a page that rebinds its own name to our address
  is refused before anything is looked up.
* A request with an Origin of another site is refused whatever its method; a browser session (a
  cookie) needs our own Origin for everything that changes something, and browsers that say where
  a request comes from (Sec-Fetch-Site) are believed.
* Everything below ``/api/`` but the health check needs a token or a session, also on loopback. One
  that is revoked while a body comes in or an answer goes out ends that, too.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect

from outrider_server.answers import JSON, problem_response
from outrider_server.problems import Problem, bad_request, forbidden, unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from outrider_server.ingest_route import Ingest
    from outrider_server.tokens import Principal, Tokens

log = logging.getLogger("outrider.server")

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
PUBLIC = frozenset(("/api/health",))
PRINCIPAL = "outrider.principal"
HEADERS = "outrider.headers"
COOKIE = "outrider_session"

# Sent with every answer, also with those that uvicorn makes itself.
SECURITY_HEADERS = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
)
# Sent with every answer that does not bring its own: a sandboxed content may be framed by the page.
_POLICY = (
    (b"x-frame-options", b"DENY"),
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
            b"font-src 'self'; connect-src 'self'; media-src 'self' blob:; worker-src 'self'; "
            b"manifest-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; "
            b"frame-ancestors 'none'"
        ),
    ),
)

AT_ONCE = (*JSON, *_POLICY)
"""Headers of an answer to a batch that was taken at once."""

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::(\d{1,5}))?")
_ONCE = frozenset((b"host", b"authorization", b"origin", b"content-encoding"))
_REMEMBERED = 256


class _Revoked(ClientDisconnect):
    """The token was revoked while its answer was on its way: the connection ends there."""


class Hosts:
    """The names under which this server may be addressed.

    On loopback: loopback addresses and ``localhost``, with any port (a tunnel may have another).
    Else also any literal address and this machine's names: a rebinding attack needs a name of the
    attacker's. Further names come from the settings.
    """

    def __init__(
        self, bound: str, names: Iterable[str] = (), public_url: str | None = None
    ) -> None:
        public = urlsplit(public_url or "").hostname
        self._is_loopback = bound == "localhost" or _is_loopback(bound)
        self._names = {"localhost", *(name.lower() for name in names)}
        if public:
            self._names.add(public)
        if not self._is_loopback:
            self._names |= {bound.lower(), socket.gethostname().lower()}
        self._seen: dict[bytes, bool] = {}

    def allow(self, host: bytes) -> bool:
        """Whether a Host header names this server."""
        known = self._seen.get(host)
        if known is None:
            known = self._decide(host.decode("latin-1"))
            if len(self._seen) < _REMEMBERED:
                self._seen[host] = known
        return known

    def _decide(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None or int(match[2] or 0) > 65535:
            return False
        name = match[1].strip("[]").lower()
        if name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return _is_loopback(name) if self._is_loopback else not address.is_multicast


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class _Talk:
    """One request's two directions: what goes out gets the policy, and both end with their token."""

    def __init__(self, tokens: Tokens, scope: Scope, receive: Receive, send: Send) -> None:
        self.has_started = False
        self._tokens = tokens
        self._scope = scope
        self._receive = receive
        self._send = send

    async def receive(self) -> Message:
        """What comes in. Raises 401 once the token was revoked."""
        message = await self._receive()
        if message["type"] == "http.request" and not self._is_still_valid():
            raise unauthorized("the token was revoked")
        return message

    async def send(self, message: Message) -> None:
        """What goes out; where the token was revoked and more is to follow, the connection ends."""
        if not self.has_started and message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message.get("headers", ())}
            policy = [pair for pair in _POLICY if pair[0] not in given]
            message = {**message, "headers": [*message.get("headers", ()), *policy]}
        elif message.get("more_body") and not self._is_still_valid():
            raise _Revoked
        self.has_started = True
        await self._send(message)

    def _is_still_valid(self) -> bool:
        principal = self._scope.get(PRINCIPAL)
        return principal is None or self._tokens.is_valid(principal)


class Guard:
    """The outermost ASGI application: checks, then hands on with the principal in the scope."""

    def __init__(self, app: ASGIApp, ingest: Ingest, tokens: Tokens, hosts: Hosts) -> None:
        self._app = app
        self._ingest = ingest
        self._tokens = tokens
        self._hosts = hosts
        self.cookie = COOKIE.encode()
        self.public_origin: bytes | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; whatever fails becomes an answer, never an exception to uvicorn."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        talk = _Talk(self._tokens, scope, receive, send)
        try:
            if self._check(scope):  # looks itself whether the token is still good, before it stores
                await self._ingest(scope, receive, talk.send)
            else:
                await self._app(scope, talk.receive, talk.send)
        except ClientDisconnect:
            return
        except Problem as problem:
            if not talk.has_started:
                await problem_response(problem)(scope, receive, talk.send)
        except Exception:
            log.exception("%s %s failed", scope["method"], _printable(scope["path"]))
            if not talk.has_started:
                failure = Problem(
                    500, "internal", "the server failed; its log says more", hint="try again"
                )
                await problem_response(failure)(scope, receive, talk.send)

    def at_once(self, scope: Scope, body: bytes, answer: Callable[[bytes | None], None]) -> bool:
        """Take a small batch whose body is here, in this call; False where nothing was done.

        ``answer`` gets what to answer 200 with once it is committed, or None where that failed.
        Then, and after False, the request is served as any other, which says what was wrong.
        """
        try:
            return self._check(scope) and self._ingest.at_once(scope, body, answer)
        except Problem:
            return False
        except Exception:
            log.exception("a batch could not be taken at once")
            return False

    def _check(self, scope: Scope) -> bool:
        """Raise a Problem, or set the principal; whether this is the path of a batch."""
        headers = dict(scope["headers"])
        if len(headers) < len(scope["headers"]):
            headers = _joined(scope["headers"])
        scope[HEADERS] = headers
        method: str = scope["method"]
        path: str = scope["path"]
        host = headers.get(b"host", b"")
        if not self._hosts.allow(host):
            raise Problem(
                421,
                "wrong_host",
                "the Host header names another server",
                hint="use the address that `outrider server` printed; a reverse proxy's name must "
                "be made known to the server",
            )
        origin = headers.get(b"origin")
        if origin is not None and not self._is_own(origin, host):
            raise forbidden("the request comes from another site (its Origin is not this server)")
        if not path.startswith("/api/") or path in PUBLIC:
            return False
        principal = self._authenticate(headers, method, origin)
        scope[PRINCIPAL] = principal
        return method == "POST" and "/journal/" in path and path.count("/") == 8

    def _is_own(self, origin: bytes, host: bytes) -> bool:
        if self.public_origin is not None and origin == self.public_origin:
            return True
        scheme, _, rest = origin.partition(b"://")
        return scheme in (b"http", b"https") and rest.lower() == host.lower()

    def _authenticate(
        self, headers: dict[bytes, bytes], method: str, origin: bytes | None
    ) -> Principal:
        authorization = headers.get(b"authorization")
        if authorization is not None:
            scheme, _, text = authorization.partition(b" ")
            if scheme.lower() != b"bearer":
                raise unauthorized("only bearer tokens are understood")
            found = self._tokens.find(text.strip().decode("latin-1"))
            if found is None or found.kind == "session":
                raise unauthorized("the token is not known here, or it was revoked")
            return found
        session = self.session(headers)
        if session is None:
            raise unauthorized("this needs a token")
        if headers.get(b"sec-fetch-site", b"none") not in (b"same-origin", b"none"):
            raise forbidden("the request comes from another site (Sec-Fetch-Site)")
        if method not in SAFE and origin is None:
            raise forbidden(
                "a browser session must name its Origin for requests that change something",
                hint="scripts send a token instead of the cookie",
            )
        return session

    def session(self, headers: dict[bytes, bytes]) -> Principal | None:
        """Whose browser session the cookie is, or None."""
        for item in headers.get(b"cookie", b"").split(b";"):
            name, _, value = item.strip().partition(b"=")
            if name == self.cookie:
                found = self._tokens.find(value.decode("latin-1"))
                if found is not None and found.kind == "session":
                    return found
        return None


def _joined(pairs: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers of which some stand there twice: cookies together, of others the first; raises a Problem
    for those that may not."""
    headers: dict[bytes, bytes] = {}
    for name, value in pairs:
        if name not in headers:
            headers[name] = value
        elif name == b"cookie":
            headers[name] += b"; " + value
        elif name in _ONCE:
            raise bad_request(f"the header {name.decode()} stands there twice")
    return headers


def _printable(path: str) -> str:
    return path[:200].encode("ascii", "backslashreplace").decode()
