"""Probe of the training itself: the trainer and all processes below it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, NamedTuple

from outrider.sampler.files import Read, read
from outrider.sampler.probe import NotHere, Probe, Target
from outrider.sampler.rates import Counters

PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")

# Threads of one process whose children are looked up in one sample. Torch on a large host runs
# hundreds of threads, and nearly all children come from the first; the others take turns.
THREADS = 32
# A tree larger than this is cut: 500 processes already cost 10 ms a sample.
PROCESSES = 512
# Counting open files means listing a folder before Linux 6.2, so it is done once in so many reads.
FILES_EVERY = 5


class Stat(NamedTuple):
    """What /proc/<pid>/stat says of a process (man 5 proc), CPU times in clock ticks."""

    state: bytes
    own: int
    reaped: int
    threads: int
    start: int
    rss: int

    @property
    def total(self) -> int:
        """Its own CPU time and that of all children that it waited for."""
        return self.own + self.reaped

    @property
    def is_zombie(self) -> bool:
        """Dead, and only kept until its parent asks how it ended."""
        return self.state in (b"Z", b"X")


def parse_stat(text: bytes) -> Stat:
    """Parse /proc/<pid>/stat; the command may itself hold spaces and brackets."""
    fields = text[text.rindex(b")") + 2 :].split()
    return Stat(
        state=fields[0],
        own=int(fields[11]) + int(fields[12]),
        reaped=int(fields[13]) + int(fields[14]),
        threads=int(fields[17]),
        start=int(fields[19]),
        rss=int(fields[21]) * PAGE,
    )


class ProcessTree:
    """The processes below one, found through /proc/<pid>/task/*/children.

    A process once found stays in the tree until it dies, also when its parent died before it,
    and is told by its start time from another that got its number later.
    """

    def __init__(self, pid: int, root: str = "", read: Read = read) -> None:
        self._proc = f"{root}/proc"
        self._read = read
        self._turn = 0
        self.pid = pid
        self._known: dict[int, int] = {}
        first = self.stat(pid)
        if first is None:
            raise NotHere(f"process {pid} is gone")
        self._known[pid] = first.start

    def stat(self, pid: int) -> Stat | None:
        """A process's stat; None when it is gone, was replaced, or may not be read."""
        try:
            stat = parse_stat(self._read(f"{self._proc}/{pid}/stat"))
        except (OSError, ValueError, IndexError):
            return None
        return stat if self._known.get(pid, stat.start) == stat.start else None

    def walk(self) -> dict[int, Stat]:
        """All living processes (and unreaped dead ones) of the tree, the root first.

        The streamer itself can be a child of the trainer, where that is process 1 of a
        container: it and what it starts are not part of the training.
        """
        self._turn += 1
        found: dict[int, Stat] = {}
        waiting = list(self._known)
        seen = {os.getpid(), *waiting}
        while waiting and len(found) < PROCESSES:
            pid = waiting.pop(0)
            stat = self.stat(pid)
            if stat is None:
                continue
            found[pid] = stat
            if stat.is_zombie:
                continue
            for child in self._children(pid, stat.threads):
                if child not in seen:
                    seen.add(child)
                    waiting.append(child)
        self._known = {pid: stat.start for pid, stat in found.items()}
        return found

    def private(self, pid: int) -> int:
        """Bytes that are resident and not backed by a file or by shared memory.

        From statm, in microseconds: the exact figure (smaps_rollup) walks the page tables under
        a lock that the trainer needs too.
        """
        try:
            fields = self._read(f"{self._proc}/{pid}/statm").split()
            return (int(fields[1]) - int(fields[2])) * PAGE
        except (OSError, ValueError, IndexError):
            return 0

    def open_files(self, pid: int) -> int:
        """The number of file descriptors; 0 where they may not be seen."""
        path = f"{self._proc}/{pid}/fd"
        try:
            # Since Linux 6.2 the folder's size is their number.
            return os.stat(path).st_size or len(os.listdir(path))
        except OSError:
            return 0

    def _children(self, pid: int, threads: int) -> Iterable[int]:
        for thread in self._threads(pid, threads):
            try:
                yield from map(
                    int, self._read(f"{self._proc}/{pid}/task/{thread}/children").split()
                )
            except (OSError, ValueError):
                continue  # the thread has ended meanwhile

    def _threads(self, pid: int, threads: int) -> Iterable[str]:
        if threads <= 1:
            return [str(pid)]
        try:
            names = os.listdir(f"{self._proc}/{pid}/task")
        except OSError:
            return []
        if len(names) <= THREADS:
            return names
        start = self._turn * THREADS % len(names)
        return [str(pid), *(names + names)[start : start + THREADS]]


class ProcessProbe:
    """`system/process/...`: the trainer and its children together (100 % is one whole core)."""

    name = "process"
    inline = True

    def __init__(self, root: str = "", read: Read = read) -> None:
        self._root = root
        self._read = read
        self._tree: ProcessTree | None = None
        self._target = Target(None, "")
        self._counters = Counters()
        self._before: dict[int, Stat] | None = None
        self._ticks = 0
        self._reads = 0
        self._files = 0.0

    def aim(self, target: Target) -> None:
        """Watch the trainer; left out when it is not known or already gone."""
        if target.pid is None:
            raise NotHere("the trainer's process is not known")
        self._target = target
        self._tree = ProcessTree(target.pid, self._root, self._read)

    def read(self) -> dict[str, float]:
        """CPU, memory, threads and files of the tree; nothing once all of it has ended."""
        if self._tree is None:
            return {}
        found = self._tree.walk()
        self._ticks += spent(self._before, found)
        self._before = found
        alive = {pid: stat for pid, stat in found.items() if not stat.is_zombie}
        self._target.pids = frozenset(alive)
        if not alive:
            return {}
        if self._reads % FILES_EVERY == 0:
            self._files = float(sum(map(self._tree.open_files, alive)))
        self._reads += 1
        rss = float(sum(stat.rss for stat in alive.values()))
        readings = {
            "system/process/rss_bytes": rss,
            "system/process/rss_bytes.max": rss,
            "system/process/private_bytes": float(sum(map(self._tree.private, alive))),
            "system/process/threads": float(sum(stat.threads for stat in alive.values())),
            "system/process/open_files": self._files,
            "system/process/children": float(len(alive) - (self._tree.pid in alive)),
        }
        percent = {"system/process/cpu_percent": 100.0 * self._ticks / TICKS}
        return readings | self._counters.rates(percent)

    def facts(self) -> dict[str, Any]:
        """None."""
        return {}


def make() -> Probe:
    """The probe for this system: psutil's where the kernel does not list a thread's children."""
    pid = os.getpid()
    if os.path.exists(f"/proc/{pid}/task/{pid}/children"):
        return ProcessProbe()
    from outrider.sampler.portable import PortableProcessProbe

    return PortableProcessProbe()


def spent(before: dict[int, Stat] | None, now: dict[int, Stat]) -> int:
    """CPU ticks that a tree used between two walks, counting none twice and few not at all.

    When a child ends, its time moves into its parent's `reaped`, where what was already counted
    must not be counted again; what a child used that came and went between the walks is there
    too. A child whose parent does not wait for it leaves nothing, so never less than what the
    living used themselves.
    """
    if before is None:
        return 0
    grown = own = 0
    for pid, stat in now.items():
        # The numbers of the tree are checked against start times, but a new process may have
        # taken the number of one that died in between: then all of its time is new.
        old = before.get(pid)
        is_same = old is not None and old.start == stat.start
        grown += stat.total - (old.total if old and is_same else 0)
        own += stat.own - (old.own if old and is_same else 0)
    vanished = sum(
        stat.total for pid, stat in before.items() if pid not in now or now[pid].start != stat.start
    )
    return max(own, grown - vanished, 0)
