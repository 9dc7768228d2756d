"""How a figure is written, and what a fault did, in words."""

from __future__ import annotations

from typing import Any

from columns import Cell, Column, lost

LARGE = 1000.0


def short(value: float) -> str:
    """Two or three significant digits, thousands grouped."""
    if value == 0:
        return "0"
    if abs(value) >= LARGE:
        return f"{float(f'{value:.3g}'):,.0f}"
    return (
        f"{value:.0f}"
        if abs(value) >= 100
        else f"{value:.2g}"
        if abs(value) < 10
        else f"{value:.3g}"
    )


def quantity(value: float, unit: str) -> str:
    """A value with its unit, the unit that suits it."""
    if unit == "µs" and value >= LARGE:
        return quantity(value / LARGE, "ms")
    if unit == "ms" and value >= LARGE:
        return quantity(value / LARGE, "s")
    return f"{short(value)}{'' if unit in ('', '×') else ' '}{unit}"


def count(value: float) -> str:
    """A number of things; a median may lie between two."""
    return f"{value:,.0f}" if value >= LARGE else f"{value:g}"


def written(found: Cell, column: Column) -> str:
    """What stands in the table."""
    if found.value is None:
        return f"fails: {escaped(found.failed)}" if found.failed else "–"
    text = quantity(found.value, column.unit) if column.unit else count(found.value)
    if column.unit == "×":
        text = f"{found.value:.2f}×"
    if column.has_ratio and found.ratio is not None:
        text += f" ({short(found.ratio)}×)"
    return text


def escaped(text: str, most: int = 90) -> str:
    """Text of others, in a table of Markdown: no table's end, no markup, no place of one machine."""
    import re

    text = re.sub(r"https?://\S+", "its address", text)
    text = re.sub(r"(?<!\w)/(?:\w[\w.-]*/)+\w[\w.-]*", "a path", text)
    for mark in "|<>`*_[]":
        text = text.replace(mark, " ")
    return " ".join(text.split())[:most]


def loss(found: dict[str, Any] | None, pace: str) -> str:
    """How much a kill lost, with the numbers."""
    if found is None:
        return "–"
    if "failed" in found:
        return f"fails: {escaped(found['failed'])}"
    if lost(found, pace) is None:
        return "–"
    returned, kills = found[f"{pace}_returned"], found["kills"]
    gone = returned - found[f"{pace}_found"]
    text = (
        f"0 of {returned:,}"
        if not gone
        else f"{each(gone, kills)} a kill, of {each(returned, kills)}"
    )
    if found.get(f"{pace}_doubled"):
        text += f", {found[f'{pace}_doubled']:,} twice"
    return text


def each(count: int, kills: int) -> str:
    """How many a kill: a whole number, or one digit where there are few."""
    share = count / kills
    return f"{share:,.0f}" if share >= 10 else f"{share:.2g}"


def without_helper(found: dict[str, Any] | None) -> str:
    """What killing the helpers did."""
    if found is None:
        return "–"
    if found.get("helpers") == 0:
        return "has none"
    return aftermath(found)


def aftermath(found: dict[str, Any] | None) -> str:
    """How a training goes on without what it speaks to: each thing that goes wrong, else that it goes on."""
    if found is None:
        return "–"
    if "failed" in found:
        return f"fails: {escaped(found['failed'])}"
    parts = []
    stages = (("init", 5.0), ("finish", 10.0))[: 1 if "init_error" in found else 2]
    for what, slow in stages:
        if f"{what}_error" in found:
            parts.append(
                f"{what} raises {_name(found[f'{what}_error'])} after {found[f'{what}_s']:.1f} s"
            )
        elif found.get(f"{what}_s", 0) > slow:
            parts.append(f"{what} takes {found[f'{what}_s']:.0f} s")
    calls, raised = found.get("calls"), found.get("raised", 0)
    if raised and "init_error" not in found:
        parts.append(f"{raised} of {calls} calls raise {_name(found['first_error'])}")
    if "ended" in found:
        stage = "init" if "init_s" not in found else "finish" if calls else "logging"
        parts.append(f"{stage}: {escaped(found['ended'])}")
    if not parts:
        parts.append("goes on")
    if calls and "init_error" not in found and found.get("found") is not None:
        parts.append(f"{found['found']:,} of {calls:,} records found")
    elif "unread" in found:
        parts.append("nothing that can be read")
    return "; ".join(parts)


def _name(error: str) -> str:
    return escaped(error.partition(":")[0])
