"""Named views of a project: what a page was set to show, kept for everybody who may read it."""

from __future__ import annotations

from typing import Any

from outrider_server.problems import bad_request, not_found
from outrider_server.routes.operation import Call, Operation
from outrider_server.schemas import NUMBER, TEXT, many, ref, shape
from outrider_server.tokens import Role

LONGEST_NAME = 128
LONGEST_STATE = 100_000


def views(call: Call) -> dict[str, Any]:
    """The project's views by name."""
    return call.services.store.views(call.path["project"])


def view(call: Call) -> dict[str, Any]:
    """One view."""
    return call.services.store.view(call.path["project"], call.path["view"])


def keep_view(call: Call) -> dict[str, Any]:
    """Keep a view, or replace the one of this name."""
    name, state = call.path["view"], call.body.get("state")
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise bad_request(f"a view's name is a text of 1 to {LONGEST_NAME} characters")
    if not isinstance(state, str) or len(state) > LONGEST_STATE:
        raise bad_request(f"'state' must be a text of at most {LONGEST_STATE} characters")
    return call.services.store.keep_view(call.path["project"], name, state, call.who.name)


def delete_view(call: Call) -> dict[str, Any]:
    """Delete a view."""
    if not call.services.store.delete_view(call.path["project"], call.path["view"]):
        raise not_found("there is no such view")
    return {"deleted": True}


_VIEWS = "/api/projects/{project}/views"
_VIEW = _VIEWS + "/{view:path}"
_SHAPE = shape("name updated by", name=TEXT, updated=NUMBER, by=TEXT, state=TEXT)

OPERATIONS = (
    Operation(
        "GET",
        _VIEWS,
        "list_views",
        "The project's named views",
        Role.READ,
        views,
        shape("views", views=many(_SHAPE)),
    ),
    Operation(
        "GET",
        _VIEW,
        "show_view",
        "One named view; `state` is the query of the page's address",
        Role.READ,
        view,
        _SHAPE,
    ),
    Operation(
        "PUT",
        _VIEW,
        "keep_view",
        "Keep a view under a name, or replace the one that has it",
        Role.WRITE,
        keep_view,
        _SHAPE,
        body=shape("state", state=TEXT),
    ),
    Operation(
        "DELETE",
        _VIEW,
        "delete_view",
        "Delete a named view",
        Role.WRITE,
        delete_view,
        ref("Deleted"),
    ),
)
