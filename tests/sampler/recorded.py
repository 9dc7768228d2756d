"""Recorded kernel file trees: what /proc and /sys of other machines look like."""

from __future__ import annotations

from pathlib import Path

TREE = dict[str, str]

# systemd on Fedora, cgroup v2 alone: the limit of memory sits at the job, that of time one below.
SLURM_V2: TREE = {
    "proc/42/cgroup": "0::/system.slice/slurmstepd.scope/job_7/step_0/task_0\n",
    "proc/42/mountinfo": (
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
    ),
    "sys/fs/cgroup/cgroup.controllers": "cpu io memory\n",
    "sys/fs/cgroup/cpu.stat": "usage_usec 999999999\n",
    "sys/fs/cgroup/system.slice/cgroup.controllers": "cpu io memory\n",
    "sys/fs/cgroup/system.slice/cgroup.events": "populated 1\nfrozen 0\n",
    "sys/fs/cgroup/system.slice/memory.max": "max\n",
}
_JOB = "sys/fs/cgroup/system.slice/slurmstepd.scope/job_7"
for _folder in ("", "/step_0", "/step_0/task_0"):
    SLURM_V2 |= {
        f"{_JOB}{_folder}/cgroup.controllers": "cpu io memory\n",
        f"{_JOB}{_folder}/cgroup.events": "populated 1\nfrozen 0\n",
        f"{_JOB}{_folder}/memory.max": "8589934592\n" if _folder == "" else "max\n",
        f"{_JOB}{_folder}/memory.current": "6442450944\n" if _folder == "" else "1000\n",
        f"{_JOB}{_folder}/memory.stat": "anon 5368709120\ninactive_file 1073741824\n",
        f"{_JOB}{_folder}/cpu.max": "400000 100000\n" if _folder == "/step_0" else "max 100000\n",
        f"{_JOB}{_folder}/cpu.stat": "usage_usec 5000000\nnr_periods 100\nnr_throttled 10\n",
        f"{_JOB}{_folder}/memory.pressure": (
            "some avg10=0.00 avg60=0.00 avg300=0.00 total=2000000\n"
            "full avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n"
        ),
    }

# Docker on an older host: each controller is its own hierarchy, and the mount shows only our part.
DOCKER_V1: TREE = {
    "proc/42/cgroup": (
        "11:memory:/docker/0c1d\n5:cpu,cpuacct:/docker/0c1d\n1:name=systemd:/docker/0c1d\n0::/\n"
    ),
    "proc/42/mountinfo": (
        "700 699 0:25 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
        "701 700 0:30 /docker/0c1d /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
        "702 700 0:31 /docker/0c1d /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
        "703 700 0:32 / /sys/fs/cgroup/unified ro - cgroup2 cgroup rw\n"
    ),
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "2147483648\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": "1073741824\n",
    "sys/fs/cgroup/memory/memory.stat": "cache 5\ninactive_file 1\ntotal_inactive_file 536870912\n",
    "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "150000\n",
    "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    "sys/fs/cgroup/cpu,cpuacct/cpuacct.usage": "5000000000\n",
    "sys/fs/cgroup/cpu,cpuacct/cpu.stat": "nr_periods 100\nnr_throttled 10\nthrottled_time 7\n",
}

HOST: TREE = {
    "proc/stat": (
        "cpu  100 0 50 800 20 0 0 30 0 0\n"
        "cpu0 60 0 20 400 10 0 0 10 0 0\n"
        "cpu1 40 0 30 400 10 0 0 20 0 0\n"
        "intr 12345\nctxt 1\n"
    ),
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: AMD EPYC 7763\n\nprocessor\t: 1\n",
    "proc/meminfo": (
        "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\n"
        "SwapTotal:       200 kB\nSwapFree:        150 kB\nHugePages_Total:       0\n"
    ),
    "proc/pressure/cpu": (
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n"
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
    ),
    "proc/pressure/io": (
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n"
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=100000\n"
    ),
    "sys/block/nvme0n1/device/model": "disk\n",
    "sys/block/dm-0/dm/name": "root\n",
    "proc/diskstats": (
        " 259 0 nvme0n1 10 0 100 5 20 0 200 9 0 1000 14\n"
        " 259 1 nvme0n1p1 10 0 100 5 20 0 200 9 0 1000 14\n"
        " 253 0 dm-0 10 0 100 5 20 0 200 9 0 1000 14\n"
    ),
    "sys/class/net/eth0/device/vendor": "0x15b3\n",
    "proc/net/dev": (
        "Inter-|   Receive  |  Transmit\n face |bytes packets|bytes packets\n"
        "    lo:  9000 1 0 0 0 0 0 0 9000 1 0 0 0 0 0 0\n"
        "  eth0:  1000 1 0 0 0 0 0 0 500 1 0 0 0 0 0 0\n"
        "docker0: 700 1 0 0 0 0 0 0 700 1 0 0 0 0 0 0\n"
    ),
    "sys/class/hwmon/hwmon0/name": "nvme\n",
    "sys/class/hwmon/hwmon0/temp1_input": "90000\n",
    "sys/class/hwmon/hwmon1/name": "coretemp\n",
    "sys/class/hwmon/hwmon1/temp1_input": "61000\n",
    "sys/class/hwmon/hwmon1/temp10_input": "99000\n",
    "sys/class/hwmon/hwmon2/name": "coretemp\n",
    "sys/class/hwmon/hwmon2/temp1_input": "64500\n",
}


def lay(root: Path, tree: TREE) -> str:
    """Write a recorded tree below a folder; the folder as the probes take it."""
    for name, text in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(root)


def stat_line(
    pid: int,
    *,
    name: str = "python",
    own: int = 0,
    reaped: int = 0,
    start: int = 1,
    state: str = "S",
) -> str:
    """A line of /proc/<pid>/stat: `own` and `reaped` CPU ticks, 4 threads, 1,000 pages."""
    before = f"{pid} ({name}) {state} 1 1 1 0 -1 0 0 0 0 0"
    return f"{before} {own} 0 {reaped} 0 20 0 4 0 {start} 99999 1000 0 0\n"


def lay_process(root: Path, pid: int, children: str = "", **fields: object) -> None:
    """Write what is read of one process of a recorded tree."""
    lay(
        root,
        {
            f"proc/{pid}/stat": stat_line(pid, **fields),  # type: ignore[arg-type]
            f"proc/{pid}/statm": "5000 1000 400 1 0 700 0\n",
            f"proc/{pid}/task/{pid}/children": children,
            f"proc/{pid}/fd/0": "",
            f"proc/{pid}/fd/1": "",
        },
    )
    for thread in range(1, 4):
        lay(root, {f"proc/{pid}/task/{pid + 1000 * thread}/children": ""})
