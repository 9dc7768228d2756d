"""What one operation of the API is: the same description serves it and documents it.

The router, the checks of roles and projects, the reading of query parameters and the OpenAPI
document all come from these values, so that the document cannot say anything else than what runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from outrider.errors import UsageError
from outrider.ids import check_project, is_run_id, is_writer_id
from outrider_server.problems import bad_request, not_found

if TYPE_CHECKING:
    from starlette.requests import Request

    from outrider_server.services import Services
    from outrider_server.tokens import Principal, Role

Schema = Mapping[str, Any]

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_INTEGER = re.compile(r"-?\d{1,18}")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter; ``kind`` is string, integer, number or boolean (1, 0, true, false)."""

    name: str
    description: str
    kind: str = "string"
    is_required: bool = False
    is_many: bool = False
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    longest: int = 4096

    def read(self, values: list[str]) -> Any:
        """The value of a request's query, checked; raises 400."""
        if not values:
            if self.is_required:
                raise bad_request(f"the parameter {self.name!r} is missing", hint=self.description)
            return [] if self.is_many else self.default
        if self.is_many:
            return [self._one(value) for value in values]
        if len(values) > 1:
            raise bad_request(f"the parameter {self.name!r} may stand only once")
        return self._one(values[0])

    def _one(self, text: str) -> Any:
        value: Any = text
        is_right = len(text) <= self.longest and not (self.choices and text not in self.choices)
        if self.kind == "boolean":
            is_right = text in ("0", "1", "true", "false")
            value = text in ("1", "true")
        elif self.kind == "integer":
            is_right = _INTEGER.fullmatch(text) is not None
            value = int(text) if is_right else 0
        elif self.kind == "number":
            is_right = _NUMBER.fullmatch(text) is not None
            value = float(text) if is_right else 0.0
        if self.kind in ("integer", "number") and is_right:
            is_right = (self.minimum is None or value >= self.minimum) and (
                self.maximum is None or value <= self.maximum
            )
        if not is_right:
            raise bad_request(
                f"the parameter {self.name!r} cannot be {text[:100]!r}", hint=self.description
            )
        return value


@dataclass(frozen=True, slots=True)
class Call:
    """One request as an operation sees it: names checked, parameters read, body parsed."""

    services: Services
    principal: Principal | None
    request: Request
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: dict[str, Any]

    @property
    def who(self) -> Principal:
        """The principal; operations with a role always have one."""
        if self.principal is None:
            raise RuntimeError("this operation needs a role")
        return self.principal

    @property
    def base_url(self) -> str:
        """``http://host:port`` as the client addressed us; the guard checked the name."""
        public = self.services.config.public_url
        return public.rstrip("/") if public else str(self.request.base_url).rstrip("/")


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    ``handler`` takes a Call and returns a JSON value (run in a thread) or, with ``is_raw``, is
    asynchronous and returns a Starlette response. ``role`` None means that no token is asked for.
    """

    method: str
    path: str
    name: str
    summary: str
    role: Role | None
    handler: Callable[[Call], Any]
    answer: Schema = field(default_factory=dict)
    status: int = 200
    query: tuple[Parameter, ...] = ()
    body: Schema | None = None
    errors: tuple[int, ...] = ()
    is_raw: bool = False
    media_type: str = "application/json"
    description: str = ""


def check_path(names: Mapping[str, Any]) -> dict[str, str]:
    """The names in a path, each as it may be; raises 404, since no such thing can exist."""
    checked = {name: str(value) for name, value in names.items()}
    project = checked.get("project")
    if project is not None:
        try:
            check_project(project)
        except UsageError as error:
            raise not_found(error.message, hint=error.hint) from None
        if "\ufffd" in project:
            raise not_found("the project's name is not UTF-8")
    run = checked.get("run")
    if run is not None and not is_run_id(run):
        raise not_found("this cannot be a run id")
    writer = checked.get("writer")
    if writer is not None and not is_writer_id(writer):
        raise not_found("this cannot be a writer id")
    return checked
