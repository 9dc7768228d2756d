"""The list of runs: filter, sort, page and columns, as SQL over the attribute table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    true,
)

from outrider_server.filters import Both, Compare, Either, Field, Node, Not, parse, parse_sort
from outrider_server.store.schema import attribute, attribute_name, run, tag
from outrider_server.store.values import HEAD, Cell, value_of

if TYPE_CHECKING:
    from outrider_server.query import RunQuery

Condition = ColumnElement[bool]
MOST_RUNS = 10_000

_FIELDS: dict[str, ColumnElement[Any]] = {
    "id": run.c.id,
    "name": run.c.name,
    "state": run.c.state,
    "group": run.c.group_name,
    "job_type": run.c.job_type,
    "notes": run.c.notes,
    "host": run.c.host,
    "attempt": run.c.attempt,
    "created": run.c.created,
    "started": func.coalesce(run.c.started, run.c.created),
    "ended": run.c.ended,
    "updated": run.c.updated,
    "duration": func.coalesce(run.c.ended, run.c.updated) - run.c.created,
    "gaps": run.c.gaps,
}

ROW = (
    run.c.run,
    run.c.id,
    run.c.name,
    run.c.state,
    run.c.attempt,
    run.c.created,
    run.c.ended,
    run.c.updated,
    run.c.group_name,
    run.c.job_type,
    run.c.notes,
    run.c.host,
    run.c.gaps,
)


class Keys:
    """The numbers of config and summary keys of a project, looked up as they are asked for."""

    def __init__(self, connection: Connection, project: int) -> None:
        self._connection = connection
        self._project = project
        self._known: dict[Field, int | None] = {}

    def number(self, field: Field) -> int | None:
        """The number of a key, or None if no run has it."""
        if field not in self._known:
            self._known[field] = self._connection.execute(
                select(attribute_name.c.name).where(
                    attribute_name.c.project == self._project,
                    attribute_name.c.kind == field.kind,
                    attribute_name.c.key == field.key,
                )
            ).scalar()
        return self._known[field]


def list_runs(connection: Connection, project: int, name: str, query: RunQuery) -> dict[str, Any]:
    """The page of runs that a query asks for. Raises ``FilterError``."""
    keys = Keys(connection, project)
    where: list[Condition] = [run.c.project == project]
    node = parse(query.filter or "")
    if node is not None:
        where.append(_condition(node, keys))
    order: list[ColumnElement[Any]] = []
    for field, falls in parse_sort(query.sort or "-created"):
        order += _order(field, falls, keys)
    order += [run.c.created.desc(), run.c.run.desc()]
    limit = max(0, min(query.limit, MOST_RUNS))
    total = connection.execute(select(func.count()).select_from(run).where(*where)).scalar_one()
    page = select(*ROW).where(*where).order_by(*order).limit(limit).offset(max(0, query.offset))
    rows = connection.execute(page).all() if limit else []
    return {"total": total, "runs": complete(connection, name, rows, query.columns, keys)}


def complete(
    connection: Connection, name: str, rows: Sequence[Any], columns: Sequence[str], keys: Keys
) -> list[dict[str, Any]]:
    """Rows of ``run`` as the API gives them, with tags and the columns that were asked for."""
    runs = [_plain(name, row) for row in rows]
    by_number = {row[0]: found for row, found in zip(rows, runs, strict=True)}
    numbers = list(by_number)
    for start in range(0, len(numbers), 500):
        some = numbers[start : start + 500]
        tags = select(tag.c.run, tag.c.tag).where(tag.c.run.in_(some)).order_by(tag.c.tag)
        for number, text in connection.execute(tags):
            by_number[number]["tags"].append(text)
        _fill(connection, by_number, some, columns, keys)
    return runs


def _fill(
    connection: Connection,
    by_number: dict[int, dict[str, Any]],
    some: list[int],
    columns: Sequence[str],
    keys: Keys,
) -> None:
    from outrider_server.filters import field_of

    wanted: dict[int, Field] = {}
    for column in columns:
        field = field_of(column)
        if field.kind in ("config", "summary"):
            number = keys.number(field)
            if number is not None:
                wanted[number] = field
    if not wanted:
        return
    cells = select(
        attribute.c.run,
        attribute.c.name,
        attribute.c.type,
        attribute.c.number,
        attribute.c.head,
        attribute.c.body,
    ).where(
        attribute.c.run.in_(bindparam("runs", some, expanding=True)),
        attribute.c.name.in_(bindparam("names", list(wanted), expanding=True)),
    )
    for number, name, *found in connection.execute(cells):
        field = wanted[name]
        by_number[number][field.kind][field.key] = value_of(Cell(*found))


def _plain(project: str, row: Any) -> dict[str, Any]:
    (_, run_id, name, state, attempt, created, ended, updated, group, job, notes, host, gaps) = row
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
        "config": {},
        "summary": {},
    }


def _order(field: Field, falls: bool, keys: Keys) -> list[ColumnElement[Any]]:
    """What to sort by; runs that lack the value come last, whichever way."""
    if field.kind == "run":
        column = _FIELDS[field.key]
        return [column.is_(None), column.desc() if falls else column.asc()]
    number = keys.number(field)
    if number is None:
        return []
    found = []
    for column in (attribute.c.number, attribute.c.head):
        one = (
            select(column)
            .where(attribute.c.run == run.c.run, attribute.c.name == number)
            .scalar_subquery()
        )
        found += [one.desc() if falls else one.asc()]
    lacks = ~exists().where(attribute.c.run == run.c.run, attribute.c.name == number)
    return [lacks, *found]


def _condition(node: Node, keys: Keys) -> Condition:
    if isinstance(node, Both):
        return and_(*(_condition(part, keys) for part in node.parts))
    if isinstance(node, Either):
        return or_(*(_condition(part, keys) for part in node.parts))
    if isinstance(node, Not):
        return not_(_condition(node.part, keys))
    if node.field.kind == "tags":
        return run.c.run.in_(select(tag.c.run).where(tag.c.tag == node.value))
    if node.field.kind == "run":
        return _of_run(node)
    return _of_attribute(node, keys)


def _of_run(node: Compare) -> Condition:
    column = _FIELDS[node.field.key]
    if node.value is None:
        return column.is_(None)
    # never NULL, so that its opposite is true for a run without the value
    return func.coalesce(_compared(column, node.operator, node.value), false())


def _compared(column: ColumnElement[Any], operator: str, value: Any) -> Condition:
    if operator == "~":
        return column.regexp_match(value)
    found: Condition = column.op(operator, is_comparison=True)(value)
    return found


def _of_attribute(node: Compare, keys: Keys) -> Condition:
    """A set of runs from the index of the attribute table."""
    number = keys.number(node.field)
    if number is None:
        return true() if node.value is None else false()
    cells = select(attribute.c.run).where(attribute.c.name == number)
    value = node.value
    if value is None:
        return run.c.run.not_in(cells.where(attribute.c.type != "null"))
    if node.operator == "~":
        text = func.coalesce(attribute.c.body, attribute.c.head)
        return run.c.run.in_(cells.where(text.regexp_match(value)))
    if isinstance(value, str):
        cells = cells.where(_compared(attribute.c.head, node.operator, value[:HEAD]))
        if node.operator == "=" and len(value) >= HEAD:
            cells = cells.where(func.coalesce(attribute.c.body, attribute.c.head) == value)
        return run.c.run.in_(cells)
    return run.c.run.in_(cells.where(_compared(attribute.c.number, node.operator, float(value))))
