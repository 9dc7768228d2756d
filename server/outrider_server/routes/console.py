"""What a run printed: pages of folded lines, and a search through them."""

from __future__ import annotations

from typing import Any

from outrider_server.routes.operation import Call, Operation, Parameter
from outrider_server.schemas import ref
from outrider_server.tokens import Role


def console(call: Call) -> dict[str, Any]:
    """A page of lines."""
    return call.services.store.console(call.path["project"], call.path["run"], **call.query)


def search(call: Call) -> dict[str, Any]:
    """Lines that match an expression."""
    query = call.query
    return call.services.store.search_console(
        call.path["project"],
        call.path["run"],
        expression=query["q"],
        start=query["from"],
        limit=query["limit"],
    )


_RUN = "/api/projects/{project}/runs/{run}"

OPERATIONS = (
    Operation(
        "GET",
        _RUN + "/console",
        "read_console",
        "What the run printed: lines as a terminal shows them, colours kept, a page at a time",
        Role.READ,
        console,
        ref("Console"),
        query=(
            Parameter(
                "line", "the first line, from 0; below 0: from the end", "integer", default=0
            ),
            Parameter("limit", "lines, at most", "integer", default=1000, minimum=1, maximum=10000),
            Parameter("stream", "only what went to out or err", choices=("out", "err")),
        ),
        description="`b` holds ANSI colours, complete in each line. A line that is still being "
        "written (a progress bar) changes and keeps its number. `next` is null at the end.",
    ),
    Operation(
        "GET",
        _RUN + "/console/search",
        "search_console",
        "Lines that match a regular expression, as far as one second gets",
        Role.READ,
        search,
        ref("ConsoleMatches"),
        query=(
            Parameter("q", "a regular expression", is_required=True, longest=512),
            Parameter("from", "the first line to look at", "integer", default=0, minimum=0),
            Parameter("limit", "matches, at most", "integer", default=100, minimum=1, maximum=1000),
        ),
        description="`next` says where to go on: the limit was reached or the time was over; "
        "null: everything was looked at.",
    ),
)
