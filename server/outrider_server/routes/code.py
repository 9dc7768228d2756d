"""The code that a run was started from, and what it ran in."""

from __future__ import annotations

import re
from typing import Any

from outrider.reading.code import CODE, ENVIRONMENT, chosen, named_in
from outrider_server.routes.operation import Call, Operation
from outrider_server.schemas import VALUES, many, maybe, perhaps, ref, shape
from outrider_server.store.files import FilesQuery
from outrider_server.tokens import Role

_ANSWER = shape(
    "code environment files web",
    code=perhaps(VALUES),
    environment=perhaps(VALUES),
    files=many(ref("File")),
    web=maybe("string"),
)

_RECORDS = 1000
_SSH = re.compile(r"(?:ssh://)?(?:[\w.+-]+@)?([A-Za-z0-9.-]+)(?::\d+/|[:/])/?([\w./~+-]+)")
_HTTP = re.compile(r"https?://(?:[^/@]*@)?([A-Za-z0-9.-]+)(?::\d+)?/([\w./~+-]+)")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def show_code(call: Call) -> dict[str, Any]:
    """What was captured of a run."""
    store, names = call.services.store, (call.path["project"], call.path["run"])

    def last(kind: str) -> dict[str, Any] | None:
        found = store.records(*names, kind=kind, limit=_RECORDS)
        return chosen(found["records"])

    code = last(CODE)
    named = named_in(code)
    files = store.files(*names, FilesQuery(role="code"))["files"]
    return {
        "code": code,
        "environment": last(ENVIRONMENT),
        "files": [file for file in files if file["path"] in named],
        "web": None if code is None else web_link(code.get("remote"), code.get("commit")),
    }


def web_link(remote: object, commit: object) -> str | None:
    """The https address of a commit's page, as GitHub, GitLab, Gitea and Bitbucket have it; None
    where the remote is no such address (a folder, a host without a path)."""
    if not isinstance(remote, str) or not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
        return None
    plain = remote.replace("[redacted]@", "")
    found = _HTTP.fullmatch(plain) if "://" in plain else None
    if found is None and not plain.startswith(("/", ".", "file:", "http")):
        found = _SSH.fullmatch(plain)
    if found is None:
        return None
    host, path = found[1].lower(), found[2].strip("/").removesuffix(".git")
    if "/" not in path or ".." in path or "." not in host:
        return None
    return f"https://{host}/{path}/{'commits' if 'bitbucket' in host else 'commit'}/{commit}"


OPERATIONS = (
    Operation(
        "GET",
        "/api/projects/{project}/runs/{run}/code",
        "show_code",
        "The code and the environment that a run was started from",
        Role.READ,
        show_code,
        _ANSWER,
        description="`code` and `environment` are what the records of the latest attempt say, `files` "
        "the patches that were uploaded, `web` a link to the commit where the remote is a host's.",
    ),
)
