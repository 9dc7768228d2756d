from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamer_ingest import Ingest
    from streamer_kit import Run


def test_everything_that_was_written_arrives_once(run: Run, ingest: Ingest) -> None:
    """A folder's records are at the server, in order; a second delivery adds none."""
    run.log(*range(1000))
    run.end()
    first = run.deliver()
    assert first.delivered
    assert first.state == "delivered"
    assert first.behind == 0
    again = run.deliver()
    assert again.delivered
    assert again.sent == 0
    assert ingest.points(run.id) == list(range(1000))
    assert [end["state"] for end in ingest.ends(run.id)] == ["finished"]
    assert run.delivery()["done"] is True
