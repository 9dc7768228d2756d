"""The artifacts of a run: files that were saved with metadata or aliases, in all their versions."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from outrider_server.background import Background


def test_versions_aliases_and_metadata_of_what_was_saved(
    page: Page, server: Background, record: Any
) -> None:
    """`best` is where it was set last; a version downloads; the file's path leads to its preview."""
    run = record("kept", "keeper")
    contents = [b"first weights", b"second weights"]
    hashes = [sha256(content).hexdigest() for content in contents]

    def file(path: str, t: float, content: int, **meta: Any) -> dict[str, Any]:
        more = {"m": meta} if meta else {}
        size = len(contents[content])
        return {
            "k": "file",
            "t": run.created + t,
            "path": path,
            "role": "save",
            "state": "ok",
            "sha256": hashes[content],
            "size": size,
            **more,
        }

    run.write(
        file("model.pt", 1, 0, **{"val/acc": 0.5, "aliases": ["best", "<b>old</b>"]}),
        file("model.pt", 2, 1, **{"val/acc": 0.75, "aliases": ["best"]}),
        file("notes.txt", 3, 0),
    )
    headers = {"Authorization": f"Bearer {server.token}"}
    url = f"{server.url}/api/projects/kept/runs/keeper/blobs/{hashes[1]}"
    size = len(contents[1])
    sent = requests.put(
        f"{url}?offset=0&size={size}", data=contents[1], headers=headers, timeout=30
    )
    assert sent.ok, sent.text
    page.goto(f"{server.url}/p/kept/r/keeper")
    page.get_by_role("tab", name="Artifacts").click()
    kept = page.get_by_role("region", name="model.pt")
    rows = kept.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("v2best0.75")
    expect(rows.nth(1)).to_contain_text("v1<b>old</b>0.5")
    expect(rows.nth(1)).to_contain_text("not delivered yet")
    expect(page.get_by_role("region", name="notes.txt")).to_have_count(0)
    with page.expect_download() as got:
        kept.get_by_role("link", name="Download version 2 of model.pt").click()
    assert Path(got.value.path()).read_bytes() == contents[1]
    kept.get_by_role("link", name="model.pt", exact=True).click()
    expect(page.get_by_role("tab", name="Files")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("region", name="model.pt")).to_be_visible()
