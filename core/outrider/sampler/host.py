"""Probes of the machine itself, read from /proc: processors, memory, load and pressure."""

from __future__ import annotations

import os
import platform
from typing import Any

from outrider.sampler.files import read
from outrider.sampler.rates import Counters

KIB = 1024
# The fields of a `cpu` line of /proc/stat (man 5 proc): guest time is already part of user time.
IDLE, IOWAIT, STEAL, FIELDS = 3, 4, 7, 8


class CpuProbe:
    """`system/cpu` and `system/cpu/<n>`: the share of time that a processor was busy, in %."""

    name = "cpu"
    inline = True

    def __init__(self, root: str = "") -> None:
        self._root = root
        self._before: dict[bytes, list[int]] = {}

    def read(self) -> dict[str, float]:
        """Busy shares since the last read; waiting for a disk and stolen time are not busy."""
        now = self._times()
        before, self._before = self._before, now
        readings: dict[str, float] = {}
        for name, times in now.items():
            if name not in before:
                continue
            # The kernel lets iowait fall now and then: never let it make a share negative.
            spent = [max(0, new - old) for new, old in zip(times, before[name], strict=False)]
            total = sum(spent)
            if total == 0:
                continue
            busy = 100.0 * (total - spent[IDLE] - spent[IOWAIT] - spent[STEAL]) / total
            if name == b"cpu":
                readings["system/cpu"] = readings["system/cpu.max"] = busy
                readings["system/cpu/iowait_percent"] = 100.0 * spent[IOWAIT] / total
                readings["system/cpu/steal_percent"] = 100.0 * spent[STEAL] / total
            else:
                readings[f"system/cpu/{name[3:].decode()}"] = busy
        return readings

    def facts(self) -> dict[str, Any]:
        """The processors' model and number, and the operating system."""
        system = platform.uname()
        return {
            "host": system.node,
            "os": f"{system.system} {system.release}",
            "architecture": system.machine,
            "cpu": {"model": self._model(), "count": max(1, len(self._times()) - 1)},
        }

    def _times(self) -> dict[bytes, list[int]]:
        times: dict[bytes, list[int]] = {}
        for line in read(f"{self._root}/proc/stat").splitlines():
            if not line.startswith(b"cpu"):
                break
            name, *fields = line.split()
            numbers = [int(field) for field in fields[:FIELDS]]
            times[name] = numbers + [0] * (FIELDS - len(numbers))
        return times

    def _model(self) -> str:
        for line in read(f"{self._root}/proc/cpuinfo").splitlines():
            key, _, value = line.partition(b":")
            if key.strip() in (b"model name", b"Model", b"cpu model"):
                return value.strip().decode(errors="replace")
        return platform.processor()


class MemoryProbe:
    """`system/memory/...` and `system/swap/...`: used is what is not available to programs."""

    name = "memory"
    inline = True

    def __init__(self, root: str = "") -> None:
        self._root = root

    def read(self) -> dict[str, float]:
        """Memory in use, without the caches that the kernel gives back on demand."""
        kib = self._kib()
        total, available = kib[b"MemTotal"], kib.get(b"MemAvailable", kib[b"MemFree"])
        used = total - available
        readings = {
            "system/memory/used_bytes": float(used * KIB),
            "system/memory/used_bytes.max": float(used * KIB),
            "system/memory/available_bytes": float(available * KIB),
            "system/memory/used_percent": 100.0 * used / total,
        }
        if kib.get(b"SwapTotal"):
            swap = float((kib[b"SwapTotal"] - kib[b"SwapFree"]) * KIB)
            readings |= {"system/swap/used_bytes": swap, "system/swap/used_bytes.max": swap}
        return readings

    def facts(self) -> dict[str, Any]:
        """The size of memory and swap."""
        kib = self._kib()
        swap = kib.get(b"SwapTotal", 0)
        return {"memory_bytes": kib[b"MemTotal"] * KIB, "swap_bytes": swap * KIB}

    def _kib(self) -> dict[bytes, int]:
        rows = (line.split() for line in read(f"{self._root}/proc/meminfo").splitlines())
        return {row[0].rstrip(b":"): int(row[1]) for row in rows if len(row) >= 2}


class LoadProbe:
    """`system/load/...`: processes that run or wait, over 1, 5 and 15 minutes."""

    name = "load"
    inline = True

    def read(self) -> dict[str, float]:
        """The kernel's load averages."""
        one, five, fifteen = os.getloadavg()
        return {"system/load/1m": one, "system/load/5m": five, "system/load/15m": fifteen}

    def facts(self) -> dict[str, Any]:
        """None."""
        return {}


class PressureProbe:
    """`system/pressure/...`: the share of time that somebody waited for a resource, in %.

    Source: the kernel's pressure stall information (Documentation/accounting/psi.rst); its
    `total` counts microseconds, from which the share over the window is exact.
    """

    name = "pressure"
    inline = True

    def __init__(self, root: str = "") -> None:
        self._counters = Counters()
        self._paths = {
            resource: path
            for resource in ("cpu", "memory", "io")
            if os.access(path := f"{root}/proc/pressure/{resource}", os.R_OK)
        }

    def read(self) -> dict[str, float]:
        """Shares of time with something stalled; nothing where the kernel does not keep them."""
        stalled: dict[str, float] = {}
        for resource, path in self._paths.items():
            stalled |= stalls(f"system/pressure/{resource}", read(path))
        return {key: rate / 1e4 for key, rate in self._counters.rates(stalled).items()}

    def facts(self) -> dict[str, Any]:
        """None."""
        return {}


def stalls(prefix: str, text: bytes) -> dict[str, float]:
    """Microseconds stalled, from a pressure file: of some tasks, and of all at once.

    All tasks at once is left out for the processor, where the kernel only reports zero.
    """
    found: dict[str, float] = {}
    for line in text.splitlines():
        kind, total = line.partition(b" ")[0], line.rpartition(b"total=")[2]
        if kind == b"some":
            found[f"{prefix}_percent"] = float(total)
        elif kind == b"full" and not prefix.endswith("cpu"):
            found[f"{prefix}_full_percent"] = float(total)
    return found
