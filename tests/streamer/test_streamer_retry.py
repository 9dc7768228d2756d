from __future__ import annotations

import json
from email.utils import formatdate

import pytest

from outrider.errors import Unreachable
from outrider.streamer.retry import (
    CAP_SECONDS,
    Decision,
    backoff,
    judge,
    judge_error,
    retry_after,
)
from outrider.transport import SERVER_HEADER, Answer, SomebodyElse

NOW = 1_763_860_000.0


def answer(status: int, body: object = None, **headers: str) -> Answer:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {SERVER_HEADER: "1", **given}, json.dumps(body or {}).encode())


def judged(found: Answer, failures: int = 1) -> Decision:
    return judge(found, 100, 200, failures=failures, chance=0.5, now=NOW)


def test_an_ack_moves_the_cursor_to_the_servers_offset() -> None:
    """Also to one beyond the batch: somebody else sent it before us."""
    assert judged(answer(200, {"offset": 200})) == Decision("acked", offset=200)
    assert judged(answer(200, {"offset": 900, "duplicate": True})).offset == 900


def test_a_server_that_lost_data_is_sent_it_again() -> None:
    """An offset below ours goes back, whichever status it comes with."""
    assert judged(answer(409, {"offset": 40})) == Decision("rewind", offset=40)
    assert judged(answer(200, {"offset": 40})) == Decision("rewind", offset=40)


@pytest.mark.parametrize("body", [{}, {"offset": -1}, {"offset": "7"}, {"offset": True}, [1], None])
@pytest.mark.parametrize("status", [200, 409])
def test_an_answer_without_a_usable_offset_moves_nothing(status: int, body: object) -> None:
    """Garbage in an ack is not an ack."""
    assert judged(answer(status, body)).action == "wait"


@pytest.mark.parametrize(
    ("status", "action", "state"),
    [
        (400, "wait", "refused"),
        (401, "token", "refused"),
        (403, "token", "refused"),
        (404, "create", "streaming"),
        (408, "wait", "waiting"),
        (413, "split", "streaming"),
        (422, "wait", "refused"),
        (429, "wait", "waiting"),
        (500, "wait", "waiting"),
        (502, "wait", "waiting"),
        (503, "wait", "waiting"),
        (507, "wait", "waiting"),
        (302, "wait", "waiting"),
    ],
)
def test_no_answer_drops_data(status: int, action: str, state: str) -> None:
    """Every refusal waits, splits, asks for a token or makes the run known; none moves on."""
    for failures in (1, 5, 1000):
        decision = judged(answer(status), failures)
        assert (decision.action, decision.state) == (action, state)
        assert decision.offset is None
        assert 0 <= decision.seconds <= CAP_SECONDS


def test_retry_after_is_obeyed_as_seconds_and_as_a_date() -> None:
    """The server's word beats our backoff; nonsense in it does not."""
    assert judged(answer(429, retry_after="17")).seconds == 17
    assert judged(answer(503, retry_after=formatdate(NOW + 90, usegmt=True))).seconds == 90
    assert judged(answer(429, retry_after="soon")).seconds == backoff(1, 0.5)
    assert retry_after({"retry-after": "-5"}, NOW) == 0
    assert retry_after({"retry-after": "nan"}, NOW) == 0
    assert retry_after({"retry-after": "99999999"}, NOW) == 3600


def test_backoff_grows_to_its_cap_and_never_beyond() -> None:
    """Doubling, with jitter downwards, for any number of failures."""
    longest = [backoff(failures, 0.999999) for failures in range(1, 2000)]
    assert longest[:3] == pytest.approx([0.5, 1.0, 2.0], rel=1e-4)
    assert max(longest) <= CAP_SECONDS
    assert sorted(longest) == longest
    assert backoff(5, 0.0) == pytest.approx(backoff(5, 0.999999) / 2, rel=1e-4)


def test_somebody_elses_answer_waits_with_a_hint() -> None:
    """A proxy's page is no word of the server's; its 413 may still be passed by smaller batches."""
    page = Answer(200, {"content-type": "text/html"}, b"<html>")
    decision = judge_error(SomebodyElse("http://x", page), failures=1, chance=0.5, now=NOW)
    assert (decision.action, decision.state) == ("wait", "waiting")
    assert decision.hint
    small = SomebodyElse("http://x", Answer(413, {}, b""))
    assert judge_error(small, failures=1, chance=0.5, now=NOW).action == "split"
    moved = SomebodyElse("http://x", Answer(302, {"location": "https://y/"}, b""))
    hint = judge_error(moved, failures=1, chance=0.5, now=NOW).hint
    assert hint is not None
    assert "https://y/" in hint


def test_nobody_answering_waits() -> None:
    """The reason is short enough for a status line."""
    error = Unreachable("http://x: connection refused", kind="refused")
    decision = judge_error(error, failures=3, chance=0.5, now=NOW)
    assert (decision.action, decision.reason) == ("wait", "connection refused")
