"""Whatever is sent, in whatever order, the store says what a simple model says."""

from __future__ import annotations

import tempfile
from math import isnan
from typing import Any

import pytest
from feeding import START, Feeder, head, lines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outrider.reading.series import Attempt, Series, limits, logged, merged
from outrider.reading.summary import Definition, automatic
from outrider_server.store import OffsetAhead, Store

KEYS = ("loss", "val/acc", "größe")
WRITERS = {"w1": 1, "w2": 1, "w3": 2, "w4": 3}
"""Two ranks of the first attempt, and the creating writers of two later ones."""

values = st.one_of(
    st.floats(width=32),
    st.floats(),
    st.integers(-5, 5),
    st.integers(2**53 - 2, 2**63 - 1),
    st.booleans(),
)
records = st.builds(
    lambda step, time, points: {"t": START + time, "s": step, "p": points},
    st.integers(0, 12),
    st.integers(0, 30).map(lambda tick: tick / 4),
    st.dictionaries(st.sampled_from(KEYS), values, min_size=1),
)
batches = st.lists(records, min_size=1, max_size=6)
operations = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.sampled_from(tuple(WRITERS)), batches),
        st.tuples(st.just("resend"), st.sampled_from(tuple(WRITERS)), st.integers(0, 3)),
        st.tuples(st.just("ahead"), st.sampled_from(tuple(WRITERS)), st.integers(1, 99)),
        st.tuples(st.just("rewind"), st.sampled_from(("w3", "w4")), st.integers(-1, 12)),
        st.tuples(st.just("reopen"), st.just(""), st.just(0)),
    ),
    max_size=25,
)


class Model:
    """All points in the order of their arrival, and what was rewound."""

    def __init__(self) -> None:
        self.points: dict[str, list[tuple[int, int, float, Any]]] = {}
        self.rewinds: dict[int, int] = {}
        self.sent: dict[str, list[tuple[int, bytes]]] = {}

    def take(self, writer: str, batch: list[dict[str, Any]]) -> None:
        for record in batch:
            for key, value in record["p"].items():
                point = (WRITERS[writer], record["s"], record["t"], value)
                self.points.setdefault(key, []).append(point)

    def series(self, key: str) -> Series:
        found = Series()
        for attempt, step, time, value in self.points[key]:
            found.append(attempt, step, time, float(value))
        return found

    def shown(self, key: str) -> Series:
        attempts = [Attempt(a, None, self.rewinds.get(a)) for a in set(WRITERS.values())]
        return logged(self.series(key), limits(attempts))


def same(one: Any, two: Any) -> bool:
    """Equal, NaN equal to itself, words equal to what they say."""
    if isinstance(one, str) or isinstance(two, str):
        one, two = float(one), float(two)
    return one == two or (isnan(one) and isnan(two))


def check(feeder: Feeder, model: Model) -> None:
    row = feeder.row()
    assert {item["key"] for item in row["metrics"]} == set(model.points)
    expected = automatic(
        ((key, model.shown(key)) for key in model.points), [Definition("val/*", None, "max")]
    )
    assert set(row["summary"]) == set(expected)
    for key in model.points:
        said = feeder.points(key)
        assert said["next"] is None
        assert list(said["attempt"]) == [point[0] for point in model.points[key]]
        assert list(said["steps"]) == [point[1] for point in model.points[key]]
        assert list(said["times"]) == [point[2] for point in model.points[key]]
        assert all(
            same(one, two[3]) for one, two in zip(said["values"], model.points[key], strict=True)
        )
        if key in expected:
            assert same(float(row["summary"][key]), expected[key])
        check_line(feeder, key, merged(model.shown(key)))


def check_line(feeder: Feeder, key: str, series: Series) -> None:
    answer = feeder.store.series(feeder.project, key, [feeder.run], width=1000)["series"]
    finite = [(s, t, v) for _, s, t, v in series if v - v == 0]
    if not len(series):
        assert not answer or not len(answer[0]["x"])
        return
    (line,) = answer
    assert line["exact"]
    assert line["total"] == len(series)
    assert list(zip(line["step"], line["time"], line["last"], strict=True)) == finite
    assert sum(mark["count"] for mark in line["marks"]) == len(series) - len(finite)
    for width in (1, 3):
        answer = feeder.store.series(feeder.project, key, [feeder.run], width=width)["series"]
        if not answer[0]["exact"] and finite:
            assert answer[0]["min"].min() == min(value for *_, value in finite)
            assert answer[0]["max"].max() == max(value for *_, value in finite)
            assert answer[0]["count"].sum() == len(finite)
            assert answer[0]["last"][-1] == finite[-1][-1]


@pytest.mark.timeout(900)  # many stores are opened; a busy machine takes its time
@pytest.mark.usefixtures("folds_early")
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(operations)
def test_the_store_says_what_a_simple_model_says(steps: list[tuple[str, str, Any]]) -> None:
    """Batches, duplicates, overlaps, gaps ahead, rewinds and restarts in any order leave every
    point exactly once, as logged, in the order of arrival; charts and the summary show the merge.
    """
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(folder)
        try:
            feeder, model = begin(store), Model()
            for what, writer, detail in steps:
                if what == "reopen":
                    store.close()
                    store = feeder.store = Store.open(folder)
                else:
                    act(feeder, model, what, writer, detail)
            check(feeder, model)
        finally:
            store.close()


def begin(store: Store) -> Feeder:
    feeder = Feeder(store, writer="w1", attempt=1)
    for writer, attempt in WRITERS.items():
        feeder.log(head(writer, attempt, primary=writer != "w2"), writer=writer)
    feeder.log({"t": START, "k": "metric", "name": "val/*", "summary": "max"}, writer="w1")
    return feeder


def act(feeder: Feeder, model: Model, what: str, writer: str, detail: Any) -> None:
    sent = model.sent.setdefault(writer, [])
    now = feeder.offsets[writer, 1]
    if what == "send":
        data = lines(*detail)
        assert feeder.send(data, writer).offset == now + len(data)
        sent.append((now, data))
        model.take(writer, detail)
    elif what == "resend" and sent:
        offset, data = sent[detail % len(sent)]
        ack = feeder.send_at(offset, data + lines({"t": START, "s": 0, "p": {"x": 1}}), writer)
        assert ack.duplicate
        assert ack.offset == now
    elif what == "ahead":
        with pytest.raises(OffsetAhead) as caught:
            feeder.send_at(now + detail, b'{"t":1,"s":1,"p":{"x":1}}\n', writer)
        assert caught.value.offset == now
    elif what == "rewind":
        attempt = WRITERS[writer]
        feeder.log({"t": START, "k": "attempt", "a": attempt, "rewind": detail}, writer=writer)
        model.rewinds[attempt] = detail
