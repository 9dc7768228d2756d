"""Counts the kernel's kills for lack of memory, by cgroup (version 1 and 2) and on the machine.

Sources: Documentation/admin-guide/cgroup-v2.rst (memory.events), cgroup-v1/memory.rst
(memory.oom_control), proc_vmstat(5).
"""

from __future__ import annotations

import os

_VMSTAT = "/proc/vmstat"


class OomCounters:
    """Counters as they stood when this was made, or a process was added; ``root`` is where /proc and
    /sys lie, for tests."""

    def __init__(self, root: str = "") -> None:
        self._root = root
        self._before = oom_kills("self", root)
        self._machine = count_oom_kills(root + _VMSTAT)

    def add(self, pid: int) -> None:
        """Count in a process's cgroups, too."""
        for path, count in oom_kills(pid, self._root).items():
            self._before.setdefault(path, count)

    def kills(self) -> int:
        """By how much a cgroup's counter has risen since, at most."""
        risen = [
            now - before
            for path, before in self._before.items()
            if (now := count_oom_kills(path)) is not None
        ]
        return max([0, *risen])

    def machine_kills(self) -> int:
        """By how much the whole machine's counter has risen; whom it was about it does not say."""
        now = count_oom_kills(self._root + _VMSTAT)
        return 0 if now is None or self._machine is None else max(0, now - self._machine)


def oom_kills(pid: int | str = "self", root: str = "") -> dict[str, int]:
    """How often the kernel killed for lack of memory, by counter file, in a process's cgroups."""
    found: dict[str, int] = {}
    tops: tuple[str, ...]
    try:
        with open(f"{root}/proc/{pid}/cgroup", encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return found
    for line in lines:
        number, controllers, path = ([*line.split(":", 2), "", ""])[:3]
        if number == "0":
            tops, name = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"), "memory.events"
        elif "memory" in controllers.split(","):
            tops, name = ("/sys/fs/cgroup/memory",), "memory.oom_control"
        else:
            continue
        for top in tops:
            # Inside a container the path may be the host's, which is not visible: the top is ours.
            for place in (root + top + path.rstrip("/"), root + top):
                count = count_oom_kills(os.path.join(place, name))
                if count is not None:
                    found[os.path.join(place, name)] = count
                    break
    return found


def count_oom_kills(path: str) -> int | None:
    """The ``oom_kill`` counter of one file, None where it has none."""
    try:
        with open(path, encoding="ascii") as file:
            for line in file:
                name, _, count = line.partition(" ")
                if name == "oom_kill":
                    return int(count)
    except (OSError, ValueError):
        pass
    return None
