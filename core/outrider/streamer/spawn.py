"""Starts a run's streamer from the training process, in a millisecond or two, and forgets it.

Imported by the trainer: nothing heavy may be imported here. The streamer must not be the trainer's
child (a user's ``os.wait()`` loop would never end), so a ``/bin/sh`` puts it into the background and
is reaped at once.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found,unused-ignore]  # signal makes enums of it: 1 ms
import os
import sys
from collections.abc import Iterable, Mapping

from outrider.streamer.lock import is_held

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported for it: it costs the trainer milliseconds
    from typing import Any

SHELL = "/bin/sh"
LOG = "streamer.log"

# $0 is the log, "$@" the streamer's own command.
_SCRIPT = '"$@" </dev/null >>"$0" 2>&1 &'
_SCRIPT_WITHOUT_LOG = '"$@" </dev/null >/dev/null 2>&1 &'

# First of all close what the trainer's C libraries left open: a listening port or the writing end
# of `train.py | tee log` would outlive the trainer with us. Then exactly the trainer's outrider is
# imported, and its other paths come last, where no queue.py of a user's can stand before Python's.
# Number 9 is kept: it says how the trainer ended, even if it is gone before we have looked.
PIDFD = 9
BOOTSTRAP = """\
import os, sys
os.closerange(3, 9)
os.closerange(10, 65536)
if sys.argv[1] == 'fork' and os.fork(): os._exit(0)
sys.path.insert(0, sys.argv[3])
import outrider
del sys.path[0]
sys.path += [p for p in sys.argv[4].split(chr(10)) if p and p not in sys.path]
from outrider.streamer.__main__ import main
main([sys.argv[2], *sys.argv[5:]])
"""


def is_running(folder: str) -> bool:
    """Whether a streamer of this host holds the run's folder."""
    return is_held(folder)


def start(
    folder: str, *, flags: Iterable[str] = (), extra: Mapping[str, str] | None = None
) -> bool:
    """Start a streamer for a run's folder; False where it could not be started. Never raises.

    A second streamer for the same folder is harmless: it sees the lock and leaves. ``extra`` is
    added to its environment (an API key that came as an argument); ``flags`` are words for it.
    """
    try:
        return _start(os.path.abspath(folder), list(flags), dict(extra or {}))
    except Exception as error:
        _note(folder, f"the streamer could not be started: {type(error).__name__}: {error}")
        return False


def _start(folder: str, flags: list[str], extra: dict[str, str]) -> bool:
    python = sys.executable
    if not python:
        _note(
            folder, "the streamer could not be started: this Python does not know its own program"
        )
        return False
    home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    log = os.path.join(folder, LOG)
    environment = {**os.environ, "OUTRIDER_STREAMER": "1", **extra}
    pidfd, who = _self()
    command = [python, "-I", "-c", BOOTSTRAP, "child", folder, home, search_path(), who, *flags]
    has_log = _make(log)
    script = _SCRIPT if has_log else _SCRIPT_WITHOUT_LOG
    try:
        child = _spawn([SHELL, "-c", script, log, *command], environment, pidfd)
    except OSError:  # no shell here: Python forks itself away, in some 20 ms
        command[4] = "fork"
        child = _spawn(command, environment, pidfd, log if has_log else None)
    finally:
        if pidfd >= 0:
            os.close(pidfd)
    return _reap(child) == 0


def _self() -> tuple[int, str]:
    """A descriptor for this process, -1 where there is none, and the flag that says whose it is."""
    try:
        with open("/proc/self/stat", "rb") as file:
            start = file.read().rpartition(b")")[2].split()[19].decode()
        return os.pidfd_open(os.getpid()), f"pidfd={os.getpid()}:{start}"
    except (OSError, AttributeError, IndexError):  # an old kernel, a sandbox, another system
        return -1, "pidfd="


def search_path() -> str:
    """The trainer's ``sys.path``, a line each, without its script's folder and the working folder."""
    main = sys.modules.get("__main__")
    script = getattr(main, "__file__", None)
    left_out = {""}
    if sys.path and sys.path[0] == "":
        try:  # noqa: SIM105 - contextlib is not loaded for it in the trainer
            left_out.add(os.getcwd())
        except OSError:  # it was deleted: then nothing is found there either
            pass
    if script:
        left_out.add(os.path.dirname(os.path.abspath(script)))
    kept = [
        os.path.abspath(entry)
        for entry in map(str, sys.path)
        if entry not in left_out and "\n" not in entry
    ]
    return "\n".join(dict.fromkeys(entry for entry in kept if entry not in left_out))


def _spawn(
    command: list[str], environment: dict[str, str], pidfd: int, log: str | None = None
) -> int:
    """Start a process in a session of its own, with our signals' defaults and none blocked."""
    actions: list[tuple[Any, ...]] = []
    null = os.devnull
    actions.append((os.POSIX_SPAWN_OPEN, 0, null, os.O_RDONLY, 0))  # type: ignore[attr-defined,unused-ignore]
    actions.append((os.POSIX_SPAWN_OPEN, 1, log or null, os.O_WRONLY | os.O_APPEND, 0))
    actions.append((os.POSIX_SPAWN_OPEN, 2, log or null, os.O_WRONLY | os.O_APPEND, 0))
    if pidfd >= 0:
        actions.append((os.POSIX_SPAWN_DUP2, pidfd, PIDFD))
    defaults = (_signal.SIGCHLD, _signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP, _signal.SIGPIPE)
    try:
        return os.posix_spawn(
            command[0],
            command,
            environment,
            file_actions=actions,
            setsid=True,
            setsigmask=(),
            setsigdef=defaults,
        )
    except NotImplementedError:  # an older libc has no setsid here; the streamer makes its own then
        return os.posix_spawn(
            command[0],
            command,
            environment,
            file_actions=actions,
            setsigmask=(),
            setsigdef=defaults,
        )


def _reap(child: int) -> int:
    try:
        return os.waitpid(child, 0)[1]
    except ChildProcessError:  # SIGCHLD is ignored, or another thread waits for anything
        return 0


def _make(log: str) -> bool:
    """Make the log file for this user alone; False where the folder takes none."""
    try:
        fd = os.open(
            log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        os.fchmod(fd, 0o600)  # a umask may have taken from us what the streamer needs to write
    except OSError:
        return False
    os.close(fd)
    return True


def _note(folder: str, text: str) -> None:
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(os.path.join(folder, LOG), flags, 0o600)
        try:
            os.write(fd, text.encode("utf-8", "backslashreplace") + b"\n")
        finally:
            os.close(fd)
    except OSError:
        pass
