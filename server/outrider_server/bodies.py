"""Request bodies, bounded at every step: what is read, what all readers hold, what is unpacked.

zstandard's ``decompress(max_output_size=…)`` is no bound: it sets aside what the frame's own header
says (512 MiB from 16 KB). So only a frame whose header says the declared length, which was checked,
is unpacked by it; all others by a stream reader that is asked for the declared length and one byte
more, with a bounded window, across frames.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson
import zstandard
from starlette.requests import ClientDisconnect

from outrider_server.problems import Problem, bad_request, busy, too_large

if TYPE_CHECKING:
    from starlette.types import Receive

IN_PLACE = 256 * 1024
"""Below this a batch is unpacked where it is, above it in a thread: 256 KiB unpack in about 1 ms."""

_DRAIN = 64 << 20
_SPLIT = "send fewer records in one batch"


class Budget:
    """Bytes that all bodies being read may hold together."""

    def __init__(self, limit: int) -> None:
        self._free = limit

    def take(self, count: int) -> None:
        """Set bytes aside, or raise 503."""
        if count > self._free:
            raise busy("the server is reading too many large requests")
        self._free -= count

    def give(self, count: int) -> None:
        """Give bytes back."""
        self._free += count

    @property
    def free(self) -> int:
        """Bytes not set aside."""
        return self._free


def declared_length(value: bytes | None, limit: int) -> int | None:
    """A Content-Length, or None; larger than ``limit`` is refused before a byte is read.

    The connection stays open for moderate bodies: a client that is cut off while it still writes
    sees a broken connection instead of the 413 that tells it to split.
    """
    if value is None:
        return None
    length = whole_number(value, "Content-Length")
    if length > limit:
        raise too_large(
            f"the body has {length} bytes, the limit is {limit}",
            hint=_SPLIT,
            close=length > _DRAIN,
        )
    return length


def whole_number(value: bytes, name: str) -> int:
    """A number of ASCII digits, at most 2^62."""
    if not value.isdigit() or len(value) > 18:
        raise bad_request(f"{name} is not a whole number")
    return int(value)


async def read_body(receive: Receive, limit: int, budget: Budget) -> bytes:
    """Read a whole body of at most ``limit`` bytes; 413 beyond, 503 when memory is short.

    The bytes stay taken from the budget: give ``len()`` of the result back when it is let go.
    """
    message = await receive()
    first: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body") and len(first) <= limit:
        budget.take(len(first))
        return first
    chunks: list[bytes] = []
    size = 0
    try:
        while True:
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunk: bytes = message.get("body", b"")
            if size + len(chunk) > limit:
                raise too_large(f"the body has more than {limit} bytes", hint=_SPLIT)
            budget.take(len(chunk))
            size += len(chunk)
            chunks.append(chunk)
            if not message.get("more_body"):
                return b"".join(chunks)
            message = await receive()
    except BaseException:
        budget.give(size)
        raise


class Unpacker:
    """Unpacks batches; one zstd context a thread."""

    def __init__(self, limit: int, window: int) -> None:
        self._limit = limit
        self._window = window
        self._contexts = threading.local()

    def declared(self, raw_length: bytes | None) -> int | None:
        """The length that the Outrider-Raw-Length header tells, checked; raises 413 and 400."""
        declared = None if raw_length is None else whole_number(raw_length, "Outrider-Raw-Length")
        if declared is not None and declared > self._limit:
            raise too_large(
                f"the batch has {declared} raw bytes, the limit is {self._limit}", hint=_SPLIT
            )
        return declared

    async def unpack(self, body: bytes, encoding: bytes, declared: int | None) -> bytes:
        """The raw bytes of a batch of a declared length; a large one is unpacked in a thread."""
        if max(declared or 0, len(body)) <= IN_PLACE:
            return self.unpack_here(body, encoding, declared)
        return await asyncio.to_thread(self.unpack_here, body, encoding, declared)

    def unpack_here(self, body: bytes, encoding: bytes, declared: int | None) -> bytes:
        """The raw bytes of a batch of a declared length."""
        if encoding in (b"", b"identity"):
            if declared is not None and declared != len(body):
                raise _wrong_length(declared, len(body))
            return body
        if encoding != b"zstd":
            raise Problem(
                415,
                "unsupported_encoding",
                "this Content-Encoding is not understood",
                hint="send zstd, or the plain bytes without a Content-Encoding",
            )
        if declared is None:
            raise bad_request("a zstd body needs the header Outrider-Raw-Length")
        return self.unpack_zstd(body, declared)

    def unpack_zstd(self, body: bytes, declared: int) -> bytes:
        """Unpack zstd frames that must hold exactly ``declared`` bytes together."""
        context: zstandard.ZstdDecompressor | None = getattr(self._contexts, "zstd", None)
        if context is None:
            context = zstandard.ZstdDecompressor(max_window_size=self._window)
            self._contexts.zstd = context
        try:
            if zstandard.get_frame_parameters(body).content_size == declared:
                # one frame that says so itself: exactly that much is set aside, and filled once.
                # Several frames, or one that says something else, go the bounded way below.
                with suppress(zstandard.ZstdError):
                    return context.decompress(body, allow_extra_data=False)
            with context.stream_reader(body, read_across_frames=True) as reader:
                raw = reader.read(declared + 1)
        except zstandard.ZstdError as error:
            raise bad_request(f"the body is not readable as zstd: {error}") from None
        if len(raw) != declared:
            raise _wrong_length(declared, len(raw))
        return raw


def _wrong_length(declared: int, found: int) -> Problem:
    more = "or more " if found > declared else ""
    return bad_request(f"Outrider-Raw-Length says {declared} bytes, the body holds {found} {more}")


def parse_json(body: bytes) -> dict[str, Any]:
    """A JSON object; orjson bounds its depth."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"the body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise bad_request("the body must be a JSON object")
    return found
