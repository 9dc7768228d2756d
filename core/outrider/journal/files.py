"""The few system calls by which a journal is written: the seam at which faults are injected.

A writer has one of these as a field; tests put their own in its place, which fails at the n-th call,
cuts a write short or keeps a list of what was done. What is written goes through here alone, so
that such a list, played back to any length, is what a crash leaves on the disk.
"""

from __future__ import annotations

import fcntl
import os

_HIGH = 50
"""Our descriptor lies at or above this number, so that one that was closed under us is not soon
taken again; below 64, where the kernel's table needs no enlarging (7 ms in a threaded process)."""


class Files:
    """The calls themselves, as ``os`` has them."""

    __slots__ = ()

    open = staticmethod(os.open)
    write = staticmethod(os.write)
    fstat = staticmethod(os.fstat)
    fchmod = staticmethod(os.fchmod)
    close = staticmethod(os.close)
    unlink = staticmethod(os.unlink)
    dup2 = staticmethod(os.dup2)

    def lift(self, fd: int) -> int:
        """Move a descriptor to a high number, where nobody closes it by accident."""
        try:
            lifted = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _HIGH)
        except OSError:  # the limit is lower: stay
            return fd
        self.close(fd)
        return lifted

    def identity(self, fd: int) -> tuple[int, int] | None:
        """What file a descriptor stands for, or None where it is closed."""
        try:
            status = self.fstat(fd)
        except OSError:
            return None
        return status.st_dev, status.st_ino
