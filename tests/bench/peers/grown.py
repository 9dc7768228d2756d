"""The growths as tables and as one chart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chart import INK, OURS, THEIRS, Line, Plot, plots
from words import quantity

if TYPE_CHECKING:
    from raw import Figures

BY_PROCESSOR = "points a second of the server's processor"
Rows = list[dict[str, Any]]
NAMES = {"bare": "a bare write", "least": "time + orjson + write", "ours": "log()"}
WHAT = {
    "scalars": "scalars in a call", "streamer": "records a second", "ingest": "runs at once",
    "charts": "million points stored", "start": "million points stored", "table": "runs",
}  # fmt: skip


def sections(figures: Figures) -> dict[str, str]:
    """A table a growth: work across, lines down."""
    there = {one["name"]: one for one in figures.growth}
    return {f"growth {name}": _section(there.get(name), what) for name, what in WHAT.items()}


def _section(one: dict[str, Any] | None, what: str) -> str:
    if one is None:
        return "Not measured yet."
    return f"{_table(one['rows'], what)}\n\n{one['when']}, load average {one['load']:g} at its end."


def _table(rows: Rows, what: str) -> str:
    xs = sorted({one["x"] for one in rows})
    lines = [
        f"| {what} | " + " | ".join(f"{x:,}" for x in xs) + " |",
        "| --- |" + " ---: |" * len(xs),
    ]
    for series in dict.fromkeys(one["series"] for one in rows):
        found = {one["x"]: one for one in rows if one["series"] == series}
        cells = [quantity(found[x]["value"], found[x]["unit"]) if x in found else "–" for x in xs]
        lines.append(f"| {NAMES.get(series, series)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def chart_of(figures: Figures) -> str | None:
    """Small charts of all growths that there are."""
    there = {one["name"]: one["rows"] for one in figures.growth}
    found = [drawn.plot(there[drawn.growth]) for drawn in DRAWN if drawn.growth in there]
    several = [one for one in found if one.lines]
    return plots("How Outrider's own cost grows with the work", several) if several else None


@dataclass(frozen=True, slots=True)
class Drawn:
    """One small chart: of which growth, its title, the unit shown, and its lines: series, colour, dashed."""

    growth: str
    title: str
    unit: str
    lines: tuple[tuple[str, str, bool], ...]
    log_y: bool = False
    limit: float | None = None

    def plot(self, rows: Rows) -> Plot:
        """With the rows of the growth."""
        lines = []
        for series, colour, dashed in self.lines:
            points = sorted((one["x"], one["value"]) for one in rows if one["series"] == series)
            if points:
                lines.append(Line(NAMES.get(series, series), points, colour, dashed))
        return Plot(self.title, WHAT[self.growth], self.unit, lines, self.log_y, self.limit)


DRAWN = (
    Drawn(
        "scalars",
        "A call of log(), tight loop, p50",
        "µs",
        (("ours", OURS, False), ("least", THEIRS, True), ("bare", INK, True)),
        log_y=True,
    ),
    Drawn(
        "streamer",
        "The streamer's processor time",
        "% of a core",
        (("share of a core", OURS, False),),
    ),
    Drawn(
        "streamer", "The streamer's memory", "MB resident", (("resident", OURS, False),), limit=45.0
    ),
    Drawn(
        "ingest",
        "The server's ingest over HTTP",
        "points a second",
        (("points a second", OURS, False), (BY_PROCESSOR, THEIRS, True)),
    ),
    Drawn(
        "charts",
        "A chart of 10 × 2,500 points",
        "ms",
        (("first look", OURS, False), ("again", THEIRS, False)),
        limit=20.0,
    ),
    Drawn(
        "start",
        "A server's start, its processor time",
        "ms",
        (("its processor time", OURS, False),),
    ),
    Drawn(
        "table",
        "The table of runs, 20 columns",
        "ms",
        (("filter + sort", OURS, False), ("newest first", THEIRS, False)),
        limit=50.0,
    ),
)
