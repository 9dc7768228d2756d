"""Answers as the wire wants them: JSON by orjson, failures in their one form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Send

    from outrider_server.problems import Problem

_JSON = (b"content-type", b"application/json")
_NO_STORE = (b"cache-control", b"no-store")


def encode(content: Any) -> bytes:
    """JSON bytes; NumPy arrays become lists of numbers."""
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)


def json_response(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer that no cache keeps."""
    return Response(
        encode(content),
        status,
        headers={"cache-control": "no-store", **(headers or {})},
        media_type="application/json",
    )


def problem_response(problem: Problem) -> Response:
    """A failure's answer."""
    return json_response(problem.content(), problem.status, problem.headers)


async def send_json(send: Send, status: int, body: bytes) -> None:
    """Send JSON bytes straight, past Starlette: the path of every batch."""
    length = (b"content-length", b"%d" % len(body))
    start = {
        "type": "http.response.start",
        "status": status,
        "headers": [_JSON, _NO_STORE, length],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body})
