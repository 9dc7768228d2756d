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


def maybe(kind: str) -> Schema:
    """A value or null."""
    return {"type": [kind, "null"]}


TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
INTEGER: Schema = {"type": "integer"}
TRUTH: Schema = {"type": "boolean"}
ANY: Schema = {"type": "object", "additionalProperties": True}
TEXTS = many(TEXT)
NUMBERS = many(maybe("number"))
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
    "created": maybe("number"),
    "started": maybe("number"),
    "ended": maybe("number"),
    "updated": maybe("number"),
    "duration": maybe("number"),
    "group": maybe("string"),
    "job_type": maybe("string"),
    "tags": TEXTS,
    "notes": maybe("string"),
    "host": maybe("string"),
    "gaps": INTEGER,
    "archived": TRUTH,
    "config": ANY,
    "summary": ANY,
}
_MARKS = many(shape("x value count", x=NUMBER, step=NUMBER, value=TEXT, count=INTEGER))
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
_COLUMN = shape("key", key=TEXT, types=TEXTS, runs=INTEGER)
_METRIC = shape("key", key=TEXT, runs=INTEGER, points=INTEGER, hidden=TRUTH, step=maybe("string"))

SCHEMAS: dict[str, Schema] = {
    "Error": shape(
        "error",
        error=shape("code message hint", code=TEXT, message=TEXT, hint=maybe("string")),
    ),
    "OffsetError": shape("error offset", error=ANY, offset=INTEGER),
    "Health": shape("service version protocol", service=TEXT, version=TEXT, protocol=INTEGER),
    "Me": shape("role projects name", role=TEXT, projects=maybe("array"), name=TEXT),
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
    "RunRow": shape("id project name state", metric=ANY, **_RUN),
    "Runs": shape(
        "total runs",
        total=INTEGER,
        runs=many(ref("RunRow")),
        groups=many(shape("runs", runs=INTEGER, rest=TRUTH)),
    ),
    "ManyRuns": shape("runs missing", runs=INTEGER, missing=TEXTS),
    "MovedRuns": shape("runs missing taken", runs=INTEGER, missing=TEXTS, taken=TEXTS),
    "Run": shape(
        "id project name state config summary metrics writers",
        **_RUN,
        metrics=many(ANY),
        writers=many(ANY),
        hosts=ANY,
        end={"type": ["object", "null"]},
        attempts=many(ANY),
        program=maybe("string"),
        has=ANY,
        argv={"type": ["array", "null"]},
        python=maybe("string"),
        url=TEXT,
    ),
    "Columns": shape(
        "config summary metrics system",
        config=many(_COLUMN),
        summary=many(_COLUMN),
        metrics=many(_METRIC),
        system={"type": "array"},
    ),
    "Series": shape(
        "key x series",
        key=TEXT,
        x=TEXT,
        series=many(shape("run exact total x last", **_SERIES)),
        missing=TEXTS,
        unknown=many(shape("name at", name=TEXT, at=INTEGER)),
    ),
    "Groups": shape(
        "key x runs groups left_out",
        key=TEXT,
        x=TEXT,
        runs=INTEGER,
        groups=many(
            shape(
                "runs of members names x mid low high n marks",
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
    "SystemSeries": shape("series", series=many(shape("key x last", key=TEXT, **_SERIES))),
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
    "LoginCode": shape("url expires", url=TEXT, expires=NUMBER),
    "Token": shape(
        "id name role projects created",
        id=TEXT,
        name=TEXT,
        kind=TEXT,
        role=TEXT,
        projects=maybe("array"),
        created=NUMBER,
        expires=maybe("number"),
        last_used=maybe("number"),
    ),
    "Tokens": shape("tokens", tokens=many(ref("Token"))),
    "NewToken": shape("id token", id=TEXT, token=TEXT, name=TEXT, role=TEXT),
    "Deleted": shape("deleted", deleted=TRUTH),
}
