"""Which figures stand in which table, and what a tracker's figure is beside ours."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from subjects import OURS

if TYPE_CHECKING:
    from raw import Figures, Piece

SECOND = 1000.0
"""A second in milliseconds."""


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of a tracker: of which measure, its key there, its unit, and which way is better."""

    title: str
    measure: str
    key: str
    unit: str = ""
    more_is_better: bool = False
    has_ratio: bool = True
    alone: str = ""

    @property
    def full(self) -> str:
        """Its name where it stands alone."""
        return self.alone or self.title


@dataclass(frozen=True, slots=True)
class Table:
    """Some columns under one name."""

    name: str
    columns: tuple[Column, ...]


def calls(what: str, measure: str, prefix: str, *, has_most: bool = False) -> tuple[Column, ...]:
    """What a kind of call takes: the middle, the slow ones and, where asked for, the slowest."""
    found = (
        Column(f"{what}, p50", measure, f"{prefix}_p50", "µs"),
        Column("p99", measure, f"{prefix}_p99", "µs", alone=f"{what}, p99"),
    )
    most = Column("max", measure, f"{prefix}_max", "µs", has_ratio=False)
    return (*found, most) if has_most else found


SLOWED = "step and call ÷ step alone"
TABLES = (
    Table("start", (
        Column("import", "trainer", "import_ms", "ms"),
        Column("init", "trainer", "init_ms", "ms"),
        Column("first call", "trainer", "first_log_ms", "ms"),
        Column("the three together", "trainer", "import_ms+init_ms+first_log_ms", "ms"),
        Column("finish", "trainer", "finish_ms", "ms"),
        Column("memory added to the training", "trainer", "rss_mb", "MB"),
        Column("threads added", "trainer", "threads", has_ratio=False),
        Column("helper processes", "trainer", "helpers", has_ratio=False),
        Column("helpers' memory (PSS)", "trainer", "helpers_mb", "MB"),
    )),
    Table("tight", (
        *calls("1 scalar", "trainer", "log1", has_most=True),
        *calls("10 scalars", "trainer", "log10", has_most=True),
        *calls("100 scalars", "trainer", "log100", has_most=True),
    )),
    Table("step", (
        *calls("100 calls/s", "step", "paced10"),
        *calls("call after a NumPy step", "step", "numpy_log"),
        Column(SLOWED, "step", "numpy_slowed", "×", has_ratio=False),
        *calls("call after a torch step", "step", "torch_log"),
        Column(SLOWED, "step", "torch_slowed", "×", has_ratio=False),
    )),
    Table("server", (
        Column("ingest, ten runs at once", "server", "ingest", "points/s", more_is_better=True),
        Column("a batch's answer, p50", "server", "call_ms", "ms"),
        Column("ingest, one run", "server", "ingest_one", "points/s", more_is_better=True),
        Column("its batch's answer, p50", "server", "call_one_ms", "ms"),
        Column("one metric read, drawn small", "server", "query_ms", "ms"),
        Column("points of it that are read", "server", "points_read", has_ratio=False),
        Column("bytes a point", "server", "bytes_point", "B"),
        Column("server's processes", "server", "processes", has_ratio=False),
        Column("server's memory (PSS)", "server", "memory_mb", "MB"),
    )),
    Table("page", (
        Column("first chart", "page", "first_chart_ms", "ms"),
        Column("points stored", "page", "points", has_ratio=False),
    )),
)  # fmt: skip
DISK = Column("bytes on disk a point", "disk", "bytes_point", "B")


@dataclass(frozen=True, slots=True)
class Cell:
    """A tracker's figure, and ours of the same rounds; `failed` says why there is none."""

    value: float | None
    ours: float | None = None
    failed: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times ours it is."""
        if self.value is None or not self.ours:
            return None
        return self.value / self.ours


def cell(figures: Figures, column: Column, subject: str) -> Cell:
    """What stands in a column for a tracker: the median of its rounds, beside that of our rounds."""
    pieces = [piece for piece in figures.pieces if piece["measure"] == column.measure]
    if subject == OURS:
        return Cell(median(_all_ours(pieces), column.key))
    for piece in pieces:
        if piece["subject"] == subject:
            ours = piece.get("ours") or _all_ours(pieces)
            failed = next((r["failed"] for r in piece["rounds"] if "failed" in r), "")
            return Cell(median(piece["rounds"], column.key), median(ours, column.key), failed)
    return Cell(None)


def median(rounds: list[dict[str, Any]], key: str) -> float | None:
    """The middle of what the rounds that have it say; keys with `+` between are added up in each round."""
    keys = key.split("+")
    found = [
        sum(one[k] for k in keys) for one in rounds if all(one.get(k) is not None for k in keys)
    ]
    return statistics.median(found) if found else None


def _all_ours(pieces: list[Piece]) -> list[dict[str, Any]]:
    found = []
    for piece in pieces:
        found += piece["rounds"] if piece["subject"] == OURS else piece.get("ours", [])
    return found


def round_of(figures: Figures, measure: str, subject: str) -> dict[str, Any] | None:
    """The one round of what is measured once."""
    for piece in figures.pieces:
        if (piece["measure"], piece["subject"]) == (measure, subject):
            found: dict[str, Any] = piece["rounds"][0]
            return found
    return None


def lost(found: dict[str, Any], pace: str) -> float | None:
    """The share of records whose call had returned and that are not found."""
    returned = found.get(f"{pace}_returned")
    return None if not returned else 1 - found[f"{pace}_found"] / returned


def measured(figures: Figures) -> list[str]:
    """Trackers of which there are figures, in the kit's order."""
    from subjects import SUBJECTS

    there = {p["subject"] for p in figures.pieces if p["measure"] != "install"}
    return [one.name for one in SUBJECTS if one.name in there or (one.name == OURS and there)]
