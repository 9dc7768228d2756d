"""Finds this user's running server, or starts one and stops it again."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outrider.credentials import Token, token_for
from outrider.errors import OutriderError
from outrider.transport import HttpTransport, is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_PORT = 7878
_STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers. ``process`` is ours, None where somebody else started it."""

    url: str
    token: Token | None
    data: str
    log: str
    process: subprocess.Popen[bytes] | None = None

    def transport(self) -> HttpTransport:
        """A connection of its own to the server."""
        return HttpTransport(self.url, self.token)


@contextmanager
def found_or_started(data: str, port: int | None, *, own: bool) -> Iterator[Server]:
    """A server for the while of a ``with`` block: the settings' one where it is this user's own and
    answers, else a new one on ``data``. With ``own`` or a port there is no looking."""
    server = None if own or port is not None else _found()
    if server is not None:
        yield server
        return
    server = _started(data, port)
    try:
        yield server
    finally:
        stop(server)


def _found() -> Server | None:
    from outrider.settings import load

    url = load().url
    return answering(url) if is_loopback(url) else None


def answering(url: str) -> Server | None:
    """The server of this user at a loopback URL, or None where none answers to our token."""
    from outrider.reading.remote import ask

    try:
        ask(HttpTransport(url), "GET", "/api/health", timeout=2.0)
        token = token_for(url)
        if token is None:
            return None
        me = ask(HttpTransport(url, token), "GET", "/api/me", timeout=2.0)
    except OutriderError:
        return None
    return Server(url, token, "", "") if me.get("role") in ("write", "admin") else None


def _started(data: str, port: int | None) -> Server:
    try:
        from outrider_server.background import start_background
    except ImportError as error:
        raise OutriderError(
            f"the server's parts are not installed ({error})",
            hint="pip install 'outrider[demo]'",
        ) from error
    os.makedirs(os.path.dirname(data), mode=0o700, exist_ok=True)
    log = data + ".log"
    number = port if port is not None else free_port(DEFAULT_PORT)
    made = start_background(data, number, log=log)
    return Server(made.url, Token(made.token, "the server"), data, log, made.process)


def free_port(wanted: int) -> int:
    """``wanted`` where nobody listens there, else a port that is free now."""
    for number in (wanted, 0):
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", number))
            except OSError:
                continue
            return int(one.getsockname()[1])
    raise OutriderError("there is no free port on this machine")


def stop(server: Server) -> None:
    """Ask our server to stop, and see to it that it does."""
    process = server.process
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
