"""Who is asking: the health check, login links and sessions, and the tokens of a server."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from outrider.ids import check_project
from outrider_server.answers import json_response
from outrider_server.problems import Problem, bad_request
from outrider_server.routes.operation import Call, Operation, Parameter
from outrider_server.schemas import TEXT, maybe, ref, shape
from outrider_server.tokens import SESSION_SECONDS, Role
from outrider_server.version import PROTOCOL, version

_USED = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Outrider</title></head>
<body><h1>This login link does not work any more</h1>
<p>A login link works once, and only for a while. Make a new one on the machine of the server, or
where you are logged in.</p></body></html>
"""


def health(call: Call) -> dict[str, Any]:
    """That this is an Outrider server, and which."""
    return {"service": "outrider", "version": version(), "protocol": PROTOCOL}


def me(call: Call) -> dict[str, Any]:
    """What this token may do."""
    who = call.who
    projects = None if who.projects is None else sorted(who.projects)
    return {"role": who.role.word, "projects": projects, "name": who.name}


def create_login_code(call: Call) -> dict[str, Any]:
    """A link that logs a browser in, once."""
    role, projects = _role(call.body.get("role")), _projects(call.body.get("projects"))
    opens = _page_of(call.body.get("opens"))
    code, expires = call.services.codes.create(call.who, role=role, projects=projects, opens=opens)
    return {"url": f"{call.base_url}/login?code={code}", "expires": expires}


async def login(call: Call) -> Response:
    """Trade a code for a session cookie; a browser that is logged in already just goes on."""
    services = call.services
    headers = {"cache-control": "no-store"}
    grant = services.codes.redeem(call.query["code"])
    if grant is None or not services.tokens.is_valid(grant.parent):
        if _session_of(call) is not None:
            return RedirectResponse("/", 303, headers)
        return Response(_USED, 403, headers, "text/html; charset=utf-8")
    name = f"browser session of {grant.parent.name}"
    _, text = await asyncio.to_thread(
        services.tokens.create, name, grant.role, grant.projects, parent=grant.parent
    )
    response = RedirectResponse(grant.opens, 303, headers)
    response.set_cookie(
        services.cookie,
        text,
        max_age=SESSION_SECONDS,
        path="/",
        secure=call.base_url.startswith("https:"),
        httponly=True,
        samesite="strict",
    )
    return response


async def logout(call: Call) -> Response:
    """End this browser's session; a token is not ended by this."""
    if call.who.kind == "session":
        await asyncio.to_thread(call.services.tokens.revoke, call.who.id)
    response = json_response({"deleted": call.who.kind == "session"})
    response.delete_cookie(call.services.cookie, path="/", httponly=True, samesite="strict")
    return response


def list_tokens(call: Call) -> dict[str, Any]:
    """Every token and session, without secrets."""
    _require_whole_server(call)
    return {"tokens": call.services.tokens.listing()}


def create_token(call: Call) -> dict[str, Any]:
    """Make a token; its text is in this answer and nowhere else."""
    _require_whole_server(call)
    name = call.body.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > 128:
        raise bad_request("'name' must be a text of 1 to 128 characters")
    role = _role(call.body.get("role", "write"))
    principal, text = call.services.tokens.create(
        name, role or Role.WRITE, _projects(call.body.get("projects"))
    )
    return {
        "id": principal.id,
        "token": text,
        "name": name,
        "role": principal.role.word,
        "projects": None if principal.projects is None else sorted(principal.projects),
    }


def revoke_token(call: Call) -> dict[str, Any]:
    """End a token and its sessions, at once."""
    _require_whole_server(call)
    call.services.tokens.revoke(call.path["token"])
    return {"deleted": True}


def _session_of(call: Call) -> object:
    cookie = call.request.cookies.get(call.services.cookie)
    return call.services.tokens.find(cookie) if cookie else None


def _require_whole_server(call: Call) -> None:
    if call.who.projects is not None:
        raise Problem(403, "forbidden", "this needs a token that is not limited to projects")


def _role(word: object) -> Role | None:
    if word is None:
        return None
    if word not in ("read", "write", "admin"):
        raise bad_request("'role' must be read, write or admin")
    return Role[str(word).upper()]


def _projects(found: object) -> frozenset[str] | None:
    if found is None:
        return None
    if not isinstance(found, list) or not found or len(found) > 1000:
        raise bad_request("'projects' must be null or a list of project names")
    try:
        return frozenset(check_project(name) for name in found)
    except ValueError as error:
        raise bad_request(f"'projects': {error}") from None


def _page_of(project: object) -> str:
    """Where a login leads: a project's page, or all projects. No address of elsewhere can be asked for."""
    if project is None:
        return "/"
    try:
        return f"/p/{quote(check_project(project), safe='')}"
    except ValueError as error:
        raise bad_request(f"'opens': {error}") from None


_PROJECTS = {"type": ["array", "null"], "items": TEXT}
_CODE = Parameter("code", "the link's code", is_required=True, longest=200)

OPERATIONS = (
    Operation(
        "GET",
        "/api/health",
        "health",
        "That this is an Outrider server, and which",
        None,
        health,
        ref("Health"),
    ),
    Operation("GET", "/api/me", "me", "What this token may do", Role.READ, me, ref("Me")),
    Operation(
        "POST",
        "/api/login-codes",
        "create_login_code",
        "A link that logs a browser in, once",
        Role.READ,
        create_login_code,
        ref("LoginCode"),
        body=shape(role=maybe("string"), projects=_PROJECTS, opens=maybe("string")),
        errors=(429,),
        description="The session can do no more than the token that asked for it, and ends with "
        "it. An empty body asks for the same role and projects. `opens` names the project that the "
        "link leads to.",
    ),
    Operation(
        "GET",
        "/login",
        "login",
        "Trade a login link's code for a session cookie",
        None,
        login,
        status=303,
        query=(_CODE,),
        errors=(403,),
        is_raw=True,
    ),
    Operation(
        "POST",
        "/api/logout",
        "logout",
        "End this browser's session",
        Role.READ,
        logout,
        ref("Deleted"),
        is_raw=True,
    ),
    Operation(
        "GET",
        "/api/tokens",
        "list_tokens",
        "Every token and session, without secrets",
        Role.ADMIN,
        list_tokens,
        ref("Tokens"),
    ),
    Operation(
        "POST",
        "/api/tokens",
        "create_token",
        "Make a token; its text is in this answer and nowhere else",
        Role.ADMIN,
        create_token,
        ref("NewToken"),
        body=shape("name", name=TEXT, role=TEXT, projects=_PROJECTS),
    ),
    Operation(
        "DELETE",
        "/api/tokens/{token}",
        "revoke_token",
        "End a token and its sessions, at once",
        Role.ADMIN,
        revoke_token,
        ref("Deleted"),
    ),
)
