"""How a run ends in the training process, and the bounded wait for what is not yet delivered."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import orjson

from outrider.described import Ending
from outrider.ids import host_label
from outrider.notice import say, swallow
from outrider.values import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outrider.training import Run

LAST_CHANCE_SECONDS = 60.0
"""The longest wait where nothing of ours outlives the trainer, as long as acks advance."""

_STALLED_SECONDS = 10.0
"""Where it is the last chance: how long no ack may advance before the wait is given up."""

_DOWN_SECONDS = 1.5
"""The same, where the server is known to be down: the process is gone within two seconds."""


def end_of_exception(error: BaseException, *, with_code: bool = True) -> Ending:
    """The end that an exception which leaves the training stands for, with its traceback.

    ``with_code=False`` leaves the lines of source out of it, where no code may be captured.
    """
    if isinstance(error, SystemExit):
        code = error.code
        number = code if isinstance(code, int) else 0 if code is None else 1
        return Ending("finished" if number == 0 else "failed", number, None, None)
    why = {"type": type(error).__name__, "message": text(error)[:2000]}
    try:
        from outrider.lastwords import said_by

        why.update(said_by(error, why["message"], with_code=with_code))
    except Exception as problem:
        swallow("the traceback", problem)
    if isinstance(error, KeyboardInterrupt):
        return Ending("killed", 130, 2, why)
    return Ending("failed", 1, None, why)


def is_last_chance() -> bool:
    """Whether nothing of ours is sure to outlive this process: the first one of a container or
    namespace, or anyone in a container, or a job that a scheduler clears away."""
    return (
        takes_all_along() or os.path.exists("/.dockerenv") or os.path.exists("/run/.containerenv")
    )


def takes_all_along() -> bool:
    """Whether the end of this process ends everything beside it, at once: so much that also code and
    environment, which nobody else waits for, are waited for."""
    return (
        os.getpid() == 1 or "SLURM_JOB_ID" in os.environ or "KUBERNETES_SERVICE_HOST" in os.environ
    )


def read_delivery(folder: str) -> dict[str, Any]:
    """What the streamer of this host last said, or an empty dict."""
    return _read(os.path.join(folder, f"delivery-{host_label()}.json"))


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            found = orjson.loads(file.read())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def acked_offset(delivery: dict[str, Any], writer: str, segment: int) -> int:
    """How far a segment is acknowledged, in bytes."""
    offset = delivery.get("acked", {}).get(writer, {}).get(str(segment), 0)
    return offset if isinstance(offset, int) else 0


def wait_for_delivery(
    run: Run, position: tuple[str, int, int], ending: Ending, *, carried: bool = True
) -> None:
    """Wait until everything up to ``position`` is acknowledged, and what others left that ended with this,
    or the time is up; say how it went.

    The wait is ``finish_seconds`` long, nothing where the server is known to be down, and up to a
    minute, while acks advance, where nothing of ours would outlive the trainer. ``carried`` says
    whether a streamer is there at all.
    """
    settings = run.settings
    assert run.folder is not None
    if not carried:
        _tell(
            run,
            f"{run.name} {ending.state}; no process could be started to send it. It lies in "
            f"{run.folder}\n  hint: outrider sync {run.folder}; why: {run.folder}/streamer.log",
        )
        return
    seconds = settings.finish_seconds
    last_chance = seconds > 0 and is_last_chance()
    if last_chance:
        seconds = max(LAST_CHANCE_SECONDS, seconds)
    if run.has_saved:
        wait_for_copies(run.folder, position, seconds)
    if settings.mode == "offline":
        if last_chance and takes_all_along():
            _wait_for_capture(run.folder, seconds)
        _tell(
            run, f"{run.name} {ending.state}, recorded offline; send it: outrider sync {run.folder}"
        )
        return
    goal = [position, *ending.others]
    delivered, delivery = _wait(run, goal, seconds, last_chance=last_chance)
    if delivered:
        _tell(run, f"{run.name} {ending.state}, delivered: {run.url}")
    elif last_chance:
        why, hint = _why(delivery)
        _tell(
            run,
            f"{run.name} {ending.state}; {why}{_left(delivery)} bytes are not delivered. "
            f"They lie in {run.folder}\n  hint: {hint}outrider sync {run.folder}",
        )
    else:
        why, hint = _why(delivery)
        _tell(
            run,
            f"{run.name} {ending.state}; {why}the rest is sent in the background"
            + (f"\n  hint: {hint.rstrip('; ')}" if hint else ""),
        )


def _why(delivery: dict[str, Any]) -> tuple[str, str]:
    """What holds the delivery up, and what to do about it, as beginnings of sentences: nobody
    answers, somebody else does, the token is not taken."""
    reason, hint = delivery.get("reason"), delivery.get("hint")
    return (
        f"the server has not taken it ({reason}), " if reason else "",
        f"{hint}; " if reason and hint else "",
    )


def wait_for_copies(folder: str, position: tuple[str, int, int], seconds: float) -> bool:
    """Wait until the streamer has copied what ``save()`` named: a script may remove its files
    right after ``finish()``. Whether it has."""
    writer, segment, size = position
    path = os.path.join(folder, f"errands-{host_label()}.json")
    deadline = time.monotonic() + seconds
    pause = 0.005
    while True:
        errands = _read(path)
        done = acked_offset({"acked": errands.get("done") or {}}, writer, segment)
        held = [source for source, _ in errands.get("held") or () if source[0] == writer]
        if done >= size and not held:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def _wait_for_capture(folder: str, seconds: float) -> None:
    """Wait until code and environment are in the folder, which may be all that is left of this."""
    start = time.monotonic()
    while True:
        delivery = read_delivery(folder)
        if delivery.get("capture", "going on") != "going on":
            return
        patience = seconds if delivery else min(seconds, _STALLED_SECONDS)  # is a streamer there?
        if time.monotonic() - start >= patience:
            return
        time.sleep(0.02)


def _left(delivery: dict[str, Any]) -> int | str:
    if "behind_bytes" not in delivery:
        return "some"
    return int(delivery["behind_bytes"]) + int(delivery.get("file_bytes_left") or 0)


def _tell(run: Run, text: str) -> None:
    if not run.settings.quiet:
        say(text)


def _wait(
    run: Run,
    goal: Sequence[tuple[str, int, int]],
    seconds: float,
    *,
    last_chance: bool = False,
) -> tuple[bool, dict[str, Any]]:
    """Wait for the ``goal``; its first place is the end of this run's own writer."""
    writer, segment, _ = goal[0]
    assert run.folder is not None
    with_code = last_chance and takes_all_along()
    start = time.monotonic()
    deadline = start + seconds
    said = False
    advanced_at = start
    known: tuple[int, int] | None = None
    pause = 0.005
    while True:
        delivery = read_delivery(run.folder)
        each = [acked_offset(delivery, *place[:2]) for place in goal]
        acked = sum(each)
        now = time.monotonic()
        # Files and code are waited for where the machine's end would take them along; else not.
        is_capturing = with_code and delivery.get("capture") == "going on"
        rest = delivery.get("files_left") or (with_code and delivery.get("capture") != "acked")
        is_taken = all(have >= size for have, (_, _, size) in zip(each, goal, strict=True))
        is_sent = is_taken and not (last_chance and rest)
        if is_sent and _earlier_are_acked(run, delivery, writer, segment):
            return True, delivery
        left = int(delivery.get("behind_bytes") or 0) + int(delivery.get("file_bytes_left") or 0)
        # More that waits (the end's own record) is no advance, else a dead server was waited for longer.
        if is_capturing or (known is not None and (acked > known[0] or left < known[1])):
            advanced_at = now
        known = (acked, left)
        is_down = delivery.get("state") in ("waiting", "refused")
        patience = (_DOWN_SECONDS if is_down else _STALLED_SECONDS) if last_chance else 0.0
        has_stalled = (is_down or last_chance) and now - advanced_at >= patience
        if now >= deadline or has_stalled:
            return False, delivery
        if not said and now - start > 1.0 and not run.settings.quiet:
            said = True
            behind = delivery.get("behind_bytes")
            say(
                f"waiting for the server to take the last {behind} bytes (at most {seconds:g} s)"
                if behind
                else f"waiting for the last records to be delivered (at most {seconds:g} s)"
            )
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def _earlier_are_acked(run: Run, delivery: dict[str, Any], writer: str, segment: int) -> bool:
    """Whether the sealed segments of this writer are acknowledged whole."""
    from outrider.journal.segment import segment_name

    assert run.folder is not None
    for number in range(1, segment):
        path = os.path.join(run.folder, "journal", segment_name(writer, number))
        try:
            size = os.stat(path).st_size
        except OSError:
            continue  # cleaned: it was acknowledged
        if acked_offset(delivery, writer, number) < size:
            return False
    return True
