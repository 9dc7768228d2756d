"""Puts the server together: operations, router, guard."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from outrider.errors import NotFound, OutriderError, UsageError
from outrider_server import openapi
from outrider_server.answers import encode, json_response, problem_response, squeezed
from outrider_server.bodies import declared_length, parse_json, read_body
from outrider_server.guard import PRINCIPAL, Guard, Hosts
from outrider_server.ingest_route import Ingest
from outrider_server.problems import Problem, bad_request, not_found
from outrider_server.routes import (
    access,
    alerts,
    bundles,
    code,
    console,
    events,
    files,
    media,
    page,
    runs,
    series,
    table,
    views,
)
from outrider_server.routes.operation import Call, Operation, Parameter, check_path
from outrider_server.schemas import ref
from outrider_server.static_page import Page
from outrider_server.store import UnknownRun
from outrider_server.tokens import Role

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from outrider_server.services import Services


def operations(site: Page) -> list[Operation]:
    """Everything that the server answers."""
    found = [
        *access.OPERATIONS,
        *runs.OPERATIONS,
        *series.OPERATIONS,
        *console.OPERATIONS,
        *files.OPERATIONS,
        *bundles.OPERATIONS,
        *code.OPERATIONS,
        *media.OPERATIONS,
        *views.OPERATIONS,
        *table.OPERATIONS,
        *alerts.OPERATIONS,
        *events.OPERATIONS,
        _JOURNAL,
        *page.operations(site),
    ]
    document: dict[str, Any] = {}

    def describe(call: Call) -> dict[str, Any]:
        return document

    described = Operation(
        "GET",
        "/api/openapi.json",
        "openapi",
        "This document",
        Role.READ,
        describe,
        {"type": "object"},
    )
    found.insert(0, described)
    document.update(openapi.document(found))
    return found


def build(services: Services, site: Page | None = None) -> Guard:
    """The ASGI application of a server."""
    site = site if site is not None else Page()
    found = operations(site)
    routes = [
        Route(item.path, _endpoint(services, item), methods=[item.method], name=item.name)
        for item in found
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={
            Problem: _unless_read_by_a_person(site, _on_problem),
            HTTPException: _unless_read_by_a_person(site, _on_http_exception),
            UnknownRun: _on_unknown_run,
            NotFound: _on_not_found,
            UsageError: _on_usage_error,
        },
    )
    app.router.redirect_slashes = False
    config = services.config
    guard = Guard(
        app,
        Ingest(services),
        services.tokens,
        Hosts(config.host, config.hosts, config.public_url),
    )
    guard.cookie = services.cookie.encode()
    if config.public_url:
        guard.public_origin = config.public_url.rstrip("/").encode()
    return guard


def _endpoint(services: Services, operation: Operation) -> Callable[..., Awaitable[Response]]:
    limits = services.config.limits
    loop_threads = services.threads

    async def endpoint(request: Request) -> Response:
        principal = request.scope.get(PRINCIPAL)
        path = check_path(request.path_params)
        if operation.role is not None:
            if principal is None:
                raise RuntimeError(f"{operation.path} was reached past the guard")
            principal.require(operation.role, path.get("project"))
        values = request.query_params
        query = {item.name: item.read(values.getlist(item.name)) for item in operation.query}
        body: dict[str, Any] = {}
        if operation.body is not None and operation.body.get("format") != "binary":
            body = await _json_body(services, request, limits.json_bytes)
        call = Call(services, principal, request, path, query, body)
        try:
            return await serve(call)
        except (NotFound, UnknownRun):
            moved = await _where_it_was_moved(call)
            if moved is None:
                raise
            return await serve(moved)

    async def serve(call: Call) -> Response:
        if operation.is_raw:
            response: Response = await operation.handler(call)
            return response
        loop = asyncio.get_running_loop()

        accepted = call.request.headers.get("accept-encoding", "")

        def answer() -> tuple[bytes, str | None]:
            return squeezed(encode(operation.handler(call)), accepted)

        content, form = await loop.run_in_executor(loop_threads, answer)
        if operation.method in ("POST", "PATCH", "DELETE"):
            _tell(services, operation, call)
        return json_response(None, operation.status) if not content else _json(content, form)

    return endpoint


async def _where_it_was_moved(call: Call) -> Call | None:
    """The same call for the project that its run was moved to; None where it was not, or where who
    is asking may not see that project."""
    project, run = call.path.get("project"), call.path.get("run")
    if project is None or run is None:
        return None
    home = await asyncio.get_running_loop().run_in_executor(
        call.services.threads, call.services.store.moves.home, project, run
    )
    if home is None or call.principal is None or not call.principal.may_see(home):
        return None
    return replace(call, path={**call.path, "project": home})


def _json(content: bytes, form: str | None) -> Response:
    from starlette.responses import Response

    headers = {"cache-control": "no-store"}
    if form is not None:
        headers |= {"content-encoding": form, "vary": "accept-encoding"}
    return Response(content, 200, headers, "application/json")


async def _json_body(services: Services, request: Request, limit: int) -> dict[str, Any]:
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Problem(415, "unsupported_encoding", "JSON bodies are sent as they are")
    length = request.headers.get("content-length")
    declared_length(None if length is None else length.encode("latin-1"), limit)
    body = await read_body(request.receive, limit, services.budget)
    services.budget.give(len(body))
    return parse_json(body) if body.strip() else {}


def _tell(services: Services, operation: Operation, call: Call) -> None:
    """Pages hear of runs that came, changed or went."""
    if operation.name in ("edit_runs", "delete_runs", "move_runs"):
        kind = "run" if operation.name == "edit_runs" else "deleted"
        for run in call.body["runs"]:
            services.hub.publish(call.path["project"], run, (kind,), ())
            if operation.name == "move_runs":
                services.hub.publish(call.body["to"], run, ("run",), ())
    elif operation.name in ("create_run", "edit_run", "delete_run"):
        project = call.path.get("project") or call.body["project"]
        run = call.path.get("run") or call.body["id"]
        kind = "deleted" if operation.name == "delete_run" else "run"
        services.hub.publish(project, run, (kind,), ())


def _journal(call: Call) -> Any:
    # The guard sends batches straight to Ingest; only a path that Ingest would refuse gets here.
    raise not_found("this cannot be the path of a journal")


_JOURNAL = Operation(
    "POST",
    "/api/projects/{project}/runs/{run}/journal/{writer}/{segment}",
    "append_journal",
    "Append a batch of a writer's segment; the answer says that it is committed",
    Role.WRITE,
    _journal,
    ref("Ack"),
    query=(
        Parameter(
            "offset",
            "where in the segment the batch begins",
            "integer",
            is_required=True,
            minimum=0,
        ),
    ),
    body={"type": "string"},
    errors=(409, 415, 503),
    description="The body is raw journal bytes, whole lines, plain or `Content-Encoding: zstd` "
    "(then with `Outrider-Raw-Length`). Below the stored offset nothing is stored twice.",
)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_response(error)


def _unless_read_by_a_person(
    site: Page, answer: Callable[[Request, Exception], Awaitable[Response]]
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Who opens an address that leads nowhere in a browser gets the page, which says so and what to do."""

    async def shown(request: Request, error: Exception) -> Response:
        status = error.status if isinstance(error, Problem) else getattr(error, "status_code", 0)
        asked = request.method == "GET" and "text/html" in request.headers.get("accept", "")
        if status == 404 and asked and not request.url.path.startswith("/api/"):
            return site.index(request, 404)
        return await answer(request, error)

    return shown


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = "method_not_allowed" if error.status_code == 405 else "not_found"
    message = "this path does not take this method" if error.status_code == 405 else "not found"
    problem = Problem(
        error.status_code,
        code,
        message,
        hint="GET /api/openapi.json lists every route",
        headers=error.headers,
    )
    return problem_response(problem)


async def _on_unknown_run(request: Request, error: Exception) -> Response:
    return problem_response(not_found("there is no such run", hint="GET /api/projects lists them"))


async def _on_not_found(request: Request, error: Exception) -> Response:
    assert isinstance(error, OutriderError)
    return problem_response(not_found(error.message, hint=error.hint))


async def _on_usage_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, OutriderError)
    problem = bad_request(error.message, hint=error.hint)
    position = getattr(error, "position", None)
    if position is not None:
        problem.extra["position"] = position
    return problem_response(problem)
