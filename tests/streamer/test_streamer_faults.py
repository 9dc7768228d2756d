"""A server, a proxy or a network that misbehaves; what is delivered in the end is always the same."""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from streamer_ingest import Fault, Handler, Ingest

from outrider.credentials import store
from outrider.streamer import spawn
from outrider.streamer.clock import Clock
from waiting import eventually

if TYPE_CHECKING:
    from streamer_kit import Run

N = 300
QUICK = Clock(chance=lambda: -0.98)  # hardly any pause between two tries


def first(count: int, act: Callable[[Handler], None], *, only: str = "") -> Fault:
    """A fault in the first ``count`` requests whose path has ``only`` in it."""
    left = itertools.count()

    def fault(handler: Handler, path: str, body: bytes) -> bool:
        if only in path and next(left) < count:
            act(handler)
            return True
        return False

    return fault


FAULTS: dict[str, Callable[[Handler], None]] = {
    "500": lambda handler: handler.error(500),
    "503": lambda handler: handler.error(503, Retry_After="0"),
    "429": lambda handler: handler.error(429, Retry_After="1"),
    "404": lambda handler: handler.error(404),
    "409 without an offset": lambda handler: handler.error(409),
    "409 from the future": lambda handler: handler.answer(409, {"offset": 1 << 40}),
    "200 without an offset": lambda handler: handler.answer(200, {}),
    "200 with garbage": lambda handler: handler.answer(200, b"\x00\xffgarbage"),
    "html of a proxy": lambda handler: handler.answer(
        200, b"<html>welcome</html>", ours=False, Content_Type="text/html"
    ),
    "502 of a proxy": lambda handler: handler.answer(502, b"bad gateway", ours=False),
    "redirect": lambda handler: handler.answer(
        302, b"", ours=False, Location="http://127.0.0.1:1/steal"
    ),
    "reset": lambda handler: handler.reset(),
}


@pytest.mark.parametrize("where", ["/api/runs", "/journal/"])
@pytest.mark.parametrize("name", FAULTS)
def test_whatever_the_server_answers_everything_arrives_once(
    name: str, where: str, run: Run, ingest: Ingest
) -> None:
    """Two bad answers, to the making of the run and to a batch, then good ones."""
    ingest.fault = first(2, FAULTS[name], only=where)
    run.log(*range(N))
    run.end()
    assert run.deliver().delivered
    assert ingest.points(run.id) == list(range(N))
    assert len(ingest.ends(run.id)) == 1


def test_a_reply_lost_after_the_commit_adds_nothing(run: Run, ingest: Ingest) -> None:
    """The batch is sent again, and the server's offset says that it has it."""
    lost = itertools.count()

    def fault(handler: Handler, path: str, body: bytes) -> bool:
        if "/journal/" not in path or next(lost) >= 3:
            return False
        words = path.strip("/").split("/")
        offset = int(handler.path.rpartition("=")[2])
        key = ("p r", words[4], words[6], int(words[7]))
        handler.commit(key, offset, body, quietly=True)
        handler.reset()
        return True

    ingest.fault = fault
    run.log(*range(N))
    assert run.deliver().delivered
    assert ingest.points(run.id) == list(range(N))
    assert ingest.duplicates >= 1


def test_a_connection_that_breaks_after_k_bytes(run: Run, ingest: Ingest) -> None:
    """For random k, in both directions, by a proxy in between."""
    rng = random.Random(7)
    proxy = Breaking(ingest.port, (rng.randrange(0, 900) for _ in range(6)))
    run.write_meta(server=f"http://127.0.0.1:{proxy.port}")
    run.log(*range(N))
    assert run.deliver(patience=30, clock=QUICK).delivered
    assert ingest.points(run.id) == list(range(N))


class Breaking:
    """A TCP proxy that lets so many bytes pass, both ways together, then resets."""

    def __init__(self, port: int, limits: object) -> None:
        self._to = port
        self._limits = iter(limits)  # type: ignore[call-overload]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            here, _ = self._listener.accept()
            there = socket.create_connection(("127.0.0.1", self._to))
            left = [next(self._limits, 1 << 40)]
            for one, other in ((here, there), (there, here)):
                threading.Thread(target=self._pump, args=(one, other, left), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket, left: list[int]) -> None:
        try:
            while data := one.recv(4096):
                other.sendall(data[: left[0]])
                left[0] -= len(data)
                if left[0] <= 0:
                    break
        except OSError:
            pass
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def test_a_server_that_lost_its_store_is_sent_everything_again(run: Run, ingest: Ingest) -> None:
    """Unknown run after an ack: it is made known again and sent from the start."""
    run.log(*range(N))
    assert run.deliver().delivered
    ingest.runs.clear()
    ingest.kept.clear()
    run.log(*range(N, 2 * N))
    assert run.deliver().delivered
    assert ingest.points(run.id) == list(range(2 * N))


def test_a_server_that_went_back_to_a_backup_gets_the_rest(run: Run, ingest: Ingest) -> None:
    """409 rewinds to where it is."""
    run.log(*range(N))
    assert run.deliver().delivered
    key, data = next(iter(ingest.kept.items()))
    cut = data.rfind(b"\n", 0, len(data) // 2) + 1
    is_cut = threading.Event()

    def fault(handler: Handler, path: str, body: bytes) -> bool:
        if "/journal/" in path and not is_cut.is_set():
            is_cut.set()
            del ingest.kept[key][cut:]  # after the run was made known: a rewind in the middle
        return False

    ingest.fault = fault
    run.log(*range(N, 2 * N))
    assert run.deliver().delivered
    assert ingest.points(run.id) == list(range(2 * N))


def test_what_was_cleaned_here_before_the_server_lost_it_is_a_gap(run: Run, ingest: Ingest) -> None:
    """Counted once, however often delivery is tried."""
    writer = run.open(segment_bytes=8192)
    run.log(*range(N))
    assert run.deliver().delivered
    import os

    os.unlink(writer.path(1))
    ingest.kept.clear()
    for _ in range(2):
        outcome = run.deliver()
        assert outcome.delivered
    gaps = [record for record in ingest.records(run.id) if record.get("k") == "gap"]
    assert [gap["of"] for gap in gaps] == [["main", 1]]
    assert ingest.points(run.id)[-1] == N - 1


def test_a_413_splits_until_it_fits(run: Run, ingest: Ingest) -> None:
    """Also when the limit is a proxy's, which does not say who it is."""
    limit = 9000

    def fault(handler: Handler, path: str, body: bytes) -> bool:
        if int(handler.headers.get("Outrider-Raw-Length") or 0) > limit:
            handler.answer(413, b"too large", ours=False)
            return True
        return False

    ingest.fault = fault
    run.log(*range(2000))
    assert run.deliver().delivered
    assert ingest.points(run.id) == list(range(2000))


def test_a_record_that_the_server_refuses_for_its_length_becomes_a_gap(
    run: Run, ingest: Ingest
) -> None:
    """By the server's own word only; what stands around it arrives."""
    limit = 100_000

    def fault(handler: Handler, path: str, body: bytes) -> bool:
        if len(body) > limit:
            handler.error(413, "this record is too long")
            return True
        return False

    ingest.fault = fault
    noise = random.Random(1).randbytes(200_000).hex()
    run.log(1, 2)
    assert run.writer is not None
    run.writer.append({"k": "console", "o": "out", "b": noise})
    run.log(3, 4)
    outcome = run.deliver()
    assert outcome.delivered
    assert outcome.gaps == 1
    assert ingest.points(run.id) == [1, 2, 3, 4]
    (gap,) = [record for record in ingest.records(run.id) if record.get("k") == "gap"]
    assert gap["n"] == 1
    assert "too long" in gap["why"]


def test_a_record_that_a_proxy_refuses_waits_for_a_person(run: Run, ingest: Ingest) -> None:
    """Nothing is dropped on a proxy's word: the reason and a hint are told."""

    def fault(handler: Handler, path: str, body: bytes) -> bool:
        if len(body) > 100_000:
            handler.answer(413, b"too large", ours=False)
            return True
        return False

    ingest.fault = fault
    run.log(1)
    assert run.writer is not None
    noise = random.Random(1).randbytes(200_000).hex()
    run.writer.append({"k": "console", "o": "out", "b": noise})
    outcome = run.deliver(patience=1.0)
    assert not outcome.delivered
    assert outcome.hint is not None
    assert "proxy" in outcome.hint
    ingest.fault = None
    assert run.deliver().delivered


def test_a_new_token_is_taken_up_by_itself(
    run: Run, ingest: Ingest, train: Callable[..., object]
) -> None:
    """401 until `outrider login` keeps another token; nobody restarts anything."""
    ingest.token = "good"
    store(ingest.url, "bad")
    run.write_meta(origins={"url": "default"})
    train(run, "finish")
    refused = eventually(lambda: run.delivery().get("state") == "refused" and run.delivery())
    assert refused["reason"] == "bad token"
    assert "outrider login" in refused["hint"]
    store(ingest.url, "good")
    eventually(lambda: run.delivery().get("done"))
    assert ingest.points(run.id) == list(range(20))


def test_a_server_that_is_down_gets_everything_when_it_is_back(
    make_run: Callable[..., Run], train: Callable[..., object]
) -> None:
    """The streamer outlives the trainer, says why it waits, and goes on alone."""
    gone = Ingest()
    port = gone.port
    gone.stop()
    run = make_run(server=f"http://127.0.0.1:{port}")
    train(run, "finish")
    waiting = eventually(lambda: run.delivery().get("state") == "waiting" and run.delivery())
    assert waiting["reason"] == "connection refused"
    assert waiting["retry_at"] > waiting["t"]
    assert spawn.is_running(run.path)
    back = Ingest(port)
    try:
        eventually(lambda: run.delivery().get("done"), seconds=40)
        assert back.points(run.id) == list(range(20))
        eventually(lambda: not spawn.is_running(run.path))
    finally:
        back.stop()


def test_a_server_that_hangs_holds_up_nothing_but_the_delivery(
    run: Run, ingest: Ingest, train: Callable[..., object]
) -> None:
    """The end of the trainer is seen and recorded while a request hangs."""
    released = threading.Event()

    def fault(handler: Handler, path: str, body: bytes) -> bool:
        if not released.is_set() and "/journal/" in path:
            released.wait(20)
            handler.reset()
            return True
        return False

    ingest.fault = fault
    train(run, "exit7")

    def has_end() -> bool:
        return any(getattr(record, "kind", "") == "end" for _, _, _, record in run.folder.records())

    eventually(has_end)
    eventually(lambda: run.delivery()["behind_bytes"] > 0)
    released.set()
    eventually(lambda: run.delivery().get("done"))
    assert ingest.points(run.id) == list(range(20))


def test_a_foreground_delivery_gives_up_on_a_dead_server(make_run: Callable[..., Run]) -> None:
    """And says why; nothing is lost by trying."""
    gone = Ingest()
    gone.stop()
    run = make_run(server=gone.url)
    run.log(1)
    since = time.monotonic()
    outcome = run.deliver(patience=0.5)
    assert time.monotonic() - since < 30
    assert not outcome.delivered
    assert (outcome.state, outcome.reason) == ("waiting", "connection refused")
    assert outcome.hint
    assert outcome.behind > 0
