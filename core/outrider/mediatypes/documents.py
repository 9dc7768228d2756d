"""``Html`` and ``Text``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

from outrider.mediatypes.base import Media, MediaError

if TYPE_CHECKING:
    from outrider.mediatypes.spool import Spool

INLINE = 16 << 10
"""Texts up to this many characters stand in the record itself."""


class Html(Media):
    """A page of HTML, shown in a sandbox.

    ``data`` is the HTML itself, the path of a file that ends in ``.html`` or ``.htm`` (unless
    ``data_is_not_path``), or an open file. ``inject`` adds a plain style where the HTML has none.
    Never raises: see ``Media``.
    """

    kind: ClassVar[str] = "html"

    def __init__(
        self,
        data: Any,
        inject: bool = True,
        data_is_not_path: bool = False,
        caption: str | None = None,
    ) -> None:
        self._html = b""
        super().__init__(caption, lambda: self._take(data, inject, data_is_not_path))

    def _take(self, data: Any, inject: bool, data_is_not_path: bool) -> None:
        if hasattr(data, "read"):
            if hasattr(data, "seek"):
                data.seek(0)
            found = data.read()
        elif not data_is_not_path and _is_path(data):
            with open(data, "rb") as file:
                found = file.read()
        else:
            found = data
        if isinstance(found, str):
            found = found.encode("utf-8", "replace")
        if not isinstance(found, bytes):
            raise MediaError(f"HTML cannot be made of {type(data).__name__}")
        if inject and b"<style" not in found and b"stylesheet" not in found:
            found = b"<style>body{font-family:sans-serif}</style>" + found
        self._html = found

    def put(self, spool: Spool) -> dict[str, Any]:
        """The page's file."""
        return {**spool.data(self._html, "html"), "as": "html"}


def _is_path(data: Any) -> bool:
    if isinstance(data, os.PathLike):
        return True
    return isinstance(data, str) and len(data) < 4096 and data.lower().endswith((".html", ".htm"))


class Text(Media):
    """A text, such as what a model wrote. Never raises: see ``Media``."""

    kind: ClassVar[str] = "text"

    def __init__(self, text: Any, caption: str | None = None) -> None:
        self._text = ""
        super().__init__(caption, lambda: self._take(text))

    def _take(self, text: Any) -> None:
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        self._text = str(text).encode("utf-8", "replace").decode()

    def put(self, spool: Spool) -> dict[str, Any]:
        """The text itself, or its file where it is long."""
        if len(self._text) <= INLINE:
            return {"v": {"text": self._text}}
        return {**spool.data(self._text.encode(), "txt"), "as": "txt"}
