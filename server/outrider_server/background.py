"""Starts a server as a process of its own and waits until it answers: for tests and the demo."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from outrider.errors import OutriderError


class Background(NamedTuple):
    """A server in another process; ``token`` is an admin's, ``link`` logs a browser in once."""

    url: str
    token: str
    process: subprocess.Popen[bytes]
    link: str

    def __repr__(self) -> str:
        return f"Background(url={self.url!r}, pid={self.process.pid})"

    def stop(self, timeout: float = 20.0) -> int:
        """Stop the server gracefully (SIGTERM); returns its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def start_background(
    data: str | os.PathLike[str],
    port: int = 0,
    *,
    host: str = "127.0.0.1",
    arguments: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    log: str | os.PathLike[str] | None = None,
    timeout: float = 60.0,
) -> Background:
    """Start a server on ``data`` in a child process; returns once it answers.

    ``port`` 0 takes a free one; ``arguments`` are further ones of ``python -m outrider_server``;
    ``log`` is a file for what it prints (default: discarded unless it fails to start).
    Raises ``OutriderError`` with the server's own words when it does not start. The server ends
    with ``.stop()``; it does not end with its parent.
    """
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "outrider_server", "--host", host, "--port", str(port)]
    command += ["--data", os.fspath(data), "--ready-fd", str(writer), *arguments]
    path = os.fspath(log) if log is not None else os.fspath(data).rstrip("/") + ".log"
    with open(path, "ab", opener=_private) as output:
        began = output.tell()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(writer,),
            env=None if env is None else dict(env),
            start_new_session=True,
        )
    os.close(writer)
    try:
        told = _await(reader, process, timeout)
    finally:
        os.close(reader)
    if told is None:
        process.kill()
        process.wait()
        with open(path, encoding="utf-8", errors="replace") as file:
            file.seek(began)
            words = file.read()[-2000:].strip()
        raise OutriderError(f"the server did not start: {words or 'it said nothing'}")
    return Background(told["url"], told["token"], process, told["link"])


def _await(reader: int, process: subprocess.Popen[bytes], timeout: float) -> dict[str, str] | None:
    """What the server writes when it answers; None when it ended or took too long."""
    end = time.monotonic() + timeout
    text = b""
    while not text.endswith(b"\n"):
        ready, _, _ = select.select([reader], [], [], max(0.0, end - time.monotonic()))
        piece = os.read(reader, 65536) if ready else b""
        if not piece:
            return None
        text += piece
    found: dict[str, str] = json.loads(text)
    return found


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
