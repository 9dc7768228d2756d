"""The same readings through psutil, for macOS and for kernels that lack what we read directly."""

from __future__ import annotations

import platform
from typing import Any

import psutil

from outrider.sampler.probe import NotHere, Target
from outrider.sampler.rates import Counters

# psutil looks through all processes of the machine to find children: once in so many reads.
TREE_EVERY = 5


class HostProbe:
    """Processors, memory, swap, disks and network, as psutil sees them."""

    name = "host"
    inline = True

    def __init__(self) -> None:
        self._folder = "/"
        self._counters = Counters()
        psutil.cpu_percent()
        psutil.cpu_percent(percpu=True)

    def aim(self, target: Target) -> None:
        """Watch the space where the run's folder lies."""
        self._folder = target.folder

    def read(self) -> dict[str, float]:
        """The names of the direct probes, as far as psutil goes."""
        cpu, memory, swap = psutil.cpu_percent(), psutil.virtual_memory(), psutil.swap_memory()
        used, space = float(memory.total - memory.available), psutil.disk_usage(self._folder)
        readings = {
            "system/cpu": cpu,
            "system/cpu.max": cpu,
            "system/memory/used_bytes": used,
            "system/memory/used_bytes.max": used,
            "system/memory/available_bytes": float(memory.available),
            "system/memory/used_percent": 100.0 * used / memory.total,
            "system/swap/used_bytes": float(swap.used),
            "system/disk/free_bytes": float(space.free),
            "system/disk/used_percent": float(space.percent),
        }
        for index, percent in enumerate(psutil.cpu_percent(percpu=True)):
            readings[f"system/cpu/{index}"] = percent
        for name, load in zip(("1m", "5m", "15m"), psutil.getloadavg(), strict=True):
            readings[f"system/load/{name}"] = load
        return readings | self._counters.rates(self._traffic())

    def facts(self) -> dict[str, Any]:
        """The machine and the operating system."""
        system = platform.uname()
        return {
            "host": system.node,
            "os": f"{system.system} {system.release}",
            "architecture": system.machine,
            "cpu": {"model": platform.processor(), "count": psutil.cpu_count() or 1},
            "memory_bytes": psutil.virtual_memory().total,
            "swap_bytes": psutil.swap_memory().total,
            "disk_bytes": psutil.disk_usage(self._folder).total,
        }

    def _traffic(self) -> dict[str, float]:
        traffic: dict[str, float] = {}
        if (disk := psutil.disk_io_counters()) is not None:
            traffic["system/disk/read_bytes_per_s"] = disk.read_bytes
            traffic["system/disk/write_bytes_per_s"] = disk.write_bytes
            traffic["system/disk/reads_per_s"] = disk.read_count
            traffic["system/disk/writes_per_s"] = disk.write_count
        interfaces = psutil.net_io_counters(pernic=True)
        real = [net for name, net in interfaces.items() if not name.startswith("lo")]
        traffic["system/network/received_bytes_per_s"] = sum(net.bytes_recv for net in real)
        traffic["system/network/sent_bytes_per_s"] = sum(net.bytes_sent for net in real)
        return traffic


class PortableProcessProbe:
    """`system/process/...` through psutil; children that come and go in seconds are missed."""

    name = "process"
    inline = True

    def __init__(self) -> None:
        self._target = Target(None, "")
        self._root: psutil.Process | None = None
        self._tree: list[psutil.Process] = []
        self._before: dict[psutil.Process, float] = {}
        self._seconds = 0.0
        self._counters = Counters()
        self._reads = 0

    def aim(self, target: Target) -> None:
        """Watch the trainer; left out when it is not known or already gone."""
        if target.pid is None:
            raise NotHere("the trainer's process is not known")
        try:
            self._root = psutil.Process(target.pid)
        except psutil.Error as error:
            raise NotHere(str(error)) from error
        self._target = target

    def read(self) -> dict[str, float]:
        """CPU, memory, threads and files of the tree; nothing once it has ended."""
        if self._root is None or not self._root.is_running():
            return {}
        if self._reads % TREE_EVERY == 0:
            own = psutil.Process()
            kin = {own, *own.children(recursive=True)}
            self._tree = [p for p in self._root.children(recursive=True) if p not in kin]
        self._reads += 1
        totals = {"rss_bytes": 0.0, "threads": 0.0, "open_files": 0.0}
        seconds: dict[psutil.Process, float] = {}
        for process in [self._root, *self._tree]:
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    totals["rss_bytes"] += process.memory_info().rss
                    totals["threads"] += process.num_threads()
                    totals["open_files"] += process.num_fds()
                seconds[process] = times.user + times.system
            except psutil.Error:
                continue
        grown = (now - self._before.get(process, now) for process, now in seconds.items())
        self._seconds += sum(grown)
        self._before = seconds
        self._target.pids = frozenset(process.pid for process in seconds)
        readings = {f"system/process/{name}": value for name, value in totals.items()}
        readings["system/process/rss_bytes.max"] = totals["rss_bytes"]
        readings["system/process/children"] = float(max(0, len(seconds) - 1))
        cpu = {"system/process/cpu_percent": 100.0 * self._seconds}
        return readings | self._counters.rates(cpu)

    def facts(self) -> dict[str, Any]:
        """None."""
        return {}
