"""Posts alerts to the one address that the server's admin has set: the server's only outgoing request.

What waits lies in the store and survives a restart. An alert leaves it when the address has
answered with 2xx, or after ``MOST_TRIES``. So each is posted at least once, under an ``id`` by which
the other side can tell a repetition.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from outrider.errors import OutriderError, UsageError
from outrider_server.version import version

if TYPE_CHECKING:
    from outrider_server.store.alerting import Alerts
    from outrider_server.store.alerts import Posting

_log = logging.getLogger(__name__)

MOST_TRIES = 20
"""With pauses that double up to an hour, about half a day."""

LONGEST_PAUSE = 3600.0
_TIMEOUT = (5.0, 10.0)
_LONGEST_URL = 2048
_MARKS = {"info": "\N{INFORMATION SOURCE}", "warn": "\N{WARNING SIGN}", "error": "\N{CROSS MARK}"}


def check_url(url: object) -> str:
    """The address of a webhook, as it may be. Raises ``UsageError``."""
    hint = "such as https://hooks.example.com/services/…"
    if not isinstance(url, str) or not 0 < len(url) <= _LONGEST_URL:
        raise UsageError("the webhook must be a URL", hint=hint)
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname)
        is_right &= parts.port is None or 0 < parts.port < 65536
    except ValueError:
        is_right = False
    if not is_right or any(not sign.isprintable() or sign.isspace() for sign in url):
        raise UsageError("the webhook must be an http or https URL", hint=hint)
    if "@" in parts.netloc:
        raise UsageError("the webhook's URL must not carry a name and password", hint=hint)
    return url


def masked(url: str | None) -> str | None:
    """An address without its path, which for most services is a secret."""
    if url is None:
        return None
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…"


def body(alert: dict[str, Any], page: str) -> dict[str, Any]:
    """What is posted for an alert; ``page`` is where people find this server."""
    place = f"/p/{quote(alert['project'], safe='')}/r/{quote(alert['run'], safe='')}"
    url = page.rstrip("/") + place
    name = alert["run_name"] or alert["run"]
    text = f"{_MARKS.get(alert['level'], '')} *{_escaped(alert['title'])}*"
    text += f" in {_escaped(alert['project'])} / {_escaped(name)}"
    if alert["text"]:
        text += f"\n{_escaped(alert['text'][:2000])}"
    return {
        "id": alert["id"],
        "text": f"{text}\n{url}",
        "title": alert["title"],
        "message": alert["text"],
        "level": alert["level"],
        "project": alert["project"],
        "run": alert["run"],
        "run_name": alert["run_name"],
        "time": alert["t"],
        "source": alert["source"],
        "rule": alert["rule"],
        "url": url,
    }


def _escaped(text: str) -> str:
    """Slack's three signs: without this a run's name could call everybody in the channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Poster:
    """A thread that posts what waits, one after the other, while there is an address."""

    def __init__(
        self,
        alerts: Alerts,
        page: str,
        *,
        pause: float = 5.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.last: dict[str, Any] | None = None
        self._alerts = alerts
        self._page = page
        self._pause = pause
        self._clock = clock
        self._failures = 0
        self._not_before = 0.0
        self._wakes = threading.Event()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._work, name="webhook", daemon=True)

    def start(self) -> None:
        """Begin with what an earlier server left."""
        self._alerts.on_alert(self.wake)
        self._thread.start()

    def wake(self) -> None:
        """Something may wait."""
        self._wakes.set()

    def changed(self) -> None:
        """The address changed: what failed at the old one is tried at once."""
        self._failures, self._not_before = 0, 0.0
        self.wake()

    def stop(self, seconds: float = 2.0) -> None:
        """End; a post that hangs is not waited for, and is done again by the next server."""
        self._ends.set()
        self.wake()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _work(self) -> None:
        while not self._ends.is_set():
            self._wakes.clear()
            try:
                seconds = self.step()
            except OutriderError as error:  # the store is closed, or its disk is full
                _log.warning("the webhook rests: %s", error)
                seconds = LONGEST_PAUSE
            except Exception:
                _log.exception("the webhook could not go on")
                seconds = 60.0
            self._wakes.wait(min(seconds, 60.0))

    def step(self) -> float:
        """Post the alert that is due, if any; seconds until there may be something to do."""
        url = self._alerts.webhook()
        found = self._alerts.next_posting() if url is not None else None
        if url is None or found is None:
            return LONGEST_PAUSE
        due, posting = found
        now = self._clock()
        if (wait := max(due, self._not_before) - now) > 0:
            return wait
        problem, pause = self._post(url, posting)
        if self._ends.is_set() and problem is not None:
            return 0.0
        self.last = {"t": now, "id": posting.alert["id"], "problem": problem}
        if problem is None:
            self._failures = 0
            self._alerts.posted(posting)
            return 0.0
        self._failures += 1
        if posting.tries + 1 >= MOST_TRIES:
            _log.warning("the webhook did not take alert %s: %s", posting.alert["id"], problem)
            self._alerts.posted(posting)
        else:
            own = self._wait(posting.tries)
            self._alerts.posted(posting, now + max(own, pause))
        self._not_before = now + max(pause, self._wait(self._failures - 1))
        return self._not_before - now

    def _wait(self, tries: int) -> float:
        return min(LONGEST_PAUSE, self._pause * 2.0 ** min(tries, 20))

    def _post(self, url: str, posting: Posting) -> tuple[str | None, float]:
        """What went wrong, None where nothing did, and the pause that was asked for."""
        import requests  # most servers never post, and a start need not wait for it

        headers = {"User-Agent": f"Outrider/{version()}", "Outrider-Alert": posting.alert["id"]}
        try:
            # No proxy, no .netrc, no cookie: nothing but the admin's word decides where this goes.
            with requests.Session() as session:
                session.trust_env = False
                answer = session.post(
                    url,
                    json=body(posting.alert, self._page),
                    headers=headers,
                    timeout=_TIMEOUT,
                    allow_redirects=False,
                    stream=True,  # what it says is of no interest, however long it is
                )
                answer.close()
        except requests.RequestException as error:
            return type(error).__name__, 0.0
        if 200 <= answer.status_code < 300:
            return None, 0.0
        asked = answer.headers.get("Retry-After", "")
        pause = min(float(asked), LONGEST_PAUSE) if asked.isdecimal() else 0.0
        return f"answered {answer.status_code}", pause
