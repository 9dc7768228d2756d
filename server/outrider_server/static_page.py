"""Serves the built page: ``index.html`` for every page URL, and the files beside it.

Files are found by looking a name up in what the folder held when it was read: no client's text
ever becomes a path.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import os
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING

from starlette.responses import Response

from outrider_server.problems import not_found

if TYPE_CHECKING:
    from starlette.requests import Request

_HASHED = re.compile(r"assets/.*[-.][A-Za-z0-9_-]{8,}\.[a-z0-9.]+")
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".ico": "image/x-icon",
}
_SQUEEZED = ("text/", "image/svg", "application/json", "application/manifest")
_MISSING = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Outrider</title></head>
<body><h1>The page is not built</h1>
<p>This server records and answers, but its web page is missing from the installation.</p>
<p>In a source checkout, build it with: <code>python hatch_build.py</code>, and load this page
again.</p></body></html>
"""


FRAME = "plot.html"

# The frame in which figures are drawn: of no origin, without network, for our own page alone.
_FRAMED = {
    "content-security-policy": "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; worker-src blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "x-frame-options": "SAMEORIGIN",
}


@dataclass(frozen=True)
class Asset:
    """One file of the page, held in memory."""

    body: bytes
    media_type: str
    etag: str
    cache: str

    @cached_property
    def squeezed(self) -> bytes | None:
        """Its body by gzip, where that is worth it; made when it is first asked for."""
        is_squeezable = self.media_type.startswith(_SQUEEZED) and len(self.body) > 1024
        return gzip.compress(self.body, 6, mtime=0) if is_squeezable else None


def static_folder() -> str:
    """Where the web part's build puts the page."""
    return str(files("outrider_server").joinpath("static"))


class Page:
    """The built page; read again when the folder's index changes, as it does after a build."""

    def __init__(self, folder: str | None = None) -> None:
        self._folder = folder if folder is not None else static_folder()
        self._assets: dict[str, Asset] = {}
        self._stamp: tuple[int, int] | None = None

    def index(self, request: Request, status: int = 200) -> Response:
        """The page itself, or what to do when it was not built (503)."""
        self._refresh()
        asset = self._assets.get("index.html")
        if asset is None:
            headers = {"cache-control": "no-store", "retry-after": "60"}
            return Response(_MISSING, 503, headers, "text/html; charset=utf-8")
        return _answer(request, asset, status)

    def frame(self, request: Request) -> Response:
        """The frame in which figures are drawn; its first answer takes a third of a second of work."""
        self._refresh()
        asset = self._assets.get(FRAME)
        if asset is None:
            raise not_found("the page is not built, or built without figures")
        answer = _answer(request, asset)
        answer.headers.update(_FRAMED)
        return answer

    def file(self, request: Request) -> Response:
        """A file of the page, by its exact name."""
        self._refresh()
        asset = self._assets.get(request.url.path.lstrip("/"))
        if asset is None or asset.media_type.startswith("text/html"):
            raise not_found("there is no such file")
        return _answer(request, asset)

    def _refresh(self) -> None:
        try:
            status = os.stat(os.path.join(self._folder, "index.html"))
        except OSError:
            self._assets, self._stamp = {}, None
            return
        stamp = (status.st_mtime_ns, status.st_size)
        if stamp != self._stamp:
            self._assets, self._stamp = dict(_read(self._folder)), stamp


def _read(folder: str) -> list[tuple[str, Asset]]:
    found = []
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            key = os.path.relpath(path, folder).replace(os.sep, "/")
            if name.startswith(".") or name.endswith(".map"):
                continue
            with open(path, "rb") as file:
                found.append((key, _asset(key, file.read())))
    return found


def _asset(key: str, body: bytes) -> Asset:
    suffix = os.path.splitext(key)[1]
    media_type = _TYPES.get(suffix) or mimetypes.guess_type(key)[0] or "application/octet-stream"
    cache = "public, max-age=31536000, immutable" if _HASHED.fullmatch(key) else "no-cache"
    return Asset(body, media_type, f'"{hashlib.sha256(body).hexdigest()[:32]}"', cache)


def _answer(request: Request, asset: Asset, status: int = 200) -> Response:
    headers = {"cache-control": asset.cache, "etag": asset.etag, "vary": "accept-encoding"}
    if status == 200 and request.headers.get("if-none-match") == asset.etag:
        return Response(b"", 304, headers)
    body = asset.body
    if "gzip" in request.headers.get("accept-encoding", "") and asset.squeezed is not None:
        body = asset.squeezed
        headers["content-encoding"] = "gzip"
    return Response(body, status, headers, asset.media_type)
