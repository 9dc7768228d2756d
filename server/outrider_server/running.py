"""One running server: from the open store to the last answer, and how it stops."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import uvicorn

from outrider import credentials
from outrider.errors import OutriderError
from outrider_server.app import build
from outrider_server.bodies import Budget
from outrider_server.guard import AT_ONCE, COOKIE, SECURITY_HEADERS
from outrider_server.live import Hub
from outrider_server.login import LoginCodes
from outrider_server.port import EVERYWHERE
from outrider_server.protocol import bounded, sweep
from outrider_server.services import Services
from outrider_server.store import Store
from outrider_server.tokens import Tokens
from outrider_server.version import version
from outrider_server.webhook import Poster, check_url

if TYPE_CHECKING:
    import socket

    from outrider_server.config import ServerConfig
    from outrider_server.data_folder import DataFolder

_log = logging.getLogger("outrider.server")

_PRINTED_CODE_SECONDS = 3600.0
_READ_THREADS = 4
_GARBAGE = 20_000
"""Look for garbage after so many new objects: a list of 20,000 runs makes 100,000, and drops them."""


def run_server(
    config: ServerConfig,
    folder: DataFolder,
    listener: socket.socket,
    *,
    keep_local: bool,
    open_link: bool,
    quiet: bool,
    ready_fd: int | None,
) -> None:
    """Open the store, serve until a signal, close the store."""
    store = Store.open(config.store if config.store is not None else folder.store, config.files)
    try:
        threading.Thread(
            target=_sweep, args=(store, time.time()), name="sweep", daemon=True
        ).start()
        running = _Running(config, folder, store, listener)
        # what is there now lives to the end: looking through it again and again is 2 % of an ingest
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GARBAGE, 20, 50)
        running.run(keep_local=keep_local, open_link=open_link, quiet=quiet, ready_fd=ready_fd)
    finally:
        store.close()


def _sweep(store: Store, since: float) -> None:
    try:
        store.sweep_contents(since)
    except Exception:
        _log.exception("contents that belong to no run could not be removed")


class _Server(uvicorn.Server):
    """uvicorn, stopped by us: event streams end first, since they would never end by themselves."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub
        self.server_state.default_headers = list(config.encoded_headers)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on the first signal, give up on what is in flight on the second."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """Take no new requests, finish those in flight."""
        self.force_exit = self.should_exit
        self.should_exit = True
        self._hub.close()


class _Running:
    """The parts of one server, from the open store to the last answer."""

    def __init__(
        self, config: ServerConfig, folder: DataFolder, store: Store, listener: socket.socket
    ) -> None:
        limits = config.limits
        self._config = config
        self._folder = folder
        self._listener = listener
        self._before = credentials.local_server(config.port)
        self._tokens = Tokens(store)
        kept = self._before
        self._local, self._token = self._tokens.adopt_local(
            kept.token if kept is not None and kept.data == folder.path else None
        )
        self._hub = Hub(limits.event_clients, limits.event_runs)
        self.url = f"http://{_address(config.host)}:{config.port}"
        self._poster = Poster(
            store.alerts, config.public_url or self.url, pause=limits.webhook_seconds
        )
        if config.webhook is not None:
            store.alerts.set_webhook(None if config.webhook == "off" else check_url(config.webhook))
        self._services = Services(
            config=config,
            store=store,
            tokens=self._tokens,
            codes=LoginCodes(),
            hub=self._hub,
            budget=Budget(limits.bodies_bytes),
            threads=ThreadPoolExecutor(_READ_THREADS, "read"),
            cookie=f"{COOKIE}_{config.port}",
            poster=self._poster,
        )

    def run(self, *, keep_local: bool, open_link: bool, quiet: bool, ready_fd: int | None) -> None:
        limits = self._config.limits
        guard = build(self._services)
        server = _Server(
            uvicorn.Config(
                guard,
                http=bounded(limits, guard.at_once, AT_ONCE),
                ws="none",
                loop="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                headers=[("outrider-server", version()), *SECURITY_HEADERS],
                timeout_graceful_shutdown=limits.stop_seconds,
                backlog=2048,
            ),
            self._hub,
        )
        pid = os.getpid()
        self._folder.tell(self.url)
        self._write_local(pid)
        self._poster.start()
        try:
            _run(self._serve(server, open_link, quiet, ready_fd))
        finally:
            self._poster.stop()
            self._services.threads.shutdown(cancel_futures=True)
            self._forget_local(pid, keep_local)

    async def _serve(
        self, server: _Server, open_link: bool, quiet: bool, ready_fd: int | None
    ) -> None:
        loop = asyncio.get_running_loop()
        self._tokens.on_revoke = lambda ids: _soon(loop, self._hub.end, list(ids))
        sweeper = asyncio.ensure_future(sweep(server.server_state.connections))
        looker = asyncio.ensure_future(self._look_at_rules())
        serving = asyncio.ensure_future(server.serve(sockets=[self._listener]))
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(0.005)
        if server.started and not server.should_exit:
            self._announce(open_link, quiet, ready_fd)
        try:
            await serving
        finally:
            sweeper.cancel()
            looker.cancel()

    async def _look_at_rules(self) -> None:
        """Every few seconds, look for runs that time alone makes worth an alert."""
        services = self._services
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(max(0.05, self._config.limits.rules_seconds))
            try:
                told = await loop.run_in_executor(services.threads, services.store.alerts.check)
            except (OutriderError, RuntimeError):  # the disk is full, or the server stops
                continue
            for project, run in told:
                self._hub.publish(project, run, ("alert",), ())

    def _announce(self, open_link: bool, quiet: bool, ready_fd: int | None) -> None:
        code, _ = self._services.codes.create(self._local, seconds=_PRINTED_CODE_SECONDS)
        base = (self._config.public_url or self.url).rstrip("/")
        link = f"{base}/login?code={code}"
        if not quiet and ready_fd is None:
            print(f"Outrider {version()} serves {self._folder.path}")
            print(f"Log in (works once, within an hour): {link}")
            print("Stop with Ctrl-C.", flush=True)
        if ready_fd is not None:
            told = {"url": self.url, "token": self._token, "link": link}
            os.write(ready_fd, json.dumps(told).encode() + b"\n")
            os.close(ready_fd)
        if open_link:
            import webbrowser

            webbrowser.open(link)

    def _write_local(self, pid: int | None) -> None:
        try:
            credentials.write_local_server(
                self._config.port,
                url=self.url,
                token=self._token,
                data=self._folder.path,
                pid=pid,
            )
        except (OSError, OutriderError) as error:
            print(
                f"warning: local clients will not find this server by themselves ({error})",
                file=sys.stderr,
            )

    def _forget_local(self, pid: int, keep_local: bool) -> None:
        """Leave the token for the next start on this port; a port taken at random is forgotten."""
        found = credentials.local_server(self._config.port)
        if found is None or found.pid != pid:
            return
        if keep_local:
            self._write_local(None)
        else:
            with suppress(OSError):
                credentials.remove_local_server(self._config.port)


def _soon(
    loop: asyncio.AbstractEventLoop, action: Callable[[list[str]], None], ids: list[str]
) -> None:
    with suppress(RuntimeError):  # the loop is closed: there is no stream left to end
        loop.call_soon_threadsafe(action, ids)


def _address(host: str) -> str:
    """How this machine reaches a server that was bound to ``host``."""
    if host in EVERYWHERE:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _run(main: Coroutine[Any, Any, None]) -> None:
    """``asyncio.run`` on uvloop, where that is installed."""
    try:
        import uvloop

        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    except ImportError:
        loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(main)
    finally:
        loop.run_until_complete(_cancel_all())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


async def _cancel_all() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
