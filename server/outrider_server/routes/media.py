"""The media of a run: which there are, at which steps, and the rows of its tables."""

from __future__ import annotations

from typing import Any

from outrider_server.problems import not_found
from outrider_server.routes.operation import Call, Operation, Parameter
from outrider_server.schemas import (
    INTEGER,
    NUMBER,
    TEXT,
    TRUTH,
    VALUE,
    VALUES,
    many,
    maybe,
    shape,
)
from outrider_server.store.media import PAGE, ROWS, MediaQuery, TableQuery
from outrider_server.tokens import Role


def list_media(call: Call) -> dict[str, Any]:
    """A page of a run's media."""
    query = MediaQuery(**call.query)
    return call.services.store.media(call.path["project"], call.path["run"], query)


def list_keys(call: Call) -> dict[str, Any]:
    """The keys under which a run logged media."""
    return call.services.store.media_keys(call.path["project"], call.path["run"])


def read_table(call: Call) -> dict[str, Any]:
    """Some rows of a table."""
    seq = call.path["seq"]
    if not (seq.isascii() and seq.isdigit() and len(seq) < 18):
        raise not_found("there is no such table")
    query = TableQuery(**call.query)
    return call.services.store.table(call.path["project"], call.path["run"], int(seq), query)


_PART = {
    **shape(
        "",
        sha256=maybe("string"),
        size=maybe("integer"),
        type=maybe("string"),
        present=TRUTH,
        state=TEXT,
        why=TEXT,
        caption=TEXT,
        width=INTEGER,
        height=INTEGER,
        masks=VALUES,
        boxes=VALUES,
        fps=NUMBER,
        frames=INTEGER,
        rate=INTEGER,
        channels=INTEGER,
        seconds=NUMBER,
        value=VALUE,
    ),
    "description": "`state` is pending until the file was made and told; `present` says that the "
    "server has its bytes: GET …/blobs/{sha256}. `masks` are parts by name, with `labels`; `boxes` "
    "are {boxes, labels} by name, positions in parts of width and height unless `domain` is pixel.",
}
_MEDIA = shape(
    "seq t step key type parts value",
    seq=INTEGER,
    t=NUMBER,
    step=INTEGER,
    key=TEXT,
    type=TEXT,
    parts=many(_PART),
    value={
        **VALUES,
        "type": ["object", "null"],
        "description": "Of a histogram {counts, edges, nonfinite?}, of a short text {text}, of a "
        "table {columns, rows, left_out?, data?}. Lists of these have a `value` in each part.",
    },
)
_KEY = shape(
    "key type count first_step last_step",
    key=TEXT,
    type=TEXT,
    count=INTEGER,
    first_step=INTEGER,
    last_step=INTEGER,
)
_RUN = "/api/projects/{project}/runs/{run}"

OPERATIONS = (
    Operation(
        "GET",
        _RUN + "/media",
        "list_media",
        "Images, sounds, videos, pages, texts, histograms, tables and figures of a run, by step",
        Role.READ,
        list_media,
        shape("media next", media=many(_MEDIA), next=maybe("string")),
        query=(
            Parameter("key", "only what was logged under this key", longest=60_000),
            Parameter("min_step", "the first step", "integer"),
            Parameter("max_step", "the last step", "integer"),
            Parameter("after", "`next` of the answer before"),
            Parameter("limit", "records, at most", "integer", default=100, minimum=1, maximum=PAGE),
        ),
    ),
    Operation(
        "GET",
        _RUN + "/media/keys",
        "list_media_keys",
        "The keys under which a run logged media, each with its steps",
        Role.READ,
        list_keys,
        shape("keys", keys=many(_KEY)),
    ),
    Operation(
        "GET",
        _RUN + "/tables/{seq}",
        "read_table",
        "Rows of a table, sorted and a page at a time; cells of media are parts",
        Role.READ,
        read_table,
        shape(
            "key step columns total left_out offset rows",
            key=TEXT,
            step=INTEGER,
            columns=many(shape("name type", name=TEXT, type=TEXT)),
            total=INTEGER,
            left_out=INTEGER,
            offset=INTEGER,
            rows=many(many(VALUE)),
        ),
        query=(
            Parameter("offset", "rows to skip", "integer", default=0, minimum=0),
            Parameter("limit", "rows, at most", "integer", default=100, minimum=0, maximum=ROWS),
            Parameter("sort", "a column's name, `-` before it for falling order", longest=60_000),
        ),
        description="A column's type is number, text, boolean, media or json; NaN and infinities "
        "in a column of numbers are the words of the journal. `seq` is the one that the list of "
        "media says.",
    ),
)
