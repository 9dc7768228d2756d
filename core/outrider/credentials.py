"""Tokens on the client's side: where each is kept, and to which server each may be sent.

Two files, both for this user alone (0600):

* ``credentials.toml`` in the user's config folder: one token per server origin, written by
  ``outrider login``.
* ``servers/<host>-<port>.json`` in the user's state folder: written by a local server for local clients
  of the same user.

A token is sent only to the origin it belongs to, whatever a training folder's settings file names.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from outrider.errors import SettingsError
from outrider.folder import make_folder, write_file
from outrider.settings import check_url, user_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTEN = "0A"


class Token(NamedTuple):
    """A token and where it was found; its text never shows in a ``repr``."""

    value: str
    source: str

    def __repr__(self) -> str:
        return f"Token(source={self.source!r})"


class LocalServer(NamedTuple):
    """What a local server says of itself; ``pid`` is None after it was stopped."""

    url: str
    pid: int | None
    token: str
    data: str

    def __repr__(self) -> str:
        return f"LocalServer(url={self.url!r}, pid={self.pid!r}, data={self.data!r})"


def origin(url: str) -> str:
    """Return ``scheme://host:port`` of a URL, lower-case and with its port spelled out.

    >>> origin("HTTP://Example.org/p/mnist")
    'http://example.org:80'
    """
    parts = urlsplit(check_url("url", url))
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://[{host}]:{port}" if ":" in host else f"{parts.scheme}://{host}:{port}"


def token_for(url: str, *, api_key: str | None = None, url_origin: str = "default") -> Token | None:
    """Find the token to send to ``url``; None when there is none.

    ``url_origin`` is ``Settings.origin("url")`` or run.json's word for it. An ``api_key`` is used
    only when the person, not a training folder's settings file, chose the server: a cloned
    repository must not be able to name a server and be sent a token.
    """
    if api_key and _chosen_by_the_person(url_origin):
        return Token(api_key, "OUTRIDER_API_KEY")
    where = origin(url)
    path = credentials_path()
    if path is not None:
        kept = _read_credentials(path).get(where)
        if kept:
            return Token(kept, path)
    parts = urlsplit(where)
    if parts.port is not None and _is_loopback(parts.hostname or ""):
        server = local_server(parts.port)
        if server is not None and listener_is_ours(parts.hostname or "", parts.port):
            return Token(server.token, _server_path(parts.port) or "local server")
    return None


def store(url: str, token: str) -> str:
    """Keep a token for a server's origin; returns the path of the file."""
    if not token or not token.isascii() or not token.isprintable():
        raise SettingsError("a token is printable ASCII text", hint="copy it again, whole")
    path = credentials_path()
    if path is None:
        raise SettingsError(
            "there is no home folder to keep a token in",
            hint="set HOME or XDG_CONFIG_HOME, or pass the token in OUTRIDER_API_KEY",
        )
    kept = _read_credentials(path)
    kept[origin(url)] = token
    _write_credentials(path, kept)
    return path


def forget(url: str) -> bool:
    """Remove the token of a server's origin; whether there was one."""
    path = credentials_path()
    kept = _read_credentials(path) if path is not None else {}
    if path is None or kept.pop(origin(url), None) is None:
        return False
    _write_credentials(path, kept)
    return True


def credentials_path() -> str | None:
    """The path of the user's credentials file, or None where there is no home folder."""
    settings = user_file()
    return os.path.join(os.path.dirname(settings), "credentials.toml") if settings else None


def write_local_server(port: int, *, url: str, token: str, data: str, pid: int | None) -> str:
    """Tell local clients of this user how to reach the server on ``port``; returns the path.

    ``pid`` None says that the server was stopped; its token stays good for its next start.
    """
    path = _server_path(port)
    if path is None:
        raise SettingsError("there is no home folder to keep the local server's token in")
    _make_folders(os.path.dirname(path))
    content = {"url": url, "pid": pid, "token": token, "data": data}
    write_file(path, json.dumps(content).encode() + b"\n")
    return path


def remove_local_server(port: int) -> None:
    """Forget the local server on ``port``."""
    path = _server_path(port)
    if path is not None:
        with suppress(FileNotFoundError):
            os.unlink(path)


def local_server(port: int) -> LocalServer | None:
    """What the local server on ``port`` wrote, or None; says nothing about whether it runs."""
    path = _server_path(port)
    text = _read_private(path) if path is not None else None
    if text is None:
        return None
    try:
        found: Any = json.loads(text)
        url, token, data = found["url"], found["token"], found.get("data", "")
        pid = found.get("pid")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not all(isinstance(item, str) for item in (url, token, data)):
        return None
    return LocalServer(url, pid if isinstance(pid, int) else None, token, data)


def local_servers() -> list[LocalServer]:
    """Every local server that wrote its file, by port."""
    folder = _servers_folder()
    try:
        names = os.listdir(folder) if folder is not None else []
    except OSError:
        return []
    before = f"{_host()}-"
    ports = sorted(
        int(name[len(before) : -5])
        for name in names
        if name.startswith(before) and name.endswith(".json") and name[len(before) : -5].isdecimal()
    )
    return [server for port in ports if (server := local_server(port)) is not None]


def listener_is_ours(host: str, port: int) -> bool:
    """Whether everything that listens at this loopback address belongs to this user.

    Another user of the machine can take the port that our server had, and would then be sent the
    token. Linux tells the owner of each listening socket; elsewhere the server's own process is
    asked for its sockets.
    """
    if not sys.platform.startswith("linux"):
        return _process_listens(port)
    wanted = _loopback_addresses(host)
    owners = {
        uid
        for address, its_port, uid in _listeners()
        if its_port == port and (address in wanted or address.is_unspecified)
    }
    return owners == {os.getuid()}


def _chosen_by_the_person(url_origin: str) -> bool:
    word = url_origin.partition(" ")[0]
    return word in ("argument", "environment", "user", "default") or (
        os.path.isabs(url_origin) and url_origin == user_file()
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _loopback_addresses(host: str) -> set[IPv4Address | IPv6Address]:
    if host == "localhost":
        return {ip_address("127.0.0.1"), ip_address("::1")}
    return {ip_address(host)}


def _listeners() -> Iterator[tuple[IPv4Address | IPv6Address, int, int]]:
    """Listening TCP sockets of this network namespace: address, port, owner."""
    for table in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        try:
            with open(table, encoding="ascii") as file:
                lines = file.readlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if len(fields) < 8 or fields[3] != _LISTEN:
                continue
            text, _, port = fields[1].partition(":")
            yield _address(text), int(port, 16), int(fields[7])


def _address(text: str) -> IPv4Address | IPv6Address:
    """An address as the kernel prints it: 32-bit words in the machine's byte order."""
    raw = b"".join(
        int(text[start : start + 8], 16).to_bytes(4, sys.byteorder)
        for start in range(0, len(text), 8)
    )
    address = ip_address(raw)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped if mapped is not None else address


def _process_listens(port: int) -> bool:
    import psutil

    server = local_server(port)
    if server is None or server.pid is None:
        return False
    try:
        process = psutil.Process(server.pid)
        return process.uids().real == os.getuid() and any(
            one.status == psutil.CONN_LISTEN and getattr(one.laddr, "port", None) == port
            for one in process.net_connections("tcp")
        )
    except psutil.Error:
        return False


def _servers_folder() -> str | None:
    home = os.environ.get("XDG_STATE_HOME") or ""
    if sys.platform == "linux" and os.path.isabs(home):
        return os.path.join(home, "outrider", "servers")
    from platformdirs import user_state_dir

    try:
        folder = user_state_dir("outrider")
    except (RuntimeError, KeyError, OSError):
        return None
    return os.path.join(folder, "servers") if os.path.isabs(folder) else None


def _server_path(port: int) -> str | None:
    folder = _servers_folder()
    return os.path.join(folder, f"{_host()}-{port}.json") if folder is not None else None


def _host() -> str:
    """This machine's part of the names: a home folder may be shared by many."""
    from outrider.ids import host_label

    return host_label()


def _read_private(path: str) -> str | None:
    """A small file of ours, or None; one that another user owns or planted is not believed."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid():
            return None
        if stat.S_IMODE(status.st_mode) & 0o077:
            with suppress(OSError):
                os.fchmod(fd, 0o600)
        return file.read(1 << 20).decode("utf-8", "replace")


def _make_folders(path: str) -> None:
    """Make our folder and those above it; each that is new is for this user alone."""
    if not os.path.isdir(path):
        _make_folders(os.path.dirname(path))
        make_folder(path)


def _read_credentials(path: str) -> dict[str, str]:
    """Tokens by origin."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    text = _read_private(path)
    if text is None:
        return {}
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"cannot read {path}: {error}",
            hint="mend the line it names, or remove the file and run `outrider login` again",
        ) from None
    return {
        where: entry["token"]
        for where, entry in found.items()
        if isinstance(entry, dict) and isinstance(entry.get("token"), str)
    }


def _write_credentials(path: str, kept: dict[str, str]) -> None:
    # An origin and a token are printable ASCII: a JSON text is then a TOML text too.
    text = "".join(
        f"[{json.dumps(where)}]\ntoken = {json.dumps(token)}\n\n"
        for where, token in sorted(kept.items())
    )
    try:
        _make_folders(os.path.dirname(path))
        write_file(path, text.encode())
    except OSError as error:
        raise SettingsError(f"cannot write {path}: {error.strerror}") from error
