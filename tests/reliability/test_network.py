"""A network that misbehaves, both ways: everything arrives once and in its order, however long it takes."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from faulty import Ticking
from harness import SEEDS
from proxy import FAULTS, WAYS, Proxy
from streamer_ingest import Ingest
from test_nth_fault import QUICK, make

from outrider.journal.writer import JournalWriter
from outrider.streamer.loop import deliver
from outrider.transport import Answer, HttpTransport

pytestmark = pytest.mark.reliability

ROWS = 200


class Hasty(HttpTransport):
    """Ours, but it gives a silent server up after half a second in the place of thirty."""

    def request(self, method: str, path: str, **more: Any) -> Answer:
        return super().request(method, path, **{**more, "timeout": (0.5, 0.5)})


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    """A sound server behind the network."""
    made = Ingest()
    yield made
    made.stop()


def lay(place: Path) -> str:
    """A run with rows that hardly compress, in several segments."""
    folder = make(place)
    rng = random.Random(1)
    writer = JournalWriter(folder, "r1", writer="main", segment_bytes=4000, clock=Ticking())
    for step in range(ROWS):
        assert writer.append({"s": step, "p": {"n": step, "noise": rng.random()}})
    return folder


def forget(ingest: Ingest) -> None:
    with ingest.lock:
        ingest.kept.clear()
        ingest.runs.clear()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_the_network_does_everything_arrives_once_and_in_order(
    fault: str, way: str, ingest: Ingest, tmp_path: Path
) -> None:
    """20 seeds each in the long form."""
    folder = lay(tmp_path)
    for seed in range(SEEDS):
        forget(ingest)
        proxy = Proxy(ingest.port, fault, way, seed)
        http = Hasty(proxy.url)
        try:
            outcome = deliver(folder, transport=http, clock=QUICK, patience=60)
        finally:
            http.close()
            proxy.close()
        assert outcome.delivered, (seed, outcome)
        assert ingest.points("r1", "n") == list(range(ROWS)), seed
        assert proxy.hurt, f"seed {seed} did no harm"


def names(url: str) -> Mapping[str, str]:
    return {
        "a name that nobody knows": "http://no-such-host.invalid",
        "no TLS where it is asked for": url.replace("http:", "https:"),
        "a port where nobody listens": f"http://127.0.0.1:{free()}",
    }


def free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_a_way_that_cannot_be_gone_loses_nothing(ingest: Ingest, tmp_path: Path) -> None:
    """An unknown name, a failed TLS handshake, a refused connection: said, and sent later."""
    folder = lay(tmp_path)
    for what, url in names(ingest.url).items():
        http = HttpTransport(url)
        outcome = deliver(folder, transport=http, clock=QUICK, patience=0.1)
        http.close()
        assert not outcome.delivered, what
        assert outcome.reason, what
        assert outcome.hint, what
    http = HttpTransport(ingest.url)
    assert deliver(folder, transport=http).delivered
    http.close()
    assert ingest.points("r1", "n") == list(range(ROWS))
