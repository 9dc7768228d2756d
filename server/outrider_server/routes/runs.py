"""Projects and runs: made by the streamer, listed, shown, edited and deleted."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from outrider.errors import UsageError
from outrider.ids import check_project
from outrider_server.problems import bad_request, not_found
from outrider_server.query import RunQuery
from outrider_server.routes.operation import Call, Operation, Parameter, check_path
from outrider_server.schemas import SCHEMAS, TEXT, TEXTS, TRUTH, maybe, ref, shape
from outrider_server.store.runs import ManyChanges
from outrider_server.tokens import Role

_EDITABLE = ("name", "tags", "notes", "archived")
_MOST = 10_000
_LONGEST = {"name": 256, "notes": 65536, "tag": 256}


def _page_url(call: Call, project: str, run: str) -> str:
    return f"{call.base_url}/p/{quote(project, safe='')}/r/{quote(run, safe='')}"


def create_run(call: Call) -> dict[str, Any]:
    """Make the run known; the same again changes nothing."""
    meta = call.body
    for name in ("project", "id"):
        if not isinstance(meta.get(name), str):
            raise bad_request(f"{name!r} must be a text")
    try:
        check_path({"project": meta["project"], "run": meta["id"]})
    except Exception as error:
        raise bad_request(str(error)) from None
    for name in ("name", "notes", "group", "job_type", "host", "program"):
        if not isinstance(meta.get(name), str | None):
            raise bad_request(f"{name!r} must be a text or null")
    _check_tags(meta.get("tags") or [])
    call.who.require(Role.WRITE, meta["project"])
    created = call.services.store.create_run(meta)
    return {
        "project": meta["project"],
        "id": meta["id"],
        "name": created.name,
        "url": _page_url(call, meta["project"], meta["id"]),
        "created": created.created,
        "attempt": created.attempt,
        "last_step": created.last_step,
        "state": created.state,
        "offsets": created.offsets,
    }


def projects(call: Call) -> dict[str, Any]:
    """Projects that this token may see."""
    found = call.services.store.projects()
    return {"projects": [row for row in found["projects"] if call.who.may_see(row["name"])]}


def runs(call: Call) -> dict[str, Any]:
    """A page of the runs table."""
    query = RunQuery(**call.query)
    return call.services.store.runs(call.path["project"], query)


def columns(call: Call) -> dict[str, Any]:
    """Everything that can be a column or a chart."""
    return call.services.store.columns(call.path["project"])


def show_run(call: Call) -> dict[str, Any]:
    """One run in full."""
    project, run = call.path["project"], call.path["run"]
    return {**call.services.store.run(project, run), "url": _page_url(call, project, run)}


def edit_run(call: Call) -> dict[str, Any]:
    """Change a run's name, tags or notes, archive it or take it back."""
    unknown = set(call.body) - set(_EDITABLE)
    if unknown or not call.body:
        raise bad_request("only name, tags, notes and archived can be changed")
    for name in ("name", "notes"):
        value = call.body.get(name)
        if name in call.body and not (isinstance(value, str) and len(value) <= _LONGEST[name]):
            raise bad_request(f"{name!r} must be a text of at most {_LONGEST[name]} characters")
    if "name" in call.body and not call.body["name"].strip():
        raise bad_request("a run's name cannot be empty")
    if "tags" in call.body:
        _check_tags(call.body["tags"])
    if not isinstance(call.body.get("archived", False), bool):
        raise bad_request("'archived' must be true or false")
    project, run = call.path["project"], call.path["run"]
    changed = call.services.store.update_run(project, run, call.body)
    return {**changed, "url": _page_url(call, project, run)}


def delete_run(call: Call) -> dict[str, Any]:
    """Delete a run with everything that was recorded."""
    if not call.services.store.delete_run(call.path["project"], call.path["run"]):
        raise not_found("there is no such run")
    return {"deleted": True}


def edit_runs(call: Call) -> dict[str, Any]:
    """Tag, archive or take back many runs."""
    ids = _many(call)
    unknown = set(call.body) - {"runs", "archived", "add_tags", "remove_tags"}
    if unknown:
        raise bad_request("only archived, add_tags and remove_tags can be said of many runs")
    archived = call.body.get("archived")
    if not isinstance(archived, bool | None):
        raise bad_request("'archived' must be true or false")
    add, remove = call.body.get("add_tags") or [], call.body.get("remove_tags") or []
    _check_tags(add)
    _check_tags(remove)
    changes = ManyChanges(archived, add, remove)
    done = call.services.store.update_runs(call.path["project"], ids, changes)
    undo: list[dict[str, Any]] = [
        {"runs": runs, name: [tag]}
        for name, tags in (("remove_tags", done.added), ("add_tags", done.removed))
        for tag, runs in tags.items()
    ]
    if done.archived:
        undo.append({"runs": done.archived, "archived": not archived})
    return {"runs": len(ids) - len(done.missing), "missing": done.missing, "undo": undo}


def delete_runs(call: Call) -> dict[str, Any]:
    """Delete many runs with everything that was recorded."""
    ids, project = _many(call), call.path["project"]
    missing = [run for run in ids if not call.services.store.delete_run(project, run)]
    return {"runs": len(ids) - len(missing), "missing": missing}


def move_runs(call: Call) -> dict[str, Any]:
    """Put runs into another project."""
    ids, target = _many(call), call.body.get("to")
    if not isinstance(target, str):
        raise bad_request("'to' must be the name of a project")
    try:
        check_project(target)
    except UsageError as error:
        raise bad_request(error.message, hint=error.hint) from None
    call.who.require(Role.WRITE, target)
    moved = call.services.store.moves.move(call.path["project"], ids, target)
    left = len(moved.missing) + len(moved.taken)
    return {"runs": len(ids) - left, "missing": moved.missing, "taken": moved.taken}


def _many(call: Call) -> list[str]:
    ids = call.body.get("runs")
    if not isinstance(ids, list) or not all(isinstance(run, str) for run in ids):
        raise bad_request("'runs' must be a list of run ids")
    if len(ids) > _MOST:
        raise bad_request(f"'runs' may name {_MOST} runs at most", hint="send them in parts")
    return list(dict.fromkeys(ids))


def _check_tags(tags: Any) -> None:
    if not isinstance(tags, list) or not all(
        isinstance(tag, str) and 0 < len(tag) <= _LONGEST["tag"] for tag in tags
    ):
        raise bad_request("'tags' must be a list of texts of at most 256 characters")


_PROJECT = "/api/projects/{project}"
_RUN = _PROJECT + "/runs/{run}"

OPERATIONS = (
    Operation(
        "POST",
        "/api/runs",
        "create_run",
        "Make a run known, under the id that was chosen locally (idempotent)",
        Role.WRITE,
        create_run,
        ref("RunCreated"),
        body=shape("project id", project=TEXT, id=TEXT),
        errors=(409,),
        description="The body is the run folder's run.json. `offsets` says what the server has of "
        "each writer's segments.",
    ),
    Operation(
        "GET",
        "/api/projects",
        "list_projects",
        "The projects that this token may see",
        Role.READ,
        projects,
        ref("Projects"),
    ),
    Operation(
        "GET",
        _PROJECT + "/runs",
        "list_runs",
        "The runs of a project: filtered, sorted, with chosen columns, a page at a time",
        Role.READ,
        runs,
        ref("Runs"),
        query=(
            Parameter(
                "filter",
                'such as config.lr < 0.01 and summary."val/acc" > 0.9 and state = "running"',
                default="",
                longest=8192,
            ),
            Parameter("sort", 'such as "-created" or "config.lr,-summary.loss"', default=""),
            Parameter("limit", "rows, at most", "integer", default=100, minimum=0, maximum=10000),
            Parameter("offset", "rows to skip", "integer", default=0, minimum=0),
            Parameter(
                "columns",
                "config.KEY, summary.KEY or metric.KEY.HOW (last, min, max, mean, best), repeated",
                is_many=True,
            ),
            Parameter("by", "puts runs together: config.KEY, tags, group, job_type, state, …"),
        ),
        description="With `by`, runs that have the same value stand together, by rising value, and "
        "`groups` tells each value and how many runs have it. Archived runs are in the list; "
        "`archived = false` in the filter leaves them out. A filter or sort that cannot be read is "
        "answered 400 with `position`, the character where reading stopped.",
    ),
    Operation(
        "GET",
        _PROJECT + "/columns",
        "list_columns",
        "Keys of config, summary, metrics and system series in a project",
        Role.READ,
        columns,
        ref("Columns"),
    ),
    Operation("GET", _RUN, "show_run", "One run in full", Role.READ, show_run, ref("Run")),
    Operation(
        "PATCH",
        _RUN,
        "edit_run",
        "Change a run's name, tags or notes, archive it or take it back",
        Role.WRITE,
        edit_run,
        ref("Run"),
        body=shape(name=TEXT, tags=TEXTS, notes=maybe("string"), archived=TRUTH),
    ),
    Operation(
        "PATCH",
        _PROJECT + "/runs",
        "edit_runs",
        "Tag, archive or take back many runs",
        Role.WRITE,
        edit_runs,
        ref("ChangedRuns"),
        body=SCHEMAS["RunsChange"],
        description="At most 10,000 runs. `missing` names those that are not there, `undo` holds "
        "the requests that take back what was changed, and nothing else.",
    ),
    Operation(
        "POST",
        _PROJECT + "/runs/move",
        "move_runs",
        "Put many runs into another project, which is made if need be",
        Role.WRITE,
        move_runs,
        ref("MovedRuns"),
        body=shape("runs to", runs=TEXTS, to=TEXT),
        description="At most 10,000 runs. The old addresses keep leading to the runs: what still "
        "arrives of them is stored, once, where they are. `missing` names runs that are not there, "
        "`taken` those whose id the other project has already. Moving them back is the way back.",
    ),
    Operation(
        "POST",
        _PROJECT + "/runs/delete",
        "delete_runs",
        "Delete many runs with everything that was recorded",
        Role.ADMIN,
        delete_runs,
        ref("ManyRuns"),
        body=shape("runs", runs=TEXTS),
        description="At most 10,000 runs. `missing` names those that are not there.",
    ),
    Operation(
        "DELETE",
        _RUN,
        "delete_run",
        "Delete a run with everything that was recorded",
        Role.ADMIN,
        delete_run,
        ref("Deleted"),
    ),
)
