"""Watches one process that is not our child: is it alive, and how did it end?

Linux gives a descriptor for a process that becomes readable at its death, and since 6.15 also its
exit status, to anybody (``PIDFD_GET_INFO``); while it is a zombie, /proc tells the status too.
Elsewhere its number and start time are looked at again and again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import struct
import threading
from collections.abc import Mapping
from typing import Any

from outrider.ids import host_label
from outrider.journal.writer import boot_id, start_ticks
from outrider.streamer.ends import Death, from_wait_status

# linux/pidfd.h: PIDFD_GET_INFO is _IOWR(0xFF, 11, struct pidfd_info) of 64 bytes (its version 0):
# mask u64, cgroupid u64, eleven u32 of ids, exit_code i32. PIDFD_INFO_EXIT is bit 3 of mask.
_GET_INFO = 0xC040FF0B
_INFO_BYTES = 64
_INFO_EXIT = 1 << 3
_EXIT_CODE_AT = 60


_given: dict[tuple[int, int | None], int] = {}


def take_over(fd: int, pid: int, start: int) -> None:
    """Use a descriptor that a process opened for itself: its exit can then be learnt even where it
    was gone before this process began to look."""
    try:
        with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as file:
            if not any(line.startswith("Pid:") for line in file):
                return
        os.set_inheritable(fd, False)
    except OSError:
        return
    _given[pid, start] = fd


class Process:
    """A process by pid and start time, so that a reused pid is never taken for it."""

    def __init__(self, pid: int, start: int | None) -> None:
        self.pid = pid
        self.start = start
        self.fd = -1
        self._death: Death | None = None
        # Several threads of the streamer ask; the first to see the death closes the descriptor.
        self._lock = threading.Lock()
        self._open()

    @classmethod
    def of_head(cls, head: Mapping[str, Any]) -> Process | None:
        """The process that a head record names; None where it names none of this machine."""
        pid = head.get("pid")
        if type(pid) is not int or pid <= 0 or not is_of_this_host(head):
            return None
        start = head.get("start")
        process = cls(pid, start if type(start) is int else None)
        boot = head.get("boot")
        if boot is not None and boot != boot_id():
            process.give_up()
        return process

    def _open(self) -> None:
        given = _given.get((self.pid, self.start))
        if given is not None:
            self.fd = os.dup(given)
            return
        try:
            self.fd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            self._death = Death()
            return
        except (OSError, AttributeError):  # an old kernel, a sandbox, another system
            pass
        if not self._is_same():
            self.give_up()

    def _is_same(self) -> bool:
        """Whether the process of this number is the one that is meant (also while a zombie)."""
        if self.start is not None:
            return start_ticks(self.pid) == self.start
        try:
            os.kill(self.pid, 0)
        except PermissionError:
            return True
        except OSError:
            return False
        return True

    def give_up(self) -> None:
        """It is gone, and how it ended cannot be known (another boot, a reused number)."""
        self._death = self._death or Death()
        self.close()

    def death(self) -> Death | None:
        """How it ended, or None while it lives."""
        with self._lock:
            return self._look()

    def _look(self) -> Death | None:
        if self._death is None:
            if self.fd >= 0:
                if not _is_readable(self.fd):
                    return None
                self._death = self._status() or Death()
            else:
                status = _zombie(self.pid, self.start)
                if status is not None:
                    self._death = from_wait_status(status)
                elif not self._is_same():
                    self._death = Death()
                else:
                    return None
            self.close()
        return self._death

    def _status(self) -> Death | None:
        # A zombie's status stands in /proc, a reaped one's in the descriptor: ask twice, since it
        # may be reaped between the two questions.
        for _ in range(2):
            status = _zombie(self.pid, self.start)
            if status is None:
                status = _exit_info(self.fd)
            if status is not None:
                return from_wait_status(status)
        return None

    def close(self) -> None:
        """Give the descriptor back."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def _is_readable(fd: int) -> bool:
    # not select(), which takes no descriptor above 1,023
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))


def lower_priority(niceness: int = 10) -> None:
    """Step back behind the training, with every thread (on Linux each has its own niceness, and the
    kernel's input and output priority follows it)."""
    try:
        threads = [int(name) for name in os.listdir("/proc/self/task")]
    except OSError:
        threads = [0]
    for thread in threads:
        with contextlib.suppress(OSError):  # it ended meanwhile, or we were lower already
            os.setpriority(os.PRIO_PROCESS, thread, niceness)


def is_of_this_host(head: Mapping[str, Any]) -> bool:
    """Whether a head record (or run.json) was written on this machine."""
    host = head.get("host")
    return isinstance(host, str) and host_label(host) == host_label()


def _exit_info(fd: int) -> int | None:
    info = bytearray(_INFO_BYTES)
    struct.pack_into("=Q", info, 0, _INFO_EXIT)
    try:
        fcntl.ioctl(fd, _GET_INFO, info)
    except OSError:
        return None
    mask: int = struct.unpack_from("=Q", info)[0]
    if not mask & _INFO_EXIT:
        return None
    status: int = struct.unpack_from("=i", info, _EXIT_CODE_AT)[0]
    return status


def _zombie(pid: int, start: int | None) -> int | None:
    """The wait status of a process that is dead and not yet reaped; None otherwise."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        if fields[0] != b"Z" or (start is not None and int(fields[19]) != start):
            return None
        return int(fields[49])
    except (OSError, IndexError, ValueError):
        return None
