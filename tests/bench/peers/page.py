"""Makes docs/benchmarks.md and its charts of the figures; whoever wrote around the tables keeps his words.

A section stands between `<!-- begin NAME -->` and `<!-- end NAME -->`. The same figures give the same
page, to the byte: a test makes it again and compares.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import budgets
import chart
import grown
from columns import DISK, TABLES, Cell, Column, cell, lost, measured, round_of
from subjects import BY_NAME, OURS
from words import aftermath, each, escaped, loss, quantity, without_helper, written

if TYPE_CHECKING:
    from raw import Figures

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE, JSON = "benchmarks.md", "benchmarks.json"
PACES = ("paced", "full")
PEERS, GROWTH = "benchmarks-peers.svg", "benchmarks-growth.svg"


def write(figures: Figures, into: Path) -> None:
    """Write the page and the charts into a folder."""
    into.mkdir(parents=True, exist_ok=True)
    source = into / PAGE if (into / PAGE).exists() else DOCS / PAGE
    for name, text in rendered(figures, source.read_text(encoding="utf-8")).items():
        (into / name).write_text(text, encoding="utf-8")


def rendered(figures: Figures, text: str) -> dict[str, str]:
    """Each file's name and what belongs into it."""
    for name, body in sections(figures).items():
        text = placed(text, name, body)
    files = {PAGE: text}
    if drawn := peers_chart(figures):
        files[PEERS] = drawn
    if drawn := grown.chart_of(figures):
        files[GROWTH] = drawn
    return files


def placed(text: str, section: str, body: str) -> str:
    """The text with the body in its section. A section that is not there is a mistake."""
    begin, end = f"<!-- begin {section} -->", f"<!-- end {section} -->"
    found = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not found.search(text):
        raise ValueError(f"there is no section {section!r}: write {begin} and {end}")
    return found.sub(lambda _: f"{begin}\n{body}\n{end}", text)


def sections(figures: Figures) -> dict[str, str]:
    """All that is made by the kit."""
    found = {"made": made(figures), "left out": left_out(figures), "better": better(figures)}
    for part in TABLES:
        found[part.name] = _columns(figures, part.columns)
    found |= {"kept": kept(figures), "settings": settings(figures)}
    found |= {"budgets": budgets.section(figures)}
    return found | grown.sections(figures)


def made(figures: Figures) -> str:
    """When, on what, how busy."""
    there = [*figures.pieces, *figures.growth, *figures.budgets]
    if not there:
        return "Nothing has been measured yet."
    days = sorted({one["when"] for one in there})
    machines = sorted({_machine(one["machine"]) for one in there})
    loads = [one["load"] for one in there]
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    text = f"Measured {when} on {'; '.join(machines)}. The load average was {min(loads):g} to {max(loads):g} "
    text += (
        "then, the kit's own work included: above the number of cores, others were at work as well."
    )
    if counts := [len(p["rounds"]) for p in figures.pieces if "ours" in p]:
        rounds = f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else f"{counts[0]}"
        text += f" What is timed had {rounds} {'round' if rounds == '1' else 'rounds'}."
    quick = [
        f"{p['measure']} of {p['subject']}" for p in figures.pieces if p.get("form") == "quick"
    ]
    return text + (f" In the short form (`--quick`): {', '.join(quick)}." if quick else "")


def _machine(machine: dict[str, object]) -> str:
    return "{processor}, {cores} cores, {memory_gb} GB, {system}, Python {python}".format(**machine)


def settings(figures: Figures) -> str:
    """Each tracker's release and how it is used."""
    rows = [["tracker", "release", "how it is used", "set in its environment"]]
    for name in measured(figures):
        releases = {p["version"] for p in figures.pieces if p["subject"] == name and "version" in p}
        subject = BY_NAME[name]
        env = ", ".join(f"`{key}={value}`" for key, value in subject.env.items())
        rows.append([name, ", ".join(sorted(releases)) or "this one", subject.how, env or "–"])
    return table(rows)


def left_out(figures: Figures) -> str:
    """Who could not be installed or imported, and why; and of whom there is no figure yet."""
    rows = [
        f"* {p['subject']}: {escaped(p['why'])}"
        for p in figures.pieces
        if p["measure"] == "install"
    ]
    gone = {p["subject"] for p in figures.pieces if p["measure"] == "install"}
    there = measured(figures)
    rows += [
        f"* {name}: not measured yet" for name in BY_NAME if name not in there and name not in gone
    ]
    return "\n".join(rows) or "None: all that the kit knows could be installed and is measured."


def _columns(figures: Figures, columns: tuple[Column, ...]) -> str:
    rows = [["tracker", *(column.title for column in columns)]]
    for name in measured(figures):
        cells = [cell(figures, column, name) for column in columns]
        if any(one.value is not None or one.failed for one in cells):
            texts = [written(one, column) for one, column in zip(cells, columns, strict=True)]
            if all(one.failed for one in cells):
                texts[1:] = ["–"] * (len(texts) - 1)
            rows.append([f"**{name}**" if name == OURS else name, *texts])
    return table(rows) if len(rows) > 1 else "Not measured yet."


def kept(figures: Figures) -> str:
    """What is left after faults, and what it takes on disk."""
    rows = [
        [
            "tracker",
            "bytes a point",
            "lost by `kill -9` at 200 records/s",
            "at full speed",
            "helpers killed",
            "server never there",
        ]
    ]
    for name in measured(figures):
        killed = round_of(figures, "kill", name)
        rows.append([
            f"**{name}**" if name == OURS else name,
            written(cell(figures, DISK, name), DISK),
            loss(killed, "paced"),
            loss(killed, "full"),
            without_helper(round_of(figures, "helper", name)),
            aftermath(round_of(figures, "down", name)),
        ])  # fmt: skip
    return table(rows)


def better(figures: Figures) -> str:
    """Each figure in which a peer is better by more than a tenth, and ours of the same rounds."""
    lines = []
    for column in (*(one for part in TABLES for one in part.columns if one.has_ratio), DISK):
        ahead = []
        for name in measured(figures):
            found = cell(figures, column, name)
            if name != OURS and _is_better(found, column):
                ours = quantity(found.ours or 0.0, column.unit)
                ahead.append(f"{name} {quantity(found.value or 0.0, column.unit)} (ours {ours})")
        if ahead:
            lines.append(f"* {column.full}: {', '.join(ahead)}")
    return "\n".join(lines) or "In none of these figures."


def _is_better(found: Cell, column: Column) -> bool:
    if found.ratio is None:
        return False
    return found.ratio > 1.1 if column.more_is_better else found.ratio < 0.9


def peers_chart(figures: Figures) -> str | None:
    """What a call costs in a real step, and whether a kill loses records: one bar a tracker."""
    column = Column("", "step", "numpy_log_p50", "µs")
    rows = []
    for name in measured(figures):
        found, killed = cell(figures, column, name), round_of(figures, "kill", name)
        if found.value is None or killed is None or lost(killed, "paced") is None:
            continue
        if lost(killed, "paced") or lost(killed, "full"):
            low, high = (
                each(killed[f"{p}_returned"] - killed[f"{p}_found"], killed["kills"]) for p in PACES
            )
            label, colour = f"a kill loses {low}, at full speed {high}", chart.LOSING
        else:
            label, colour = "loses none", chart.OURS if name == OURS else chart.THEIRS
        rows.append(chart.Bar(name, found.value, f"{quantity(found.value, 'µs')}, {label}", colour))
    if not rows:
        return None
    legend = [
        ("Outrider", chart.OURS),
        ("loses nothing", chart.THEIRS),
        ("loses records when killed", chart.LOSING),
    ]
    title = "log() of 10 scalars in a 5 ms training step, and records lost by kill -9"
    return chart.bars(title, legend, sorted(rows, key=lambda row: row.value), "µs")


def table(rows: list[list[str]]) -> str:
    """Rows as a table of Markdown; the first is its head."""
    head, *body = rows
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *body])
