"""The list of runs: filter, sort, page and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outrider_server.filters import field_of, parse, parse_sort
from outrider_server.store import aggregates
from outrider_server.store.asking import FIELDS, Asking
from outrider_server.store.rowgroups import group_rows
from outrider_server.store.values import Cell, value_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from outrider_server.filters import Field
    from outrider_server.query import RunQuery

MOST_RUNS = 10_000
_TOGETHER = 500

_ROW = "run id name state attempt created ended updated group_name job_type notes host gaps archived".split()


def list_runs(asking: Asking, name: str, query: RunQuery) -> dict[str, Any]:
    """The page of runs that a query asks for. Raises ``FilterError``."""
    node = parse(query.filter or "")
    sort = parse_sort(query.sort or "-created")
    wanted = [field_of(column) for column in query.columns]
    runs = asking.runs[asking.ordered(asking.places(node), sort)]
    groups = None
    if query.by:
        by = field_of(query.by)
        runs, groups = group_rows(asking, by, FIELDS.get(by.key, ""), runs)
    begin = max(0, query.offset)
    page = runs[begin : begin + max(0, min(query.limit, MOST_RUNS))].tolist()
    answer = {"total": len(runs), "runs": read_rows(asking.db, name, page, wanted, asking)}
    return answer if groups is None else {**answer, "groups": groups}


def read_rows(
    db: sqlite3.Connection,
    name: str,
    numbers: Sequence[int],
    wanted: Sequence[Field] = (),
    asking: Asking | None = None,
) -> list[dict[str, Any]]:
    """Runs as the API gives them, with tags and the columns that were asked for."""
    found: dict[int, dict[str, Any]] = {}
    names: dict[int, tuple[str, str]] = {}
    for field in wanted:
        number = asking.name(field) if asking and field.kind in ("config", "summary") else None
        if number is not None:
            names[number] = field.kind, field.key
    for start in range(0, len(numbers), _TOGETHER):
        some = numbers[start : start + _TOGETHER]
        marks = ",".join("?" * len(some))
        columns = ", ".join(_ROW)
        for row in db.execute(f"SELECT {columns} FROM run WHERE run IN ({marks})", some):  # noqa: S608 - the names are ours
            found[row[0]] = _plain(name, row)
        tags = db.execute(
            f"SELECT run, tag FROM tag WHERE run IN ({marks}) ORDER BY run, tag",  # noqa: S608 - the names are ours
            some,
        )
        for run, tag in tags:
            found[run]["tags"].append(tag)
        if names:
            of = ",".join("?" * len(names))
            cells = db.execute(
                "SELECT run, name, type, number, head, body FROM attribute"  # noqa: S608 - the names are ours
                f" WHERE run IN ({marks}) AND name IN ({of})",
                [*some, *names],
            )
            for run, cell_name, kind, number, head, body in cells:
                own, key = names[cell_name]
                is_plain = kind == "float" and body is None  # most are
                found[run][own][key] = (
                    number if is_plain else value_of(Cell(kind, number, head, body))
                )
        for field in wanted:
            if asking is None or field.kind != "metric":
                continue
            for run, value in aggregates.read_some(asking, field, some):
                found[run]["metric"][field.key] = value
    # a run that is being made at this moment may be among the numbers, and not yet in this snapshot
    return [found[number] for number in numbers if number in found]


def _plain(project: str, row: Sequence[Any]) -> dict[str, Any]:
    (_, run_id, name, state, attempt, created, ended, updated, group, job, notes, host, *last) = row
    gaps, archived = last
    return {
        "id": run_id,
        "project": project,
        "name": name,
        "state": state,
        "attempt": attempt,
        "created": created,
        "started": created,
        "ended": ended,
        "updated": updated,
        "duration": max(0.0, (ended if ended is not None else updated) - created),
        "group": group,
        "job_type": job,
        "tags": [],
        "notes": notes,
        "host": host,
        "gaps": gaps,
        "archived": bool(archived),
        "config": {},
        "summary": {},
        "metric": {},
    }
