"""Charts as SVG: bars and lines, only with attributes (no style, no script), readable on white and on black.

Colours are of middle lightness, and no ground is drawn, so that a page may be light or dark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

INK, FAINT, OURS, THEIRS, LOSING = "#7b7f86", "#a0a4ab", "#1f8a5b", "#5b84c4", "#cf6a45"
FONT = 'font-family="system-ui, sans-serif"'


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, its length's value, what is written at its end, its colour."""

    name: str
    value: float
    label: str
    colour: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line through points; `dashed` for what is there to compare with."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: str
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines over a logarithmic axis, upright too where `log_y`."""

    title: str
    across: str
    upright: str
    lines: Sequence[Line]
    log_y: bool = False
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """From `start`, `length` long (backwards where that is negative), and `low` to `high` of what it shows.

    On a logarithmic axis nothing at all has no place: it stands where the least has.
    """

    start: float
    length: float
    low: float
    high: float
    log: bool = True

    def __call__(self, value: float) -> float:
        """Where a value stands."""
        low, high = self.low, self.high
        if self.log:
            value, low, high = (math.log10(max(one, self.low)) for one in (value, low, high))
        return self.start + self.length * (value - low) / ((high - low) or 1)


def _powers(values: Sequence[float]) -> list[float]:
    """The powers of ten around some values."""
    low = math.floor(math.log10(min(value for value in values if value > 0)))
    return [
        10.0**power for power in range(low, max(low + 1, math.ceil(math.log10(max(values)))) + 1)
    ]


def bars(title: str, legend: Sequence[tuple[str, str]], rows: Sequence[Bar], unit: str) -> str:
    """Horizontal bars on a logarithmic scale, in the order given."""
    left, width, high, top = 130, 330, 24, 74
    marks = _powers([row.value for row in rows])
    place, foot = Axis(left, width, marks[0], marks[-1]), top + high * len(rows)
    parts = [_text(8, 20, title, size=15, weight="600")]
    at = 8.0
    for name, colour in legend:
        parts.append(f'<rect x="{at:.0f}" y="32" width="12" height="12" fill="{colour}"/>')
        parts.append(_text(at + 17, 42, name))
        at += 30 + 6.7 * len(name)
    for mark in marks:
        parts.append(_rule(place(mark), top - 8, place(mark), foot))
        parts.append(_text(place(mark), foot + 18, f"{_number(mark)} {unit}", anchor="middle"))
    for index, row in enumerate(rows):
        y, end = top + high * index, place(row.value)
        parts.append(_text(left - 8, y + 13, row.name, anchor="end"))
        size = f'width="{end - left:.1f}" height="16" rx="2"'
        parts.append(f'<rect x="{left}" y="{y}" {size} fill="{row.colour}"/>')
        parts.append(_text(end + 6, y + 13, row.label))
    return _svg(760, foot + 34, parts)


def plots(title: str, several: Sequence[Plot]) -> str:
    """Small charts side by side, two in a row."""
    parts = [_text(8, 20, title, size=15, weight="600")]
    for index, plot in enumerate(several):
        x, y = 380 * (index % 2), 36 + 250 * (index // 2)
        parts.append(f'<g transform="translate({x} {y})">{"".join(_plot(plot))}</g>')
    return _svg(760, 36 + 250 * math.ceil(len(several) / 2), parts)


def _plot(plot: Plot) -> list[str]:
    left, top, width, height = 58, 40, 300, 150
    foot = top + height
    xs = sorted({x for line in plot.lines for x, _ in line.points})
    ys = [y for line in plot.lines for _, y in line.points] + ([plot.limit] if plot.limit else [])
    step = _step(max(ys))
    marks = _powers(ys) if plot.log_y else [step * i for i in range(int(max(ys) / step) + 2)]
    across = Axis(left, width, max(xs[0], min(x for x in xs if x > 0) / 10), xs[-1])
    upright = Axis(foot, -height, marks[0], marks[-1], plot.log_y)
    parts = [_text(8, 14, plot.title, weight="600"), _text(8, 30, plot.upright, size=11)]
    for mark in marks:
        parts.append(_rule(left, upright(mark), left + width, upright(mark)))
        parts.append(_text(left - 6, upright(mark) + 4, _number(mark), size=11, anchor="end"))
    parts += [_text(across(x), foot + 16, _number(x), size=11, anchor="middle") for x in xs]
    parts.append(_text(left + width / 2, foot + 34, plot.across, size=11, anchor="middle"))
    if plot.limit:
        y = upright(plot.limit)
        parts.append(_rule(left, y, left + width, y, colour=LOSING, dash="2 4"))
        parts.append(_text(left + width, y - 4, "budget", size=11, anchor="end", colour=LOSING))
    for index, line in enumerate(plot.lines):
        places = [(across(x), upright(y)) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        more = f'stroke="{line.colour}" stroke-width="2"' + (
            ' stroke-dasharray="5 4"' if line.dashed else ""
        )
        parts.append(f'<polyline points="{path}" fill="none" {more}/>')
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{line.colour}"/>' for x, y in places
        ]
        if len(plot.lines) > 1:
            at = top + 12 + 14 * index
            parts.append(_text(left + 8, at, line.name, size=11, colour=line.colour))
    return parts


def _step(most: float) -> float:
    """A round distance of marks, so that there are three to six."""
    power = 10.0 ** math.floor(math.log10(most or 1))
    return next(power * part for part in (0.2, 0.5, 1.0, 2.0) if most / (power * part) <= 6)


def _number(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:g} M"
    if value >= 10_000:
        return f"{value / 1000:g} k"
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int = 12,
    anchor: str = "start",
    weight: str = "400",
    colour: str = INK,
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" {FONT} font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
    )


def _rule(x: float, y: float, to_x: float, to_y: float, colour: str = FAINT, dash: str = "") -> str:
    more = f' stroke-dasharray="{dash}"' if dash else ' stroke-opacity="0.35"'
    return (
        f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}"{more}/>'
    )


def _svg(width: int, height: int, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img">\n{body}\n</svg>\n'
    )
