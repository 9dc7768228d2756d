"""Probe of NVIDIA GPUs, through nvidia-ml-py (the `gpu` extra) where it and a driver are there."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from outrider.sampler.probe import NotHere, Target, log

Nvml = Any
"""The module pynvml, which has no type hints; tests hand in their own."""
Questions = dict[str, Callable[[], dict[str, float]]]

# Reasons for a lower clock that the user should know of (nvml.h, nvmlClocksEventReasons):
# hardware slowdown, software and hardware thermal slowdown, hardware power brake. An idle GPU and
# one at its power cap are as they should be.
SLOWED = 0x08 | 0x20 | 0x40 | 0x80
# Failures after which one question is not put to one GPU again.
PATIENCE = 5
# What changes slowly, or takes the driver long, is read once in so many samples.
SLOW_EVERY = 5
# NVML's way to say "not available" as a number.
UNKNOWN = 0xFFFFFFFFFFFFFFFF


class GpuProbe:
    """`system/gpu/<n>` and `system/gpu/<n>/...` for all GPUs that the driver shows.

    Whatever one reading of one GPU raises concerns only itself: what a GPU does not support is
    not asked again, a lost GPU is left out while it is lost. It runs in a thread of its own
    (it is not `inline`), because a driver in trouble can hang.
    """

    name = "gpu"

    def __init__(self, nvml: Nvml = None) -> None:
        self._nvml = nvml if nvml is not None else _open()
        self._target = Target(None, "")
        self._gpus: list[Gpu] = []
        self._reads = 0

    def aim(self, target: Target) -> None:
        """Learn whose memory to count; the driver is asked on the first read, in the thread."""
        self._target = target

    def read(self) -> dict[str, float]:
        """All readings of all GPUs. Raises when the driver itself has gone."""
        gpus = self._found()
        is_slow_turn = self._reads % SLOW_EVERY == 0
        self._reads += 1
        readings: dict[str, float] = {}
        for gpu in gpus:
            readings |= gpu.read(self._target, is_slow_turn=is_slow_turn)
        return readings

    def facts(self) -> dict[str, Any]:
        """Model, memory, power limit and identity of each GPU, and the driver's versions."""
        gpus = self._found()
        if not gpus:
            return {}
        ask = self._nvml
        version = _try(ask.nvmlSystemGetCudaDriverVersion)
        return {
            "gpus": [gpu.facts() for gpu in gpus],
            "gpu_driver": _text(_try(ask.nvmlSystemGetDriverVersion)),
            "cuda": f"{version // 1000}.{version % 1000 // 10}" if version else None,
        }

    def _found(self) -> list[Gpu]:
        if not self._gpus:
            nvml = self._nvml
            nvml.nvmlInit()
            handles: list[tuple[int, Any]] = []
            for index in range(nvml.nvmlDeviceGetCount()):
                try:
                    handles.append((index, nvml.nvmlDeviceGetHandleByIndex(index)))
                except nvml.NVMLError as error:
                    log.warning("GPU %d cannot be opened: %s", index, error)
            self._gpus = [Gpu(nvml, index, handle) for index, handle in handles]
        return self._gpus


class Gpu:
    """One GPU: a list of questions, each of which may fail by itself."""

    def __init__(self, nvml: Nvml, index: int, handle: Any) -> None:
        self._nvml = nvml
        self._handle = handle
        self._index = index
        self._key = f"system/gpu/{index}"
        self._is_lost = False
        self._failures: dict[str, int] = {}
        self._target = Target(None, "")
        self._ecc_before: int | None = None
        self._slow: dict[str, float] = {}
        self._questions: Questions = {
            "use": self._use,
            "memory": self._memory,
            "power": self._power,
            "slowed": self._slowed,
        }
        self._slow_questions: Questions = {
            "temperature": self._temperature,
            "sm clock": lambda: self._clock("sm", nvml.NVML_CLOCK_SM),
            "memory clock": lambda: self._clock("memory", nvml.NVML_CLOCK_MEM),
            "ECC errors": self._ecc,
            "processes": self._processes,
        }

    def read(self, target: Target, *, is_slow_turn: bool) -> dict[str, float]:
        """What this GPU answers now; slow answers are repeated until their next turn."""
        readings: dict[str, float] = {}
        self._target = target
        if not self._ask(self._questions, readings):
            return {}
        if is_slow_turn:
            self._slow = {}
            if not self._ask(self._slow_questions, self._slow):
                return {}
        return {f"{self._key}{name}": value for name, value in (readings | self._slow).items()}

    def facts(self) -> dict[str, Any]:
        """Model, identity, memory and power limit, as far as they are known."""
        nvml, handle = self._nvml, self._handle
        limit = _try(nvml.nvmlDeviceGetEnforcedPowerLimit, handle)
        memory = _try(nvml.nvmlDeviceGetMemoryInfo, handle)
        return {
            "index": self._index,
            "name": _text(_try(nvml.nvmlDeviceGetName, handle)),
            "uuid": _text(_try(nvml.nvmlDeviceGetUUID, handle)),
            "memory_bytes": memory.total if memory else None,
            "power_limit_watts": limit / 1000 if limit else None,
        }

    def _ask(self, questions: Questions, into: dict[str, float]) -> bool:
        """Ask all questions; False when the GPU is lost and there is no point in going on."""
        nvml = self._nvml
        for what, question in list(questions.items()):
            try:
                into |= question()
            except nvml.NVMLError as error:
                if error.value in (
                    nvml.NVML_ERROR_UNINITIALIZED,
                    nvml.NVML_ERROR_DRIVER_NOT_LOADED,
                ):
                    raise
                if error.value in (nvml.NVML_ERROR_GPU_IS_LOST, nvml.NVML_ERROR_RESET_REQUIRED):
                    if not self._is_lost:
                        log.warning("GPU %d is left out while it is lost: %s", self._index, error)
                    self._is_lost = True
                    return False
                if self._gave_up(what, error):
                    del questions[what]
            else:
                self._failures.pop(what, None)
        if self._is_lost:
            log.info("GPU %d answers again", self._index)
            self._is_lost = False
        return True

    def _gave_up(self, what: str, error: Any) -> bool:
        """True when a question need not be asked again."""
        nvml = self._nvml
        if error.value in (
            nvml.NVML_ERROR_NOT_SUPPORTED,
            nvml.NVML_ERROR_NO_PERMISSION,
            nvml.NVML_ERROR_FUNCTION_NOT_FOUND,
        ):
            log.info("GPU %d does not tell its %s: %s", self._index, what, error)
            return True
        self._failures[what] = self._failures.get(what, 0) + 1
        if self._failures[what] == 1:
            log.warning("GPU %d did not tell its %s: %s", self._index, what, error)
        return self._failures[what] >= PATIENCE

    def _use(self) -> dict[str, float]:
        rates = self._nvml.nvmlDeviceGetUtilizationRates(self._handle)
        busy = float(rates.gpu)
        return {"": busy, ".max": busy, "/memory_busy_percent": float(rates.memory)}

    def _memory(self) -> dict[str, float]:
        memory = self._nvml.nvmlDeviceGetMemoryInfo(self._handle)
        used = float(memory.used)
        return {
            "/memory_used_bytes": used,
            "/memory_used_bytes.max": used,
            "/memory_used_percent": 100.0 * used / memory.total,
        }

    def _power(self) -> dict[str, float]:
        watts = self._nvml.nvmlDeviceGetPowerUsage(self._handle) / 1000
        return {"/power_watts": watts, "/power_watts.max": watts}

    def _slowed(self) -> dict[str, float]:
        # The name until 2023; newer drivers answer to both.
        reasons = self._nvml.nvmlDeviceGetCurrentClocksThrottleReasons(self._handle)
        return {"/slowed_percent": 100.0 if reasons & SLOWED else 0.0}

    def _temperature(self) -> dict[str, float]:
        nvml = self._nvml
        celsius = float(nvml.nvmlDeviceGetTemperature(self._handle, nvml.NVML_TEMPERATURE_GPU))
        return {"/temperature_celsius": celsius, "/temperature_celsius.max": celsius}

    def _clock(self, name: str, clock: int) -> dict[str, float]:
        mhz = self._nvml.nvmlDeviceGetClockInfo(self._handle, clock)
        return {f"/{name}_clock_mhz": float(mhz)}

    def _ecc(self) -> dict[str, float]:
        nvml = self._nvml
        errors = nvml.nvmlDeviceGetTotalEccErrors(
            self._handle, nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, nvml.NVML_VOLATILE_ECC
        )
        if self._ecc_before is not None and errors > self._ecc_before:
            log.warning("GPU %d: %d uncorrected memory errors since boot", self._index, errors)
        self._ecc_before = errors
        return {"/ecc_errors": float(errors)}

    def _processes(self) -> dict[str, float]:
        """Memory of the trainer's tree.

        In a container the driver may name other process numbers than we see: then there is no
        figure rather than a false zero.
        """
        running = self._nvml.nvmlDeviceGetComputeRunningProcesses(self._handle)
        ours = self._target.pids or {self._target.pid}
        used = [
            process.usedGpuMemory
            for process in running
            if process.pid in ours and process.usedGpuMemory not in (None, UNKNOWN)
        ]
        return {"/process_memory_bytes": float(sum(used))} if used else {}


def _open() -> Nvml:
    try:
        nvml = importlib.import_module("pynvml")
        nvml.nvmlInit()
    except ImportError as error:
        raise NotHere("nvidia-ml-py is not installed (the `gpu` extra)") from error
    except nvml.NVMLError as error:
        raise NotHere(f"no NVIDIA driver: {error}") from error
    return nvml


def _try(ask: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return ask(*arguments)
    except Exception:  # a fact that is not known is null, whatever kept it
        return None


def _text(value: Any) -> str | None:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
