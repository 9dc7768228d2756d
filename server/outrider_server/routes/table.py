"""The list of runs as a Parquet file, where pyarrow is installed beside the server."""

from __future__ import annotations

import asyncio
import io
from importlib.util import find_spec
from typing import Any

import orjson
from starlette.responses import Response

from outrider_server.filters import field_of
from outrider_server.problems import Problem
from outrider_server.query import RunQuery
from outrider_server.routes.operation import Call, Operation, Parameter
from outrider_server.tokens import Role

_PAGE = 10_000
_ALWAYS = ("id", "name", "state")


async def parquet(call: Call) -> Response:
    """Every run that the filter lets through, in the list's order, a column for each asked for."""
    if find_spec("pyarrow") is None:
        raise Problem(
            501,
            "no_pyarrow",
            "this server cannot write Parquet",
            hint="install pyarrow beside the server, or save as CSV",
        )
    loop = asyncio.get_running_loop()
    content = await loop.run_in_executor(call.services.threads, _written, call)
    return Response(
        content,
        media_type="application/vnd.apache.parquet",
        headers={
            "cache-control": "no-store",
            "content-disposition": 'attachment; filename="runs.parquet"',
            "x-content-type-options": "nosniff",
        },
    )


def _written(call: Call) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    keys = list(dict.fromkeys((*_ALWAYS, *call.query["columns"])))
    fields = [field_of(key) for key in keys]
    data = [
        key
        for key, field in zip(keys, fields, strict=True)
        if field.kind in ("config", "summary", "metric")
    ]
    rows: list[dict[str, Any]] = []
    while True:
        query = RunQuery(
            call.query["filter"], call.query["sort"], _PAGE, len(rows), data, call.query["by"]
        )
        page = call.services.store.runs(call.path["project"], query)
        rows += page["runs"]
        if not page["runs"] or len(rows) >= page["total"]:
            break
    columns = {
        key: _column(pa, [_value(row, key, field.kind, field.key) for row in rows])
        for key, field in zip(keys, fields, strict=True)
    }
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, compression="zstd")
    return file.getvalue()


def _value(row: dict[str, Any], key: str, kind: str, name: str) -> Any:
    return row[kind].get(name) if kind in ("config", "summary", "metric") else row.get(key)


def _column(pa: Any, values: list[Any]) -> Any:
    """Numbers as numbers; a column of several types as texts, each as JSON."""
    words = {"NaN", "Infinity", "-Infinity"}
    are_numbers = all(
        value is None or type(value) in (int, float) or (isinstance(value, str) and value in words)
        for value in values
    )
    if are_numbers and any(isinstance(value, (float, str)) for value in values):
        return pa.array([None if value is None else float(value) for value in values])
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array(
            [
                value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
                for value in values
            ]
        )


OPERATIONS = (
    Operation(
        "GET",
        "/api/projects/{project}/runs.parquet",
        "table_parquet",
        "The list of runs as a Parquet file",
        Role.READ,
        parquet,
        {"type": "string", "format": "binary"},
        query=(
            Parameter("filter", "as in the list of runs", default="", longest=8192),
            Parameter("sort", "as in the list of runs", default=""),
            Parameter("by", "as in the list of runs"),
            Parameter("columns", "as in the list, and name, state, tags, …", is_many=True),
        ),
        errors=(501,),
        is_raw=True,
        media_type="application/vnd.apache.parquet",
        description="501 where pyarrow is not installed beside the server.",
    ),
)
