"""No name that a client sends ever becomes a path: 500 traversals on every route that takes a name."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from attack_kit import Wire, request, tree
from route_table import BODIES, QUERIES, VALUES

from outrider.errors import OutriderError, UsageError
from outrider.ids import check_project, check_run_id
from outrider.journal.segment import parse_segment_name
from outrider.reading.files import file_of, safe_path
from outrider_server.routes.files import file_name

if TYPE_CHECKING:
    from server_kit import Client

    from outrider_server.background import Background

CANARY = b"a canary that no answer may sing"
UP = (
    "../",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    ".%2e/",
    "..%5c",
    "..\\",
    "....//",
    "..;/",
    "%252e%252e%252f",
    "%c0%ae%c0%ae%c0%af",
    "..%u2215",
    "%ef%bc%8e%ef%bc%8e%ef%bc%8f",
)
TARGETS = (
    "canary.txt",
    "etc/passwd",
    "store.sqlite",
    "server.lock",
    "outrider-server.json",
    "static_page.py",
    "canary.txt%00.png",
)
WHOLE = (
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "file:///etc/passwd",
    "C:%5cWindows%5cwin.ini",
    "%5c%5chost%5cshare",
    "..",
    "%2e%2e",
    ".",
    "%00",
    "~root%2f.bashrc",
    "$HOME",
    "%0d%0aSet-Cookie:x=y",
    "x%0aHost:%20evil.example",
    "a" * 5000,
)


def payloads(canary: Path) -> list[str]:
    """At least 500, as they stand in a request's target."""
    found = [
        step * count + target for step in UP for count in (1, 2, 3, 5, 8) for target in TARGETS
    ]
    found += [f"x/{step * 3}{target}" for step in UP for target in TARGETS[:3]]
    found += [*WHOLE, str(canary), str(canary).replace("/", "%2f")]
    return found


@pytest.fixture
def canary(shared: Background) -> Path:
    """A file beside the server's data folder."""
    args: list[str] = list(shared.process.args)  # type: ignore[arg-type]
    path = Path(args[args.index("--data") + 1]).parent / "canary.txt"
    path.write_bytes(CANARY)
    return path


def targets(document: dict[str, Any], payload: str, number: int) -> list[tuple[str, str, str]]:
    """The payload in the place of one name of each route: operation, method, target."""
    found = []
    for path, methods in document.items():
        names = re.findall(r"{(\w+)}", path)
        if not names:
            continue
        attacked = names[number % len(names)]
        filled = path.replace(f"{{{attacked}}}", payload)
        filled = re.sub(r"{(\w+)}", lambda match: VALUES.get(match[1], "x"), filled)
        for method, operation in methods.items():
            name = operation["operationId"]
            found.append((name, method.upper(), filled + QUERIES.get(name, "")))
    return found


def test_no_route_follows_a_name_out_of_its_place(client: Client, canary: Path) -> None:
    """Each payload in each route: nothing is read, nothing is written, nothing breaks."""
    client.create_run("roles")
    attacks = payloads(canary)
    assert len(set(attacks)) >= 500
    before = tree(canary.parent)
    bodies = {
        name: body if isinstance(body, bytes) else json.dumps(body).encode()
        for name, body in BODIES.items()
    }
    document = client.get("/api/openapi.json").json()["paths"]
    asked: list[str] = []
    requests: list[bytes] = []
    for number, payload in enumerate(attacks):
        for name, method, target in targets(document, payload, number):
            asked.append(f"{name}: {method} {target}")
            requests.append(request(client, method, target, bodies.get(name, b"")))
    replies = Wire(client).ask(requests)
    assert len(replies) == len(requests) > 10_000
    for line, reply in zip(asked, replies, strict=True):
        assert reply.status < 500 or reply.code in ("no_pyarrow", "not_built"), (line, reply)
        assert CANARY not in reply.body, line
        assert b"root:" not in reply.body, line
        assert b"SQLite format" not in reply.body, line
        assert "set-cookie" not in reply.headers, line
    assert client.get("/api/health").status == 200
    added = {name for name in tree(canary.parent) - before if not name.startswith("data/files/")}
    assert not {name for name in added if not re.fullmatch(r"data/store\.sqlite-\w+", name)}


def test_no_name_of_a_run_or_a_project_leads_anywhere(canary: Path) -> None:
    """In ``init()``, in a folder's files, in what is downloaded: the same 500."""
    for payload in payloads(canary):
        for name in (payload, unquote(payload)):
            parsed = parse_segment_name(name + "-000001.jsonl")
            assert parsed is None or os.path.basename(parsed[0]) == parsed[0]
            for check in (check_run_id, check_project):
                try:
                    kept = check(name)
                except UsageError:
                    continue
                assert kept not in (".", "..")
                assert os.path.basename(kept) == kept
            below = os.path.normpath(os.path.join("/top", safe_path(name)))
            assert below.startswith("/top/"), name
            assert "\0" not in below
            saved_as = file_name(name)
            assert os.path.basename(saved_as) == saved_as


def test_a_download_stays_below_its_folder(canary: Path, tmp_path: Path) -> None:
    """Whatever path a run's file claims."""
    data = b"x"

    class Given:
        def present(self, sha256: str) -> bool:
            return True

        def chunks(self, sha256: str, size: int) -> Any:
            yield data

    top = tmp_path / "a" / "b" / "to"
    top.mkdir(parents=True)
    for payload in payloads(canary):
        file = file_of(
            {
                "path": unquote(payload),
                "sha256": hashlib.sha256(data).hexdigest(),
                "size": 1,
                "t": 1,
            },
            Given(),
        )
        assert file is not None
        try:
            file.download(top)
        except (OSError, OutriderError):  # too long a name, a file where a folder is wanted
            continue
    outside = {name for name in tree(tmp_path) if not name.startswith("a/b/to")}
    assert outside <= {"a", "a/b"}
    assert canary.read_bytes() == CANARY
