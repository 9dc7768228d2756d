"""Runs a server: takes the port and the data folder, serves, stops without losing anything.

``serve()`` is what ``outrider server`` calls. ``start_background(data, port=0)`` starts the same
in a process of its own and returns ``(url, token, process, link)`` once it answers.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from contextlib import suppress

from outrider_server.background import Background, start_background
from outrider_server.config import Limits, ServerConfig, default_data_folder
from outrider_server.data_folder import DataFolder
from outrider_server.port import listen

__all__ = ["Background", "serve", "start_background"]


def serve(
    host: str = "127.0.0.1",
    port: int = 7878,
    data: str | os.PathLike[str] | None = None,
    store: str | None = None,
    files: str | os.PathLike[str] | None = None,
    open_link: bool = False,
    *,
    hosts: Iterable[str] = (),
    public_url: str | None = None,
    webhook: str | None = None,
    limits: Limits | None = None,
    quiet: bool = False,
    ready_fd: int | None = None,
) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code (0 after a graceful stop).

    ``port`` 0 takes a free one. ``data`` defaults to the user's data folder; ``store`` (a
    ``sqlite:///`` URL) and ``files`` default to places in it. ``open_link`` opens the one-time
    login link in a browser. ``hosts`` are further names that a request may address (a reverse
    proxy's, say); ``public_url`` is the address that people use when it is not this one;
    ``webhook`` is the address that alerts are posted to, kept until it is changed or "off".
    ``ready_fd`` is a descriptor that gets one JSON line ``{"url", "token", "link"}`` when the
    server answers.

    Raises ``OutriderError`` with a hint when the port is taken or not allowed, or the data folder
    is held by another server, foreign, newer than this version or not writable.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # one line a bad request is a flood
    os.umask(0o077)
    _raise_file_limit()
    listener = listen(host, port)
    try:
        folder = DataFolder(os.fspath(data) if data is not None else default_data_folder())
    except BaseException:
        listener.close()
        raise
    try:
        config = ServerConfig(
            host=host,
            port=listener.getsockname()[1],
            data=folder.path,
            store=store,
            files=os.fspath(files) if files is not None else folder.files,
            hosts=tuple(hosts),
            public_url=public_url,
            webhook=webhook,
            limits=limits or Limits(),
        )
        # What follows takes a second to import: a wrong port or folder is told before it.
        from outrider_server.running import run_server

        run_server(
            config,
            folder,
            listener,
            keep_local=port != 0,
            open_link=open_link,
            quiet=quiet,
            ready_fd=ready_fd,
        )
    finally:
        listener.close()
        folder.close()
    return 0


def _raise_file_limit() -> None:
    """A connection is a descriptor; many systems start with 1,024."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else 65536
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(wanted, 65536)), hard))
