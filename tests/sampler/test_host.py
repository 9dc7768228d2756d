"""Probes of the machine, over recorded files and over the real ones."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from recorded import HOST, lay

from outrider.sampler import rates
from outrider.sampler.devices import DiskProbe, NetworkProbe, TemperatureProbe
from outrider.sampler.host import CpuProbe, LoadProbe, MemoryProbe, PressureProbe
from outrider.sampler.portable import HostProbe, PortableProcessProbe
from outrider.sampler.probe import NotHere, Target


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A recorded machine."""
    lay(tmp_path, HOST)
    return tmp_path


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock that rates are taken by."""
    now = [100.0]
    monkeypatch.setattr(rates.Counters.__init__, "__defaults__", (lambda: now[0],))
    return now


def test_busy_time_is_neither_idle_nor_waiting_nor_stolen(root: Path) -> None:
    """Per core and in all, between two reads."""
    probe = CpuProbe(str(root))
    assert probe.read() == {}
    later = (
        "cpu  140 0 60 830 30 0 0 40 0 0\n"
        "cpu0 100 0 20 400 10 0 0 10 0 0\n"
        "cpu1 40 0 40 430 20 0 0 30 0 0\n"
    )
    lay(root, {"proc/stat": later})
    assert probe.read() == {
        "system/cpu": 50.0,
        "system/cpu.max": 50.0,
        "system/cpu/iowait_percent": 10.0,
        "system/cpu/steal_percent": 10.0,
        "system/cpu/0": 100.0,
        "system/cpu/1": pytest.approx(100 * 10 / 60),
    }


def test_a_core_that_goes_offline_and_iowait_that_falls_do_no_harm(root: Path) -> None:
    """Both happen on real machines."""
    probe = CpuProbe(str(root))
    probe.read()
    lay(root, {"proc/stat": "cpu  110 0 50 810 10 0 0 30 0 0\ncpu0 70 0 20 410 5 0 0 10 0 0\n"})
    readings = probe.read()
    assert readings["system/cpu"] == 50.0
    assert "system/cpu/1" not in readings


def test_memory_in_use_leaves_out_what_the_kernel_gives_back(root: Path) -> None:
    """Used is what is not available; a machine without swap has no swap figures."""
    readings = MemoryProbe(str(root)).read()
    assert readings["system/memory/used_bytes"] == 600 * 1024
    assert readings["system/memory/used_percent"] == 60.0
    assert readings["system/swap/used_bytes.max"] == 50 * 1024
    lay(
        root,
        {"proc/meminfo": "MemTotal: 10 kB\nMemFree: 1 kB\nMemAvailable: 4 kB\nSwapTotal: 0 kB\n"},
    )
    assert "system/swap/used_bytes" not in MemoryProbe(str(root)).read()


def test_pressure_is_the_share_of_time_that_somebody_waited(root: Path, clock: list[float]) -> None:
    """From the kernel's microseconds; a resource without a file has no figure."""
    probe = PressureProbe(str(root))
    assert probe.read() == {}
    clock[0] += 2
    lay(root, {"proc/pressure/cpu": "some avg10=0 avg60=0 avg300=0 total=2000000\n"})
    assert probe.read() == {
        "system/pressure/cpu_percent": 50.0,
        "system/pressure/io_percent": 0.0,
        "system/pressure/io_full_percent": 0.0,
    }


def test_a_disks_traffic_is_counted_once(root: Path, clock: list[float]) -> None:
    """Not again at its partitions, nor at the device mapper above it."""
    probe = DiskProbe(str(root))
    probe.aim(Target(None, str(root)))
    probe.read()
    clock[0] += 2
    lines = (
        " 259 0 nvme0n1 30 0 300 5 60 0 1200 9 0 2000 14\n"
        " 259 1 nvme0n1p1 30 0 300 5 60 0 1200 9 0 2000 14\n"
        " 253 0 dm-0 30 0 300 5 60 0 1200 9 0 2000 14\n"
    )
    lay(root, {"proc/diskstats": lines})
    readings = probe.read()
    assert readings["system/disk/read_bytes_per_s"] == 200 / 2 * 512
    assert readings["system/disk/write_bytes_per_s"] == 1000 / 2 * 512
    assert readings["system/disk/reads_per_s"] == 10
    assert readings["system/disk/writes_per_s"] == 20
    assert readings["system/disk/busy_percent"] == 50
    assert readings["system/disk/free_bytes"] > 0


def test_a_run_folder_that_is_gone_costs_only_the_space_figures(
    root: Path, clock: list[float]
) -> None:
    """Traffic is still read."""
    probe = DiskProbe(str(root))
    probe.aim(Target(None, str(root / "gone")))
    probe.read()
    clock[0] += 1
    assert "system/disk/reads_per_s" in probe.read()


def test_network_leaves_out_the_loopback_and_bridges(root: Path, clock: list[float]) -> None:
    """A bridge carries the same bytes again."""
    probe = NetworkProbe(str(root))
    probe.read()
    clock[0] += 2
    text = HOST["proc/net/dev"].replace("1000 1", "5000 1").replace("700 1", "9700 1")
    lay(root, {"proc/net/dev": text.replace("9000 1", "99000 1")})
    assert probe.read() == {
        "system/network/received_bytes_per_s": 2000.0,
        "system/network/sent_bytes_per_s": 0.0,
    }


def test_in_a_container_the_virtual_interface_is_what_counts(
    tmp_path: Path, clock: list[float]
) -> None:
    """There is no hardware behind a container's eth0."""
    lay(tmp_path, {"proc/net/dev": HOST["proc/net/dev"].replace("docker0:", "  eth1:")})
    probe = NetworkProbe(str(tmp_path))
    probe.read()
    clock[0] += 1
    text = HOST["proc/net/dev"].replace("docker0:", "  eth1:").replace("700 1", "800 1")
    lay(tmp_path, {"proc/net/dev": text})
    assert probe.read()["system/network/received_bytes_per_s"] == 100.0


def test_temperature_is_the_hottest_processor_and_no_other_sensor(root: Path) -> None:
    """Two sockets, the package's sensor of each; the disk's is never read."""
    assert TemperatureProbe(str(root)).read() == {
        "system/cpu/temperature_celsius": 64.5,
        "system/cpu/temperature_celsius.max": 64.5,
    }


def test_without_a_sensor_the_thermal_zone_is_read_and_without_both_nothing(
    tmp_path: Path,
) -> None:
    """Small boards have zones only; virtual machines have neither."""
    with pytest.raises(NotHere):
        TemperatureProbe(str(tmp_path))
    zone = "sys/class/thermal/thermal_zone0"
    lay(tmp_path, {f"{zone}/type": "cpu-thermal\n", f"{zone}/temp": "48312\n"})
    assert TemperatureProbe(str(tmp_path)).read()["system/cpu/temperature_celsius"] == 48.312


def test_facts_name_the_machine(root: Path) -> None:
    """For the run's host record."""
    assert CpuProbe(str(root)).facts()["cpu"] == {"model": "AMD EPYC 7763", "count": 2}
    assert MemoryProbe(str(root)).facts() == {"memory_bytes": 1024000, "swap_bytes": 204800}


@pytest.mark.parametrize(
    "probe", [CpuProbe, MemoryProbe, LoadProbe, PressureProbe, DiskProbe, NetworkProbe]
)
def test_the_real_machine_is_read(probe: type) -> None:
    """Each probe, twice, on the kernel that runs this."""
    made = probe()
    made.read()
    assert all(value >= 0 for value in made.read().values())
    assert isinstance(made.facts(), dict)


def test_psutil_reads_the_same_names() -> None:
    """So that a run on a Mac has the same charts as far as they go."""
    host, process = HostProbe(), PortableProcessProbe()
    process.aim(Target(os.getpid(), "/"))
    direct = [CpuProbe(), MemoryProbe(), LoadProbe(), DiskProbe(), NetworkProbe()]
    for probe in [host, process, *direct]:
        probe.read()
    time.sleep(0.1)  # the kernel counts in hundredths of a second
    theirs = set(host.read())
    ours = set().union(*(probe.read() for probe in direct)) | {"system/swap/used_bytes"}
    assert theirs <= ours
    readings = process.read()
    assert readings["system/process/rss_bytes"] > 1e6
    assert "system/process/cpu_percent" in readings
