"""Listens for the GPUs' Xid errors, which NVIDIA's driver reports where its library is there."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import Any

from outrider.streamer.log import say

_WAIT_MILLISECONDS = 1000


class XidListener:
    """A thread that waits for critical events of all GPUs; a driver that hangs holds up nothing."""

    def __init__(self, tell: Callable[[int, int], object], nvml: Any = None) -> None:
        self._tell = tell
        self._nvml = nvml
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._work, name="xid", daemon=True)

    def start(self) -> None:
        """Begin; without a driver the thread ends at once."""
        self._thread.start()

    def stop(self) -> None:
        """End within a second."""
        self._ends.set()

    def is_listening(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    def _work(self) -> None:
        try:
            nvml = self._nvml if self._nvml is not None else importlib.import_module("pynvml")
            nvml.nvmlInit()
        except Exception:  # no library, no driver: there is nothing to listen to
            return
        try:
            events, gpus = self._register(nvml)
            while gpus and not self._ends.is_set():
                self._wait(nvml, events, gpus)
        except Exception as error:
            say(f"Xid errors are not listened for any more: {type(error).__name__}: {error}")

    def _register(self, nvml: Any) -> tuple[Any, list[Any]]:
        events = nvml.nvmlEventSetCreate()
        gpus = []
        for index in range(nvml.nvmlDeviceGetCount()):
            try:
                gpu = nvml.nvmlDeviceGetHandleByIndex(index)
                nvml.nvmlDeviceRegisterEvents(gpu, nvml.nvmlEventTypeXidCriticalError, events)
            except nvml.NVMLError as error:  # this one cannot tell; the others may
                say(f"GPU {index} reports no Xid errors: {error}")
                continue
            gpus.append(gpu)
        return events, gpus

    def _wait(self, nvml: Any, events: Any, gpus: list[Any]) -> None:
        try:
            event = nvml.nvmlEventSetWait_v2(events, _WAIT_MILLISECONDS)
        except nvml.NVMLError as error:
            if error.value == nvml.NVML_ERROR_GPU_IS_LOST:  # told at once, again and again
                self._ends.wait(_WAIT_MILLISECONDS / 1000)
            elif error.value != nvml.NVML_ERROR_TIMEOUT:
                raise
            return
        if event.eventType == nvml.nvmlEventTypeXidCriticalError:
            try:
                index = int(nvml.nvmlDeviceGetIndex(event.device))
            except nvml.NVMLError:  # it has fallen off the bus
                index = -1
            self._tell(index, int(event.eventData))
