"""Runs a command between the user and its console: what it prints is shown first, then recorded.

At a terminal the command gets a terminal of its own (a pty): programs see ``isatty``, colours, the
window's size and its changes, and Ctrl-C is the command's, as are all other keys. Elsewhere it gets
pipes, and standard input as it is. Recording never holds anything up: it writes to a local file.
"""

from __future__ import annotations

import codecs
import errno
import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from outrider.printed import Bound, Printed

READ = 1 << 16
IDLE_SECONDS = 0.25
"""How soon the command's end is noticed while a child of it holds its terminal open."""

TOGETHER_SECONDS = 0.05
"""What is printed within this time becomes one record."""

TOGETHER = 1 << 15

_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_KEYS = (signal.SIGINT, signal.SIGQUIT)


class Kept:
    """One stream on its way into the journal: bytes become text, little pieces one record."""

    def __init__(self, stream: str, append: Callable[[Mapping[str, Any]], object]) -> None:
        self._printed = Printed(stream, append, Bound())
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self._parts: list[str] = []
        self._size = 0
        self._since = 0.0

    def keep(self, data: bytes, now: float) -> None:
        """Take in what was printed."""
        text = self._decode(data)
        if not text:
            return
        if not self._parts:
            self._since = now
        self._parts.append(text)
        self._size += len(text)
        if self._size >= TOGETHER or now - self._since >= TOGETHER_SECONDS:
            self.write()

    def write(self) -> None:
        """Record what waits."""
        if self._parts:
            text = "".join(self._parts)
            self._parts.clear()
            self._size = 0
            self._printed.keep(text)

    def waits(self) -> bool:
        """Whether something is not recorded yet."""
        return bool(self._parts)

    def close(self) -> None:
        """Record everything, a cut-off character included."""
        text = self._decode(b"", True)
        if text:
            self._parts.append(text)
        self.write()
        self._printed.tell_gap()


class Relay:
    """One command being run. ``terminated_at`` is when we were asked to end (monotonic), or None."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        append: Callable[[Mapping[str, Any]], object],
    ) -> None:
        self.command = list(command)
        self.env = dict(env)
        self.terminated_at: float | None = None
        self.is_terminal = has_terminal()
        self._append = append
        self._outputs: dict[int, tuple[int, Kept | None]] = {}
        self._master = -1
        self._typed = bytearray()
        self._reads_keys = False
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Run it to its end; returns the status as ``wait`` gives it. Raises ``OSError`` where the
        command cannot be started."""
        before = {number: signal.signal(number, self._signalled) for number in _FORWARDED + _KEYS}
        saved = None
        try:
            if self.is_terminal:
                self._start_in_terminal()
                saved = termios.tcgetattr(0)
                tty.setraw(0)
                before[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, self._resized)
                _copy_size(self._master)  # it may have changed before we listened
                self._reads_keys = True
            else:
                self._start_in_pipes()
            return self._carry()
        finally:
            if saved is not None:
                termios.tcsetattr(0, termios.TCSADRAIN, saved)
            for number, handler in before.items():
                signal.signal(number, handler)

    # --- starting -------------------------------------------------------------------------

    def _start_in_terminal(self) -> None:
        self._master, slave = pty.openpty()
        try:
            termios.tcsetattr(slave, termios.TCSANOW, termios.tcgetattr(0))
            _copy_size(slave)
            apart = not os.isatty(2)
            self._process = process = subprocess.Popen(
                self.command,
                stdin=slave,
                stdout=slave,
                stderr=subprocess.PIPE if apart else slave,
                env=self.env,
                start_new_session=True,
                preexec_fn=_take_terminal,  # noqa: PLW1509 - this process has one thread
            )
        finally:
            os.close(slave)
        os.set_blocking(self._master, False)
        self._outputs[self._master] = (1, Kept("out", self._append))
        if process.stderr is not None:
            self._outputs[process.stderr.fileno()] = (2, Kept("err", self._append))

    def _start_in_pipes(self) -> None:
        together = _is_same_file(1, 2)
        self._process = process = subprocess.Popen(
            self.command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if together else subprocess.PIPE,
            env=self.env,
            bufsize=0,
        )
        assert process.stdout is not None
        self._outputs[process.stdout.fileno()] = (1, Kept("out", self._append))
        if process.stderr is not None:
            self._outputs[process.stderr.fileno()] = (2, Kept("err", self._append))

    # --- while it runs --------------------------------------------------------------------

    def _carry(self) -> int:
        process = self._process
        assert process is not None
        while self._outputs:
            ended = process.poll() is not None
            ready, writable = self._await(0.0 if ended else None)
            for fd in ready:
                if fd == 0:
                    self._read_keys()
                else:
                    self._read_output(fd)
            if writable:
                self._type()
            if not ready and not writable:
                for _, kept in self._outputs.values():
                    if kept is not None:
                        kept.write()
                if ended:  # whoever else holds its terminal is not waited for
                    break
        for fd in list(self._outputs):
            self._close(fd)
        return _status(process)

    def _await(self, seconds: float | None) -> tuple[list[int], list[int]]:
        waits = any(kept is not None and kept.waits() for _, kept in self._outputs.values())
        if seconds is None:
            seconds = TOGETHER_SECONDS if waits else IDLE_SECONDS
        readers = list(self._outputs)
        if self._reads_keys and len(self._typed) < READ:
            readers.append(0)
        writers = [self._master] if self._typed and self._master in self._outputs else []
        ready, writable, _ = select.select(readers, writers, [], seconds)
        return ready, writable

    def _read_output(self, fd: int) -> None:
        try:
            data = os.read(fd, READ)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:  # a terminal whose last user has gone
                raise
            data = b""
        if not data:
            self._close(fd)
            return
        target, kept = self._outputs[fd]
        if kept is not None:
            kept.keep(data, time.monotonic())
        if not _write_all(target, data):
            self._close(fd)  # nobody reads us any more: the command learns it as it would alone

    def _close(self, fd: int) -> None:
        _, kept = self._outputs.pop(fd)
        if kept is not None:
            kept.close()
        with suppress(OSError):
            os.close(fd)

    def _read_keys(self) -> None:
        try:
            data = os.read(0, READ)
        except OSError:
            data = b""
        if not data:
            self._reads_keys = False
            data = b"\x04"
        self._typed += data
        self._type()

    def _type(self) -> None:
        with suppress(BlockingIOError, OSError):
            del self._typed[: os.write(self._master, self._typed)]

    # --- signals --------------------------------------------------------------------------

    def _signalled(self, number: int, frame: object) -> None:
        """Hand a signal on; a terminal's own Ctrl-C reached the command already."""
        process = self._process
        if number == signal.SIGTERM:
            self.terminated_at = time.monotonic()
        if process is None or process.returncode is not None:
            return
        if number in _KEYS and not self.is_terminal and _is_in_foreground():
            return
        with suppress(ProcessLookupError, PermissionError):
            if self.is_terminal:
                os.killpg(process.pid, number)
            else:
                os.kill(process.pid, number)

    def _resized(self, number: int, frame: object) -> None:
        with suppress(OSError):
            _copy_size(self._master)


def has_terminal() -> bool:
    """Whether a person sits before us: input and output are a terminal, and it is ours now."""
    try:
        return os.isatty(0) and os.isatty(1) and os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


def _is_in_foreground() -> bool:
    """Whether the keys of a terminal reach our process group, and so the command."""
    try:
        fd = os.open("/dev/tty", os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(fd)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _copy_size(fd: int) -> None:
    with suppress(OSError):
        fcntl.ioctl(fd, termios.TIOCSWINSZ, fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))


def _is_same_file(one: int, two: int) -> bool:
    try:
        first, second = os.fstat(one), os.fstat(two)
    except OSError:
        return False
    return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)


def _write_all(fd: int, data: bytes) -> bool:
    """Show it; False where nobody looks any more."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            select.select([], [fd], [], 1.0)
        except OSError as error:
            return error.errno not in (errno.EPIPE, errno.EIO, errno.EBADF)
    return True


def _status(process: subprocess.Popen[bytes]) -> int:
    """Wait for the command, through signals; the status as ``wait`` gives it."""
    code = process.wait()
    sys.stdout.flush()
    return -code if code < 0 else code << 8
