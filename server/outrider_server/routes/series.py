"""What was recorded: series for charts, points exactly as logged, and the other records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outrider_server.expressions import parse
from outrider_server.groups import CENTRES, GroupQuery, band_of, group_field
from outrider_server.problems import bad_request
from outrider_server.query import SeriesQuery
from outrider_server.routes.operation import Call, Operation, Parameter
from outrider_server.schemas import ref
from outrider_server.smoothing import smoothing
from outrider_server.tokens import Role

MOST_LINES = 1000
"""What one answer may hold of several metrics."""

_KEY = Parameter("key", "the metric's key", is_required=True, longest=60_000)
_LOW = Parameter("min", "the window's lower end, in units of x", "number")
_HIGH = Parameter("max", "the window's upper end, in units of x", "number")
_WIDTH = Parameter(
    "width", "buckets at most: the chart's pixels", "integer", default=600, minimum=1, maximum=10000
)
_ONE_KEY = Parameter("key", "the metric's key, where no expression is given", longest=60_000)
_EXPRESSION = Parameter(
    "expression", "a formula of metrics instead of a key, such as train/loss - val/loss"
)
_X = Parameter("x", "step, relative, wall or metric:NAME", default="step", longest=60_000)
_SMOOTH = Parameter(
    "smooth", "ema:0.9, mean:20 (points) or gauss:5 (points); computed over the full data"
)


def series(call: Call) -> dict[str, Any]:
    """One metric of several runs, in buckets or exact."""
    query = call.query
    key, expression = _asked(query)
    return call.services.store.series(
        call.path["project"],
        key,
        query["run"],
        x=query["x"],
        low=query["min"],
        high=query["max"],
        width=query["width"],
        smooth=query["smooth"],
        expression=expression,
    )


def _asked(query: Mapping[str, Any]) -> tuple[str, str | None]:
    """The metric's key, or the expression (which is then its own key)."""
    key, expression = query["key"], query["expression"]
    if (key is None) == (expression is None):
        raise bad_request("give either 'key' or 'expression'")
    return (key, None) if expression is None else (expression, expression)


def many_series(call: Call) -> dict[str, Any]:
    """Several metrics of several runs, each as `series` answers it."""
    query = call.query
    keys = list(dict.fromkeys(query["key"]))
    if len(keys) * len(query["run"]) > MOST_LINES:
        hint = "ask for them in several requests"
        raise bad_request(f"an answer holds at most {MOST_LINES:,} lines", hint=hint)
    lines = SeriesQuery(
        "",
        query["run"],
        query["x"],
        query["min"],
        query["max"],
        query["width"],
        smoothing(query["smooth"]),
    )
    answers = call.services.store.many_series(call.path["project"], keys, lines)
    return {"answers": answers}


def groups(call: Call) -> dict[str, Any]:
    """One metric of all runs that a filter lets through, a line and a band a group."""
    query = call.query
    key, expression = _asked(query)
    lines = SeriesQuery(
        key,
        (),
        query["x"],
        query["min"],
        query["max"],
        query["width"],
        smoothing(query["smooth"]),
        None if expression is None else parse(expression),
    )
    band, quantile = band_of(query["band"])
    asked = GroupQuery(
        lines, group_field(query["by"]), query["filter"], query["centre"], band, quantile
    )
    return call.services.store.groups(call.path["project"], asked)


def system(call: Call) -> dict[str, Any]:
    """The system series of one run, over wall time."""
    query = call.query
    return call.services.store.system(
        call.path["project"],
        call.path["run"],
        low=query["min"],
        high=query["max"],
        width=query["width"],
    )


def points(call: Call) -> dict[str, Any]:
    """One metric exactly as logged, a page at a time."""
    query = call.query
    return call.services.store.points(
        call.path["project"],
        call.path["run"],
        query["key"],
        min_step=query["min_step"],
        max_step=query["max_step"],
        system=query["system"],
        cursor=query["cursor"],
    )


def records(call: Call) -> dict[str, Any]:
    """Console, alerts, files, gaps and what else was recorded, in order."""
    query = call.query
    return call.services.store.records(
        call.path["project"],
        call.path["run"],
        kind=query["kind"],
        after=query["after"],
        limit=query["limit"],
    )


_RUNS = Parameter("run", "a run's id, repeated", is_many=True, longest=64)
_LINES = (_RUNS, _X, _LOW, _HIGH, _WIDTH, _SMOOTH)
_PROJECT = "/api/projects/{project}"
_RUN = _PROJECT + "/runs/{run}"

OPERATIONS = (
    Operation(
        "GET",
        _PROJECT + "/series",
        "read_series",
        "One metric of several runs, in buckets of the width asked for, or exact when few",
        Role.READ,
        series,
        ref("Series"),
        query=(_ONE_KEY, _EXPRESSION, *_LINES),
    ),
    Operation(
        "GET",
        _PROJECT + "/series/many",
        "read_many_series",
        "Several metrics of several runs over one window",
        Role.READ,
        many_series,
        ref("ManySeries"),
        query=(
            Parameter("key", "a metric's key, repeated", is_many=True, longest=60_000),
            *_LINES,
        ),
        description="One answer a key, in their order, each as `/series` gives it: what a page "
        "asks when many of its charts have grown at once.",
    ),
    Operation(
        "GET",
        _PROJECT + "/groups",
        "read_groups",
        "One metric of all runs that a filter lets through: a line and a band for each group",
        Role.READ,
        groups,
        ref("Groups"),
        query=(
            _ONE_KEY,
            _EXPRESSION,
            Parameter(
                "by",
                "config.KEY, summary.KEY, tags, group, job_type, state, …",
                is_required=True,
                longest=60_000,
            ),
            Parameter("filter", "which runs, as in the list of runs", longest=60_000),
            Parameter("centre", "mean or median", default="mean", choices=CENTRES),
            Parameter("band", "minmax, std, stderr, none or quantiles:0.25", default="minmax"),
            _X,
            _LOW,
            _HIGH,
            _WIDTH,
            _SMOOTH,
        ),
        description="Between two of its points a run counts with the straight line that joins "
        "them, and outside of its first and last it does not count; `n` is how many do.",
    ),
    Operation(
        "GET",
        _RUN + "/system",
        "read_system",
        "The system series of a run, over wall time",
        Role.READ,
        system,
        ref("SystemSeries"),
        query=(_LOW, _HIGH, _WIDTH),
    ),
    Operation(
        "GET",
        _RUN + "/points",
        "read_points",
        "One metric exactly as logged: all attempts, not merged, NaN as text",
        Role.READ,
        points,
        ref("Points"),
        query=(
            _KEY,
            Parameter("min_step", "the first step", "integer"),
            Parameter("max_step", "the last step", "integer"),
            Parameter("system", "1 for a system series", "boolean", default=False),
            Parameter("cursor", "`next` of the answer before"),
        ),
    ),
    Operation(
        "GET",
        _RUN + "/records",
        "read_records",
        "The other records of a run, in order",
        Role.READ,
        records,
        ref("Records"),
        query=(
            Parameter("kind", "console, alert, file, media, gap, …", longest=64),
            Parameter("after", "`next` of the answer before"),
            Parameter(
                "limit", "records, at most", "integer", default=1000, minimum=1, maximum=100_000
            ),
        ),
    ),
)
