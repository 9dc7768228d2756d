"""Real trainers, streamers and servers to kill, and the question what is left of their records."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outrider.ids import host_label
from outrider.journal.reader import find_folders, locate
from outrider.streamer import spawn
from outrider.streamer.lock import lock_path
from outrider.streamer.status import read_status

if TYPE_CHECKING:
    from outrider import api

LOGGER = Path(__file__).parent / "logger.py"
KILLS = int(os.environ.get("OUTRIDER_TEST_KILLS", "6"))
"""The one knob: how often trainers and streamers are killed. All other counts follow from it."""

LONG = KILLS >= 100
"""Whether this is the long form: every value of what the short form takes samples of."""

SERVER_KILLS = KILLS * 2 // 5 if LONG else KILLS // 2  # each costs a start and a pause
SEEDS = max(1, KILLS // 25)
"""How often each misbehaviour of the network is tried: 20 times in the long form."""

PATIENCE = 120.0  # a machine may be busy: the longest wait before a test gives up


def eventually(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait until something holds; returns what it returned."""
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, f"it did not come about: {what}"
        time.sleep(0.01)
    return found


class Notes:
    """What a trainer noted: its run's id, and every record whose ``log()`` had returned."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[str]:
        try:
            return self.path.read_text().splitlines()
        except FileNotFoundError:
            return []

    @property
    def run(self) -> str | None:
        return next((line[4:] for line in self.lines() if line.startswith("run ")), None)

    @property
    def numbers(self) -> list[int]:
        return [int(line) for line in self.lines() if line.isdigit()]


class Trainer:
    """One training process and its notes."""

    def __init__(
        self,
        folder: Path,
        url: str,
        *,
        name: str = "t",
        count: int = 0,
        pause: float = 0.001,
        code: int = 0,
        prefix: tuple[str, ...] = (),
        **settings: str,
    ) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.notes = Notes(folder.parent / f"{folder.name}-{name}.notes")
        words = [f"{key}={value}" for key, value in settings.items()]
        arguments = [str(folder), str(self.notes.path), str(count), str(pause), str(code), *words]
        env = {**os.environ, "OUTRIDER_URL": url, "OUTRIDER_SAMPLE_SECONDS": "60"}
        self.said = (folder.parent / f"{folder.name}-{name}.said").open("w+b")
        self.process = subprocess.Popen(
            [*prefix, sys.executable, str(LOGGER), *arguments],
            env=env, stdout=self.said, stderr=self.said, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

    def has_logged(self, count: int) -> bool:
        """Whether so many records were logged; fails where the trainer ended before."""
        numbers = self.notes.numbers
        if len(numbers) < count:
            assert self.process.poll() is None, f"the trainer ended by itself: {self.words()}"
        return len(numbers) >= count

    def words(self) -> str:
        """What the trainer printed."""
        return Path(self.said.name).read_text(errors="replace")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.said.close()

    def wait(self) -> int:
        code = self.process.wait(PATIENCE)
        self.said.close()
        return code


def folder_of(root: Path, run: str) -> str:
    """The path of a run's folder."""
    return locate(run, root).path


def delivery(folder: str) -> dict[str, Any]:
    """What the streamer last said."""
    return read_status(os.path.join(folder, f"delivery-{host_label()}.json"))


def acked(folder: str) -> int:
    """How many bytes of a run the server has acknowledged."""
    offsets = delivery(folder).get("acked", {})
    return sum(offset for segments in offsets.values() for offset in segments.values())


def streamer_of(folder: str) -> int | None:
    """The pid of the streamer that holds a folder now, or None; asks the lock, as the trainer does."""
    try:
        fd = os.open(lock_path(folder), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        question = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack("hhqqi", fcntl.fcntl(fd, fcntl.F_GETLK, question))
    finally:
        os.close(fd)
    return None if kind == fcntl.F_UNLCK else pid


def send_all(root: Path, url: str) -> None:
    """Run a streamer again for whatever is undelivered, as a person would, until nothing is."""
    env = {**os.environ, "OUTRIDER_URL": url}
    for folder in find_folders(root):
        eventually(lambda at=folder.path: not spawn.is_running(at) or is_delivered(at), "an end")
    done = subprocess.run(
        [sys.executable, "-m", "outrider.cli", "sync", str(root)],
        env=env, cwd=root, capture_output=True, text=True, timeout=PATIENCE * 3, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def is_delivered(folder: str) -> bool:
    return bool(delivery(folder).get("state") == "delivered")


def check(client: api.Client, notes: Notes) -> int:
    """Every record whose log() had returned is in the store exactly once, and none is invented.

    The one record that was being logged when the trainer died may be there or not.
    """
    assert notes.run is not None
    run = client.run(f"reliability/{notes.run}")
    noted = notes.numbers
    for key, factor in (("n", 1), ("twice", 2)):
        points = run.points(key)
        stored = Counter(int(value) for value in points.values)
        twice = {value: times for value, times in stored.items() if times > 1}
        assert not twice, f"{notes.run}: stored more than once: {twice}"
        lost = {number * factor for number in noted} - set(stored)
        assert not lost, f"{notes.run}: lost {len(lost)} of {len(noted)}: {sorted(lost)[:5]}"
        invented = set(stored) - {number * factor for number in range(len(noted) + 1)}
        assert not invented, f"{notes.run}: invented {sorted(invented)[:5]}"
        values = [int(value) for value in points.values]
        assert values == [step * factor for step in points.steps]
        assert values == sorted(values), f"{notes.run}: not in the order they were logged"
    assert run.gaps == 0
    return len(noted)


def pause_at_random(longest: float) -> None:
    time.sleep(random.random() * longest)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def stop(pid: int, number: int = signal.SIGKILL) -> None:
    """Send a signal to a process that may be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
