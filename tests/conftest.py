"""What every test gets: a home of its own, no settings from outside, no process left behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

try:
    from hypothesis import HealthCheck, settings
except ModuleNotFoundError:  # the environment that installs the distribution has none
    pass
else:  # a busy machine is no failure: no deadline, and no check of the generator's own speed
    settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("ours")

OUTSIDE = ("bench", "distribution", "fuzz", "soak")  # run only when named with -m
KEPT = "OUTRIDER_TEST_"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes minutes unless `-m` names it."""
    wanted = config.option.markexpr or ""
    left_out = [
        item
        for item in items
        if any(item.get_closest_marker(name) and name not in wanted for name in OUTSIDE)
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the home, the state folder or the settings of who runs it."""
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith("OUTRIDER_")]:
        if not name.startswith(KEPT):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    for name in ("CONFIG", "STATE", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)


@pytest.fixture(scope="session", autouse=True)
def swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """End the processes that still work in this session's temporary folder."""
    yield
    _end(str(tmp_path_factory.getbasetemp()))


@pytest.fixture(scope="module", autouse=True)
def streamers_swept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """End the module's streamers: one whose server is gone tries for ever, as it should, but not
    on the machine of who runs the tests, and not beside all tests that follow."""
    yield
    _end(str(tmp_path_factory.getbasetemp()), "outrider.streamer.__main__")


def _end(*words: str) -> None:
    """Kill the processes whose command names all of these."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if all(word.encode() in line for word in words) and int(folder.name) != os.getpid():
            with suppress(OSError):
                os.kill(int(folder.name), signal.SIGKILL)
