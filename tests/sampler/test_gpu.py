"""NVIDIA GPUs over a driver of our own making: what it tells, refuses and loses."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

pynvml = pytest.importorskip("pynvml")

from outrider.sampler.gpu import SLOW_EVERY, GpuProbe  # noqa: E402
from outrider.sampler.probe import NotHere, Target, load  # noqa: E402

Answer = Callable[..., Any]


class Driver:
    """pynvml with two GPUs; `answers` overrides functions by name."""

    def __init__(self, **answers: Answer) -> None:
        plain: dict[str, Answer] = {
            "nvmlInit": lambda: None,
            "nvmlSystemGetCudaDriverVersion": lambda: 12040,
            "nvmlSystemGetDriverVersion": lambda: "550.54",
            "nvmlDeviceGetCount": lambda: 2,
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetName": lambda gpu: b"H100",
            "nvmlDeviceGetUUID": lambda gpu: f"GPU-{gpu}",
            "nvmlDeviceGetEnforcedPowerLimit": lambda gpu: 700_000,
            "nvmlDeviceGetMemoryInfo": lambda gpu: SimpleNamespace(total=80, used=20),
            "nvmlDeviceGetUtilizationRates": lambda gpu: SimpleNamespace(gpu=90, memory=30),
            "nvmlDeviceGetPowerUsage": lambda gpu: 350_500,
            "nvmlDeviceGetCurrentClocksThrottleReasons": lambda gpu: 0x40 if gpu else 0x4,
            "nvmlDeviceGetTemperature": lambda gpu, sensor: 55,
            "nvmlDeviceGetClockInfo": lambda gpu, clock: 1980 if clock == 1 else 2619,
            "nvmlDeviceGetTotalEccErrors": lambda gpu, kind, counter: 0,
            "nvmlDeviceGetComputeRunningProcesses": lambda gpu: [
                SimpleNamespace(pid=42, usedGpuMemory=11),
                SimpleNamespace(pid=43, usedGpuMemory=5),
                SimpleNamespace(pid=99, usedGpuMemory=4),
            ],
        }
        self._answers = plain | answers

    def __getattr__(self, name: str) -> Any:
        return self._answers[name] if name in self._answers else getattr(pynvml, name)


def refusing(code: int) -> Answer:
    """A driver's function that fails."""

    def refuse(*arguments: Any) -> Any:
        raise pynvml.NVMLError(code)

    return refuse


def aimed(driver: Driver) -> GpuProbe:
    """A probe of that driver for a trainer with one worker."""
    probe = GpuProbe(driver)
    probe.aim(Target(42, "/", frozenset({42, 43})))
    return probe


def test_every_gpu_tells_its_figures() -> None:
    """Use, memory, power, temperature, clocks, errors, and the training's own memory."""
    readings = aimed(Driver()).read()
    assert {key: value for key, value in readings.items() if key.startswith("system/gpu/1")} == {
        "system/gpu/1": 90.0,
        "system/gpu/1.max": 90.0,
        "system/gpu/1/memory_busy_percent": 30.0,
        "system/gpu/1/memory_used_bytes": 20.0,
        "system/gpu/1/memory_used_bytes.max": 20.0,
        "system/gpu/1/memory_used_percent": 25.0,
        "system/gpu/1/power_watts": 350.5,
        "system/gpu/1/power_watts.max": 350.5,
        "system/gpu/1/slowed_percent": 100.0,
        "system/gpu/1/temperature_celsius": 55.0,
        "system/gpu/1/temperature_celsius.max": 55.0,
        "system/gpu/1/sm_clock_mhz": 1980.0,
        "system/gpu/1/memory_clock_mhz": 2619.0,
        "system/gpu/1/ecc_errors": 0.0,
        "system/gpu/1/process_memory_bytes": 16.0,
    }
    # Held back by its power cap, as most GPUs under load: nothing that a user should worry about.
    assert readings["system/gpu/0/slowed_percent"] == 0.0


def test_what_a_gpu_does_not_support_is_asked_once() -> None:
    """Consumer cards have no ECC; the rest of their figures is there."""
    asked = []

    def refuse(*arguments: Any) -> Any:
        asked.append(1)
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    probe = aimed(Driver(nvmlDeviceGetPowerUsage=refuse))
    for _ in range(5):
        readings = probe.read()
    assert len(asked) == 2  # once for each GPU
    assert "system/gpu/0/power_watts" not in readings
    assert readings["system/gpu/0"] == 90.0


def test_a_gpu_that_falls_off_the_bus_takes_nothing_but_its_own_figures(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The other goes on; it is named once, and once more when it is back."""
    lost = [False]

    def use(gpu: int) -> Any:
        if gpu == 1 and lost[0]:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
        return SimpleNamespace(gpu=90, memory=30)

    probe = aimed(Driver(nvmlDeviceGetUtilizationRates=use))
    assert "system/gpu/1" in probe.read()
    lost[0] = True
    with caplog.at_level(logging.INFO, "outrider.sampler"):
        for _ in range(12):
            readings = probe.read()
            assert "system/gpu/0" in readings
            assert not [key for key in readings if key.startswith("system/gpu/1")]
        lost[0] = False
        assert "system/gpu/1" in probe.read()
    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    "code",
    [
        pynvml.NVML_ERROR_UNKNOWN, pynvml.NVML_ERROR_TIMEOUT, pynvml.NVML_ERROR_NO_PERMISSION,
        pynvml.NVML_ERROR_NOT_SUPPORTED, pynvml.NVML_ERROR_GPU_IS_LOST,
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "name", sorted(Driver()._answers.keys() - {"nvmlInit", "nvmlDeviceGetCount"})
)
def test_no_error_of_the_driver_comes_out(name: str, code: int) -> None:
    """Any function, any error: figures are missing, nothing raises; facts neither."""
    probe = aimed(Driver(**{name: refusing(code)}))
    for _ in range(2 * SLOW_EVERY + 1):
        probe.read()
    assert isinstance(probe.facts(), dict)


def test_a_driver_that_was_unloaded_is_a_failure_of_the_probe() -> None:
    """The loop counts it, and at last leaves the probe alone."""
    probe = aimed(Driver(nvmlDeviceGetPowerUsage=refusing(pynvml.NVML_ERROR_UNINITIALIZED)))
    with pytest.raises(pynvml.NVMLError):
        probe.read()


def test_slow_figures_are_asked_rarely_and_stand_meanwhile() -> None:
    """Listing a GPU's processes costs the driver more than all the rest."""
    asked = []

    def processes(gpu: int) -> list[Any]:
        asked.append(gpu)
        return [SimpleNamespace(pid=42, usedGpuMemory=11)]

    probe = aimed(Driver(nvmlDeviceGetComputeRunningProcesses=processes))
    for _ in range(2 * SLOW_EVERY):
        assert probe.read()["system/gpu/0/process_memory_bytes"] == 11
    assert asked == [0, 1, 0, 1]


def test_facts_name_the_gpus() -> None:
    """For the run's host record."""
    facts = aimed(Driver()).facts()
    assert facts["gpu_driver"] == "550.54"
    assert facts["cuda"] == "12.4"
    assert facts["gpus"][1] == {
        "index": 1, "name": "H100", "uuid": "GPU-1", "memory_bytes": 80, "power_limit_watts": 700.0,
    }  # fmt: skip


def test_without_a_driver_the_probe_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """No warning on a machine that has no GPU, whether or not the library is installed."""
    try:
        GpuProbe()
    except NotHere:
        with caplog.at_level(logging.WARNING, "outrider.sampler"):
            assert load(["outrider.sampler.gpu:GpuProbe"]) == []
        assert not caplog.records
    else:
        pytest.skip("this machine has an NVIDIA GPU: see gpu_check.py")
