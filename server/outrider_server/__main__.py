"""``python -m outrider_server``: the server without the command line's comforts."""

from __future__ import annotations

import argparse
import sys

from outrider.errors import OutriderError
from outrider_server.config import limits_from
from outrider_server.main import serve


def main() -> int:
    """Run a server until it is told to stop; returns the exit code."""
    parser = argparse.ArgumentParser("outrider_server", description="Run an Outrider server.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7878)
    parser.add_argument("--data")
    parser.add_argument("--store")
    parser.add_argument("--files")
    parser.add_argument("--allow-host", action="append", default=[])
    parser.add_argument("--public-url")
    parser.add_argument("--webhook")
    parser.add_argument("--limit", action="append", default=[], metavar="NAME=NUMBER")
    parser.add_argument("--ready-fd", type=int)
    found = parser.parse_args()
    try:
        limits = limits_from(found.limit)
        return serve(
            found.host,
            found.port,
            found.data,
            found.store,
            found.files,
            hosts=found.allow_host,
            public_url=found.public_url,
            webhook=found.webhook,
            limits=limits,
            ready_fd=found.ready_fd,
        )
    except OutriderError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
