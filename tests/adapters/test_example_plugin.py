"""The example plugin: a third party's distribution, installed into a fresh environment and used."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import sysconfig
import textwrap
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from outrider import api

EXAMPLE = Path(__file__).parents[2] / "examples" / "plugin"

pytestmark = pytest.mark.timeout(400)


def run(command: list[str], **how: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **how)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of a fresh environment that sees our own packages, and the plugin installed."""
    place = tmp_path_factory.mktemp("plugin")
    run([sys.executable, "-m", "venv", "--without-pip", str(place / "env")])
    found = str(place / "env" / "bin" / "python")
    site = run([found, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip()
    shutil.copytree(EXAMPLE, place / "source")
    pip = [sys.executable, "-m", "pip", "--python", found]
    run([*pip, "install", "-q", "--no-deps", "--no-compile", str(place / "source")])
    ours = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    for name in ("outrider", "outrider_plain", "outrider_server"):
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        ours.append(str(Path(spec.origin).parents[1]))
    Path(site, "ours.pth").write_text("\n".join(dict.fromkeys(ours)) + "\n")
    return found


def test_it_is_listed(python: str) -> None:
    """By `outrider plugins`, with its version and its hooks, and switched off by one setting."""
    command = [python, "-c", "from outrider.cli import main; main()", "plugins", "--json"]
    (found,) = [one for one in json.loads(run(command)) if one["name"] == "example"]
    assert found["version"] == "1.0.0"
    assert found["origin"] == "outrider-example"
    assert found["hooks"] == ["probes", "sinks"]
    assert found["enabled"] is True
    off = run(command, env={**os.environ, "OUTRIDER_PLUGINS": "0"})
    assert [one["enabled"] for one in json.loads(off) if one["name"] == "example"] == [False]


@pytest.fixture(scope="module")
def trained(python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short training with the probe's file and the sink's folder named."""
    place = tmp_path_factory.mktemp("trained")
    (place / "meter").write_text("42.5\n")
    script = """
        import time
        from outrider import core
        core.init(project="p", id="the-run")
        for number in range(300):
            core.log({"loss": 1 / (number + 1), "nan": float("nan"), "big": 1e300})
            time.sleep(0.005)
        core.finish()
    """
    environment = {
        **os.environ,
        "OUTRIDER_MODE": "offline",
        "OUTRIDER_SAMPLE_SECONDS": "0.2",
        "OUTRIDER_AVERAGE_SECONDS": "0.5",
        "EXAMPLE_PROBE_FILE": str(place / "meter"),
        "EXAMPLE_EVENTS": str(place / "events"),
    }
    run([python, "-c", textwrap.dedent(script)], cwd=place, env=environment)
    deadline = time.monotonic() + 30
    folder = place / "events" / "p" / "the-run"
    while time.monotonic() < deadline:
        if len(scalars(folder).get("loss", ())) == 300:
            break
        time.sleep(0.2)
    return place


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What the event files hold, read by TensorBoard's own reader."""
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    found: dict[str, list[tuple[int, float]]] = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for event in loader.LegacyEventFileLoader(str(path)).Load():
            for value in event.summary.value:
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_the_sink_writes_every_point_once(trained: Path) -> None:
    """TensorBoard reads the same numbers, as 32-bit floats, NaN and what is too large included."""
    found = scalars(trained / "events" / "p" / "the-run")
    wanted = [(at, struct.unpack("f", struct.pack("f", 1 / (at + 1)))[0]) for at in range(300)]
    assert found["loss"] == wanted
    assert all(value != value for _, value in found["nan"])
    assert {value for _, value in found["big"]} == {float("inf")}


def test_the_probe_is_read_by_the_sampler(trained: Path) -> None:
    """Its value stands among the system metrics."""
    (one,) = api.runs(trained)
    assert {row["example/value"] for row in one.system(["example/value"]).rows()} == {42.5}


def test_its_own_tests_pass(python: str, tmp_path: Path) -> None:
    """They show authors how a plugin is tested: with `outrider.testing`, and nothing running."""
    command = [python, "-m", "pytest", str(EXAMPLE / "tests"), "-q", "-p", "no:cacheprovider"]
    command += ["-p", "pytest_timeout"]
    bare = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # some import a framework
    said = run(command, cwd=tmp_path, env=bare)
    assert "2 passed" in said


def test_a_batch_that_comes_again_is_not_written_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole, or as part of a larger one, or after a crash in the middle of a write."""
    from outrider.journal.line import encode
    from outrider.streamer.sinks import Batch

    monkeypatch.syspath_prepend(EXAMPLE / "src")
    monkeypatch.setenv("EXAMPLE_EVENTS", str(tmp_path))
    from outrider_example.sink import EventSink

    lines = [encode({"t": float(at), "s": at, "p": {"x": at}}) for at in range(4)]
    starts = [sum(map(len, lines[:at])) for at in range(4)]
    meta = {"project": "p", "id": "r", "created": 1.0}
    sink = EventSink(meta)
    sink.send(Batch("w", 1, 0, lines[0] + lines[1]))
    sink.send(Batch("w", 1, 0, lines[0] + lines[1]))
    (path,) = (tmp_path / "p" / "r").glob("events*")
    with path.open("ab") as file:
        file.write(b"torn")
    EventSink(meta).send(Batch("w", 1, starts[1], lines[1] + lines[2] + lines[3]))
    assert scalars(tmp_path / "p" / "r") == {"x": [(0, 0.0), (1, 1.0), (2, 2.0), (3, 3.0)]}
