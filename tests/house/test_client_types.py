"""The page's types are those of the API that this server serves."""

from __future__ import annotations

from client_types import TARGET, digest, page_document


def test_the_pages_types_are_made_of_the_document_that_is_served() -> None:
    """A change of an answer's shape reaches the page's type check, or this fails."""
    assert digest(page_document()) in TARGET.read_text(encoding="utf-8")[:500], (
        "the API has changed: run `python tests/house/client_types.py`, then `npm run check`"
    )
