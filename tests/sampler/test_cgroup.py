"""Control groups of both versions, over recorded trees and this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from recorded import DOCKER_V1, SLURM_V2, lay

from outrider.sampler import rates
from outrider.sampler.cgroup import CgroupProbe
from outrider.sampler.cgroup_files import find_groups
from outrider.sampler.probe import NotHere, Target

JOB = "sys/fs/cgroup/system.slice/slurmstepd.scope/job_7"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock that rates are taken by."""
    now = [100.0]
    monkeypatch.setattr(rates.Counters.__init__, "__defaults__", (lambda: now[0],))
    return now


def aimed(root: Path) -> CgroupProbe:
    """A probe of a recorded trainer, process 42."""
    probe = CgroupProbe(str(root))
    probe.aim(Target(42, "/"))
    return probe


def test_version_2_is_read_where_the_limit_is(tmp_path: Path, clock: list[float]) -> None:
    """SLURM limits memory at the job and time at the step; the trainer sits below both."""
    lay(tmp_path, SLURM_V2)
    probe = aimed(tmp_path)
    assert probe.facts()["cgroup"] == {
        "version": 2, "memory_limit_bytes": 8 << 30, "cpu_limit_cores": 4.0,
    }  # fmt: skip
    probe.read()
    clock[0] += 2
    step = f"{JOB}/step_0"
    lay(tmp_path, {f"{step}/cpu.stat": "usage_usec 9000000\nnr_periods 120\nnr_throttled 15\n"})
    pressure = SLURM_V2[f"{step}/memory.pressure"].replace("total=2000000", "total=2500000")
    lay(tmp_path, {f"{step}/memory.pressure": pressure})
    assert probe.read() == {
        "system/cgroup/memory_used_bytes": float(5 << 30),
        "system/cgroup/memory_used_bytes.max": float(5 << 30),
        "system/cgroup/memory_limit_bytes": float(8 << 30),
        "system/cgroup/memory_used_percent": 62.5,
        "system/cgroup/cpu_cores": 2.0,
        "system/cgroup/cpu_limit_cores": 4.0,
        "system/cgroup/throttled_percent": 25.0,
        "system/cgroup/pressure/memory_percent": 25.0,
        "system/cgroup/pressure/memory_full_percent": 0.0,
    }


def test_version_1_is_read_through_the_containers_own_mounts(
    tmp_path: Path, clock: list[float]
) -> None:
    """Docker shows a container only its part of each hierarchy."""
    lay(tmp_path, DOCKER_V1)
    probe = aimed(tmp_path)
    probe.read()
    clock[0] += 2
    cpu = "sys/fs/cgroup/cpu,cpuacct"
    lay(tmp_path, {f"{cpu}/cpuacct.usage": "8000000000\n"})
    lay(tmp_path, {f"{cpu}/cpu.stat": "nr_periods 110\nnr_throttled 15\n"})
    assert probe.read() == {
        "system/cgroup/memory_used_bytes": float(512 << 20),
        "system/cgroup/memory_used_bytes.max": float(512 << 20),
        "system/cgroup/memory_limit_bytes": float(2 << 30),
        "system/cgroup/memory_used_percent": 25.0,
        "system/cgroup/cpu_cores": 1.5,
        "system/cgroup/cpu_limit_cores": 1.5,
        "system/cgroup/throttled_percent": 50.0,
    }


def test_in_a_containers_own_namespace_the_path_is_a_slash(tmp_path: Path) -> None:
    """Kubernetes with version 2: the group looks like a root, but has limits."""
    tree = {
        "proc/42/cgroup": "0::/\n",
        "proc/42/mountinfo": "30 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
        "sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
        "sys/fs/cgroup/cgroup.events": "populated 1\n",
        "sys/fs/cgroup/memory.max": "1000000\n",
        "sys/fs/cgroup/memory.current": "400000\n",
        "sys/fs/cgroup/cpu.max": "max 100000\n",
    }
    lay(tmp_path, tree)
    readings = aimed(tmp_path).read()
    assert readings["system/cgroup/memory_used_percent"] == 40.0
    assert "system/cgroup/cpu_limit_cores" not in readings


def test_a_path_from_another_namespace_is_answered_by_the_mount(tmp_path: Path) -> None:
    """`/../../x` names nothing below what we can see."""
    lay(tmp_path, DOCKER_V1)
    lay(tmp_path, {"proc/42/cgroup": "11:memory:/../../other\n0::/\n"})
    groups = find_groups(42, str(tmp_path))
    assert groups is not None
    assert groups.memory == (f"{tmp_path}/sys/fs/cgroup/memory",)


def test_the_machines_own_root_group_is_no_limit_of_anybody(tmp_path: Path) -> None:
    """Its figures are the machine's, which are sampled anyway."""
    tree = {
        "proc/42/cgroup": "0::/\n",
        "proc/42/mountinfo": "30 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
        "sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
        "sys/fs/cgroup/cpu.stat": "usage_usec 5\n",
    }
    lay(tmp_path, tree)
    with pytest.raises(NotHere):
        aimed(tmp_path)


def test_no_limit_means_no_share_of_one(tmp_path: Path) -> None:
    """Version 1 writes "none" as a huge number and as -1."""
    lay(tmp_path, DOCKER_V1)
    lay(tmp_path, {"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"})
    lay(tmp_path, {"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n"})
    readings = aimed(tmp_path).read()
    assert readings["system/cgroup/memory_used_bytes"] == float(512 << 20)
    assert not [key for key in readings if "limit" in key or "percent" in key]


@pytest.mark.parametrize("tree", [DOCKER_V1, SLURM_V2])
def test_a_file_that_is_missing_or_garbage_costs_only_its_own_figures(
    tmp_path: Path, tree: dict[str, str]
) -> None:
    """Kernels differ, and a group can be removed while it is read."""
    for index, name in enumerate(tree):
        for text in (None, "", "garbage\n", "-\n"):
            root = tmp_path / f"{index}-{text is None}-{len(text or '')}"
            lay(root, tree)
            if name.startswith("proc/"):
                continue
            (root / name).unlink()
            if text is not None:
                (root / name).write_text(text)
            try:
                probe = aimed(root)
            except NotHere:
                continue
            assert all(value >= 0 for value in probe.read().values())


def test_this_machines_groups_are_read() -> None:
    """Whatever version it runs; nothing raises."""
    try:
        probe = CgroupProbe()
        probe.aim(Target(os.getpid(), "/"))
    except NotHere:
        return
    assert probe.read() is not None
    assert probe.facts()["cgroup"]["version"] in (1, 2)
