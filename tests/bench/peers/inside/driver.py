"""Does the same work through any tracker, in that tracker's own environment, and prints JSON.

    python driver.py NAME WORK OPTIONS

NAME is an adapter's (`for_NAME.py`), WORK a function of this module, OPTIONS a JSON object. The last
line printed is the answer, behind a mark, whatever a tracker prints itself. Nothing but the
standard library is imported before the tracker is, so that what it brings along is its own.
"""

import contextlib
import json
import mmap
import os
import sys
import time

MARK = "\x1e"
"""Stands before the answer: no tracker prints it."""
SIZES = (1, 10, 100)
NAMES = [f"train/metric_{index:03d}" for index in range(max(SIZES))]
COUNTED = "train/counted"
"""The metric that says which call it was, so that what is read back can be told apart."""


def adapter(name):
    """The module that speaks to a tracker; afterwards nothing of ours is found before its own."""
    module = __import__(f"for_{name}")
    with contextlib.suppress(ValueError):
        sys.path.remove(os.path.dirname(os.path.abspath(__file__)))
    return module


def values(count, number):
    """One call's scalars: full doubles that change from call to call."""
    record = {
        name: 0.1234567 * (index + 1) + number * 1e-6 for index, name in enumerate(NAMES[:count])
    }
    if count > 1:
        del record[NAMES[count - 1]]
        record[COUNTED] = float(number)
    return record


def resident():
    """Megabytes in memory, of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def threads():
    """How many threads this process has."""
    return len(os.listdir("/proc/self/task"))


def size(folder):
    """Bytes of all files in a folder, as their lengths say."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total


def spread(times, prefix):
    """p50, p99, max and mean of some nanoseconds, as microseconds."""
    times = sorted(times)
    if not times:
        return {}
    return {
        f"{prefix}_p50": times[len(times) // 2] / 1e3,
        f"{prefix}_p99": times[min(len(times) - 1, int(len(times) * 0.99))] / 1e3,
        f"{prefix}_max": times[-1] / 1e3,
        f"{prefix}_mean": sum(times) / len(times) / 1e3,
        f"{prefix}_calls": len(times),
    }


def started(peer, options):
    """Import and init, with what they took and what they left in this process."""
    import typing  # noqa: F401 - every tracker needs it, and it is no tracker's cost

    before, crew = resident(), threads()
    began = time.perf_counter()
    peer.load()
    loaded = time.perf_counter()
    peer.init(options.get("url"))
    ready = time.perf_counter()
    peer.log(values(10, 0), 0)
    logged = time.perf_counter()
    return {
        "import_ms": (loaded - began) * 1e3,
        "init_ms": (ready - loaded) * 1e3,
        "first_log_ms": (logged - ready) * 1e3,
    }, (before, crew)


def ended(peer):
    """finish(), timed."""
    began = time.perf_counter()
    peer.finish()
    return {"finish_ms": (time.perf_counter() - began) * 1e3}


def trainer(peer, options):
    """Everything that a training of its own pays: start, log, memory, threads, end, disk."""
    found, (before, crew) = started(peer, options)
    clock, log, step = time.perf_counter_ns, peer.log, 1
    for count in SIZES:
        times, until = [], time.perf_counter() + options["tight_s"]
        while len(times) < options["calls"] and time.perf_counter() < until:
            record = values(count, step)
            began = clock()
            log(record, step)
            times.append(clock() - began)
            step += 1
        found |= spread(times[len(times) // 20 :], f"log{count}")
    time.sleep(options["settle_s"])  # a helper that is starting is not yet what it will be
    found |= {"rss_mb": resident() - before, "threads": threads() - crew} | helpers()
    return found | ended(peer)


def disk(peer, options):
    """Bytes on disk for each point more: two sizes of run, so that what each run has is no part."""
    peer.load()
    peer.init(None)
    step, until = 0, time.perf_counter() + options["disk_s"]
    while step < options["records"] and time.perf_counter() < until:
        peer.log(values(10, step), step)
        step += 1
    peer.finish()
    return {"points": step * 10}


def stepped(peer, options):
    """Calls where training is: a hundred a second, then one after each real step of ~5 ms.

    Each kind of step runs alone first, before the tracker's init.
    """
    peer.load()
    if options["torch"]:
        sys.path.append(options["torch"])  # behind the tracker's own packages, which win
    kinds = {kind: make() for kind, make in STEPS.items() if kind != "torch" or options["torch"]}
    count, step, found = options["steps"], 0, {}
    alone = {kind: [_timed(advance) for _ in range(count)] for kind, advance in kinds.items()}
    peer.init(None)
    peer.log(values(10, step), step)
    time.sleep(options["settle_s"])  # what starts in the background is measured elsewhere
    times, began = [], time.perf_counter()
    for turn in range(1, int(options["paced_s"] * 100) + 1):
        step += 1
        time.sleep(max(0.0, began + turn / 100 - time.perf_counter()))
        times.append(_timed(peer.log, values(10, step), step))
    found |= spread(times, "paced10") | {"paced_rate": len(times) / (time.perf_counter() - began)}
    for kind, advance in kinds.items():
        calls, beside, skip = [], [], count // 10
        for _ in range(count):
            step += 1
            record = values(10, step)
            beside.append(_timed(advance))
            calls.append(_timed(peer.log, record, step))
        total, bare = sum(beside[skip:]) + sum(calls[skip:]), sum(alone[kind][skip:])
        found |= spread(calls[skip:], f"{kind}_log") | spread(alone[kind][skip:], f"{kind}_alone")
        found |= spread(beside[skip:], f"{kind}_step") | {f"{kind}_slowed": total / bare}
    return found | ended(peer)


def _timed(call, *arguments):
    began = time.perf_counter_ns()
    call(*arguments)
    return time.perf_counter_ns() - began


def numpy_step():
    """A layer forward and backward, and an optimiser that walks through 8 MB of state."""
    import numpy as np

    random = np.random.default_rng(0)
    batch, weights = random.random((64, 1024)), random.random((1024, 1024))
    passed = random.random(1_000_000)

    def advance():
        nonlocal weights, passed
        hidden = np.tanh(batch @ weights)
        weights -= 1e-9 * (batch.T @ (1.0 - hidden * hidden))
        passed *= 0.999

    return advance


def torch_step():
    """A small network that is really trained: forward, backward, AdamW."""
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = torch.nn.Sequential(
        torch.nn.Linear(256, 512),
        torch.nn.GELU(),
        torch.nn.Linear(512, 512),
        torch.nn.GELU(),
        torch.nn.Linear(512, 10),
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    inputs, targets = torch.randn(64, 256), torch.randint(0, 10, (64,))

    def advance():
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(inputs), targets).backward()
        optimizer.step()

    return advance


STEPS = {"numpy": numpy_step, "torch": torch_step}


def until_killed(peer, options):
    """Log until somebody ends it; the file `returned` holds how many calls have returned."""
    peer.load()
    peer.init(None)
    with open("returned", "wb") as file:
        file.write(bytes(8))
    with open("returned", "r+b") as file:
        returned = mmap.mmap(file.fileno(), 8)
    pause, step = options["pause_s"], 0
    began = time.perf_counter()
    while True:
        peer.log(values(10, step), step)
        step += 1
        returned[:8] = step.to_bytes(8, "little")
        if pause:
            time.sleep(max(0.0, began + step * pause - time.perf_counter()))


def bereft(peer, options):
    """Log while somebody kills a helper (or the server): what is raised, what a call takes, how it ends."""
    found = {"raised": 0, "first_error": ""}
    _guarded(found, "import", peer.load)
    _guarded(found, "init", lambda: peer.init(options.get("url")))
    times, step = [], 0
    _tell(found)
    began = time.perf_counter()
    while time.perf_counter() - began < options["seconds"]:
        before = time.perf_counter_ns()
        try:
            peer.log(values(10, step), step)
        except BaseException as error:
            found["raised"] += 1
            found["first_error"] = found["first_error"] or _named(error)
        times.append(time.perf_counter_ns() - before)
        step += 1
        if step == 20:
            _touch("going")  # who waits for it kills now
        time.sleep(0.01)
    found |= spread(times, "log10") | {"calls": step}
    _tell(found)
    _guarded(found, "finish", peer.finish)
    _tell(found)
    began = time.perf_counter()
    import atexit

    atexit._run_exitfuncs()  # what a tracker does at exit is part of the end
    return found | {"exit_s": time.perf_counter() - began}


def _guarded(found, what, call):
    began = time.perf_counter()
    try:
        call()
    except BaseException as error:
        found[f"{what}_error"] = _named(error)
    found[f"{what}_s"] = time.perf_counter() - began


def _named(error):
    return f"{type(error).__name__}: {error}"[:200]


def _tell(found):
    """Leave what is known so far where it is found should this process hang."""
    with open("so_far.json", "w") as file:
        json.dump(found, file)


def _touch(name):
    with open(name, "w"):
        pass


def read(peer, options):
    """Which calls the tracker's own reader finds of what is left in this folder."""
    peer.load()
    began = time.perf_counter()
    numbers = peer.read()
    whole = {int(number) for number in numbers}
    return {
        "found": len(whole),
        "doubled": len(numbers) - len(whole),
        "highest": max(whole, default=-1) + 1,
        "read_s": time.perf_counter() - began,
    }


def helpers():
    """The processes that the tracker has started: all that carry this training's mark."""
    found = crew_memory(marked(os.environ["OUTRIDER_BENCH_TRAINING"], {os.getpid()}))
    return {"helpers": found["processes"], "helpers_mb": found["memory_mb"]}


def crew_memory(crew):
    """How many processes, and their memory: what they share is counted once (PSS)."""
    memory = 0.0
    for pid in crew:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup") as file:
            memory += sum(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1e3
    return {"processes": len(crew), "memory_mb": memory}


def marked(mark, but=()):
    """Processes whose environment carries the mark, the oldest first."""
    found, wanted = [], f"OUTRIDER_BENCH_TRAINING={mark}".encode()
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in but:
            with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
                if wanted in file.read().split(b"\0"):
                    found.append(int(name))
    return sorted(found)


def warmed(peer, options):
    """Import once, so that compiled modules are there for all later ones."""
    peer.load()
    return {}


def main(name, work, options):
    """Do one work and print what came out."""
    found = globals()[work](adapter(name), json.loads(options))
    sys.stdout.write(f"\n{MARK}{json.dumps(found)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:4])
