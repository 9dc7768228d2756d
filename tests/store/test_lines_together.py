"""Lines that are laid out together are what each of them is alone."""

from __future__ import annotations

from math import inf, nan
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest
from feeding import START, Feeder, head, point

from outrider_server.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = ("long", "odd", "few", "growing", "rewound", "crossed", "none")


@pytest.fixture(scope="module")
def charted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Runs whose points lie in chunks, in a tail, in both, and in no order."""
    random = np.random.default_rng(3)
    with Store.open(tmp_path_factory.mktemp("charted")) as store:

        def feed(run: str, steps: range, writer: str = "w", **rule: float) -> None:
            feeder = feeders.setdefault(run, Feeder(store, run))
            for begin in range(steps.start, steps.stop, 250):
                some = range(begin, min(begin + 250, steps.stop))
                feeder.log(*(_point(run, step, random) for step in some), writer=writer)
            feeder.row()

        feeders: dict[str, Feeder] = {}
        feed("long", range(13_000))
        feed("odd", range(700, 9_700))
        feed("few", range(150))
        feed("growing", range(4_000))
        feed("growing", range(4_000, 5_100))
        feed("rewound", range(6_000))
        later = feeders["rewound"]
        rewind = {"t": START + 1500, "k": "attempt", "a": 2, "rewind": 3_100}
        later.log(head("v", 2), rewind, writer="v")
        feed("rewound", range(3_101, 8_000), writer="v")
        feed("crossed", range(2_000, 6_000))
        feed("crossed", range(1_000, 3_000))
        Feeder(store, "none").log(point(0, other=1.0))
        yield store


def _point(run: str, step: int, random: np.random.Generator) -> dict[str, Any]:
    value = float(random.standard_normal())
    if run == "odd" and (step % 97 == 0 or 2_000 <= step < 2_200):
        value = (nan, inf, -inf)[step % 3]
    return point(step, START + step / 4, loss=value)


@pytest.mark.parametrize("x", ["step", "wall"])
@pytest.mark.parametrize(
    ("low", "high"), [(0, 13_000), (650, 5_075), (2_050, 2_150), (4_500, 5_000), (12_990, 20_000)]
)
@pytest.mark.parametrize("width", [7, 100, 600])
def test_a_line_is_the_same_whatever_is_drawn_beside_it(
    charted: Store, x: str, low: float, high: float, width: int
) -> None:
    if x == "wall":
        low, high = START + low / 4, START + high / 4
    asked = {"x": x, "low": low, "high": high, "width": width}
    together = charted.series("p", "loss", RUNS, **asked)["series"]
    assert [line["run"] for line in together] == list(RUNS[:-1])
    for line in together:
        (alone,) = charted.series("p", "loss", [line["run"]], **asked)["series"]
        assert _said(line) == _said(alone)


@pytest.mark.parametrize("width", [7, 100, 600])
def test_what_is_drawn_is_what_was_logged(charted: Store, width: int) -> None:
    """Each point that shows is counted once, and no extreme is lost."""
    for line in charted.series("p", "loss", RUNS, width=width)["series"]:
        run = line["run"]
        told = charted.points("p", run, "loss")
        rows = zip(told["attempt"].tolist(), told["steps"].tolist(), told["values"], strict=True)
        hidden = 3_100 if run == "rewound" else 13_000
        newest = {step: value for attempt, step, value in rows if attempt > 1 or step <= hidden}
        values = np.array([float(value) for value in newest.values()])
        finite = values[np.isfinite(values)]
        assert line["total"] == len(values), run
        marked = dict.fromkeys(("NaN", "Infinity", "-Infinity"), 0)
        for mark in line["marks"]:
            marked[mark["value"]] += mark["count"]
        is_said = (np.isnan(values), np.isposinf(values), np.isneginf(values))
        assert list(marked.values()) == [said.sum() for said in is_said]
        low, high = (line["last"], line["last"]) if line["exact"] else (line["min"], line["max"])
        assert (low.min(), high.max()) == (finite.min(), finite.max())
        if not line["exact"]:
            assert line["count"].sum() == len(finite)
            mean = (line["mean"] * line["count"]).sum() / len(finite)
            assert mean == pytest.approx(finite.mean(), abs=1e-12)


def _said(line: dict[str, Any]) -> bytes:
    return orjson.dumps(line, option=orjson.OPT_SERIALIZE_NUMPY)
