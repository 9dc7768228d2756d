"""Probes of disks, network and temperature, read from /proc and /sys."""

from __future__ import annotations

import glob
import os
from typing import Any

from outrider.sampler.files import read
from outrider.sampler.probe import NotHere, Target
from outrider.sampler.rates import Counters

# The kernel counts in units of 512 bytes whatever the disk's own sector is.
SECTOR = 512


class DiskProbe:
    """`system/disk/...`: space where the run's folder lies, and all real disks' traffic.

    Source: Documentation/admin-guide/iostats.rst. Loop devices, RAM disks, RAID and device
    mapper are left out: their traffic is seen again at the disks below them.
    """

    name = "disk"
    inline = True

    def __init__(self, root: str = "") -> None:
        self._root = root
        self._folder = "/"
        self._counters = Counters()
        self._disks = {
            os.path.basename(path).encode()
            for path in glob.glob(f"{root}/sys/block/*")
            if os.path.exists(f"{path}/device")
        }

    def aim(self, target: Target) -> None:
        """Watch the space where the run's folder lies."""
        self._folder = target.folder

    def read(self) -> dict[str, float]:
        """Free space, and bytes and operations per second."""
        return self._space() | self._traffic()

    def facts(self) -> dict[str, Any]:
        """The size of the file system that holds the run's folder."""
        space = os.statvfs(self._folder)
        return {"disk_bytes": space.f_blocks * space.f_frsize}

    def _space(self) -> dict[str, float]:
        try:
            space = os.statvfs(self._folder)
        except OSError:  # the folder was moved or unmounted: traffic is still worth having
            return {}
        # As df counts: blocks that only root may fill are neither free nor used.
        used = space.f_blocks - space.f_bfree
        usable = used + space.f_bavail
        return {
            "system/disk/free_bytes": float(space.f_bavail * space.f_frsize),
            "system/disk/used_percent": 100.0 * used / usable if usable else 0.0,
        }

    def _traffic(self) -> dict[str, float]:
        if not self._disks:
            return {}
        reads = read_sectors = writes = write_sectors = 0
        busiest: dict[str, float] = {}
        for line in read(f"{self._root}/proc/diskstats").splitlines():
            fields = line.split()
            if fields[2] not in self._disks:
                continue
            reads += int(fields[3])
            read_sectors += int(fields[5])
            writes += int(fields[7])
            write_sectors += int(fields[9])
            busiest[fields[2].decode()] = float(fields[12])
        rates = self._counters.rates(
            {
                "system/disk/read_bytes_per_s": read_sectors * SECTOR,
                "system/disk/write_bytes_per_s": write_sectors * SECTOR,
                "system/disk/reads_per_s": reads,
                "system/disk/writes_per_s": writes,
            }
            | busiest
        )
        # Milliseconds a second are a tenth of a percent; the busiest disk is the one that holds.
        busy = [min(100.0, rates.pop(disk) / 10) for disk in busiest if disk in rates]
        return rates | ({"system/disk/busy_percent": max(busy)} if busy else {})


class NetworkProbe:
    """`system/network/...`: bytes per second over all real interfaces.

    Bridges and virtual pairs are left out where there is real hardware, because they carry the
    same bytes again; in a container, where there is none, everything but the loopback counts.
    """

    name = "network"
    inline = True

    def __init__(self, root: str = "") -> None:
        self._root = root
        self._counters = Counters()
        self._real = {
            path.split("/")[-2].encode() for path in glob.glob(f"{root}/sys/class/net/*/device")
        }

    def read(self) -> dict[str, float]:
        """Bytes per second received and sent."""
        received = sent = 0
        for line in read(f"{self._root}/proc/net/dev").splitlines()[2:]:
            name, _, rest = line.partition(b":")
            name = name.strip()
            if name in self._real if self._real else name != b"lo":
                fields = rest.split()
                received += int(fields[0])
                sent += int(fields[8])
        return self._counters.rates(
            {
                "system/network/received_bytes_per_s": received,
                "system/network/sent_bytes_per_s": sent,
            }
        )

    def facts(self) -> dict[str, Any]:
        """None."""
        return {}


class TemperatureProbe:
    """`system/cpu/temperature_celsius`: the hottest of the processor's own sensors.

    Other sensors are never read: some take milliseconds, and a disk's would wake the disk.
    """

    name = "temperature"
    inline = True

    drivers = (b"coretemp", b"k10temp", b"zenpower", b"cpu_thermal")
    zones = (b"x86_pkg_temp", b"cpu-thermal", b"cpu_thermal", b"soc_thermal")

    def __init__(self, root: str = "") -> None:
        self._paths = _sensors(
            f"{root}/sys/class/hwmon/hwmon*", "name", self.drivers, "temp*_input"
        )
        if not self._paths:
            zones = f"{root}/sys/class/thermal/thermal_zone*"
            self._paths = _sensors(zones, "type", self.zones, "temp")
        if not self._paths:
            raise NotHere("no sensor of the processor can be read")

    def read(self) -> dict[str, float]:
        """Degrees Celsius now, and the window's maximum."""
        hottest = max(int(read(path)) for path in self._paths) / 1000
        key = "system/cpu/temperature_celsius"
        return {key: hottest, f"{key}.max": hottest}

    def facts(self) -> dict[str, Any]:
        """None."""
        return {}


def _sensors(folders: str, label: str, wanted: tuple[bytes, ...], files: str) -> list[str]:
    found: list[str] = []
    for folder in sorted(glob.glob(folders)):
        try:
            if read(f"{folder}/{label}").strip() in wanted:
                # The first sensor is the package's; hundreds of cores' would cost too much.
                found += sorted(glob.glob(f"{folder}/{files}"), key=lambda p: (len(p), p))[:1]
        except OSError:
            continue
    return found
