"""Which run a logger stands for, computed alike in every rank without asking anybody.

Lightning's ddp launcher runs the script again in rank 1 and above, and torchrun starts all ranks
side by side: each builds its own loggers and none can ask the others. What they share is the
process that launched them. So an id is a digest of that process (host, boot, pid namespace, pid and
start time: unique on its machine) and of how many loggers were built before this one.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import os
import sys
from typing import TYPE_CHECKING, Any

from outrider.ids import new_run_id
from outrider.journal.writer import boot_id, start_ticks

if TYPE_CHECKING:
    from collections.abc import Mapping

_built = itertools.count()
_home: Any = None
"""The module that knows Lightning's rank, once it is loaded."""

_RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK")


def rank() -> int:
    """This process's rank now: Lightning's own word once it is loaded, else the environment's."""
    global _home
    try:  # asked at each log_metrics(): where Lightning is loaded, two look-ups and no more
        said: object = _home.rank_zero_only.rank
    except AttributeError:
        _home = sys.modules.get("lightning_utilities.core.rank_zero")
        said = getattr(getattr(_home, "rank_zero_only", None), "rank", None)
    return said if isinstance(said, int) else rank_in(os.environ)


def rank_in(env: Mapping[str, str]) -> int:
    """The rank that the environment names, 0 where it names none (Lightning's order of asking)."""
    for name in _RANKS:
        value = env.get(name, "")
        if value.isdigit():
            return int(value)
    return 0


def launched_by_parent(env: Mapping[str, str]) -> bool:
    """Whether other ranks were started by this process's parent, as this one was."""
    if env.get("TORCHELASTIC_RUN_ID"):
        return env.get("WORLD_SIZE", "1") != "1"
    return env.get("LOCAL_RANK", "0") not in ("", "0")


def next_run_id(env: Mapping[str, str] | None = None) -> str:
    """The id of the next logger that this process builds; its fellow ranks get the same."""
    env = os.environ if env is None else env
    number = next(_built)
    pid = os.getppid() if launched_by_parent(env) else os.getpid()
    started = start_ticks(pid)
    if started is None:  # no /proc: a rank of its own, which matters only where it is told to write
        return new_run_id()
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    facts = (
        os.uname().nodename, boot_id(), namespace, pid, started,
        env.get("TORCHELASTIC_RESTART_COUNT", ""), number,
    )  # fmt: skip
    digest = hashlib.sha256(repr(facts).encode()).digest()
    return base64.b32encode(digest)[:10].decode().lower()
