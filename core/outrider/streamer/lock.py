"""The lock that makes one streamer per run and host; also imported by the trainer, to ask.

``lockf`` and not ``flock``: a forked DataLoader worker would inherit the latter. The holder opens
the file exactly once, because any close of that file in the holding process frees the lock; others
ask with ``F_GETLK``, which takes nothing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import time

from outrider.ids import host_label

_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
_LINUX = sys.platform.startswith("linux")


def lock_path(folder: str, name: str = "streamer") -> str:
    """The lock file of this host's streamer for a run's folder."""
    return os.path.join(folder, f"{name}-{host_label()}.lock")


def fallback_path(folder: str) -> str:
    """Where the lock lies instead when the folder's file system has none (some NFS mounts)."""
    home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    name = "".join(part if part.isalnum() else "-" for part in os.path.realpath(folder))[-200:]
    return os.path.join(home, "outrider", "locks", name + ".lock")


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


class Holder:
    """Holds the lock until ``release`` or the death of the process."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def release(self) -> None:
        """Let the next streamer have it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Latch:
    """The lock file, opened once by a process that wants to become the holder."""

    def __init__(self, folder: str, name: str = "streamer") -> None:
        self._path = lock_path(folder, name)
        self._fallback = fallback_path(folder if name == "streamer" else self._path)
        self._fd = _open(self._path, os.O_CREAT)

    def take(self) -> Holder | None:
        """Take the lock, or None while another process has it. Raises ``OSError``."""
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                return None
            if error.errno not in _NO_LOCKS:
                raise
            os.makedirs(os.path.dirname(self._fallback), 0o700, exist_ok=True)
            os.close(self._fd)
            self._fd = _open(self._fallback, os.O_CREAT)
            try:
                fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as second:
                if second.errno in (errno.EACCES, errno.EAGAIN):
                    return None
                raise
        return Holder(self._fd)

    def close(self) -> None:
        """Give up wanting it."""
        os.close(self._fd)


def take(folder: str, seconds: float) -> Holder | None:
    """Take the lock, waiting for a holder that may be leaving; None where it stays.

    Raises ``OSError`` where the folder takes no lock file.
    """
    latch = Latch(folder)
    until = time.monotonic() + seconds
    while True:
        holder = latch.take()
        if holder is not None:
            return holder
        if time.monotonic() >= until:
            latch.close()
            return None
        time.sleep(0.1)


def is_held(folder: str) -> bool:
    """Whether another process of this host holds the lock. Never to be asked by the holder."""
    return holder_of(folder) is not None


def holder_of(folder: str) -> int | None:
    """The process that holds the lock (0 where the system does not tell which), or None."""
    for path in (lock_path, fallback_path):
        try:
            fd = _open(path(folder), 0)
        except OSError:
            return None
        try:
            return _asks(fd)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                return None
        finally:
            os.close(fd)
    return None


def _asks(fd: int) -> int | None:
    """Ask with C's ``struct flock``: Linux orders it type, whence, start, length, pid; the BSDs and macOS
    put type last. Put together by hand, since ``struct`` would cost each bare ``init()`` a third of a
    millisecond."""
    question = bytearray(32 if _LINUX else 24)
    kind, pid = (slice(0, 2), slice(24, 28)) if _LINUX else (slice(20, 22), slice(16, 20))
    question[kind] = fcntl.F_WRLCK.to_bytes(2, sys.byteorder)
    answer = fcntl.fcntl(fd, fcntl.F_GETLK, bytes(question))
    if int.from_bytes(answer[kind], sys.byteorder, signed=True) == fcntl.F_UNLCK:
        return None
    return max(0, int.from_bytes(answer[pid], sys.byteorder, signed=True))
