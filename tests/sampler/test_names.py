"""Every name that a probe can give is documented, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

import outrider.sampler

DOCS = Path(__file__).parents[2] / "docs" / "system-metrics.md"


def documented() -> set[str]:
    """The names in the tables, `….max` written out."""
    names: set[str] = set()
    for line in DOCS.read_text().splitlines():
        last = ""
        for name in (
            re.findall(r"`([^`]+)`", line.split(" | ")[0]) if line.startswith("| `") else []
        ):
            names.add(name.replace("….max", f"{last}.max"))
            last = name
    return names


def given() -> set[str]:
    """The names in the probes' own source, with their variables filled in."""
    names: set[str] = set()
    for path in Path(outrider.sampler.__file__).parent.glob("*.py"):
        if path.name == "portable.py":
            continue  # the same names, as its own test checks
        text = path.read_text()
        names |= set(re.findall(r'"(system/(?:[a-z_0-9]+/?)+(?:\.max)?)"', text))
        for key in re.findall(r'key = "(system/[^"]+)"', text):
            names.add(f"{key}.max")
        for part in ("system/pressure", "system/cgroup/pressure"):
            if f'f"{part}/' in text:
                names |= {f"{part}/{name}_percent" for name in ("cpu", "memory", "io")}
                names |= {f"{part}/{name}_full_percent" for name in ("memory", "io")}
        if path.name == "gpu.py":
            measures = set(re.findall(r'"(/[a-z_]+(?:\.max)?)"', text))
            measures |= {"", ".max", "/sm_clock_mhz", "/memory_clock_mhz"}
            names |= {f"system/gpu/<n>{measure}" for measure in measures}
    names |= {"system/cpu/<n>"}
    return {name for name in names if not name.endswith("/")}


def test_docs_and_probes_name_the_same_metrics() -> None:
    """docs/system-metrics.md is complete, and promises nothing that no probe gives."""
    assert documented() == given()
