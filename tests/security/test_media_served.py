"""What runs recorded is given to browsers so that it cannot act: sandboxed, typed, or only saved."""

from __future__ import annotations

import hashlib
import json
from itertools import count, product
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from server_kit import Client

ACTIVE = [
    "text/html",
    "TEXT/HTML",
    "text/html; charset=utf-8",
    "text/html;text/plain",
    " text/html",
    "application/xhtml+xml",
    "image/svg+xml",
    "image/svg+xml;charset=x",
    "IMAGE/SVG+XML",
    "text/xml",
    "application/xml",
    "application/xslt+xml",
    "application/rss+xml",
    "application/pdf",
    "application/x-shockwave-flash",
    "text/javascript",
    "application/javascript",
    "application/wasm",
    "text/css",
    "text/vbscript; x=text/html",
    "multipart/x-mixed-replace",
    "message/rfc822",
    "application/x-mimearchive",
    "application/octet-stream",
    "image/png, text/html",
    "image/png\r\nContent-Type: text/html",
    "video/mp4;\u2028text/html",
    "*/*",
    "",
    None,
]
QUERIES = ["", "?download=0", "?name=a.png", "?name=a.svg", "?name=x%0d%0aX-Evil:1", "?framed=0"]
NUMBERS = count()
SCRIPT = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
def content(client: Client) -> str:
    """A new run with one content, which is a script; its path in the API."""
    name = hashlib.sha256(SCRIPT).hexdigest()
    run = f"active{next(NUMBERS)}"
    client.create_run(run)
    path = f"/api/projects/p/runs/{run}/blobs/{name}"
    client.request("PUT", f"{path}?offset=0&size={len(SCRIPT)}", SCRIPT)
    return path


def tell(client: Client, content: str, kind: str | None) -> None:
    """Say that the content is of this type, as a hostile client would."""
    *_, run, _, name = content.split("/")
    body = {"k": "file", "path": "f", "sha256": name, "size": len(SCRIPT), "type": kind}
    body |= {"t": 1763860000.0, "role": "media", "state": "ok"}
    assert client.append(run, 0, json.dumps(body).encode() + b"\n").status == 200


@pytest.mark.parametrize("kind", ACTIVE)
def test_no_content_acts_in_the_place_of_the_page(
    client: Client, content: str, kind: str | None
) -> None:
    """Whatever type it is said to have and however it is asked for: it cannot run as our origin."""
    tell(client, content, kind)
    destinations = [None, "document", "iframe", "image", "object", "script"]
    for query, destination in product([*QUERIES, "?framed=1"], destinations):
        headers = {} if destination is None else {"Sec-Fetch-Dest": destination}
        reply = client.get(content + query, headers=headers)
        assert reply.status == 200
        policy = reply.headers["content-security-policy"]
        assert policy.startswith("sandbox"), (query, destination)
        assert "allow-same-origin" not in policy
        assert "allow-top-navigation" not in policy
        assert "allow-popups" not in policy
        assert "default-src 'none'" in policy
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "x-evil" not in reply.headers
        is_framed = query == "?framed=1" and destination == "iframe"
        shown = reply.headers["content-disposition"].startswith("inline")
        served = reply.headers["content-type"].lower()
        if "html" in served:
            assert is_framed
            assert "frame-ancestors 'self'" in policy
        else:
            assert "svg" not in served
            assert "xml" not in served
            assert not shown or served.startswith(
                ("image/", "audio/", "video/", "text/plain", "application/json")
            )
        if not is_framed:
            assert "script-src" not in policy


def test_a_frame_runs_scripts_only_without_our_origin(client: Client, content: str) -> None:
    """A logged page in its frame: no origin of ours, no network, no form, no other frame around it."""
    tell(client, content, "text/html")
    reply = client.get(content + "?framed=1", headers={"Sec-Fetch-Dest": "iframe"})
    policy = dict(
        part.strip().partition(" ")[::2]
        for part in reply.headers["content-security-policy"].split(";")
    )
    assert policy["sandbox"] == "allow-scripts"
    assert policy["default-src"] == "'none'"
    assert "connect-src" not in policy
    assert policy["form-action"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert reply.headers["x-frame-options"] == "SAMEORIGIN"
    for place in ("img-src", "media-src", "font-src"):
        assert "http" not in policy[place]


def test_no_answer_of_the_api_is_markup(client: Client, content: str) -> None:
    """Names with markup come back as JSON, which no browser renders, also in failures."""
    from route_table import BODIES, routes

    evil = "<script>alert(1)</script>"
    for name, method, path in routes(client):
        if not path.startswith("/api/") or name in ("events", "delete_run", "delete_runs"):
            continue
        spoilt = path.replace("/roles", f"/{evil}").replace("/p/", f"/{evil}/")
        for target in (path, spoilt, path + ("&" if "?" in path else "?") + f"limit={evil}"):
            quoted = target.replace("<", "%3C").replace(">", "%3E")
            reply = client.request(method, quoted, BODIES.get(name))
            kind = reply.headers.get("content-type", "")
            assert not kind.startswith(("text/html", "image/svg", "text/xml")), (name, kind)
            assert reply.headers["x-content-type-options"] == "nosniff"
