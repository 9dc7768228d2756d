"""Finds a process's control groups and reads their files, version 1 and version 2 alike.

Sources: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/{memory,cpuacct}.rst of the kernel,
cgroups(7) for /proc/<pid>/cgroup, proc_pid_mountinfo(5).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from outrider.sampler.files import Read, number, read, table
from outrider.sampler.host import stalls

# Version 1 writes "no limit" as the largest number that is a whole page.
UNLIMITED = 1 << 60


class CpuUse(NamedTuple):
    """Counters of one group since it was made."""

    seconds: float
    periods: int
    throttled: int


class Controller(Protocol):
    """The files of one version of control groups; a folder is one level of the hierarchy."""

    @property
    def version(self) -> int:
        """1 or 2."""
        ...

    def memory_limit(self, folder: str) -> int | None:
        """Bytes that the level may use; None without a limit."""
        ...

    def memory_used(self, folder: str) -> int | None:
        """Bytes that count against the limit, without file pages that are dropped first."""
        ...

    def cpu_limit(self, folder: str) -> float | None:
        """Processor cores that the level may use; None without a limit."""
        ...

    def cpu_used(self, cpu: str, account: str) -> CpuUse | None:
        """Processor time used, and how often the level was stopped for having used its share."""
        ...

    def pressure(self, folder: str) -> dict[str, float]:
        """Microseconds stalled, by resource; empty where the kernel does not keep them."""
        ...


@dataclass(frozen=True, slots=True)
class Groups:
    """The levels of a process's groups as folders, its own first, without the machine's root.

    `account` holds the same levels as `cpu`, in the hierarchy where version 1 counts time.
    """

    files: Controller
    memory: tuple[str, ...]
    cpu: tuple[str, ...]
    account: tuple[str, ...]


class VersionTwo:
    """One hierarchy for everything (systemd, Kubernetes and SLURM since about 2021)."""

    version = 2

    def __init__(self, read: Read = read) -> None:
        self._read = read

    def memory_limit(self, folder: str) -> int | None:
        """memory.max."""
        return number(f"{folder}/memory.max", self._read)

    def memory_used(self, folder: str) -> int | None:
        """memory.current without inactive_file, as Kubernetes counts it."""
        used = number(f"{folder}/memory.current", self._read)
        return _without_cache(used, f"{folder}/memory.stat", "inactive_file", self._read)

    def cpu_limit(self, folder: str) -> float | None:
        """cpu.max: quota and period in microseconds."""
        fields = _fields(f"{folder}/cpu.max", self._read)
        if len(fields) != 2 or fields[0] == b"max":
            return None
        return int(fields[0]) / int(fields[1])

    def cpu_used(self, cpu: str, account: str) -> CpuUse | None:
        """cpu.stat."""
        stat = _table(f"{cpu}/cpu.stat", self._read)
        if "usage_usec" not in stat:
            return None
        seconds = stat["usage_usec"] / 1e6
        return CpuUse(seconds, stat.get("nr_periods", 0), stat.get("nr_throttled", 0))

    def pressure(self, folder: str) -> dict[str, float]:
        """cpu.pressure, memory.pressure and io.pressure."""
        found: dict[str, float] = {}
        for resource in ("cpu", "memory", "io"):
            try:
                text = self._read(f"{folder}/{resource}.pressure")
            except OSError:  # also EOPNOTSUPP, where pressure was switched off for the group
                continue
            found |= stalls(f"system/cgroup/pressure/{resource}", text)
        return found


class VersionOne:
    """A hierarchy for each resource; pressure is kept for the whole machine only."""

    version = 1

    def __init__(self, read: Read = read) -> None:
        self._read = read

    def memory_limit(self, folder: str) -> int | None:
        """memory.limit_in_bytes."""
        limit = number(f"{folder}/memory.limit_in_bytes", self._read)
        return None if limit is None or limit >= UNLIMITED or limit < 0 else limit

    def memory_used(self, folder: str) -> int | None:
        """memory.usage_in_bytes without total_inactive_file."""
        used = number(f"{folder}/memory.usage_in_bytes", self._read)
        return _without_cache(used, f"{folder}/memory.stat", "total_inactive_file", self._read)

    def cpu_limit(self, folder: str) -> float | None:
        """cpu.cfs_quota_us and cpu.cfs_period_us; a quota of -1 is none."""
        quota = number(f"{folder}/cpu.cfs_quota_us", self._read)
        period = number(f"{folder}/cpu.cfs_period_us", self._read)
        return quota / period if quota and period and quota > 0 else None

    def cpu_used(self, cpu: str, account: str) -> CpuUse | None:
        """cpuacct.usage in nanoseconds, and cpu.stat."""
        used = number(f"{account}/cpuacct.usage", self._read)
        if used is None:
            return None
        stat = _table(f"{cpu}/cpu.stat", self._read)
        return CpuUse(used / 1e9, stat.get("nr_periods", 0), stat.get("nr_throttled", 0))

    def pressure(self, folder: str) -> dict[str, float]:
        """Not kept."""
        return {}


def find_groups(pid: int, root: str = "", read: Read = read) -> Groups | None:
    """The groups of a process, or None where none can be seen.

    Where both versions are mounted, the memory and cpu controllers are in version 1 only when
    they are listed there: version 2 then holds processes but limits nothing.
    """
    try:
        own = read(f"{root}/proc/{pid}/cgroup").decode(errors="surrogateescape").splitlines()
        mounts = read(f"{root}/proc/{pid}/mountinfo").decode(errors="surrogateescape")
    except OSError:
        return None
    paths: dict[str, str] = {}
    for line in own:
        _, controllers, path = line.split(":", 2)
        paths |= dict.fromkeys(controllers.split(",") if controllers else ["unified"], path)
    folders: dict[str, tuple[str, ...]] = {}
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3:
            continue
        names = ["unified"] if kind[0] == "cgroup2" else kind[2].split(",")
        if kind[0] not in ("cgroup", "cgroup2"):
            continue
        for name in names:
            if name in paths:
                levels = _levels(root + fields[4], fields[3], paths[name])
                folders.setdefault(name, tuple(level for level in levels if not _is_root(level)))
    if "memory" in folders or "cpu" in folders:
        memory, cpu, account = (folders.get(name, ()) for name in ("memory", "cpu", "cpuacct"))
        found = Groups(VersionOne(read), memory, cpu, account)
    else:
        levels = folders.get("unified", ())
        found = Groups(VersionTwo(read), levels, levels, levels)
    return found if found.memory or found.cpu or found.account else None


def _levels(mount: str, top: str, path: str) -> tuple[str, ...]:
    """Folders from a group up to the mount, given that the mount shows the hierarchy from `top`.

    In a container the mount often shows only its own part. A path that does not lie below what
    the mount shows (`/../..` out of another namespace) is answered by the mount itself.
    """
    top = top.rstrip("/")
    if ".." in path.split("/") or not (path == top or path.startswith(f"{top}/")):
        return (mount,)
    steps = [step for step in path[len(top) :].split("/") if step]
    return tuple("/".join([mount, *steps[:depth]]) for depth in range(len(steps), -1, -1))


def _is_root(folder: str) -> bool:
    """True for the machine's own group, which counts everybody and has no limits.

    A container may see its group as `/` too: only the true root of version 1 has a
    release_agent, and only the true root of version 2 has no cgroup.events.
    """
    if os.path.exists(f"{folder}/cgroup.controllers"):
        return not os.path.exists(f"{folder}/cgroup.events")
    return os.path.exists(f"{folder}/release_agent")


def _without_cache(used: int | None, stat: str, key: str, read: Read) -> int | None:
    return None if used is None else max(0, used - _table(stat, read).get(key, 0))


def _table(path: str, read: Read) -> dict[str, int]:
    try:
        return table(read(path))
    except OSError:
        return {}


def _fields(path: str, read: Read) -> list[bytes]:
    try:
        return read(path).split()
    except OSError:
        return []
