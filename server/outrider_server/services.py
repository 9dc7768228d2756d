"""What the routes work with, handed to each of them as one value."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outrider_server.bodies import Budget
    from outrider_server.config import ServerConfig
    from outrider_server.live import Hub
    from outrider_server.login import LoginCodes
    from outrider_server.store import Store
    from outrider_server.tokens import Tokens
    from outrider_server.webhook import Poster


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a running server."""

    config: ServerConfig
    store: Store
    tokens: Tokens
    codes: LoginCodes
    hub: Hub
    budget: Budget
    threads: ThreadPoolExecutor
    cookie: str
    poster: Poster | None = None
