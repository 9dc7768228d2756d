"""What every test gets: a home of its own, no settings from outside, no process left behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
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
    """End the processes that still work in this session's temporary folder: a streamer whose
    server is gone tries for ever, as it should, but not on the machine of who runs the tests."""
    yield
    place = str(tmp_path_factory.getbasetemp()).encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if place in line and int(folder.name) != os.getpid():
            try:
                os.kill(int(folder.name), signal.SIGKILL)
            except OSError:
                continue
