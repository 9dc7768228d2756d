"""What the browser tests share: runs posted as a streamer does, login links, charts."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

    from outrider_server.background import Background


class Recorder:
    """Posts a run's journal, as its streamer would."""

    def __init__(self, server: Background, project: str, run: str, **meta: Any) -> None:
        self.project, self.run = project, run
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {server.token}"
        self._url = server.url
        self._offset = 0
        self.created = meta.pop("created", time.time())
        self._post(
            "/api/runs",
            json={
                "format": 1,
                "id": run,
                "project": project,
                "name": run,
                "mode": "online",
                "server": server.url,
                "created": self.created,
                "attempt": 1,
                "writer": "w1",
                "host": "box",
                "pid": 1,
                "tags": [],
                "program": "train.py",
                "argv": ["train.py"],
                "python": "3.11",
                **meta,
            },
        )
        self.write({"k": "head", "v": 1, "run": run, "w": "w1", "n": 1, "a": 1, "primary": True})

    def write(self, *records: dict[str, Any]) -> None:
        """Deliver records; a record without a time gets the run's start."""
        lines = [json.dumps({"t": self.created, **record}) for record in records]
        body = ("\n".join(lines) + "\n").encode()
        self._post(
            f"/api/projects/{quote(self.project, safe='')}/runs/{self.run}/journal/w1/1"
            f"?offset={self._offset}",
            data=body,
            headers={
                "Content-Type": "application/x-ndjson",
                "Outrider-Raw-Length": str(len(body)),
            },
        )
        self._offset += len(body)

    def points(self, key: str, values: list[Any], first: int = 0, every: float = 1.0) -> None:
        """Log ``values`` of one metric at the steps from ``first`` on, ``every`` seconds."""
        self.write(
            *(
                {"t": self.created + (first + i) * every, "s": first + i, "p": {key: value}}
                for i, value in enumerate(values)
            )
        )

    def end(self, state: str = "finished", **facts: Any) -> None:
        """End the run."""
        self.write({"k": "end", "w": "w1", "a": 1, "state": state, **facts})

    def _post(self, path: str, **words: Any) -> None:
        answer = self._session.post(self._url + path, timeout=30, **words)
        assert answer.ok, answer.text


def log_in(context: BrowserContext, server: Background) -> None:
    """Open a fresh login link in a context."""
    headers = {"Authorization": f"Bearer {server.token}"}
    answer = requests.post(server.url + "/api/login-codes", headers=headers, timeout=30)
    page = context.new_page()
    page.goto(answer.json()["url"])
    page.close()


def card(page: Page, metric: str) -> Locator:
    """The card of a metric."""
    return page.locator(f'.card[data-metric="{metric}"]')
