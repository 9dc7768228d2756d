"""What all media have in common: they are made without raising, and put into a run as one part.

Making one takes a copy of what can still change. What is wrong with it is said when it is logged,
on stderr, once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from outrider.mediatypes.spool import Spool

CAPTION = 4096
"""The longest caption, in characters; what is behind it is cut."""


class MediaError(ValueError):
    """A value cannot be kept as media; the message says why."""


class Media:
    """One image, sound, video, page, text, histogram, table or figure."""

    outrider_media: ClassVar[bool] = True
    kind: ClassVar[str] = ""

    def __init__(self, caption: str | None, take: Callable[[], None]) -> None:
        """``take`` copies what was given; where it fails, the reason is kept for ``part()``."""
        self.caption = caption
        self.problem: str | None = None
        try:
            take()
        except MediaError as error:
            self.problem = str(error)
        except Exception as error:
            self.problem = f"{type(error).__name__}: {error}"

    def part(self, spool: Spool) -> dict[str, Any]:
        """Put what is large into the spool, and return what the record says of it.

        Raises ``MediaError`` for what cannot be kept, and ``OSError``.
        """
        if self.problem is not None:
            raise MediaError(self.problem)
        said = self.put(spool)
        if self.caption is not None:
            from outrider.values import text

            said["caption"] = text(self.caption)[:CAPTION]
        return said

    def put(self, spool: Spool) -> dict[str, Any]:
        """What ``part`` does for this type."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<outrider {type(self).__name__}>"
