"""How far a run's folder is delivered, from its journals' lengths and the server's acks."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from outrider.journal.reader import RunFolder

Offsets = dict[tuple[str, int], int]
"""A length in bytes for each (writer, segment)."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a folder's streamers wrote down. ``behind`` is in bytes; ``state``, ``reason``, ``hint``
    and ``at`` are the latest streamer's, None where there never was one."""

    behind: int
    state: str | None = None
    reason: str | None = None
    hint: str | None = None
    at: float | None = None
    files: int = 0
    file_bytes: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether every whole record of every journal is acknowledged."""
        return self.behind == 0 and self.files == 0


def delivery_of(folder: RunFolder) -> Delivery:
    """How far a folder is delivered, by what the server acknowledged to its streamers."""
    said = sorted(answers(folder), key=lambda answer: float(answer.get("t") or 0))
    acked: Offsets = {}
    for answer in said:
        for place, offset in offsets_in(answer.get("acked") or {}).items():
            acked[place] = max(offset, acked.get(place, 0))
    behind = missing(sizes(folder, acked), acked)
    unsent = unsent_files(folder)
    last = said[-1] if said else {}
    return Delivery(
        behind,
        last.get("state"),
        last.get("reason"),
        last.get("hint"),
        last.get("t"),
        len(unsent),
        sum(unsent.values()),
    )


def unsent_files(folder: RunFolder) -> dict[str, int]:
    """The contents that no server has confirmed yet, with their sizes."""
    if not os.path.isdir(os.path.join(folder.path, "files")):
        return {}
    from outrider.streamer.shelf import sent_to

    sent: set[str] = set()
    for path in glob.glob(os.path.join(glob.escape(folder.path), "uploads-*.jsonl")):
        sent |= sent_to(path)
    return {sha256: size for sha256, size in contents_of(folder).items() if sha256 not in sent}


def contents_of(folder: RunFolder) -> dict[str, int]:
    """The contents that a run's files have and that are meant for the server, with their sizes."""
    from outrider.streamer.files import told_files

    return {
        record["sha256"]: int(record.get("size") or 0)
        for record in told_files(folder, everywhere=True)
        if isinstance(record.get("sha256"), str) and record.get("state") != "local"
    }


def kept_here_only(folder: RunFolder) -> str | None:
    """What of a run's files lies in its folder and nowhere else, in words.

    Of a patch its very bytes must have been sent: what a record says of it (redacted, withheld) may
    be missing, such as after a kill between patch and record.
    """
    from outrider.capture.code import FOLDER as CODE_FOLDER
    from outrider.contents import hash_file
    from outrider.streamer.files import SPOOL, told_files

    spool = os.path.join(folder.path, SPOOL)
    if os.path.isdir(spool) and os.listdir(spool):
        return "files are not taken up yet"
    sent: set[object] = set()
    for record in told_files(folder, everywhere=True):
        if record.get("state") == "local":
            return "it holds files that are kept here only"
        sent.add(record.get("sha256"))
    if any(hash_file(path).sha256 not in sent for path in _files_below(folder, CODE_FOLDER)):
        return "it holds a patch that was not sent as it is"
    return None


def _files_below(folder: RunFolder, name: str) -> Iterator[str]:
    for at, _, names in os.walk(os.path.join(folder.path, name)):
        yield from (os.path.join(at, one) for one in names)


def answers(folder: RunFolder) -> list[dict[str, Any]]:
    """What the streamers of all hosts wrote into the folder; what cannot be read is left out."""
    found = []
    for path in glob.glob(os.path.join(glob.escape(folder.path), "delivery-*.json")):
        try:
            with open(path, "rb") as file:
                answer = orjson.loads(file.read())
        except (OSError, orjson.JSONDecodeError):
            continue
        if isinstance(answer, dict):
            found.append(answer)
    return found


def sizes(folder: RunFolder, acked: Offsets) -> Offsets:
    """The length of every segment in the folder; where some is not acknowledged, without a line
    that a writer's death cut short, which is no record."""
    found: Offsets = {}
    for writer, numbers in folder.all_segments().items():
        for number in numbers:
            place = writer, number
            found[place] = folder.size(writer, number)
            if found[place] > acked.get(place, 0):
                found[place] = folder.whole_size(writer, number)
    return found


def offsets_in(said: Mapping[str, Mapping[str, int]]) -> Offsets:
    """Offsets as they stand in JSON: by writer, then by segment."""
    return {
        (writer, int(number)): int(offset)
        for writer, numbers in said.items()
        for number, offset in numbers.items()
    }


def missing(lengths: Offsets, acked: Offsets) -> int:
    """How many bytes are not acknowledged."""
    return sum(max(0, length - acked.get(place, 0)) for place, length in lengths.items())
