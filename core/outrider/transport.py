"""The one seam for all HTTP from our side: the streamer, the command line and the reading API.

A token is sent only to the server it was found for: redirects are never followed, ``.netrc`` is not
read, and a loopback server is never asked through a proxy. Answers are bounded, and one that does
not come from an Outrider server (no ``Outrider-Server`` header) is told apart from one that does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias
from urllib.parse import urlsplit

from outrider import __version__
from outrider.errors import NotFound, NotOutrider, Refused, ServerError, Unauthorized, Unreachable

if TYPE_CHECKING:
    import requests

    from outrider.credentials import Token

SERVER_HEADER = "outrider-server"
MAX_ANSWER = 64 << 20
TIMEOUT = (5.0, 30.0)
"""Seconds to connect, and seconds between two bytes of an answer."""

_CHUNK = 1 << 16


class Answer(NamedTuple):
    """One HTTP answer; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_ours(self) -> bool:
        """Whether an Outrider server says that it wrote this answer."""
        return SERVER_HEADER in self.headers

    def json(self) -> Any:
        """The body as JSON; raises ``ServerError`` where it is none."""
        import orjson

        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise ServerError(
                f"the server's answer is not JSON: {error}", status=self.status
            ) from None


class SomebodyElse(NotOutrider):
    """An answer without our header: a proxy, a login page, another program; ``answer`` holds it."""

    def __init__(self, url: str, answer: Answer) -> None:
        server = answer.headers.get("server", "something else")
        super().__init__(
            f"{url} answered {answer.status}, but not as an Outrider server ({server[:60]})",
            hint=_hint_of(answer),
            status=answer.status,
        )
        self.answer = answer


def _hint_of(answer: Answer) -> str:
    if 300 <= answer.status < 400 and "location" in answer.headers:
        place = answer.headers["location"][:200]
        return f"it points to {place}: redirects are not followed; set OUTRIDER_URL"
    if answer.status == 413:
        return "a proxy before the server limits the size of a request: raise that limit"
    if answer.status in (502, 503, 504):
        return "a proxy answers for a server that seems to be down"
    return "is the URL right, and no proxy or login page in between?"


class Stream(Protocol):
    """A body that is read while it is sent; its length is known and not zero."""

    def __len__(self) -> int:
        """How many bytes it has."""
        ...

    def __iter__(self) -> Iterator[bytes]:
        """They, piece by piece."""
        ...


Body: TypeAlias = bytes | Stream


class Transport(Protocol):
    """What sends one request and returns one answer; tests put their own in its place."""

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Any = None,
        json: Any = None,
        data: Body | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | tuple[float, float] = TIMEOUT,
    ) -> Answer:
        """Send a request. Raises ``Unreachable`` where nobody answers, ``NotOutrider`` where
        somebody else does; every answer of the server's own, also a refusal, is returned."""
        ...


class HttpTransport:
    """Speaks to one server over kept connections; made for one thread at a time.

    ``url`` may carry a path, for a server behind a proxy. ``token`` is sent to it alone.
    """

    def __init__(self, url: str, token: Token | None = None) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self._session: requests.Session | None = None

    def _open(self) -> requests.Session:
        import requests

        session = requests.Session()
        session.headers["User-Agent"] = f"outrider/{__version__}"
        session.headers["Accept"] = "application/json"
        session.auth = self._sign  # always one of ours: else requests would look into .netrc
        session.trust_env = not is_loopback(self.url)
        return session

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.token is not None:
            request.headers["Authorization"] = f"Bearer {self.token.value}"
        return request

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Any = None,
        json: Any = None,
        data: Body | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | tuple[float, float] = TIMEOUT,
    ) -> Answer:
        """See ``Transport``."""
        import requests

        if self._session is None:
            self._session = self._open()
        url = self.url + path
        try:
            with self._session.request(
                method,
                url,
                params=params,
                json=json,
                data=data,
                headers=dict(headers or {}),
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                answer = Answer(
                    response.status_code,
                    {name.lower(): value for name, value in response.headers.items()},
                    _bounded(
                        response, 10 * (timeout if isinstance(timeout, float) else timeout[1])
                    ),
                )
        except requests.RequestException as error:
            raise unreachable(self.url, error) from None
        except (OSError, ValueError) as error:  # a broken URL, a header with a newline
            raise unreachable(self.url, error) from None
        if not answer.is_ours:
            raise SomebodyElse(self.url, answer)
        return answer

    def close(self) -> None:
        """Close the kept connections; the next request opens new ones."""
        if self._session is not None:
            self._session.close()
            self._session = None


def _bounded(
    response: requests.Response, seconds: float, clock: Callable[[], float] = time.monotonic
) -> bytes:
    """The decoded body; one that is too long or trickles in for too long is cut off with an error."""
    until = clock() + seconds
    parts: list[bytes] = []
    length = 0
    for part in response.iter_content(_CHUNK):
        length += len(part)
        if length > MAX_ANSWER:
            raise OSError(f"the answer is longer than {MAX_ANSWER >> 20} MiB")
        if clock() > until:
            raise TimeoutError("the answer did not end in time")
        parts.append(part)
    return b"".join(parts)


_HINTS = {
    "refused": "is the server running? `outrider server` starts one",
    "dns": "is the host name in the URL right, and the network there?",
    "tls": "is it https with a certificate this machine trusts? REQUESTS_CA_BUNDLE names others",
    "timeout": "the server or the network does not answer in time",
    "reset": "the connection broke; a proxy or the server closed it",
    "proxy": "the proxy named by HTTP_PROXY or HTTPS_PROXY does not let us through",
    "other": "see the message",
}


def unreachable(url: str, error: BaseException) -> Unreachable:
    """Say in one line why nobody answered."""
    kind = _kind(error)
    words = {
        "refused": "connection refused",
        "dns": "the host name is not known",
        "tls": "the TLS handshake failed",
        "timeout": "no answer in time",
        "reset": "the connection broke",
        "proxy": "the proxy failed",
    }
    reason = words.get(kind) or f"{type(error).__name__}: {error}"[:200]
    return Unreachable(f"{url}: {reason}", hint=_HINTS[kind], kind=kind)


def _kind(error: BaseException) -> str:
    import requests

    if isinstance(error, requests.exceptions.ProxyError):
        return "proxy"
    if isinstance(error, requests.exceptions.SSLError):
        return "tls"
    if isinstance(error, (requests.exceptions.Timeout, TimeoutError)):
        return "timeout"
    chain = repr(_causes(error))
    if "NameResolutionError" in chain or "gaierror" in chain:
        return "dns"
    if "ConnectionRefusedError" in chain or "Connection refused" in chain:
        return "refused"
    if "ReadTimeout" in chain or "timed out" in chain:
        return "timeout"
    if isinstance(error, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        return "reset"
    return "other"


def _causes(error: BaseException) -> list[BaseException]:
    """The error, what it was raised from and what it wraps (requests keeps urllib3's as arguments)."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(found) < 20:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return found


def is_loopback(url: str) -> bool:
    """Whether a URL names this very machine."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    return host == "localhost" or host.endswith(".localhost") or host == "::1" or _is_127(host)


def _is_127(host: str) -> bool:
    parts = host.split(".")
    return len(parts) == 4 and parts[0] == "127" and all(part.isdigit() for part in parts)


def check(answer: Answer) -> Answer:
    """Return a 2xx answer; raise the error that says what another one means, in the server's words."""
    if 200 <= answer.status < 300:
        return answer
    message, hint = said(answer)
    message = message or f"the server answered {answer.status}"
    if answer.status in (401, 403):
        hint = hint or "`outrider login` keeps a token for this server"
        raise Unauthorized(message, hint=hint, status=answer.status)
    if answer.status == 404:
        raise NotFound(message, hint=hint)
    if 400 <= answer.status < 500 and answer.status != 429:
        raise Refused(message, hint=hint, status=answer.status)
    raise ServerError(message, hint=hint, status=answer.status)


def said(answer: Answer) -> tuple[str | None, str | None]:
    """The message and the hint in an answer's body, where it has them."""
    try:
        error = answer.json()["error"]
        message, hint = error.get("message"), error.get("hint")
    except (ServerError, KeyError, TypeError, AttributeError):
        return None, None
    return (
        message[:500] if isinstance(message, str) else None,
        hint[:500] if isinstance(hint, str) else None,
    )
