"""What a run says of itself: its address, its folder, what people gave it, how it ended."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outrider.settings import Settings


class Ending:
    """How a writer ended. ``code`` None: not known here; the streamer's word then stands.

    ``others`` is what other writers, which ended with it, have left in the run's folder: (writer, segment,
    bytes) of each segment. Who waits for the delivery waits for that too.
    """

    __slots__ = ("code", "others", "signal", "state", "why")

    def __init__(
        self,
        state: str,
        code: int | None = None,
        signal: int | None = None,
        why: dict[str, str] | None = None,
        others: Sequence[tuple[str, int, int]] = (),
    ) -> None:
        self.state = state
        self.code = code
        self.signal = signal
        self.why = why
        self.others = others


class Described:
    """The part of a run that is only looked at."""

    id: str
    project: str
    name: str
    folder: str | None
    settings: Settings

    @property
    def url(self) -> str:
        """The address of the run's page."""
        return f"{self.settings.url}/p/{_part(self.project)}/r/{_part(self.id)}"

    @property
    def dir(self) -> str | None:
        """The run's ``files`` folder; None where nothing is recorded."""
        return None if self.folder is None else os.path.join(self.folder, "files")

    @property
    def path(self) -> str:
        """``project/id``, by which the run is named elsewhere."""
        return f"{self.project}/{self.id}"

    @property
    def mode(self) -> str:
        """online, offline or disabled."""
        return self.settings.mode if self.folder is not None else "disabled"

    @property
    def group(self) -> str | None:
        """The group that the run belongs to."""
        return self.settings.group

    @property
    def job_type(self) -> str | None:
        """What the run does in its group, such as train or eval."""
        return self.settings.job_type

    @property
    def tags(self) -> tuple[str, ...]:
        """The run's tags."""
        return self.settings.tags

    @property
    def notes(self) -> str | None:
        """The run's notes."""
        return self.settings.notes

    @property
    def disabled(self) -> bool:
        """Whether nothing is recorded."""
        return self.folder is None

    def get_url(self) -> str:
        """The address of the run's page."""
        return self.url

    def __repr__(self) -> str:
        return f"<outrider run {self.path} ({self.name}, {self.mode})>"

    def _repr_html_(self) -> str:
        """How a notebook shows the run: a link, and its metrics drawn small. Never raises."""
        try:
            from outrider.notebook import as_html

            return as_html(self)
        except Exception:
            from html import escape

            return f"<code>{escape(repr(self))}</code>"


def _part(name: str) -> str:
    """A name as a part of an address; most need no quoting, and ``init()`` no import for it."""
    if name.isascii() and name.replace("-", "").replace("_", "").isalnum():
        return name
    from urllib.parse import quote

    return quote(name, safe="")
