"""The OpenAPI 3.1 document, made from the operations that are served."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from outrider_server.schemas import SCHEMAS, ref
from outrider_server.version import version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outrider_server.routes.operation import Operation, Parameter

_PATH: dict[str, dict[str, Any]] = {
    "project": {
        "type": "string",
        "minLength": 1,
        "maxLength": 128,
        "description": "without '/', '\\' and control characters",
    },
    "run": {"type": "string", "pattern": "^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$"},
    "writer": {"type": "string", "pattern": "^[a-z0-9_-]{1,64}$"},
    "segment": {"type": "integer", "minimum": 1},
    "seq": {"type": "integer", "minimum": 1},
    "token": {"type": "string"},
    "rule": {"type": "string"},
    "name": {"type": "string"},
    "view": {"type": "string", "minLength": 1, "maxLength": 128},
    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "rest": {"type": "string"},
}
_MEANING = {
    400: "The request itself is wrong",
    401: "Who is asking is not known",
    403: "Who is asking may not, or the request comes from another site",
    404: "There is no such thing",
    409: "The offset lies beyond what the server has; `offset` is where to go on",
    411: "The request says no Content-Length",
    413: "The body is too large: split it",
    415: "The Content-Encoding is not understood",
    422: "What arrived has another hash; it was thrown away",
    429: "Too many; see Retry-After",
    501: "This server cannot do that; the hint says what it lacks",
    503: "Try again later; see Retry-After",
    507: "The server's disk is full; see Retry-After",
}


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The document of these operations."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = operation.path.replace(":path}", "}")
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Outrider",
            "version": version(),
            "summary": "Records machine-learning training runs",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "outrider_session"},
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    path_names = re.findall(r"{(\w+)(?::path)?}", operation.path)
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _PATH[name]} for name in path_names
    ]
    parameters += [_parameter(parameter) for parameter in operation.query]
    errors = set(operation.errors) | ({400} if operation.query or operation.body else set())
    if operation.role is not None:
        errors |= {401, 403}
    if path_names:
        errors.add(404)
    if operation.body is not None:
        errors.add(413)
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {
            str(operation.status): _success(operation),
            **{str(status): _failure(status) for status in sorted(errors)},
        },
        "security": [] if operation.role is None else [{"token": []}, {"session": []}],
    }
    if operation.description:
        found["description"] = operation.description
    if operation.role is not None:
        found["x-outrider-role"] = operation.role.word
    if operation.body is not None:
        content = {"application/json": {"schema": operation.body}}
        if operation.name == "append_journal":
            content = {"application/x-ndjson": {"schema": operation.body}}
        if operation.body.get("format") == "binary":
            content = {"application/octet-stream": {"schema": operation.body}}
        is_required = "required" in operation.body or operation.body["type"] == "string"
        found["requestBody"] = {"required": is_required, "content": content}
    return found


def _success(operation: Operation) -> dict[str, Any]:
    if operation.status in (204, 303):
        return {"description": "Done"}
    schema = operation.answer or {"type": "string"}
    return {"description": "As asked", "content": {operation.media_type: {"schema": schema}}}


def _failure(status: int) -> dict[str, Any]:
    schema = ref("OffsetError" if status == 409 else "Error")
    return {
        "description": _MEANING[status],
        "content": {"application/json": {"schema": schema}},
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    bounds = {
        "minimum": parameter.minimum,
        "maximum": parameter.maximum,
        "default": parameter.default,
        "enum": list(parameter.choices) or None,
    }
    schema: dict[str, Any] = {"type": parameter.kind}
    schema |= {name: value for name, value in bounds.items() if value is not None}
    if parameter.is_many:
        schema = {"type": "array", "items": schema}
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.description,
        "required": parameter.is_required,
        "schema": schema,
    }
