"""Whatever the server or the streamer do, the training runs on, ends with its own exit code, and
everything arrives when they are well again."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from harness import Trainer, eventually, folder_of, free_port, send_all, stop, streamer_of
from streamer_ingest import Handler, Ingest

from outrider.streamer import spawn

if TYPE_CHECKING:
    from conftest import Server

pytestmark = pytest.mark.reliability

COUNT = 400


def hung(handler: Handler, path: str, body: bytes) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until and handler.server.fault is hung:
        time.sleep(0.05)
    handler.close_connection = True
    return True


def answering(status: int, **headers: str) -> Callable[[Handler, str, bytes], bool]:
    def fault(handler: Handler, path: str, body: bytes) -> bool:
        handler.error(status, **headers)
        return True

    return fault


def garbage(handler: Handler, path: str, body: bytes) -> bool:
    handler.answer(200, b"<html>welcome to the hotel's network</html>", ours=False)
    return True


def broken(handler: Handler, path: str, body: bytes) -> bool:
    handler.reset()
    return True


FAULTS = {
    "hung": hung,
    "reset": broken,
    "500": answering(500),
    "503": answering(503, Retry_After="1"),
    "429": answering(429, Retry_After="1"),
    "413": answering(413),
    "401": answering(401),
    "403": answering(403),
    "404": answering(404),
    "garbage": garbage,
}


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    """A server that misbehaves on demand."""
    made = Ingest()
    yield made
    made.fault = None
    made.stop()


def finish(trainer: Trainer) -> None:
    """The training logs all of its records and leaves with its own exit code."""
    assert trainer.wait() == 7, trainer.words()
    assert trainer.notes.numbers == list(range(COUNT))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that_fails_stops_nothing(
    fault: str, ingest: Ingest, train: Callable[..., Trainer]
) -> None:
    """From the first request on, every answer is wrong; then they are right."""
    ingest.fault = FAULTS[fault]
    trainer = train(ingest.url, count=COUNT, code=7, finish_seconds="0.5")
    finish(trainer)
    assert ingest.requests or fault == "hung"
    assert not ingest.points(str(trainer.notes.run), "n")
    ingest.fault = None
    run = str(trainer.notes.run)
    eventually(lambda: len(ingest.points(run, "n")) >= COUNT, "everything arrives")
    assert sorted(ingest.points(run, "n")) == list(range(COUNT))


@pytest.mark.parametrize("fault", ["500", "413", "404", "reset"])
def test_a_server_that_fails_in_between_stops_nothing(
    fault: str, ingest: Ingest, train: Callable[..., Trainer]
) -> None:
    """It took records before, and takes the others afterwards, each once."""
    trainer = train(ingest.url, count=COUNT, pause=0.005, code=7, finish_seconds="0.5")
    eventually(lambda: trainer.notes.run and ingest.points(trainer.notes.run, "n"), "first records")
    ingest.fault = FAULTS[fault]
    finish(trainer)
    ingest.fault = None
    run = str(trainer.notes.run)
    eventually(lambda: len(ingest.points(run, "n")) >= COUNT, "everything arrives")
    assert sorted(ingest.points(run, "n")) == list(range(COUNT))


def test_a_server_that_is_not_there_stops_nothing(train: Callable[..., Trainer]) -> None:
    """Nobody listens; later somebody does."""
    port = free_port()
    trainer = train(f"http://127.0.0.1:{port}", count=COUNT, code=7, finish_seconds="0.5")
    finish(trainer)
    server = Ingest(port)
    run = str(trainer.notes.run)
    try:
        eventually(lambda: len(server.points(run, "n")) >= COUNT, "everything arrives")
        assert sorted(server.points(run, "n")) == list(range(COUNT))
    finally:
        server.stop()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_a_streamer_that_is_gone_stops_nothing(
    number: signal.Signals, server: Server, train: Callable[..., Trainer]
) -> None:
    """The streamer is killed, or stopped in the middle of its work; the training does not notice."""
    trainer = train(server.url, count=COUNT, pause=0.002, code=7, finish_seconds="0.5")
    eventually(lambda: trainer.has_logged(20), "records")
    folder = folder_of(trainer.folder, str(trainer.notes.run))
    pid = eventually(lambda: streamer_of(folder), "a streamer")
    stop(pid, number)
    finish(trainer)
    if number == signal.SIGSTOP:
        stop(pid, signal.SIGCONT)
        eventually(lambda: not spawn.is_running(folder), "the streamer leaves when all is sent")
    send_all(trainer.folder, server.url)
    stored = server.client.run(f"reliability/{trainer.notes.run}")
    assert [int(value) for value in stored.points("n").values] == list(range(COUNT))
    # What the interpreter itself knew when it left: no exception. The exit code was seen by nobody.
    assert stored.state in ("finished", "failed")
