"""The web page: one document for every page URL, and its files."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from outrider_server.routes.operation import Call, Operation
from outrider_server.static_page import FRAME

if TYPE_CHECKING:
    from starlette.responses import Response

    from outrider_server.static_page import Page

_PAGES = ("/", "/p/{rest:path}")
_FILES = ("/assets/{rest:path}", "/{name}")


def operations(page: Page) -> tuple[Operation, ...]:
    """The page's operations; it holds no data, so that no token is asked for."""

    async def index(call: Call) -> Response:
        return page.index(call.request)

    async def file(call: Call) -> Response:
        return page.file(call.request)

    async def frame(call: Call) -> Response:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(call.services.threads, page.frame, call.request)

    html = "text/html"
    shown = [
        Operation(
            "GET",
            path,
            f"page_{number}",
            "The web page",
            None,
            index,
            is_raw=True,
            media_type=html,
            errors=(503,),
        )
        for number, path in enumerate(_PAGES)
    ]
    drawing = Operation(
        "GET",
        f"/{FRAME}",
        "plot_frame",
        "The sandboxed frame in which the page draws plotly's figures",
        None,
        frame,
        is_raw=True,
        media_type=html,
        errors=(404,),
    )
    kept = [
        Operation(
            "GET",
            path,
            f"file_{number}",
            "A file of the web page",
            None,
            file,
            is_raw=True,
            media_type="*/*",
            errors=(404,),
        )
        for number, path in enumerate(_FILES)
    ]
    return (*shown, drawing, *kept)
