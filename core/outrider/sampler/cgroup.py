"""Probe of the control group: the limits that a container or a scheduler sets, and their use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from outrider.sampler.cgroup_files import Groups, find_groups
from outrider.sampler.files import Read, read
from outrider.sampler.probe import NotHere, Target
from outrider.sampler.rates import Counters


class CgroupProbe:
    """`system/cgroup/...`: at the level whose limit is the tightest, else at the trainer's own.

    A limit holds for all levels below, and SLURM, systemd and Kubernetes set theirs at different
    ones; use can only be compared with the limit of the same level.
    """

    name = "cgroup"
    inline = True

    def __init__(self, root: str = "", read: Read = read) -> None:
        self._root = root
        self._read = read
        self._counters = Counters()
        self._groups: Groups | None = None
        self._memory = self._cpu = self._account = ""

    def aim(self, target: Target) -> None:
        """Find the trainer's groups; left out where only the machine's own can be seen."""
        groups = find_groups(target.pid or os.getpid(), self._root, self._read)
        if groups is None:
            raise NotHere("no control group of the trainer can be seen")
        self._groups = groups
        self._memory = tightest(groups.memory, groups.files.memory_limit)
        self._cpu = tightest(groups.cpu, groups.files.cpu_limit)
        level = groups.cpu.index(self._cpu) if self._cpu else 0
        self._account = next(iter(groups.account[level:] or groups.account), "")

    def read(self) -> dict[str, float]:
        """Use, limits, throttling and pressure; what cannot be read is left out."""
        if self._groups is None:
            return {}
        return self._memory_readings(self._groups) | self._cpu_readings(self._groups)

    def facts(self) -> dict[str, Any]:
        """The version and the limits."""
        if self._groups is None:
            return {}
        files = self._groups.files
        facts = {
            "version": files.version,
            "memory_limit_bytes": files.memory_limit(self._memory) if self._memory else None,
            "cpu_limit_cores": files.cpu_limit(self._cpu) if self._cpu else None,
        }
        return {"cgroup": facts}

    def _memory_readings(self, groups: Groups) -> dict[str, float]:
        used = groups.files.memory_used(self._memory) if self._memory else None
        if used is None:
            return {}
        key = "system/cgroup/memory_used_bytes"
        readings = {key: float(used), f"{key}.max": float(used)}
        limit = groups.files.memory_limit(self._memory)
        if limit:
            readings["system/cgroup/memory_limit_bytes"] = float(limit)
            readings["system/cgroup/memory_used_percent"] = 100.0 * used / limit
        return readings

    def _cpu_readings(self, groups: Groups) -> dict[str, float]:
        cores = groups.files.cpu_limit(self._cpu) if self._cpu else None
        use = groups.files.cpu_used(self._cpu, self._account) if self._account else None
        counters = groups.files.pressure(self._cpu) if self._cpu else {}
        if use is not None:
            counters |= {"seconds": use.seconds}
            counters |= {"periods": use.periods, "throttled": use.throttled}
        rates = self._counters.rates(counters)
        seconds = rates.pop("seconds", None)
        periods, throttled = rates.pop("periods", 0.0), rates.pop("throttled", None)
        readings = {key: rate / 1e4 for key, rate in rates.items()}
        if seconds is not None:
            readings["system/cgroup/cpu_cores"] = seconds
        if cores:
            readings["system/cgroup/cpu_limit_cores"] = cores
            if throttled is not None:
                share = throttled / periods if periods else 0.0
                readings["system/cgroup/throttled_percent"] = 100.0 * share
        return readings


def tightest(levels: Iterable[str], limit: Callable[[str], float | None]) -> str:
    """The level with the lowest limit, the innermost among equals; without any, the own one."""
    own, found, lowest = "", "", float("inf")
    for level in levels:
        own = own or level
        value = limit(level)
        if value is not None and value < lowest:
            found, lowest = level, value
    return found or own
