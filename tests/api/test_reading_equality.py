"""A folder and a server tell the same of a run that was delivered, whatever was logged."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

import pytest
from handmade import Made, line, point

from outrider import api
from outrider.credentials import Token
from outrider.streamer.loop import deliver
from outrider.transport import HttpTransport
from outrider_server.background import Background, start_background

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    """A real server in a process of its own."""
    made = start_background(tmp_path_factory.mktemp("server") / "data")
    yield made
    made.stop()


def both(server: Background, made: Made) -> tuple[api.Run, api.Run]:
    """The run read from its folder, and from the server that it was delivered to."""
    transport = HttpTransport(server.url, Token(server.token, "test"))
    outcome = deliver(made.path, transport=transport)
    assert outcome.delivered, outcome
    client = api.Client(server.url, server.token)
    return api.open(made.path), client.run(f"{made.meta['project']}/{made.meta['id']}")


def alike(one: Any, two: Any) -> bool:
    """Equal, with NaN equal to NaN, and means equal but for their last digits."""
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(alike(one[key], two[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(two, (list, tuple)):
        return len(one) == len(two) and all(map(alike, one, two))
    if isinstance(one, float) and isinstance(two, float) and math.isfinite(one):
        return math.isclose(one, two, rel_tol=1e-12)
    return one == two or (one != one and two != two)


def assert_same(local: api.Run, remote: api.Run) -> None:
    """Compare everything that a reader can ask for."""
    for name in (
        "id name project state config summary tags notes created ended attempts gaps group".split()
    ):
        one, two = getattr(local, name), getattr(remote, name)
        assert alike(one, two), (name, one, two)
    assert alike(local.overview.end, remote.overview.end)
    known = local.keys()
    assert known == remote.keys()
    for key in known:
        for rewound in (False, True):
            one, two = local.points(key, rewound=rewound), remote.points(key, rewound=rewound)
            assert alike(one.steps, two.steps), key
            assert one.times == two.times, key
            assert alike(one.values, two.values), key
            assert one.attempts == two.attempts, key
    assert alike(local.history().rows(), remote.history().rows())
    window = {"min_step": 2, "max_step": 7}
    assert alike(local.history(**window).rows(), remote.history(**window).rows())
    assert local.history().to_arrow().equals(remote.history().to_arrow()) or any(
        value != value for row in local.history() for value in row.values()
    )
    assert alike(local.system().rows(), remote.system().rows())
    assert local.console() == remote.console()
    for versions in (False, True):
        assert local.files(versions=versions) == remote.files(versions=versions)
    assert local.files("save", "b/") == remote.files("save", "b/")
    told = [body for body in remote.records("gap") if "w" not in body]  # else the server's own
    assert local.records("gap") == told
    for kind in ("alert", "from-the-future"):
        assert local.records(kind) == remote.records(kind)


def test_a_run_with_everything_in_it(server: Background, tmp_path: Path) -> None:
    made = Made(tmp_path, "everything", tags=["a", "b"], notes="note", group="g", host="elsewhere")
    made.head()
    made.write(
        {"t": 100.1, "k": "config", "c": {"lr": 0.1, "m": {"d": 3, "w": [1, "x"]}, "old": 1}},
        {"t": 100.2, "k": "config", "c": {"lr": math.inf, "m": {"d": 4}}, "x": ["old"]},
        {"t": 100.3, "k": "metric", "name": "val/*", "summary": "min", "step": "epoch"},
        {"t": 100.4, "k": "metric", "name": "val/acc", "summary": "best", "goal": "maximize"},
        {"t": 100.5, "k": "metric", "name": "speed", "summary": "mean"},
        {"t": 100.6, "k": "metric", "name": "secret", "summary": "none", "hidden": True},
    )
    for step in range(10):
        values = {"loss": 1 / (step + 1), "val/loss": (step - 5) ** 2, "val/acc": step * 1.5}
        made.write(point(101.0 + step, step, **values, speed=step / 7, secret=step))
    made.write(
        point(120.0, 4, loss=math.nan),
        point(121.0, 10, loss=-math.inf, big=(1 << 60) + 1, flag=True),
        point(122.0, -3, **{"späte/metrik": 1.0}),
        {"t": 123.0, "k": "summary", "c": {"note": "good", "loss": 0.5, "deep": {"a": 1}}},
        {"t": 124.0, "k": "summary", "c": {}, "x": ["note"]},
        {"t": 125.0, "k": "run", "name": "renamed", "tags": ["z"]},
        {"t": 126.0, "k": "gap", "n": 3, "why": "disk full"},
        b"damaged\n",
        b'{"t":127.0,"s":1,"p":{"a' + line(point(127.5, 11, loss=9.0)) + b"\n",
        {"t": 128.0, "k": "console", "o": "out", "b": "hello\n"},
        {"t": 128.5, "k": "alert", "title": "hot", "text": "", "level": "WARN"},
        {
            "t": 128.6,
            "k": "file",
            "path": "b/model.pt",
            "sha256": "00" * 32,
            "size": 3,
            "m": {"a": 1},
        },
        {
            "t": 128.61,
            "k": "file",
            "path": "a/gone",
            "sha256": None,
            "size": None,
            "role": "save",
            "state": "vanished",
            "why": "No such file or directory",
        },
        {"t": 128.62, "k": "file", "path": "b/model.pt", "sha256": "11" * 32, "size": 4},
        {"t": 128.7, "k": "from-the-future", "x": {"y": 1}},
        {"t": 129.0, "k": "end", "w": "w1", "a": 1, "state": "finished", "code": 0},
    )
    made.head("s1", role="streamer", primary=False)
    for moment in (130.0, 160.0):
        sample = {
            "t": moment,
            "k": "sys",
            "d": 30.0,
            "p": {"system/cpu": moment / 3, "system/n": 2},
        }
        made.write(sample, writer="s1")
    assert_same(*both(server, made))


def test_a_run_that_was_resumed_and_rewound(server: Background, tmp_path: Path) -> None:
    made = Made(tmp_path, "rewound", attempt=3, writer="w3")
    for attempt, back_to in ((1, None), (2, 5), (3, 3)):
        writer, start = f"w{attempt}", 100.0 * attempt
        made.head(writer, attempt=attempt, t=start)
        if attempt > 1:
            record = {"t": start, "k": "attempt", "a": attempt, "rewind": back_to}
            made.write(record, writer=writer)
        first = 0 if back_to is None else back_to + 1
        for step in range(first, 10):
            values = {"loss": step / attempt, "low": -step * (4 - attempt)}
            made.write(point(start + 1 + step, step, **values), writer=writer)
        state = "finished" if attempt == 3 else "killed"
        end = {"t": start + 50, "k": "end", "w": writer, "a": attempt, "state": state}
        made.write(end, writer=writer)
    made.write({"t": 102.0, "k": "metric", "name": "low", "summary": "min"}, writer="w1")
    local, remote = both(server, made)
    assert_same(local, remote)
    assert [one.rewind_to for one in remote.attempts] == [None, 5, 3]
    assert local.summary["low"] == -9


@pytest.mark.parametrize("seed", range(4))
def test_runs_of_several_writers_logged_at_random(
    server: Background, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    made = Made(tmp_path, f"random{seed}")
    made.head()
    made.head("w2", primary=False, t=100.5)
    moment = 101.0
    for _ in range(chance.choice([50, 3000])):
        moment += chance.random()
        writer = chance.choice(["w1", "w2"])
        step = chance.randrange(200)
        values = {
            key: chance.choice([chance.random(), chance.randrange(9), math.nan, math.inf])
            for key in chance.sample(["a", "b/c", "d", "e"], chance.randint(1, 4))
        }
        made.write(point(moment, step, **values), writer=writer, segment=chance.choice([1, 1, 2]))
    assert_same(*both(server, made))


def test_a_run_that_goes_on_is_the_same_after_each_delivery(
    server: Background, tmp_path: Path
) -> None:
    made = Made(tmp_path, "growing")
    made.head()
    for round_number in range(3):
        for step in range(5):
            moment = 101.0 + 10 * round_number + step
            made.write(point(moment, 5 * round_number + step, loss=moment))
        local, remote = both(server, made)
        assert local.state == remote.state == "running"
        assert_same(local, remote)


def test_a_project_lists_its_runs(server: Background, tmp_path: Path) -> None:
    for number in range(3):
        made = Made(tmp_path, f"run{number}", project="Größe & co", created=100.0 + number)
        made.head()
        made.write({"t": 100.0, "k": "config", "c": {"lr": number / 10}}, point(101.0, 0, a=number))
        both(server, made)
    client = api.Client(server.url, server.token)
    assert "Größe & co" in [project["name"] for project in client.projects()]
    found = client.runs("Größe & co")
    assert [run.id for run in found] == ["run2", "run1", "run0"]
    found = client.runs("Größe & co", filter="config.lr > 0.05", sort="config.lr")
    assert [(run.id, run.config["lr"]) for run in found] == [("run1", 0.1), ("run2", 0.2)]
    assert [run.id for run in client.runs("Größe & co", sort="-summary.a", limit=1)] == ["run2"]
    assert {"run0", "run1", "run2"} <= {run.id for run in client.runs()}
    assert client.run("Größe & co/run1").summary == {"a": 1.0}
