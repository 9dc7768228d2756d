"""Alerts of runs and projects, the rules that raise them, and the webhook that they are posted to."""

from __future__ import annotations

from typing import Any

from outrider_server.problems import Problem
from outrider_server.routes.operation import Call, Operation, Parameter
from outrider_server.schemas import NUMBER, TEXT, maybe, ref, shape
from outrider_server.tokens import Role
from outrider_server.webhook import check_url, masked


def run_alerts(call: Call) -> dict[str, Any]:
    """A run's alerts, in order."""
    return call.services.store.alerts.of_run(call.path["project"], call.path["run"], **call.query)


def project_alerts(call: Call) -> dict[str, Any]:
    """A project's alerts, the newest first."""
    return call.services.store.alerts.of_project(call.path["project"], **call.query)


def list_rules(call: Call) -> dict[str, Any]:
    """A project's rules."""
    rules = call.services.store.alerts.rules(call.path["project"])
    return {"rules": [rule.as_json() for rule in rules]}


def add_rule(call: Call) -> dict[str, Any]:
    """Make a rule."""
    return call.services.store.alerts.add_rule(call.path["project"], call.body).as_json()


def delete_rule(call: Call) -> dict[str, Any]:
    """Remove a rule; the alerts that it raised stay."""
    call.services.store.alerts.delete_rule(call.path["project"], call.path["rule"])
    return {"deleted": True}


def show_webhook(call: Call) -> dict[str, Any]:
    """Where alerts are posted, without the path, and how that goes."""
    _require_whole_server(call)
    alerts, poster = call.services.store.alerts, call.services.poster
    return {
        "url": masked(alerts.webhook()),
        "waiting": alerts.waiting(),
        "last": None if poster is None else poster.last,
    }


def set_webhook(call: Call) -> dict[str, Any]:
    """Set or remove the address."""
    _require_whole_server(call)
    url = call.body.get("url")
    call.services.store.alerts.set_webhook(None if url is None else check_url(url))
    if call.services.poster is not None:
        call.services.poster.changed()
    return show_webhook(call)


def _require_whole_server(call: Call) -> None:
    if call.who.projects is not None:
        raise Problem(403, "forbidden", "this needs a token that is not limited to projects")


_PROJECT = "/api/projects/{project}"
_PAGE = (
    Parameter("after", "the `next` of the page before", longest=30),
    Parameter("limit", "alerts, at most", "integer", default=100, minimum=1, maximum=1000),
)

OPERATIONS = (
    Operation(
        "GET",
        _PROJECT + "/runs/{run}/alerts",
        "list_run_alerts",
        "A run's alerts in the order they came",
        Role.READ,
        run_alerts,
        ref("Alerts"),
        query=_PAGE,
    ),
    Operation(
        "GET",
        _PROJECT + "/alerts",
        "list_alerts",
        "A project's alerts, the newest first",
        Role.READ,
        project_alerts,
        ref("Alerts"),
        query=_PAGE,
    ),
    Operation(
        "GET",
        _PROJECT + "/rules",
        "list_rules",
        "The rules that raise alerts in a project",
        Role.READ,
        list_rules,
        ref("Rules"),
    ),
    Operation(
        "POST",
        _PROJECT + "/rules",
        "add_rule",
        "Make a rule; it sees what comes in from now on",
        Role.WRITE,
        add_rule,
        ref("Rule"),
        body=shape("kind", kind=TEXT, metric=TEXT, value=NUMBER, minutes=NUMBER, level=TEXT),
        description="`kind` is nonfinite (with `metric`), above or below (`metric`, `value`), "
        "stalled (`metric`, `minutes`), died, oom or silent (`minutes`); `level` is info, warn or "
        "error. A metric may be a pattern such as `val/*`, but for stalled.",
    ),
    Operation(
        "DELETE",
        _PROJECT + "/rules/{rule}",
        "delete_rule",
        "Remove a rule; the alerts that it raised stay",
        Role.WRITE,
        delete_rule,
        ref("Deleted"),
    ),
    Operation(
        "GET",
        "/api/webhook",
        "show_webhook",
        "Where alerts are posted to, and how many wait",
        Role.ADMIN,
        show_webhook,
        ref("Webhook"),
    ),
    Operation(
        "PUT",
        "/api/webhook",
        "set_webhook",
        "Set the address that alerts are posted to, or remove it with null",
        Role.ADMIN,
        set_webhook,
        ref("Webhook"),
        body=shape("url", url=maybe("string")),
    ),
)
