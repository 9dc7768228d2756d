"""The OpenAPI document is true: every route is in it, it has no other, and answers fit it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from route_table import BODIES, routes
from server_kit import Client, points
from starlette.routing import Route

from outrider_server.app import build
from outrider_server.config import ServerConfig
from outrider_server.schemas import SCHEMAS
from outrider_server.services import Services
from outrider_server.static_page import Page


class Nothing:
    """Stands where building an application needs a part that it does not use."""

    def __getattr__(self, name: str) -> Any:
        return Nothing()


def fits(value: Any, schema: dict[str, Any], where: str = "$") -> None:
    """Raise AssertionError where a JSON value does not fit a schema of ours."""
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        for one in schema["anyOf"]:
            try:
                fits(value, one, where)
            except AssertionError:
                continue
            return
        raise AssertionError(f"{where}: {value!r} is none of {schema['anyOf']}")
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    python = {
        "object": dict,
        "array": list,
        "string": str,
        "number": (int, float),
        "integer": int,
        "boolean": bool,
        "null": type(None),
    }
    is_bool = isinstance(value, bool) and "boolean" not in kinds
    assert not kinds or (any(isinstance(value, python[kind]) for kind in kinds) and not is_bool), (
        f"{where}: {value!r} is no {kinds}"
    )
    if isinstance(value, dict):
        for name in schema.get("required", []):
            assert name in value, f"{where}: {name} is missing"
        for name, item in value.items():
            fits(item, schema.get("properties", {}).get(name, {}), f"{where}.{name}")
    if isinstance(value, list):
        for item in value[:50]:
            fits(item, schema.get("items", {}), f"{where}[]")


def test_every_route_is_documented_and_every_documented_route_exists(client: Client) -> None:
    """The router of the application against the document that the server sends."""
    services = Services(
        config=ServerConfig(),
        store=Nothing(),  # type: ignore[arg-type]
        tokens=Nothing(),  # type: ignore[arg-type]
        codes=Nothing(),  # type: ignore[arg-type]
        hub=Nothing(),  # type: ignore[arg-type]
        budget=Nothing(),  # type: ignore[arg-type]
        threads=Nothing(),  # type: ignore[arg-type]
        cookie="c",
    )
    guard = build(services, Page("/nowhere"))
    app: Any = guard._app
    served = {
        (method, route.path.replace(":path}", "}"))
        for route in app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert len(app.routes) == len([route for route in app.routes if isinstance(route, Route)])
    document = client.get("/api/openapi.json").json()
    documented = {
        (method.upper(), path) for path, found in document["paths"].items() for method in found
    }
    assert served == documented


def test_a_documented_route_is_never_404_for_the_route(client: Client) -> None:
    """Asked for as documented, the router knows the path and the method."""
    client.create_run("roles")
    for name, method, path in routes(client):
        if name in ("events", "delete_run", "login", "file_0", "file_1"):
            continue
        reply = client.request(method, path, BODIES.get(name))
        known = reply.status < 400 or reply.code != "method_not_allowed"
        assert known, (name, reply)
        if reply.status == 404:
            assert "route" not in (reply.json()["error"]["hint"] or ""), (name, reply)


def test_other_methods_are_refused(client: Client) -> None:
    """405 in our form, with Allow."""
    for method, path in (("PUT", "/api/runs"), ("DELETE", "/api/projects"), ("TRACE", "/api/me")):
        reply = client.request(method, path)
        assert reply.status == 405
        assert reply.code == "method_not_allowed"
        assert reply.headers["allow"]


def test_answers_fit_the_shapes_they_are_documented_with(client: Client) -> None:
    """Each JSON answer of a run with points, config and records."""
    client.create_run("shapes")
    raw = b'{"t":1763860000.0,"k":"config","c":{"lr":0.1,"name":"x"}}\n' + points(0, 50)
    raw += b'{"t":1763860001.0,"s":51,"p":{"loss":"NaN","acc":true}}\n'
    raw += b'{"t":1763860001.0,"k":"sys","d":30.0,"p":{"system/cpu":12.5}}\n'
    raw += b'{"t":1763860002.0,"k":"console","o":"out","b":"hello\\n"}\n'
    raw += b'{"t":1763860002.0,"k":"file","path":"a.txt","size":3,"m":{"step":5}}\n'
    raw += b'{"t":1763860002.0,"k":"alert","title":"a","text":"b","level":"info"}\n'
    assert client.append("shapes", 0, raw).status == 200
    fits(client.post("/api/projects/p/rules", {"kind": "died"}).json(), SCHEMAS["Rule"])
    document = client.get("/api/openapi.json").json()
    paths = {
        "/api/me": "/api/me",
        "/api/projects": "/api/projects",
        "/api/projects/p/runs?columns=config.lr&columns=summary.loss": "/api/projects/{project}/runs",
        "/api/projects/p/columns": "/api/projects/{project}/columns",
        "/api/projects/p/runs/shapes": "/api/projects/{project}/runs/{run}",
        "/api/projects/p/series?key=loss&run=shapes": "/api/projects/{project}/series",
        "/api/projects/p/series?key=loss&run=shapes&run=no&width=5&smooth=ema:0.5": (
            "/api/projects/{project}/series"
        ),
        "/api/projects/p/runs/shapes/system": "/api/projects/{project}/runs/{run}/system",
        "/api/projects/p/runs/shapes/points?key=loss": (
            "/api/projects/{project}/runs/{run}/points"
        ),
        "/api/projects/p/runs/shapes/records": "/api/projects/{project}/runs/{run}/records",
        "/api/projects/p/runs/shapes/alerts": "/api/projects/{project}/runs/{run}/alerts",
        "/api/projects/p/alerts?limit=5": "/api/projects/{project}/alerts",
        "/api/projects/p/rules": "/api/projects/{project}/rules",
        "/api/projects/p/groups?key=loss&by=config.lr": "/api/projects/{project}/groups",
        "/api/projects/p/views": "/api/projects/{project}/views",
        "/api/projects/p/runs/shapes/files": "/api/projects/{project}/runs/{run}/files",
        "/api/projects/p/runs/shapes/code": "/api/projects/{project}/runs/{run}/code",
        "/api/projects/p/runs/shapes/console": "/api/projects/{project}/runs/{run}/console",
        "/api/projects/p/runs/shapes/media": "/api/projects/{project}/runs/{run}/media",
        "/api/webhook": "/api/webhook",
        "/api/tokens": "/api/tokens",
        "/api/health": "/api/health",
    }
    for path, template in paths.items():
        reply = client.get(path)
        assert reply.status == 200, (path, reply)
        content = document["paths"][template]["get"]["responses"]["200"]["content"]
        fits(reply.json(), content["application/json"]["schema"], path)
    fits(client.create_run("shapes").json(), SCHEMAS["RunCreated"])
    fits(client.append("shapes", 0, raw).json(), SCHEMAS["Ack"])
    fits(client.append("shapes", 10**6, raw).json(), SCHEMAS["OffsetError"])
    fits(client.get("/api/nothing").json(), SCHEMAS["Error"])


@pytest.mark.parametrize(
    "query",
    [
        "runs?limit=x",
        "runs?limit=-1",
        "runs?limit=99999",
        "runs?limit=1&limit=2",
        "runs?filter=((",
        "runs?filter=" + "x" * 9000,
        "runs?sort=nonsense",
        "runs?columns=nonsense",
        "series",
        "series?key=loss&width=0",
        "series?key=loss&x=sideways",
        "series?key=loss&min=abc",
        "series?key=loss&min=nan",
        "series?key=loss&smooth=ema:2",
        "series?key=loss&min=2&max=1",
        "runs/shapes/points",
        "runs/shapes/points?key=loss&min_step=1.5",
        "runs/shapes/points?key=loss&cursor=zzz",
        "runs/shapes/points?key=loss&system=maybe",
        "runs/shapes/records?limit=0",
        "runs/shapes/records?after=zzz",
        "runs/shapes/alerts?after=zzz",
        "alerts?limit=0",
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(client: Client, query: str) -> None:
    """400 with what was wrong, and never 500."""
    client.create_run("shapes")
    client.append("shapes", 0, points(0, 1), writer="any")
    reply = client.get("/api/projects/p/" + query)
    assert (reply.status, reply.code) == (400, "bad_request")
    assert reply.json()["error"]["message"]


def test_path_names_match_the_documents_parameters(client: Client) -> None:
    """Each {name} of a path is described, as required."""
    for path, methods in client.get("/api/openapi.json").json()["paths"].items():
        for operation in methods.values():
            named = {item["name"] for item in operation["parameters"] if item["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))
