"""How segments are named: ``<writer>-<number, six digits or more>.jsonl``."""

from __future__ import annotations

from outrider.ids import is_writer_id

SUFFIX = ".jsonl"


def segment_name(writer: str, number: int) -> str:
    """The file name of a writer's segment."""
    return f"{writer}-{number:06d}{SUFFIX}"


def parse_segment_name(name: str) -> tuple[str, int] | None:
    """The (writer, number) that a file name stands for, or None for another file."""
    if not name.endswith(SUFFIX):
        return None
    writer, dash, digits = name[: -len(SUFFIX)].rpartition("-")
    if not dash or len(digits) < 6 or not digits.isascii() or not digits.isdigit():
        return None
    number = int(digits)
    if number < 1 or segment_name(writer, number) != name or not is_writer_id(writer):
        return None
    return writer, number
