"""Reads what a run printed, folded into lines: from a folder, or from a server that folded it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from outrider.journal.record import Damaged, decode, lines
from outrider.reading.terminal import Console

if TYPE_CHECKING:
    from outrider.journal.reader import RunFolder
    from outrider.reading.line import Line
    from outrider.transport import Transport

PAGE = 10_000
_KIND = b"console"


class Output(NamedTuple):
    """A line that was printed, as a terminal shows it, colours as ANSI sequences.

    ``time`` is when it began (unix seconds), ``stream`` is ``out`` or ``err``; ``gap`` is how many
    bytes were left out where the line stands, because too much was printed at once.
    """

    time: float
    stream: str
    text: str
    gap: int = 0


_Found = tuple[float, str, int, Output]


def in_order(found: Iterable[_Found]) -> list[Output]:
    """Lines by time; those of one writer in the order in which it began them."""
    return [line for *_, line in sorted(found, key=lambda item: item[:3])]


def folder_console(folder: RunFolder, last: int | None) -> list[Output]:
    """The lines of all writers of a folder, or the last so many."""
    console = Console()
    kept: list[Line] = []
    for writer, numbers in folder.all_segments().items():
        for number in numbers:
            at = 0
            while (piece := folder.read(writer, number, at)).data:
                for line in lines(piece.data):
                    if _KIND in line:
                        _take(console, writer, line)
                at = piece.end
                for n, one in console.changed.items():
                    kept[n : n + 1] = [one]  # a new one, or one that the other stream took over
                console.changed.clear()
    found = in_order(
        (line.t, line.writer, line.n, Output(line.t, line.stream, line.shown(), line.gap))
        for line in kept
    )
    return found if last is None else found[len(found) - min(last, len(found)) :]


def _take(console: Console, writer: str, line: bytes) -> None:
    try:
        record = decode(line)
    except Damaged:
        return
    if record.kind == "console":
        console.take(writer, record.t, record.body)


def server_console(transport: Transport, path: str, last: int | None) -> list[Output]:
    """The lines, or the last so many, that a server has of the run at a path of its API."""
    from outrider.reading.remote import ask

    found: list[_Found] = []
    at: int | None = 0 if last is None else -min(last, PAGE)
    while at is not None:
        page: dict[str, Any] = ask(
            transport, "GET", f"{path}/console", params={"line": at, "limit": PAGE}
        )
        found += [
            (
                line["t"],
                line["w"],
                line["n"],
                Output(float(line["t"]), line["o"], line["b"], line.get("gap", 0)),
            )
            for line in page["lines"]
        ]
        at = page["next"]
    return in_order(found)
