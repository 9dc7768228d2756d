"""How a plugin is tested: with ``outrider.testing``, without a server, a streamer or a second to wait."""

import json
import os
from pathlib import Path

import pytest
from outrider_example.probe import FileProbe
from outrider_example.sink import EventSink

from outrider import core
from outrider.testing import FrozenClock, RecordingSink, give, sampled


def test_the_probe_reads_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Averaged over the window like any metric of the machine; what a broken meter raises is seen."""
    meter = tmp_path / "meter"
    meter.write_text("42.5\n")
    monkeypatch.setenv("EXAMPLE_PROBE_FILE", str(meter))
    clock = FrozenClock()
    assert sampled(FileProbe(), samples=3, every=2.0, clock=clock) == {"example/value": 42.5}
    assert clock.tick() == 4.0
    meter.write_text("not a number")
    with pytest.raises(ValueError, match="not a number"):
        sampled(FileProbe())


def test_the_sink_writes_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches that come again, as after a crash, leave the same files as those that come once."""
    with core.init(project="p", mode="offline", dir=tmp_path, settings={"quiet": True}) as run:
        for step in range(20):
            core.log({"loss": 1 / (step + 1)})
    assert run.folder is not None
    seen = RecordingSink(failures=3)
    give(run.folder, seen, batch_bytes=200, repeated=True)
    assert seen.points("loss") == [(step, 1 / (step + 1)) for step in range(20)]
    assert seen.is_closed
    meta = json.loads(Path(run.folder, "run.json").read_text())
    contents = []
    for name, repeated in (("once", False), ("twice", True)):
        monkeypatch.setenv("EXAMPLE_EVENTS", str(tmp_path / name))
        give(run.folder, EventSink(meta), batch_bytes=200, repeated=repeated)
        files = sorted(
            Path(tmp_path / name).rglob(f"events*.{os.path.basename(seen.batches[0].writer)}.*")
        )
        contents.append([file.read_bytes() for file in files])
    assert contents[0] == contents[1]
    assert contents[0]
