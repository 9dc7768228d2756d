"""A plugin's sink gets every record; one that hangs or raises hurts nobody but itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from outrider.sampler.guard import PATIENCE
from outrider.streamer.blame import failures_in
from outrider.streamer.clock import Clock
from outrider.streamer.sinks import ALLOWED_FAILURES, Batch, SinkThread
from outrider.streamer.watch import Watch
from waiting import eventually

if TYPE_CHECKING:
    from streamer_kit import Run

    from outrider.streamer.cursor import Place

QUICK = Clock(chance=lambda: -0.999)  # hardly any pause between two tries


class Keeping:
    """Keeps values; fails as often as told."""

    failures = 0
    made: ClassVar[list[Keeping]] = []

    def __init__(self, run: Mapping[str, Any]) -> None:
        self.run = run
        self.values: list[Any] = []
        self.closed = threading.Event()
        Keeping.made.append(self)

    def send(self, batch: Batch) -> None:
        if Keeping.failures > 0:
            Keeping.failures -= 1
            raise ConnectionError("not now")
        self.values += [r.body["p"]["x"] for r in batch.records() if r.kind == "points"]

    def close(self) -> None:
        self.closed.set()


def started(run: Run, path: str) -> SinkThread:
    Keeping.made.clear()
    watch = Watch(run.folder)

    def look() -> Mapping[Place, int]:
        watch.look(thorough=True)
        return watch.sizes

    sink = SinkThread(path, run.folder, run.meta, look, QUICK)
    sink.start()
    return sink


HERE = f"{__name__}:Keeping"


def test_a_sink_gets_every_record_once_over_two_streamers(run: Run) -> None:
    """Its cursor lies in the run's folder."""
    Keeping.failures = 3
    run.log(*range(100))
    first = started(run, HERE)
    assert first.finish(20)
    assert Keeping.made[0].values == list(range(100))
    assert Keeping.made[0].closed.is_set()
    run.log(*range(100, 150))
    assert started(run, HERE).finish(20)
    assert Keeping.made[0].values == list(range(100, 150))


def test_a_sink_that_always_fails_is_left_out(run: Run, capsys: Any) -> None:
    """After some failures in a row, by name in the log."""
    Keeping.failures = 1 << 30
    run.log(1)
    sink = started(run, HERE)
    eventually(lambda: Keeping.made and Keeping.made[0].closed.is_set())
    assert sink.failures == ALLOWED_FAILURES
    assert f"sink {HERE} is left out" in capsys.readouterr().out


def test_a_sink_that_does_not_exist_is_named(run: Run, capsys: Any) -> None:
    """And nothing else happens."""
    assert started(run, "no.such.module:thing").finish(20)
    assert "could not be made" in capsys.readouterr().out


def test_a_plugins_sink_runs_beside_the_server(
    run: Run, tmp_path: Any, train: Callable[..., Any], ingest: Any, monkeypatch: Any
) -> None:
    """A distribution's entry point names it; a second one hangs and a third one fails, which holds
    up nothing and is kept beside the run, with what its hooks raise."""
    site = tmp_path / "site"
    info = site / "extra-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[outrider]\nextra = extra_sinks\n")
    out = tmp_path / "out.txt"
    (site / "extra_sinks.py").write_text(
        f"""
import time
from outrider.hooks import hookimpl

@hookimpl
def outrider_sinks(settings):
    return ["extra_sinks:Broken", "extra_sinks:Good", "extra_sinks:Hanging"]

@hookimpl
def outrider_run_started(run):
    raise ValueError("no start")

class Broken:
    def __init__(self, run):
        raise KeyError("broken")

class Good:
    def __init__(self, run): pass
    def send(self, batch):
        with open({str(out)!r}, "ab") as file:
            file.write(batch.data)
    def close(self): pass

class Hanging(Good):
    def send(self, batch): time.sleep(3600)
"""
    )
    monkeypatch.setenv("PYTHONPATH", str(site))
    assert train(run, "finish").wait() == 0
    eventually(lambda: ingest.ends(run.id), what=run)
    eventually(lambda: out.exists() and out.read_bytes().count(b'"s":') == 20, what=run)
    eventually(lambda: failures_in(run.folder.path).get("extra", {}).get("failures") == 2, what=run)


def test_a_plugins_probe_that_cannot_read_is_kept_beside_the_run(
    run: Run, tmp_path: Any, train: Callable[..., Any], monkeypatch: Any
) -> None:
    """Counted against the plugin that named it, whose hooks are called all the same."""
    info = tmp_path / "site" / "cold-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: cold\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[outrider]\ncold = cold\n")
    (info.parent / "cold.py").write_text(
        """
from outrider.hooks import hookimpl

@hookimpl
def outrider_probes():
    return ["cold:Thermometer"]

class Thermometer:
    name = "thermometer"
    def read(self):
        raise OSError("it is too cold")
    def facts(self):
        return {}
"""
    )
    monkeypatch.setenv("PYTHONPATH", str(info.parent))
    train(run, "wait")
    told = eventually(lambda: failures_in(run.folder.path).get("cold"), what=run)
    assert told["problem"] == "probe thermometer: OSError: it is too cold"
    eventually(lambda: failures_in(run.folder.path)["cold"]["failures"] == PATIENCE, what=run)
    assert failures_in(run.folder.path)["cold"]["enabled"]
