"""What a server is started with, and the limits that keep one client from hurting the others."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from outrider.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what clients may make the server hold, in bytes, seconds and numbers."""

    batch_bytes: int = 17 * MIB  # a record is at most 16 MiB
    json_bytes: int = MIB
    window_bytes: int = 8 * MIB  # what one zstd frame may ask for
    bodies_bytes: int = 256 * MIB  # all bodies being read at one moment
    header_bytes: int = 64 * 1024
    connections: int = 2000
    event_clients: int = 256
    event_runs: int = 512  # changes waiting for one slow event client
    header_seconds: float = 20.0  # from the first byte (or the connection) to the whole header
    rest_seconds: float = 75.0  # between two requests; longer than a streamer is silent
    body_idle_seconds: float = 30.0
    body_seconds: float = 300.0
    write_seconds: float = 60.0  # a client that reads nothing for so long is dropped
    stop_seconds: int = 10  # requests in flight when the server stops
    rules_seconds: float = 15.0  # how often silent and stalled runs are looked for
    webhook_seconds: float = 5.0  # the first pause after a post that failed; doubled up to an hour


def limits_from(changes: Iterable[str]) -> Limits:
    """Limits with some changed, each given as ``name=number``."""
    values: dict[str, Any] = {}
    kinds: dict[str, type] = {
        item.name: type(getattr(Limits(), item.name)) for item in fields(Limits)
    }
    for change in changes:
        name, _, text = change.partition("=")
        try:
            values[name] = kinds[name](text)
        except (KeyError, ValueError):
            raise UsageError(
                f"{change!r} is no limit", hint="name=number; names: " + ", ".join(kinds)
            ) from None
    return Limits(**values)


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Where a server listens and what it keeps.

    ``hosts`` are further names that may stand in a request's Host header (a reverse proxy's name,
    for example); ``public_url`` is how people reach the page when that is not ``http://host:port``;
    ``webhook`` is where alerts are posted from now on ("off": nowhere, None: as it was).
    """

    host: str = "127.0.0.1"
    port: int = 7878
    data: str = ""
    store: str | None = None
    files: str | None = None
    hosts: tuple[str, ...] = ()
    public_url: str | None = None
    webhook: str | None = None
    limits: Limits = field(default_factory=Limits)


def default_data_folder() -> str:
    """The folder a server uses when none is named."""
    from platformdirs import user_data_dir

    return os.path.join(user_data_dir("outrider"), "server")
