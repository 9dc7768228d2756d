"""What readers keep unpacked: the newest rows of tails, and the axes that charts look at.

Nothing of these is ever stale: what a place in the store holds does not change. No number is given
twice but an axis's: a small last one is taken back and written again, longer, often under its old
number, so its place says how many points it has, too. What was folded or deleted is merely not asked
for any more. Columns over runs do change, and are told of it: see ``per_run``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from outrider_server.store.per_run import Changes, PerRun

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from outrider_server.store.codec import Block
    from outrider_server.store.parts import Chunks, Tail

_DEAR = 0.1
"""What takes less seconds than this is worked out each time."""

Held = TypeVar("Held")
Place = tuple[int, ...]
"""A run's number and a row's number within it; of an axis also how many points it has. Chunks are kept
by all of their axes, and who asks for them looks how long the small ones are now."""


class Recent(Generic[Held]):
    """Things by place, the longest unused leaving first. Safe to share among threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._held: OrderedDict[Place, tuple[int, Held]] = OrderedDict()
        self._lock = Lock()

    def put(self, place: Place, thing: Held, size: int) -> None:
        """Keep a thing of about ``size`` bytes."""
        with self._lock:
            self._leave(place)
            self._held[place] = (size + 200, thing)
            self._bytes += size + 200
            while self._bytes > self._most and self._held:
                self._bytes -= self._held.popitem(last=False)[1][0]

    def get(self, place: Place) -> Held | None:
        """The thing at a place, if it is still here."""
        with self._lock:
            found = self._held.get(place)
            if found is None:
                return None
            self._held.move_to_end(place)
            return found[1]

    def drop(self, places: Iterable[Place]) -> None:
        """Forget things that are no more."""
        with self._lock:
            for place in places:
                self._leave(place)

    def _leave(self, place: Place) -> None:
        found = self._held.pop(place, None)
        if found is not None:
            self._bytes -= found[0]


class AsOf(Generic[Held]):
    """Answers that are good until a number moves on. Safe to share among threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Hashable, tuple[int, Held]] = OrderedDict()
        self._lock = Lock()

    def read(self, name: Hashable, number: int, work_out: Callable[[], Held]) -> Held:
        """What is kept under a name, or a new one; ``number`` is from before the snapshot."""
        with self._lock:
            found = self._held.get(name)
            if found is not None and found[0] == number:
                self._held.move_to_end(name)
                return found[1]
        new = work_out()
        with self._lock:
            self._held[name] = (number, new)
            self._held.move_to_end(name)
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return new


class Cache:
    """Blocks of tails, and a whole tail put together; for each axis its steps and times or where its
    buckets lie; what is known of chunks on the same axes; stored buckets that charts drew; and columns
    over the runs of a project."""

    def __init__(self) -> None:
        self.tail: Recent[Sequence[Block]] = Recent(128 << 20)
        self.tails: Recent[Tail] = Recent(64 << 20)
        self.axes: Recent[tuple[NDArray[np.int64], NDArray[np.float64]]] = Recent(64 << 20)
        self.places: Recent[NDArray[np.float64]] = Recent(16 << 20)
        self.chunks: Recent[Chunks] = Recent(16 << 20)
        self.stored: Recent[tuple[NDArray[np.float64], NDArray[np.float64] | None]] = Recent(
            48 << 20
        )
        self.changes = Changes()
        self.per_run = PerRun(self.changes)
        self.groups: AsOf[Any] = AsOf(8)

    def keep_tail(self, place: Place, blocks: Sequence[Block]) -> None:
        """Keep the blocks of a tail's row."""
        self.tail.put(place, blocks, sum([block.numbers.nbytes for block in blocks]))


class Lasting:
    """Answers that are dear and may be a little old: each lasts twenty times what it took.

    So an answer that takes a second is worked out at most every twenty, and one that takes a
    millisecond is as good as always new.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._held: dict[str, tuple[float, dict[str, Any]]] = {}

    def read(self, name: str, work_out: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The answer kept under a name, or a new one."""
        found = self._held.get(name)
        began = self._clock()
        if found is not None and began < found[0]:
            return found[1]
        answer = work_out()
        took = self._clock() - began
        if took >= _DEAR:
            self._held[name] = (began + min(20 * took, 60.0), answer)
        else:
            self._held.pop(name, None)
        return answer
