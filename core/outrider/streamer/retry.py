"""Decides what an answer to a batch means and how long to wait: plain functions of plain values.

No answer ever makes the streamer drop data. What moves on is an ack; what goes back is a 409; all
else waits, without end, with exponential backoff and jitter, and obeys ``Retry-After``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from outrider.errors import ServerError, Unauthorized, Unreachable
from outrider.transport import Answer, SomebodyElse, said

FIRST_SECONDS = 0.5
CAP_SECONDS = 30.0
LONGEST_RETRY_AFTER = 3600.0
TOKEN_SECONDS = 5.0
"""How often, at most, a new token is looked for while the server refuses the one we have."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do next.

    ``action``: acked (the cursor goes to ``offset``), rewind (back to ``offset``), create (the
    server does not know the run), split (a smaller batch), token (look for another token), wait.
    ``state`` is what delivery.json says meanwhile.
    """

    action: str
    seconds: float = 0.0
    offset: int | None = None
    state: str = "streaming"
    reason: str | None = None
    hint: str | None = None


def backoff(failures: int, chance: float) -> float:
    """Seconds before try number ``failures + 1``; ``chance`` is a random number in [0, 1)."""
    whole: float = min(CAP_SECONDS, FIRST_SECONDS * 2.0 ** min(max(failures - 1, 0), 16))
    return whole * (0.5 + chance / 2)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that ``Retry-After`` asks for (a number or a date), at most an hour; None without."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        from datetime import timezone
        from email.utils import parsedate_to_datetime  # 26 ms that a start need not wait for

        try:
            date = parsedate_to_datetime(text)
        except (TypeError, ValueError):
            return None
        if date.tzinfo is None:
            date = date.replace(tzinfo=timezone.utc)
        seconds = date.timestamp() - now
    if not seconds >= 0:  # also NaN
        return 0.0
    return min(seconds, LONGEST_RETRY_AFTER)


def judge(
    answer: Answer, offset: int, end: int, *, failures: int, chance: float, now: float
) -> Decision:
    """What the server's own answer to the batch ``offset``–``end`` means.

    An ack beyond what was sent is believed: another streamer or a ``sync`` sent it before us.
    """
    if 200 <= answer.status < 300:
        acked = offset_in(answer)
        if acked is None:
            return _wait(answer, failures, chance, now, "the server's ack names no offset")
        if acked < offset:  # it lost what it had acked (a restored backup): go back to where it is
            return Decision("rewind", offset=acked)
        return Decision("acked", offset=acked)
    if answer.status == 409:
        there = offset_in(answer)
        if there is None or there >= end:
            return _wait(answer, failures, chance, now, "the server's 409 names no usable offset")
        return Decision("rewind", offset=there)
    if answer.status == 404:
        return Decision("create", seconds=backoff(failures, chance) if failures > 1 else 0.0)
    if answer.status == 413:
        return Decision("split", reason=said(answer)[0])
    return judge_failure(answer, failures=failures, chance=chance, now=now)


def judge_failure(answer: Answer, *, failures: int, chance: float, now: float) -> Decision:
    """What an answer that is neither yes nor about offsets means: wait, or find another token."""
    message, hint = said(answer)
    if answer.status in (401, 403):
        return Decision(
            "token",
            seconds=min(TOKEN_SECONDS, backoff(failures, chance)) if failures < 10 else CAP_SECONDS,
            state="refused",
            reason=message or f"the server refuses the token ({answer.status})",
            hint=hint or "`outrider login` keeps a token for this server; sending then goes on",
        )
    return _wait(answer, failures, chance, now, message, hint)


def judge_error(error: ServerError, *, failures: int, chance: float, now: float) -> Decision:
    """What it means that nobody answered, or somebody else did."""
    if isinstance(error, SomebodyElse):
        answer = error.answer
        if answer.status == 413:  # a proxy's limit: smaller batches may pass it
            return Decision("split", state="waiting", reason=error.message, hint=error.hint)
        asked = retry_after(answer.headers, now)
        seconds = backoff(failures, chance) if asked is None else asked
        return Decision("wait", seconds, None, "waiting", error.message, error.hint)
    if isinstance(error, Unauthorized):
        return Decision("token", TOKEN_SECONDS, None, "refused", error.message, error.hint)
    reason = error.message
    if isinstance(error, Unreachable):
        reason = error.message.partition(": ")[2] or error.message
    return Decision("wait", backoff(failures, chance), None, "waiting", reason, error.hint)


def offset_in(answer: Answer) -> int | None:
    """The offset that an answer's body names, or None."""
    try:
        offset = answer.json()["offset"]
    except (ServerError, KeyError, TypeError):
        return None
    return (
        offset if isinstance(offset, int) and not isinstance(offset, bool) and offset >= 0 else None
    )


def _wait(
    answer: Answer,
    failures: int,
    chance: float,
    now: float,
    message: str | None = None,
    hint: str | None = None,
) -> Decision:
    asked = retry_after(answer.headers, now)
    seconds = backoff(failures, chance) if asked is None else asked
    lasting = 400 <= answer.status < 500 and answer.status not in (408, 409, 425, 429)
    return Decision(
        "wait",
        max(seconds, 10.0) if lasting and failures > 3 else seconds,
        None,
        "refused" if lasting else "waiting",
        message or f"the server answered {answer.status}",
        hint,
    )
