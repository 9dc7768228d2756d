"""Writes the page's types from the OpenAPI document: ``python tests/house/client_types.py``.

The generator is no dependency of the page: it needs a TypeScript of its own, and is wanted only
when the document has changed, which ``test_client_types.py`` tells.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from outrider_server.app import operations
from outrider_server.openapi import document
from outrider_server.static_page import Page

TARGET = Path(__file__).resolve().parents[2] / "web/src/api/schema.ts"
GENERATOR = ("openapi-typescript@7.13.0", "typescript@5.9.3")
_HEAD = """/**
 * The API's shapes, as the server documents them. Made by `python tests/house/client_types.py`, not by hand.
 * Of the document {digest}
 */
export type Json = string | number | boolean | null | Json[] | {{ [key: string]: Json }};

"""


def page_document() -> dict[str, Any]:
    """What the page needs of the document: its JSON operations, and how they succeed."""
    found = document(operations(Page("/nowhere")))
    paths: dict[str, Any] = {}
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            success = {
                status: answer
                for status, answer in operation["responses"].items()
                if status.startswith("2") and "application/json" in answer.get("content", {})
            }
            if success and operation["operationId"] != "openapi":
                kept = {name: operation[name] for name in ("operationId", "summary", "parameters")}
                if "requestBody" in operation:
                    kept["requestBody"] = operation["requestBody"]
                paths.setdefault(path, {})[method] = {**kept, "responses": success}
    whole = {"openapi": "3.1.0", "info": {"title": "Outrider", "version": "0"}, "paths": paths}
    plain: dict[str, Any] = _without_descriptions(
        {**whole, "components": {"schemas": found["components"]["schemas"]}}
    )
    return plain


def digest(of: dict[str, Any]) -> str:
    """What the header of the types says of the document that they were made of."""
    return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()


def _without_descriptions(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_descriptions(item)
            for name, item in value.items()
            if not (name == "description" and isinstance(item, str))
        }
    return [_without_descriptions(item) for item in value] if isinstance(value, list) else value


def main() -> None:
    """Generate."""
    made = page_document()
    for path in made["paths"].values():
        for operation in path.values():
            for answer in operation["responses"].values():
                answer["description"] = ""  # the specification wants one
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "openapi.json"), Path(folder, "schema.ts")
        source.write_text(json.dumps(made))
        packages = [word for package in GENERATOR for word in ("-p", package)]
        subprocess.run(
            ["npx", "--yes", *packages, "openapi-typescript", str(source), "-o", str(target)],
            check=True,
            cwd=folder,
        )
        text = target.read_text()
    body = text[text.index("export interface paths") :]
    # TypeScript allows a type that holds itself only where it has a name of its own
    pattern = r"(?ms)^        Value: .*?^        };$"
    body, count = re.subn(pattern, "        Value: Json;", body, count=1)
    assert count == 1
    TARGET.write_text(_HEAD.format(digest=digest(page_document())) + body)


if __name__ == "__main__":
    main()
