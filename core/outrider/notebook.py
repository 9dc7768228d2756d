"""Shows a run in a notebook: a link to its page, and its metrics as a small drawing that needs no script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import isfinite
from typing import TYPE_CHECKING

from outrider.journal.reader import RunFolder
from outrider.journal.record import Damaged, decode, numbers

if TYPE_CHECKING:
    from outrider.described import Described

MOST_METRICS = 8
"""How many metrics are drawn; the others are counted."""

MOST_BYTES = 8 << 20
"""So much of the end of a run's journal is read."""

_WIDTH, _HEIGHT = 200, 60
_BUCKETS = 100

Points = list[tuple[float, float]]


def as_html(run: Described) -> str:
    """A run as HTML: name, link, and a line for each metric, as its journal has them now."""
    name, url = escape(run.name), escape(run.url, quote=True)
    if run.folder is None:
        return f"<p>Outrider run <b>{name}</b>: nothing is recorded (disabled)</p>"
    series, is_whole = read_series(run.folder)
    shown = list(series.items())[:MOST_METRICS]
    drawn = "".join(_figure(key, points) for key, points in shown)
    notes = []
    if len(series) > len(shown):
        notes.append(f"{len(series) - len(shown)} more metrics on the page")
    if not is_whole:
        notes.append("the latest points")
    said = f"<br><small>{'; '.join(notes)}</small>" if notes else ""
    where = f'<a href="{url}" target="_blank" rel="noopener">{url}</a>'
    if run.mode == "offline":
        where = f"offline, in <code>{escape(run.folder)}</code>"
    return f"<div><p>Outrider run <b>{name}</b>: {where}</p>{drawn}{said}</div>"


def read_series(folder: str) -> tuple[dict[str, Points], bool]:
    """The finite points of each metric that this machine has, by step; whether that is all."""
    found: dict[str, dict[float, float]] = {}
    is_whole = True
    for line in _lines(RunFolder(folder)):
        if line is None:
            is_whole = False
            continue
        try:
            record = decode(line)
        except Damaged:
            continue
        if record.kind != "points":
            continue
        step, values = record.body.get("s"), record.body.get("p")
        if not isinstance(step, (int, float)) or not isinstance(values, dict):
            continue
        for key, value in numbers(values).items():
            if isfinite(value):
                found.setdefault(key, {})[step] = value
    return {key: sorted(points.items()) for key, points in sorted(found.items())}, is_whole


def _lines(folder: RunFolder) -> Iterator[bytes | None]:
    """The last lines of every writer, oldest first; None where the beginning is left out."""
    for writer in folder.writers():
        left = MOST_BYTES
        places: list[tuple[int, int, int]] = []
        for segment in reversed(folder.segments(writer)):
            size = folder.size(writer, segment)
            if left <= 0:
                yield None
                break
            start = max(0, size - left)
            places.append((segment, start, size))
            left -= size
            if start:
                yield None
                break
        for segment, start, size in reversed(places):
            offset = start
            while offset < size:
                piece = folder.read(writer, segment, offset)
                if piece.end <= offset:
                    break
                lines = piece.data.splitlines()
                yield from lines[1:] if offset == start and start else lines
                offset = piece.end


def _figure(key: str, points: Points) -> str:
    low, high = min(value for _, value in points), max(value for _, value in points)
    last = points[-1][1]
    first_step, last_step = points[0][0], points[-1][0]

    def place(step: float, value: float) -> str:
        x = _WIDTH * (step - first_step) / ((last_step - first_step) or 1)
        y = 3 + (_HEIGHT - 6) * (1 - (value - low) / ((high - low) or 1))
        return f"{x:.1f},{y:.1f}"

    line = " ".join(place(step, value) for step, value in thinned(points))
    words = escape(f"{key}: {last:.5g}, from {low:.5g} to {high:.5g}")
    dot = place(last_step, last).split(",")
    return (
        '<figure style="display:inline-block;margin:4px 18px 8px 0">'
        f'<figcaption style="font-size:12px">{escape(key[:60])} <b>{last:.5g}</b></figcaption>'
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="-2 0 {_WIDTH + 6} {_HEIGHT}" role="img">'
        f"<title>{words}</title>"
        f'<polyline points="{line}" fill="none" stroke="#3567d6" stroke-width="1.5"/>'
        f'<circle cx="{dot[0]}" cy="{dot[1]}" r="2.2" fill="#3567d6"/></svg></figure>'
    )


def thinned(points: Sequence[tuple[float, float]]) -> Points:
    """At most 4 points a bucket (first, lowest, highest, last), so that no spike is lost."""
    if len(points) <= 4 * _BUCKETS:
        return list(points)
    found: Points = []
    for bucket in range(_BUCKETS):
        part = points[bucket * len(points) // _BUCKETS : (bucket + 1) * len(points) // _BUCKETS]
        kept = {part[0], min(part, key=_value), max(part, key=_value), part[-1]}
        found.extend(sorted(kept))
    return found


def _value(point: tuple[float, float]) -> float:
    return point[1]
