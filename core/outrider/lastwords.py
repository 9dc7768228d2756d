"""What an exception that ends the training leaves behind: its message and traceback, bounded, and
with secrets taken out, since they leave this machine. Loaded only then."""

from __future__ import annotations

import traceback

from outrider.capture.redact import redact

LONGEST = 16_000
"""Characters of a traceback; of a longer one the end is kept, where it was raised."""

_FRAMES = 60


def said_by(error: BaseException, message: str, *, with_code: bool) -> dict[str, str]:
    """The message and the traceback of an exception, as they may leave."""
    lines = _whole(error) if with_code else _without_source(error, message)
    said = redact("".join(lines)).text
    if len(said) > LONGEST:
        said = "…\n" + said[-LONGEST:].partition("\n")[2]
    return {"message": redact(message).text, "traceback": said}


def _whole(error: BaseException) -> list[str]:
    return traceback.format_exception(type(error), error, error.__traceback__, limit=-_FRAMES)


def _without_source(error: BaseException, message: str) -> list[str]:
    """Where it was raised, frame by frame, without any line of the program."""
    frames = list(traceback.walk_tb(error.__traceback__))[-_FRAMES:]
    return [
        "Traceback (most recent call last):\n",
        *(
            f'  File "{frame.f_code.co_filename}", line {number}, in {frame.f_code.co_name}\n'
            for frame, number in frames
        ),
        f"{type(error).__name__}: {message}\n",
    ]
