"""The shapes of the API's answers, as JSON Schema; the OpenAPI document names them."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """A reference to one of SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def many(items: Schema) -> Schema:
    """A list of one shape."""
    return {"type": "array", "items": items}


def shape(required: str = "", /, **properties: Schema) -> Schema:
    """An object; ``required`` names properties, by spaces, that are always there."""
    found: Schema = {"type": "object", "properties": properties}
    if required:
        found["required"] = required.split()
    return found


def whole(**properties: Schema) -> Schema:
    """An object whose properties are all always there."""
    return shape(" ".join(properties), **properties)


def maybe(kind: str) -> Schema:
    """A value or null."""
    return {"type": [kind, "null"]}


def perhaps(schema: Schema) -> Schema:
    """What has a shape, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def by_name(schema: Schema) -> Schema:
    """An object whose keys are names."""
    return {"type": "object", "additionalProperties": schema}


TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
INTEGER: Schema = {"type": "integer"}
TRUTH: Schema = {"type": "boolean"}
ANY: Schema = {"type": "object", "additionalProperties": True}
VALUE = ref("Value")
VALUES = by_name(VALUE)
TEXTS = many(TEXT)
NUMBERS = many(NUMBER)
INTEGERS = many(INTEGER)
STATE: Schema = {
    "type": "string",
    "description": "running, or how it ended: finished, failed, killed, preempted, oom, lost, "
    "crashed",
}

_RUN: Schema = {
    "id": TEXT,
    "project": TEXT,
    "name": maybe("string"),
    "state": STATE,
    "attempt": INTEGER,
    "created": NUMBER,
    "started": NUMBER,
    "ended": maybe("number"),
    "updated": NUMBER,
    "duration": NUMBER,
    "group": maybe("string"),
    "job_type": maybe("string"),
    "tags": TEXTS,
    "notes": maybe("string"),
    "host": maybe("string"),
    "gaps": INTEGER,
    "archived": TRUTH,
    "config": VALUES,
    "summary": VALUES,
}
_MARKS = many(whole(x=NUMBER, step=NUMBER, value=TEXT, count=INTEGER))
_END: Schema = shape(
    "state sentence",
    state=STATE,
    sentence={"type": "string", "description": "all of it in one sentence"},
    t=NUMBER,
    code=maybe("integer"),
    signal=maybe("integer"),
    why=perhaps(shape("type message", type=TEXT, message=TEXT, traceback=maybe("string"))),
    evidence={**VALUES, "type": ["object", "null"], "description": "what the machine knew"},
)
_METRIC_FACTS = whole(
    key=TEXT,
    points=INTEGER,
    last={"type": ["number", "string", "null"]},
    last_step=maybe("integer"),
    min=maybe("number"),
    max=maybe("number"),
    mean=maybe("number"),
    min_step=maybe("integer"),
    max_step=maybe("integer"),
    nonfinite=INTEGER,
    step=maybe("string"),
    summary=maybe("string"),
    goal=maybe("string"),
    hidden=TRUTH,
)
_WRITER = whole(
    writer=TEXT,
    host=maybe("string"),
    pid=maybe("integer"),
    role=maybe("string"),
    primary=TRUTH,
    attempt=INTEGER,
    state=STATE,
    end=perhaps(by_name(VALUE)),
)
_SERIES: Schema = {
    "run": TEXT,
    "exact": TRUTH,
    "total": INTEGER,
    "x": NUMBERS,
    "step": NUMBERS,
    "time": NUMBERS,
    "last": NUMBERS,
    "min": NUMBERS,
    "max": NUMBERS,
    "mean": NUMBERS,
    "count": INTEGERS,
    "smooth": NUMBERS,
    "marks": _MARKS,
}
_COLUMN = whole(key=TEXT, types=TEXTS, runs=INTEGER)
_METRIC = whole(key=TEXT, runs=INTEGER, points=INTEGER, hidden=TRUTH, step=maybe("string"))

SCHEMAS: dict[str, Schema] = {
    "Value": {
        "description": "any JSON; NaN and infinities are the words of the journal",
        "anyOf": [
            {"type": ["string", "number", "boolean", "null"]},
            many(VALUE),
            by_name(VALUE),
        ],
    },
    "Error": shape(
        "error",
        error=shape("code message hint", code=TEXT, message=TEXT, hint=maybe("string")),
    ),
    "OffsetError": shape("error offset", error=ANY, offset=INTEGER),
    "Health": shape("service version protocol", service=TEXT, version=TEXT, protocol=INTEGER),
    "Me": whole(role=TEXT, projects=perhaps(TEXTS), name=TEXT),
    "Project": shape(
        "name runs running updated",
        name=TEXT,
        runs=INTEGER,
        running=INTEGER,
        updated=maybe("number"),
    ),
    "Projects": shape("projects", projects=many(ref("Project"))),
    "RunCreated": shape(
        "project id name url created attempt last_step state offsets",
        project=TEXT,
        id=TEXT,
        name=maybe("string"),
        url=TEXT,
        created=TRUTH,
        attempt=INTEGER,
        last_step=maybe("integer"),
        state=STATE,
        offsets={
            "type": "object",
            "additionalProperties": {"type": "object", "additionalProperties": INTEGER},
        },
    ),
    "Ack": shape("offset", offset=INTEGER, duplicate=TRUTH),
    "RunRow": whole(metric=VALUES, **_RUN),
    "Runs": shape(
        "total runs",
        total=INTEGER,
        runs=many(ref("RunRow")),
        groups=many(shape("value runs", value=VALUE, runs=INTEGER, rest=TRUTH)),
    ),
    "ManyRuns": shape("runs missing", runs=INTEGER, missing=TEXTS),
    "RunsChange": shape("runs", runs=TEXTS, archived=TRUTH, add_tags=TEXTS, remove_tags=TEXTS),
    "ChangedRuns": shape(
        "runs missing undo", runs=INTEGER, missing=TEXTS, undo=many(ref("RunsChange"))
    ),
    "MovedRuns": shape("runs missing taken", runs=INTEGER, missing=TEXTS, taken=TEXTS),
    "Run": whole(
        **_RUN,
        metrics=many(_METRIC_FACTS),
        writers=many(_WRITER),
        hosts=by_name(VALUES),
        end=perhaps(_END),
        attempts=many(whole(a=INTEGER, rewind=maybe("integer"), t=maybe("number"))),
        has={
            "description": "what the run has something of",
            **whole(
                files=INTEGER,
                artifacts=INTEGER,
                code=TRUTH,
                media=TRUTH,
                console=TRUTH,
                alerts=INTEGER,
            ),
        },
        program=maybe("string"),
        argv=perhaps(TEXTS),
        python=maybe("string"),
        cwd=maybe("string"),
        adapter=VALUE,
        outrider=VALUE,
        url=TEXT,
    ),
    "Columns": shape(
        "config summary metrics system",
        config=many(_COLUMN),
        summary=many(_COLUMN),
        metrics=many(_METRIC),
        system=many(whole(key=TEXT, runs=INTEGER, points=INTEGER)),
    ),
    "Series": shape(
        "key x series",
        key=TEXT,
        x=TEXT,
        series=many(shape("run exact total x step time last marks", **_SERIES)),
        missing=TEXTS,
        unknown=many(shape("name at", name=TEXT, at=INTEGER)),
    ),
    "ManySeries": shape("answers", answers=many(ref("Series"))),
    "Groups": shape(
        "key x runs groups left_out",
        key=TEXT,
        x=TEXT,
        runs=INTEGER,
        groups=many(
            shape(
                "value runs of members names x mid low high n marks",
                value=VALUE,
                runs=INTEGER,
                of=INTEGER,
                members=TEXTS,
                names=many(maybe("string")),
                x=NUMBERS,
                mid=NUMBERS,
                low=NUMBERS,
                high=NUMBERS,
                n=INTEGERS,
                smooth=NUMBERS,
                marks=_MARKS,
            )
        ),
        left_out=INTEGER,
    ),
    "SystemSeries": shape(
        "series",
        series=many(
            shape(
                "key exact total x time last marks",
                key=TEXT,
                **{name: found for name, found in _SERIES.items() if name not in ("run", "step")},
            )
        ),
    ),
    "Points": shape(
        "key attempt steps times values next",
        key=TEXT,
        attempt=INTEGERS,
        steps=many(maybe("integer")),
        times=many(NUMBER),
        values=many({"type": ["number", "string"]}),
        next=maybe("string"),
    ),
    "Records": shape(
        "records next last", records=many(ANY), next=maybe("string"), last=maybe("string")
    ),
    "Alerts": shape(
        "alerts next",
        alerts=many(
            shape(
                "id run t received level title text source rule",
                id=TEXT,
                run=TEXT,
                t=NUMBER,
                received=NUMBER,
                level=TEXT,
                title=TEXT,
                text=TEXT,
                source=TEXT,
                rule=maybe("string"),
            )
        ),
        next=maybe("string"),
    ),
    "Rule": shape(
        "id kind level created says",
        id=TEXT,
        kind=TEXT,
        metric=TEXT,
        value=NUMBER,
        minutes=NUMBER,
        level=TEXT,
        created=NUMBER,
        says=TEXT,
    ),
    "Rules": shape("rules", rules=many(ref("Rule"))),
    "Webhook": shape(
        "url waiting last",
        url=maybe("string"),
        waiting=INTEGER,
        last={
            "type": ["object", "null"],
            "properties": {"t": NUMBER, "id": TEXT, "problem": maybe("string")},
        },
    ),
    "Console": shape(
        "total first lines next open",
        total=INTEGER,
        first=INTEGER,
        lines=many(shape("n t o b w", n=INTEGER, t=NUMBER, o=TEXT, b=TEXT, w=TEXT, gap=INTEGER)),
        next=maybe("integer"),
        open=TRUTH,
    ),
    "ConsoleMatches": shape(
        "matches next total",
        matches=many(shape("n t o b", n=INTEGER, t=NUMBER, o=TEXT, b=TEXT)),
        next=maybe("integer"),
        total=INTEGER,
    ),
    "File": whole(
        path=TEXT,
        sha256=maybe("string"),
        size=maybe("integer"),
        type=maybe("string"),
        role=TEXT,
        state=TEXT,
        why=maybe("string"),
        t=NUMBER,
        present={"type": "boolean", "description": "the server has the content"},
        meta=VALUES,
    ),
    "LoginCode": shape("url expires", url=TEXT, expires=NUMBER),
    "Token": shape(
        "id name role projects created",
        id=TEXT,
        name=TEXT,
        kind=TEXT,
        role=TEXT,
        projects=perhaps(TEXTS),
        created=NUMBER,
        expires=maybe("number"),
        last_used=maybe("number"),
    ),
    "Tokens": shape("tokens", tokens=many(ref("Token"))),
    "NewToken": shape("id token", id=TEXT, token=TEXT, name=TEXT, role=TEXT),
    "Deleted": shape("deleted", deleted=TRUTH),
}
