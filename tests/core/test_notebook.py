"""How a notebook shows a run: a link and small drawings, without scripts, whatever was logged."""

from __future__ import annotations

import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from outrider import core, notebook


def figures(html: str) -> list[ET.Element]:
    """The drawings; fails where the HTML is not well-formed."""
    return list(ET.fromstring(html.replace("<br>", "<br/>")).iter("figure"))


def points_of(figure: ET.Element) -> list[tuple[float, float]]:
    """Where the line of a drawing goes."""
    line = next(figure.iter("polyline")).get("points", "")
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in line.split())]


def test_a_run_shows_its_metrics_with_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """Online, the link is the run's page; each metric has a line with its last value."""
    monkeypatch.setenv("OUTRIDER_MODE", "online")
    monkeypatch.setenv("OUTRIDER_URL", "http://127.0.0.1:9")
    run = core.init(project="p <b>", name="n & m")
    for step in range(3):
        core.log({"loss": 2.0 - step, "acc": 0.25 * step})
    html = run._repr_html_()
    assert f'href="{run.url}"' in html
    assert "n &amp; m" in html
    assert "<script" not in html
    loss = next(one for one in figures(html) if "loss" in "".join(one.itertext()))
    xs, ys = zip(*points_of(loss), strict=True)
    assert list(xs) == [0.0, 100.0, 200.0]
    assert list(ys) == sorted(ys)  # the loss falls: further down is a larger y


def test_hostile_names_are_text() -> None:
    """Markup in names of runs and metrics stays text."""
    run = core.init(name="<img src=x onerror=alert(1)>")
    core.log({'"><script>alert(1)</script>': 1.0})
    html = run._repr_html_()
    assert "<img" not in html
    assert "<script" not in html
    assert len(figures(html)) == 1


def test_a_spike_is_drawn_and_values_that_are_none_are_not() -> None:
    """One wild value among ten thousand reaches the top; NaN and infinities leave no hole."""
    run = core.init()
    for step in range(10_000):
        core.log({"loss": 50.0 if step == 5_432 else 1.0})
    core.log({"loss": float("nan"), "only": float("inf")})
    (figure,) = figures(run._repr_html_())
    drawn = points_of(figure)
    assert len(drawn) <= 400
    assert min(y for _, y in drawn) == pytest.approx(3.0)


def test_many_metrics_and_long_journals_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond eight metrics the others are counted; of a long journal the end is read, and said."""
    monkeypatch.setattr(notebook, "MOST_BYTES", 5_000)
    run = core.init()
    for step in range(200):
        core.log({f"m{i}": step for i in range(20)})
    html = run._repr_html_()
    assert len(figures(html)) == 8
    assert "12 more metrics on the page" in html
    assert "the latest points" in html


def test_offline_disabled_and_broken_runs_show_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is raised into a notebook."""
    run = core.init()
    assert "offline, in <code>" in run._repr_html_()
    monkeypatch.setattr(notebook, "as_html", lambda _run: 1 / 0)
    assert re.match(r"<code>&lt;outrider run ", run._repr_html_())
    monkeypatch.undo()
    core.finish()
    monkeypatch.setenv("OUTRIDER_MODE", "disabled")
    assert "nothing is recorded" in core.init()._repr_html_()


def test_a_script_never_loads_it() -> None:
    """Only a notebook that shows a run pays for it."""
    code = (
        "import sys; from outrider import core; core.init(mode='offline'); core.log({'a': 1});"
        "core.finish(); assert 'outrider.notebook' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
