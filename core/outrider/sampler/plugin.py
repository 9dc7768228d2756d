"""The built-in probes as a plugin of the same kind as anybody's."""

from __future__ import annotations

import sys

from outrider.hooks import hookimpl

LINUX = (
    "outrider.sampler.host:CpuProbe",
    "outrider.sampler.host:MemoryProbe",
    "outrider.sampler.host:LoadProbe",
    "outrider.sampler.host:PressureProbe",
    "outrider.sampler.devices:DiskProbe",
    "outrider.sampler.devices:NetworkProbe",
    "outrider.sampler.devices:TemperatureProbe",
    "outrider.sampler.cgroup:CgroupProbe",
)
ELSEWHERE = ("outrider.sampler.portable:HostProbe",)
EVERYWHERE = ("outrider.sampler.process:make", "outrider.sampler.gpu:GpuProbe")


@hookimpl
def outrider_probes() -> list[str]:
    """The probes for this system, by import path."""
    return [*(LINUX if sys.platform == "linux" else ELSEWHERE), *EVERYWHERE]
