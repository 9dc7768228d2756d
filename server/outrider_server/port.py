"""Takes the port to listen on, or says who has it."""

from __future__ import annotations

import errno
import http.client
import json
import os
import socket
from contextlib import closing
from typing import TYPE_CHECKING

from outrider.errors import OutriderError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - what a person may ask for


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; raises an OutriderError that says what is in the way."""
    if not 0 <= port <= 65535:
        raise UsageError(f"{port} is not a port", hint="0 to 65535; 0 takes a free one")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise UsageError(
            f"{host!r} is not an address of this machine ({error})",
            hint="127.0.0.1 for this machine alone, 0.0.0.0 for the network",
        ) from None
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host == "::" else 1)
        listener.bind(address)
        # Two sockets may be bound with SO_REUSEADDR; only one may listen.
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise _why(host, port, error) from error
    return listener


def _why(host: str, port: int, error: OSError) -> OutriderError:
    if error.errno == errno.EADDRINUSE:
        return OutriderError(
            f"port {port} is taken by {_owner(host, port)}",
            hint="stop it, or choose another port with --port (0 takes a free one)",
        )
    if error.errno == errno.EACCES:
        return OutriderError(
            f"this user may not listen on port {port}", hint="choose a port from 1024 with --port"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return UsageError(
            f"{host} is not an address of this machine",
            hint="127.0.0.1 for this machine alone, 0.0.0.0 for the network",
        )
    return OutriderError(f"cannot listen on {host} port {port}: {error.strerror}")


def _owner(host: str, port: int) -> str:
    """Who answers at an occupied port, as well as can be said."""
    at = "127.0.0.1" if host in EVERYWHERE else host
    version = outrider_at(at, port)
    process = _process(port)
    if version is not None:
        return f"an Outrider server ({version}{', ' + process if process else ''})"
    return process or "another program"


def outrider_at(host: str, port: int) -> str | None:
    """The version of the Outrider server that answers there, or None."""
    connection = http.client.HTTPConnection(host, port, timeout=1.0)
    with closing(connection):
        try:
            connection.request("GET", "/api/health")
            found = json.loads(connection.getresponse().read(4096))
        except (OSError, http.client.HTTPException, ValueError):
            return None
    if isinstance(found, dict) and found.get("service") == "outrider":
        return str(found.get("version", "?"))[:40]
    return None


def _process(port: int) -> str | None:
    """The program that listens on a port, where this user may know it (Linux)."""
    inodes = set(_listening_inodes(port))
    if not inodes:
        return None
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            for fd in os.listdir(f"/proc/{pid}/fd"):
                if os.readlink(f"/proc/{pid}/fd/{fd}") in inodes:
                    with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
                        return f"{file.read().strip()}, process {pid}"
        except OSError:
            continue
    return None


def _listening_inodes(port: int) -> Iterator[str]:
    for table in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        try:
            with open(table, encoding="ascii") as file:
                lines = file.readlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                yield f"socket:[{fields[9]}]"
