"""Records what Python code prints, in the process that prints it: no thread, no pipe, no new object.

``write`` and ``flush`` of ``sys.stdout`` and ``sys.stderr`` are wrapped where they are: the objects
stay the same, so ``isatty``, ``encoding``, ``fileno``, ``buffer``, handlers made before and debuggers
see what they always saw. What is printed goes to its stream first, and then as a record to the run's
journal; file descriptors are never redirected. Output of C code and of other processes is not seen
here: ``outrider run`` sees it.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from outrider.printed import Bound, Printed

MOST_PENDING = 64
"""So many pieces without the end of a line are kept back at most."""

_RECENT = 40
"""So many of the last pieces on stderr are looked at for a traceback that was printed already."""


class _Probe(str):
    """An empty text that is known again."""

    __slots__ = ()


_PROBE = _Probe()

_taps: weakref.WeakSet[Tap] = weakref.WeakSet()


class Tap:
    """Wraps one stream's ``write`` and ``flush``.

    Pieces wait for the end of their line, or for ``flush``, as they do in the stream's own buffer:
    ``print("a", 1)`` is four writes and one record. Threads share the pieces without a lock: each
    is taken out once.
    """

    def __init__(self, stream: Any, printed: Printed) -> None:
        """Raises ``AttributeError`` or ``TypeError`` for a stream that cannot be wrapped."""
        self.printed = printed
        self.is_open = True
        self.pending: deque[str] = deque()
        self.recent: deque[str] = deque(maxlen=_RECENT)
        self._stream = stream
        self._was_seen = False
        self._before = {
            name: vars(stream)[name] for name in ("write", "flush") if name in vars(stream)
        }
        self._ours = {"write": self._wrap_write(stream.write), "flush": self._wrap_flush(stream)}
        for name, wrapped in self._ours.items():
            setattr(stream, name, wrapped)
        _taps.add(self)

    def _wrap_write(self, original: Callable[..., Any]) -> Callable[..., Any]:
        pending, take = self.pending, self.pending.append

        def write(text: Any, *more: Any, **named: Any) -> Any:
            result = original(text, *more, **named)
            try:  # what was printed is printed; nothing of ours may show
                if text is _PROBE:
                    self._was_seen = True
                elif self.is_open and isinstance(text, str):
                    take(text)
                    if "\n" in text or "\r" in text or len(pending) > MOST_PENDING:
                        self.drain()
            except Exception:
                return result
            return result

        return write

    def _wrap_flush(self, stream: Any) -> Callable[..., Any]:
        pending, original = self.pending, stream.flush

        def flush(*arguments: Any, **named: Any) -> Any:
            result = original(*arguments, **named)
            try:
                if pending:
                    self.drain()
            except Exception:
                return result
            return result

        return flush

    def renew(self) -> None:
        """Wrap again where somebody put back the ``write`` from before ours; one who wrapped over
        ours still leads to it, which an empty text finds out."""
        self._was_seen = False
        self._stream.write(_PROBE)
        if self._was_seen or not self.is_open:
            return
        self._before["write"] = self._stream.write
        self._ours["write"] = self._stream.write = self._wrap_write(self._stream.write)

    def drain(self) -> None:
        """Record the pieces that wait."""
        pending = self.pending
        parts = []
        try:
            while pending:
                parts.append(pending.popleft())
        except IndexError:  # another thread took the last one
            if not parts:
                return
        if parts and self.is_open:
            text = "".join(parts) if len(parts) > 1 else parts[0]
            self.recent.append(text[-2000:])
            self.printed.keep(text)

    def close(self) -> None:
        """Record what waits, and unwrap; where somebody wrapped over us, pass through from now on."""
        if not self.is_open:
            return
        try:
            self.drain()
            self.printed.tell_gap()
        finally:
            self.is_open = False
            self.pending.clear()
            attributes = vars(self._stream)
            for name, ours in self._ours.items():
                if attributes.get(name) is not ours:
                    continue
                if name in self._before:
                    setattr(self._stream, name, self._before[name])
                else:
                    delattr(self._stream, name)


class Capture:
    """The taps of one run in one process. Nothing here raises."""

    def __init__(self, append: Callable[[Mapping[str, Any]], object]) -> None:
        self._taps: list[Tap] = []
        self._printed = Printed("err", append, Bound())
        seen: list[Any] = []
        for name, stream in (("out", sys.stdout), ("err", sys.stderr)):
            if stream is None or any(stream is one for one in seen):
                continue
            seen.append(stream)
            try:
                self._taps.append(Tap(stream, Printed(name, append, Bound())))
            except Exception:
                continue  # a stream with slots, or closed: it goes unrecorded
        self._cells = _cells_of_a_notebook()
        if self._cells is not None:
            self._cells.register("pre_run_cell", self._renew)
            self._cells.register("post_run_cell", self._tell_cell)

    def _renew(self, *_: Any) -> None:
        """A cell begins: IPython lays its own ``write`` over ours for the time of a cell, and what was
        wrapped within one is undone with it."""
        for tap in self._taps:
            try:
                tap.renew()
            except Exception:
                continue

    def _tell_cell(self, result: Any) -> None:
        """A cell failed: its traceback goes to the notebook as a message of its own, past stderr."""
        error = getattr(result, "error_in_exec", None)
        if isinstance(error, Exception):
            self._tell(error)

    def stop(self, error: BaseException | None = None) -> None:
        """Leave the streams as they were found; ``error`` is what ended the run and is not printed
        yet."""
        if error is not None:
            self._tell(error)
        if self._cells is not None:
            try:
                self._cells.unregister("pre_run_cell", self._renew)
                self._cells.unregister("post_run_cell", self._tell_cell)
            except ValueError:
                pass  # stopped before
        for tap in reversed(self._taps):
            try:
                tap.close()
            except Exception:
                continue

    def _tell(self, error: BaseException) -> None:
        """Record an exception's traceback, unless it was printed already."""
        if isinstance(error, SystemExit):
            return
        try:
            import traceback

            lines = traceback.format_exception(type(error), error, error.__traceback__)
            last = lines[-1].strip()
            for tap in self._taps:
                tap.drain()
                if last and last in "".join(tap.recent):
                    return
            self._printed.keep("".join(lines))
        except Exception:
            return


def _cells_of_a_notebook() -> Any:
    """Where IPython tells of its cells; None outside of it."""
    find = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return getattr(find(), "events", None) if find is not None else None


def _after_fork_in_child() -> None:
    """What waits belongs to the parent, as the stream's own buffer does."""
    for tap in list(_taps):
        tap.pending.clear()
        tap.printed.left_out = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
