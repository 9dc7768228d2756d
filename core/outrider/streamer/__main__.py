"""What runs in the streamer's process: ``python -m outrider.streamer FOLDER``."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Sequence

from outrider.streamer.spawn import PIDFD


def main(arguments: Sequence[str]) -> None:
    """Be a streamer for the folder named first; the other words are its flags."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError):  # it may lead a session of its own already
        os.setsid()
    os.umask(0o077)
    for stream_out in (sys.stdout, sys.stderr):
        if isinstance(stream_out, io.TextIOWrapper):
            stream_out.reconfigure(errors="backslashreplace")
    folder, *flags = arguments
    folder = os.path.abspath(folder)
    os.chdir("/")
    from outrider.streamer.loop import stream
    from outrider.streamer.process import take_over

    for flag in flags:
        pid, _, start = flag.removeprefix("pidfd=").partition(":")
        if pid != flag and start:
            take_over(PIDFD, int(pid), int(start))

    stream(folder, flags)
    sys.stdout.flush()
    # Threads that wait for a hanging probe or sink must not hold up the end.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
