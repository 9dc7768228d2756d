"""Every operation of the API, from its own document: how it can be asked for, and what it needs."""

from __future__ import annotations

import re
from typing import Any

from server_kit import Client, meta, points

NEEDS = {
    "openapi": "read",
    "me": "read",
    "create_login_code": "read",
    "logout": "read",
    "list_projects": "read",
    "list_runs": "read",
    "list_columns": "read",
    "show_run": "read",
    "read_series": "read",
    "read_groups": "read",
    "read_many_series": "read",
    "list_views": "read",
    "show_view": "read",
    "keep_view": "write",
    "delete_view": "write",
    "read_system": "read",
    "read_points": "read",
    "read_records": "read",
    "list_files": "read",
    "read_content": "read",
    "show_code": "read",
    "content_state": "write",
    "send_content": "write",
    "send_contents": "write",
    "missing_contents": "write",
    "read_console": "read",
    "search_console": "read",
    "list_media": "read",
    "list_media_keys": "read",
    "read_table": "read",
    "events": "read",
    "create_run": "write",
    "append_journal": "write",
    "edit_run": "write",
    "delete_run": "admin",
    "edit_runs": "write",
    "move_runs": "write",
    "table_parquet": "read",
    "delete_runs": "admin",
    "list_tokens": "admin",
    "create_token": "admin",
    "revoke_token": "admin",
    "list_alerts": "read",
    "list_run_alerts": "read",
    "list_rules": "read",
    "add_rule": "write",
    "delete_rule": "write",
    "show_webhook": "admin",
    "set_webhook": "admin",
    "health": None,
    "login": None,
    "page_0": None,
    "page_1": None,
    "plot_frame": None,
    "file_0": None,
    "file_1": None,
}
RANK = ["read", "write", "admin"]
BODIES: dict[str, Any] = {
    "create_run": meta("roles", "p"),
    "append_journal": points(0, 1),
    "edit_run": {"name": "x"},
    "edit_runs": {"runs": []},
    "delete_runs": {"runs": []},
    "move_runs": {"runs": [], "to": "p"},
    "create_token": {"name": "x", "role": "read"},
    "create_login_code": {},
    "add_rule": {"kind": "died"},
    "set_webhook": {"url": None},
    "missing_contents": {"sha256": []},
    "send_content": b"",
    "send_contents": b"[]\n",
    "keep_view": {"state": "?x=wall"},
}
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
VALUES = {
    "project": "p",
    "run": "roles",
    "writer": "w",
    "segment": "1",
    "seq": "1",
    "token": "nobody",
    "sha256": EMPTY,
}
QUERIES = {
    "append_journal": "?offset=0",
    "read_series": "?key=loss&run=roles",
    "read_groups": "?key=loss&by=config.lr",
    "read_many_series": "?key=loss&run=roles",
    "read_points": "?key=loss",
    "search_console": "?q=x",
    "content_state": "?size=0",
    "send_content": "?offset=0&size=0",
    "login": "?code=x",
}


def routes(client: Client) -> list[tuple[str, str, str]]:
    """Every operation of the document: its name, method and a path that can be asked for."""
    found = []
    for path, methods in client.get("/api/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            name = operation["operationId"]
            filled = re.sub(r"{(\w+)}", lambda match: VALUES.get(match[1], "x"), path)
            found.append((name, method.upper(), filled + QUERIES.get(name, "")))
    return found


def ask(client: Client, name: str, method: str, path: str, **more: Any) -> int:
    """The status of an operation; a stream is not read."""
    if name != "events":
        return client.request(method, path, BODIES.get(name), **more).status
    with client.socket() as connection:
        token = f"Authorization: Bearer {client.token}\r\n" if client.token else ""
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {client.host}\r\n{token}\r\n".encode())
        return int(connection.recv(64).split()[1])
