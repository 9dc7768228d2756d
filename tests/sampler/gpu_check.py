"""Shows what the GPU probe reads on a real machine while its GPU works. No test framework needed.

    python tests/sampler/gpu_check.py [seconds]

The load is a child process that spins all of GPU 0's multiprocessors and holds 1 GiB, through the
driver's own library (libcuda by ctypes: no torch, no CUDA toolkit), so that utilisation, power, clocks and
the memory of the trainer's *tree* all have something to show. Without libcuda it samples an
idle GPU and says so. Exits 1 when there is no GPU or when a figure that should be there is not.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import subprocess
import sys
import time
from typing import Any

MIB = 1 << 20
# Spins for a while in every thread; the store is never reached, but keeps the loop from vanishing.
KERNEL = b"""
.version 6.0
.target sm_50
.address_size 64
.visible .entry spin(.param .u64 out, .param .u32 turns)
{
    .reg .pred %p<3>;
    .reg .f32 %f<4>;
    .reg .b32 %r<4>;
    .reg .b64 %rd<2>;
    ld.param.u64 %rd1, [out];
    ld.param.u32 %r1, [turns];
    mov.u32 %r2, 0;
    mov.f32 %f1, 0f3F800000;
    mov.f32 %f2, 0f3F800001;
LOOP:
    fma.rn.f32 %f1, %f1, %f2, %f2;
    add.u32 %r2, %r2, 1;
    setp.lt.u32 %p1, %r2, %r1;
    @%p1 bra LOOP;
    setp.lt.f32 %p2, %f1, 0f00000000;
    @%p2 st.global.f32 [%rd1], %f1;
    ret;
}
"""


def work(seconds: float) -> None:
    """Keep GPU 0 busy, through the CUDA driver API."""
    cuda = ctypes.CDLL("libcuda.so.1")

    def call(name: str, *arguments: Any) -> None:
        code = getattr(cuda, name)(*arguments)
        if code:
            raise RuntimeError(f"{name} answered {code}")

    device, context, module, function = (ctypes.c_int(), *(ctypes.c_void_p() for _ in range(3)))
    memory = ctypes.c_uint64()
    call("cuInit", 0)
    call("cuDeviceGet", ctypes.byref(device), 0)
    call("cuCtxCreate_v2", ctypes.byref(context), 0, device)
    call("cuMemAlloc_v2", ctypes.byref(memory), ctypes.c_size_t(1024 * MIB))
    call("cuModuleLoadData", ctypes.byref(module), ctypes.c_char_p(KERNEL))
    call("cuModuleGetFunction", ctypes.byref(function), module, b"spin")
    turns = ctypes.c_uint32(2_000_000)
    parameters = (ctypes.c_void_p * 2)(
        ctypes.cast(ctypes.byref(memory), ctypes.c_void_p),
        ctypes.cast(ctypes.byref(turns), ctypes.c_void_p),
    )
    print("working", flush=True)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        call("cuLaunchKernel", function, 2048, 1, 1, 256, 1, 1, 0, None, parameters, None)
        call("cuCtxSynchronize")


def check(seconds: float) -> int:
    """Sample as the streamer does, this process as the trainer; print everything."""
    from outrider.sampler.guard import Guarded
    from outrider.sampler.loop import Sampler
    from outrider.sampler.plugin import outrider_probes

    logging.basicConfig(level=logging.INFO, format="  log: %(message)s", stream=sys.stdout)
    load = subprocess.Popen(
        [sys.executable, __file__, "--work", str(seconds + 4)], stdout=subprocess.PIPE, text=True
    )
    assert load.stdout is not None
    is_working = load.stdout.readline().strip() == "working"
    print(f"load on GPU 0: {'running' if is_working else 'none (see above), sampling it idle'}")
    time.sleep(2)
    sampler = Sampler(os.getpid(), "/", 0.5, seconds, outrider_probes())
    sampler._closes_at = seconds  # one row over all of it
    gpu = next((probe for probe in sampler._probes if probe.name == "gpu"), None)
    print(json.dumps(sampler.facts(), indent=2))
    if gpu is None or not isinstance(gpu, Guarded) or gpu._aside is None:
        print("no GPU probe on this machine")
        return 1
    row, costs = None, []
    while row is None:
        time.sleep(sampler.due())
        row = sampler.tick()
        costs.append(gpu._aside.cost * 1e3)
    print(json.dumps(row, indent=2))
    print("CPU of the GPU probe, ms a sample:", " ".join(f"{cost:.2f}" for cost in costs))
    load.kill()
    load.wait()
    measures = ["", "/memory_used_bytes", "/power_watts", "/temperature_celsius", "/sm_clock_mhz"]
    missing = [name for name in measures if f"system/gpu/0{name}" not in row]
    if is_working and row.get("system/gpu/0", 0) < 50:
        missing.append(" (busy under load)")
    if is_working and row.get("system/gpu/0/process_memory_bytes", 0) < 1024 * MIB:
        print("note: the load's memory is not seen; in a container process numbers may be hidden")
    print("MISSING: " + ", ".join(missing) if missing else "all there")
    return 1 if missing else 0


if __name__ == "__main__":
    if "--work" in sys.argv:
        work(float(sys.argv[-1]))
    else:
        sys.exit(check(float(sys.argv[1]) if len(sys.argv) > 1 else 15.0))
