"""Bodies and bombs: whatever is sent, the server holds little, says what is wrong, and lives on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
import zstandard
from server_kit import Client, points

from outrider_server.bodies import Budget, Unpacker, read_body
from outrider_server.config import MIB
from outrider_server.problems import Problem

UNPACKER = Unpacker(17 * MIB, 8 * MIB)


def unpack(body: bytes, declared: int) -> bytes:
    """Unpack zstd as the server does."""
    return asyncio.run(UNPACKER.unpack(body, b"zstd", UNPACKER.declared(b"%d" % declared)))


def refused(body: bytes, declared: int) -> int:
    """The status that unpacking ends with."""
    with pytest.raises(Problem) as caught:
        unpack(body, declared)
    return caught.value.status


def test_frames_are_unpacked_across_their_borders() -> None:
    """A batch may be several frames, small or large."""
    small = zstandard.compress(b"one\n") + zstandard.compress(b"") + zstandard.compress(b"two\n")
    assert unpack(small, 8) == b"one\ntwo\n"
    large = bytes(range(256)) * 4096 * 4
    assert (
        unpack(zstandard.compress(large) + zstandard.compress(large), 2 * len(large)) == large * 2
    )


def test_the_declared_length_is_checked_both_ways() -> None:
    """Shorter or longer than declared, cut or followed by garbage: 400."""
    packed = zstandard.compress(b"x" * 1000)
    for declared in (0, 1, 999, 1001, 17 * MIB):
        assert refused(packed, declared) == 400
    for broken in (packed[:-1], packed[:4], b"", b"garbage", packed + b"garbage", packed + packed):
        assert refused(broken, 1000) == 400


def test_a_declared_length_beyond_the_limit_is_too_large() -> None:
    """413 tells the client to split; nonsense is 400."""
    assert refused(b"", 17 * MIB + 1) == 413
    for nonsense in (b"-1", b"1e3", b"", b"0x10", b"9" * 30, "²".encode()):
        with pytest.raises(Problem) as caught:
            UNPACKER.declared(nonsense)
        assert caught.value.status == 400


def bombs() -> Iterator[bytes]:
    """Small bodies that unpack to very much, or ask for very much memory."""
    zeros = b"\0" * (64 * MIB)
    yield zstandard.compress(zeros, 19)
    yield zstandard.compress(zeros, 19) * 16  # 1 GiB across frames
    for window in (24, 27, 30, 31):
        parameters = zstandard.ZstdCompressionParameters(window_log=window, compression_level=1)
        packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
        yield packer.compress(zeros) + packer.flush()
    yield b"\x28\xb5\x2f\xfd\xe0" + b"\xff" * 8 + b"\0" * 64  # claims 2^64 - 1 bytes
    yield (b"\x50\x2a\x4d\x18" + b"\xff\xff\xff\x7f") * 100  # skippable frames of 2 GiB


def test_no_bomb_makes_the_process_grow() -> None:
    """Each is refused while memory stays below what one batch may take."""
    process = psutil.Process()
    for bomb in bombs():
        assert len(bomb) < MIB
        before = process.memory_info().rss
        for declared in (1000, 17 * MIB):
            assert refused(bomb, declared) == 400
        assert process.memory_info().rss - before < 80 * MIB


def test_bombs_over_http_are_answered_and_the_server_goes_on(client: Client, shared: Any) -> None:
    """The real server, with the real route."""
    client.create_run("bomb")
    process = psutil.Process(shared.process.pid)
    before = process.memory_info().rss
    for bomb in bombs():
        headers = {"Content-Encoding": "zstd", "Outrider-Raw-Length": str(17 * MIB)}
        assert client.append("bomb", 0, bomb, headers=headers).status == 400
    assert process.memory_info().rss - before < 120 * MIB
    assert client.append("bomb", 0, points(0, 2)).status == 200


def test_a_batch_beyond_the_limit_is_refused_with_413(client: Client) -> None:
    """By its Content-Length, before it is read; the answer arrives even while we still send."""
    client.create_run("large")
    reply = client.append("large", 0, b"x" * (18 * MIB))
    assert (reply.status, reply.code) == (413, "too_large")
    with client.socket() as connection:
        path = "/api/projects/p/runs/large/journal/w/1?offset=0"
        head = f"POST {path} HTTP/1.1\r\nHost: {client.host}\r\n"
        head += f"Authorization: Bearer {client.token}\r\n"
        connection.sendall(head.encode() + b"Content-Length: 1000000000\r\n\r\n")
        assert b" 413 " in connection.recv(4096)


def test_a_chunked_body_is_counted_as_it_comes(client: Client) -> None:
    """No Content-Length is no way round the limit."""
    client.create_run("chunked")
    with client.socket() as connection:
        path = "/api/projects/p/runs/chunked/journal/w/1?offset=0"
        head = f"POST {path} HTTP/1.1\r\nHost: {client.host}\r\n"
        head += f"Authorization: Bearer {client.token}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        piece = b"100000\r\n" + b"x" * MIB + b"\r\n"
        answer = b""
        for _ in range(64):
            try:
                connection.sendall(piece)
            except OSError:
                break
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError, OSError):
                answer += connection.recv(4096)
            connection.settimeout(30)
            if answer:
                break
        assert b" 413 " in answer


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"x"', 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 100_000, 400),
        (b'{"project":"p","id":1e999}', 400),
        (b'{"project":"p","id":"x","name":' + b"1" * 4000 + b"}", 400),
        (b'{"project":"p","id":"\xff"}', 400),
        (b'{"project":"p","id":"\\ud800"}', 400),
        (b'{"project":"../x","id":"y"}', 400),
        (b'{"project":"p","id":"../y"}', 400),
        (b'{"project":"p","id":"y","tags":"x"}', 400),
        (b'{"project":"p","id":"y","notes":"' + b"x" * MIB + b'"}', 413),
    ],
)
def test_json_that_cannot_be_is_refused(client: Client, body: bytes, status: int) -> None:
    """Broken, deep, large or of the wrong shape: an answer in our form, and no crash."""
    reply = client.post("/api/runs", body)
    assert reply.status == status
    assert reply.json()["error"]["message"]


def test_a_json_body_is_not_unpacked(client: Client) -> None:
    """Only batches may be compressed."""
    reply = client.post("/api/runs", b"{}", headers={"Content-Encoding": "zstd"})
    assert reply.status == 415
    client.create_run("encoded")
    for encoding in ("gzip", "zstd, gzip", "br"):
        headers = {"Content-Encoding": encoding}
        assert client.append("encoded", 0, points(0, 1), headers=headers).status == 415
    assert client.append("encoded", 0, b"x", headers={"Content-Encoding": "zstd"}).status == 400


def test_all_readers_together_are_bounded() -> None:
    """Beyond the budget a body is refused with 503, and what it held is given back."""
    budget = Budget(100)

    async def read(size: int) -> bytes:
        pieces = [b"x" * 30] * (size // 30)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": pieces.pop(), "more_body": bool(pieces)}

        return await read_body(receive, 1000, budget)

    assert len(asyncio.run(read(90))) == 90
    with pytest.raises(Problem) as caught:
        asyncio.run(read(30))
    assert caught.value.status == 503
    budget.give(90)
    with pytest.raises(Problem):
        asyncio.run(read(120))
    assert budget.free == 100
