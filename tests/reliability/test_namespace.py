"""A training that is the first process of its PID namespace: the kernel kills all else when it ends."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness import Trainer

    from conftest import Server

pytestmark = pytest.mark.reliability

COUNT = 2000


def why_not() -> str | None:
    """Why a PID namespace cannot be made here, or None."""
    if shutil.which("unshare") is None:
        return "unshare (util-linux) is not installed"
    done = subprocess.run(["unshare", "-pf", "true"], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"not permitted here: {done.stderr.strip()}"


@pytest.mark.parametrize("flags", [("-pf",), ("-pf", "--mount-proc")], ids=" ".join)
def test_everything_is_delivered_before_the_first_process_leaves(
    flags: tuple[str, ...], server: Server, train: Callable[..., Trainer]
) -> None:
    """finish() waits: nothing of ours outlives the first process of a container."""
    if (reason := why_not()) is not None:
        pytest.skip(reason)
    trainer = train(server.url, count=COUNT, pause=0, prefix=("unshare", *flags))
    assert trainer.wait() == 0, trainer.words()
    stored = server.client.run(f"reliability/{trainer.notes.run}")
    assert [int(value) for value in stored.points("n").values] == list(range(COUNT))
    assert stored.state == "finished"
