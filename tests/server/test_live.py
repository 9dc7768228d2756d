"""Live events arrive soon, merged, and cost the server nothing when nobody reads them."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from server_kit import Client, Start, points

from outrider_server.live import INTERVAL, Hub, Subscriber
from outrider_server.tokens import Principal, Role


def principal(projects: list[str] | None = None) -> Principal:
    """Somebody who may see these projects."""
    limit = None if projects is None else frozenset(projects)
    return Principal("id", "name", Role.READ, limit, b"", 0.0)


def events(piece: bytes | None) -> list[tuple[str, Any]]:
    """Events of a stream as name and data."""
    found = []
    for block in (piece or b"").decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines())
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def test_changes_of_a_run_are_merged_and_sent_at_most_twice_a_second() -> None:
    """The first at once, what follows together after the interval."""

    async def watch() -> None:
        hub = Hub(10, 10)
        subscriber = hub.subscribe(principal(), ["p"], None)
        hub.publish("p", "r", {"points"}, {"a"}, "running")
        (first,) = events(await subscriber.next(5))
        began = asyncio.get_running_loop().time()
        hub.publish("p", "r", {"points"}, {"b"}, "running")
        hub.publish("p", "r", {"system"}, set(), "finished")
        hub.publish("p", "r", {"points"}, {"a"})
        (second,) = events(await subscriber.next(5))
        assert asyncio.get_running_loop().time() - began >= INTERVAL * 0.9
        assert first[1]["keys"] == ["a"]
        assert second == (
            "change",
            {
                "project": "p",
                "run": "r",
                "kinds": ["points", "system"],
                "keys": ["a", "b"],
                "state": "finished",
            },
        )

    asyncio.run(watch())


def test_a_slow_client_gets_one_resync_and_never_grows() -> None:
    """Ten thousand runs change; what waits stays bounded, and afterwards events come again."""

    async def watch() -> None:
        hub = Hub(10, 100)
        slow = hub.subscribe(principal(), (), None)
        for number in range(10_000):
            hub.publish("p", f"r{number}", {"points"}, {f"k{number}"})
        await asyncio.sleep(0.01)
        assert len(slow._waiting) <= 100
        assert events(await slow.next(5)) == [("resync", {})]
        await asyncio.sleep(INTERVAL)
        hub.publish("p", "again", {"points"}, None)
        ((name, data),) = events(await slow.next(5))
        assert (name, data["run"], data["keys"]) == ("change", "again", None)

    asyncio.run(watch())


def test_very_many_keys_become_any_key() -> None:
    """One run with a million metrics is not a megabyte of event."""

    async def watch() -> None:
        hub = Hub(1, 1)
        subscriber = hub.subscribe(principal(), (), None)
        hub.publish("p", "r", {"points"}, {str(number) for number in range(100_000)})
        ((_, data),) = events(await subscriber.next(5))
        assert data["keys"] is None

    asyncio.run(watch())


def test_a_stream_hears_only_of_what_it_asked_for_and_may_see() -> None:
    """By project, by run, and by the token's limit."""
    everything = Subscriber(principal(), (), None, 9)
    one_run = Subscriber(principal(), ["p"], "r", 9)
    limited = Subscriber(principal(["q"]), (), None, 9)
    assert [item.wants("p", "r") for item in (everything, one_run, limited)] == [True, True, False]
    assert [item.wants("q", "r") for item in (everything, one_run, limited)] == [True, False, True]
    assert not one_run.wants("p", "other")


def test_nothing_waits_when_nobody_listens() -> None:
    """Publishing without streams keeps nothing."""

    async def watch() -> None:
        hub = Hub(1, 1)
        for number in range(1000):
            hub.publish("p", str(number), {"points"})
        assert hub._pending == {}

    asyncio.run(watch())


def test_a_silent_stream_gets_pings() -> None:
    """So that proxies and clients know it is alive."""

    async def watch() -> None:
        subscriber = Hub(1, 1).subscribe(principal(), (), None)
        assert events(await subscriber.next(0.01)) == [("ping", {})]

    asyncio.run(watch())


class Stream:
    """An event stream over a socket."""

    def __init__(self, client: Client, query: str = "") -> None:
        self.connection = client.socket()
        head = f"GET /api/events{query} HTTP/1.1\r\nHost: {client.host}\r\n"
        head += f"Authorization: Bearer {client.token}\r\n\r\n"
        self.connection.sendall(head.encode())
        self.text = b""
        self.status = int(self.until(b"\r\n").split()[1])
        if self.status == 200:
            self.until(b"retry: 2000\n\n")

    def until(self, mark: bytes) -> bytes:
        """Read on until the mark came; returns what came before, with it."""
        while mark not in self.text:
            piece = self.connection.recv(65536)
            assert piece, self.text
            self.text += piece
        before, _, self.text = self.text.partition(mark)
        return before + mark


def test_a_page_hears_of_points_of_new_runs_and_of_edits(client: Client) -> None:
    """From the socket of a streamer to the socket of a page."""
    stream = Stream(client, "?project=p")
    client.create_run("live")
    assert b'"kinds":["run"]' in stream.until(b'"run":"live"') + stream.until(b"\n\n")
    time.sleep(INTERVAL)
    client.append("live", 0, points(0, 3))
    assert b'"keys":["loss"]' in stream.until(b'"points"') + stream.until(b"\n\n")
    time.sleep(INTERVAL)
    client.request("PATCH", "/api/projects/p/runs/live", {"name": "new"})
    stream.until(b'"kinds":["run"]')
    client.request("DELETE", "/api/projects/p/runs/live")
    stream.until(b'"kinds":["deleted"]')
    stream.connection.close()


def test_more_streams_than_the_limit_are_told_to_come_again(start: Start) -> None:
    """503; and a stream that is left makes room."""
    server = start(arguments=["--limit=event_clients=3"])
    mine = Client(server.url, server.token)
    held = [Stream(mine) for _ in range(3)]
    assert mine.get("/api/events").status == 503
    held.pop().connection.close()
    deadline = time.monotonic() + 20
    while True:
        again = Stream(mine)
        again.connection.close()
        if again.status == 200:
            break
        assert time.monotonic() < deadline
    for stream in held:
        stream.connection.close()


def test_a_stop_ends_every_stream(start: Start) -> None:
    """An open page does not keep the server from stopping."""
    server = start()
    streams = [Stream(Client(server.url, server.token)) for _ in range(5)]
    assert server.stop() == 0
    for stream in streams:
        while stream.connection.recv(4096):
            pass
        stream.connection.close()
