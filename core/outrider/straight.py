"""The straight path of ``log()``: plain numbers to a line to the file, with all it needs at hand.

Between two calls a training step sweeps the caches, so that what costs is not the work but every
object, dictionary and function that has to be fetched again. Hence one function a run that has all it
touches as defaults, which lie side by side in one tuple: each cell of a closure would be an object of
its own, and a call writes to all of them. What changes lies side by side in the writer (``AtHand``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any

import orjson

from outrider.journal.line import MAX_RECORD
from outrider.journal.writer import AtHand

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
    """A run's ``log()``, for whoever calls it by place and for people, and its step counter."""

    __slots__ = ("_counter", "log", "quick")

    def __init__(self, quick: Callable[[Any, Any, Any], None], counter: AtHand) -> None:
        self.quick = quick
        self._counter = counter

        def log(data: Mapping[str, Any], step: int | None = None, commit: bool = True) -> None:
            quick(data, step, commit)

        self.log = log

    def next_step(self) -> int:
        """Take a step."""
        return next(self._counter.steps)

    def peek(self) -> int:
        """The step that would be taken next."""
        return int(repr(self._counter.steps)[6:-1])  # count(5): the one way to look without taking

    def go_on_at(self, step: int) -> None:
        """Let the next step be this one."""
        self._counter.steps = count(step)


def make(  # noqa: C901 - one path, whose branches are what it is made of
    writer: JournalWriter | None,
    first_step: int,
    carefully: Callable[[Any, int], None],
    tended: Callable[[Any, Any, Any], None],
) -> Straight:
    """The path for one run: ``carefully`` takes rows that hold anything but plain numbers,
    ``tended`` takes calls for which the file, the streamer or the step want a look first."""
    if writer is None:
        nowhere = AtHand()
        nowhere.steps = count(first_step)
        return Straight(tended, nowhere)
    writer.steps = count(first_step)

    def quick(
        data: Any,
        step: Any,
        commit: Any,
        journal: JournalWriter = writer,
        base: float = writer.clock.base,
        clock: Callable[[], float] = monotonic,
        dumps: Callable[..., bytes] = orjson.dumps,
        options: int = _OPTIONS,
        write: Callable[[int, bytes], int] = writer.files.write,
        take: Callable[[count[int]], int] = next,
        length: Callable[[bytes], int] = len,
        longest: int = MAX_RECORD,
    ) -> None:
        now = base + clock()
        if now >= journal.due or commit is not True:
            tended(data, step, commit)
            return
        if step is None:
            number = take(journal.steps)
        elif type(step) is int and -_LAST_STEP <= step < _LAST_STEP:
            number = step
            journal.steps = count(step + 1)
        else:
            tended(data, step, commit)
            return
        try:
            line = dumps({"t": now, "s": number, "p": data}, None, options)
            # A text, a list or None raises here; a NaN or an infinity, which orjson writes as null,
            # stays in the sum, and is not nothing when it is taken from itself.
            total = 0.0
            for value in data.values():
                total += value
            if total - total == 0.0:
                size = length(line)
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

    return Straight(quick, writer)
