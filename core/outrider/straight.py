"""The straight path of ``log()``: plain numbers to a line to the file, with all it needs at hand.

Between two calls a training step sweeps the caches, so that what costs is not the work but every
object, dictionary and function that has to be fetched again. Hence one closure a run whose cells
hold what it touches: inside a real step it is a fifth cheaper than a method with attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any

import orjson

from outrider.journal.line import MAX_RECORD

if TYPE_CHECKING:
    from outrider.journal.writer import JournalWriter

_OPTIONS = (
    orjson.OPT_APPEND_NEWLINE
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_LAST_STEP = (1 << 63) - 1


class Straight:
    """A run's ``log()`` and its step counter."""

    __slots__ = ("go_on_at", "log", "next_step", "peek")

    def __init__(
        self,
        log: Callable[..., None],
        next_step: Callable[[], int],
        peek: Callable[[], int],
        go_on_at: Callable[[int], None],
    ) -> None:
        self.log = log
        self.next_step = next_step
        self.peek = peek
        self.go_on_at = go_on_at


def make(  # noqa: C901 - one path, whose branches are what it is made of
    writer: JournalWriter | None,
    first_step: int,
    carefully: Callable[[Any, int], None],
    tended: Callable[[Any, Any, Any], None],
) -> Straight:
    """The path for one run: ``carefully`` takes rows that hold anything but plain numbers,
    ``tended`` takes calls for which the file, the streamer or the step want a look first."""
    steps = count(first_step)

    def next_step() -> int:
        return next(steps)

    def peek() -> int:
        return int(repr(steps)[6:-1])  # count(5): the one way to look without taking

    def go_on_at(step: int) -> None:
        nonlocal steps
        steps = count(step)

    if writer is None:
        return Straight(tended, next_step, peek, go_on_at)
    base, clock, dumps, write = writer.clock.base, monotonic, orjson.dumps, writer.files.write
    options, longest = _OPTIONS, MAX_RECORD
    journal = writer

    def log(data: Mapping[str, Any], step: int | None = None, commit: bool = True) -> None:
        nonlocal steps
        now = base + clock()
        if now >= journal.due or commit is not True:
            tended(data, step, commit)
            return
        if step is None:
            number = next(steps)
        elif type(step) is int and -_LAST_STEP <= step < _LAST_STEP:
            number = step
            steps = count(step + 1)
        else:
            tended(data, step, commit)
            return
        try:
            line = dumps({"t": now, "s": number, "p": data}, None, options)
            # A text, a list or None raises here; a NaN or an infinity, which orjson writes as
            # null, is not nothing when it is taken from itself.
            for value in data.values():
                if value - value != 0.0:
                    break
            else:
                size = len(line)
                if size < longest and "" not in data:
                    written = write(journal.fd, line)
                    if written == size:
                        journal.room = room = journal.room - size
                        if room < 0:
                            journal.roll()
                    else:
                        journal.wrote(written, size)
                    return
        except OSError as error:
            journal.failed(error)
            return
        except Exception:
            pass  # not plain floats and ints: the careful path says what it is
        carefully(data, number)

    return Straight(log, next_step, peek, go_on_at)
