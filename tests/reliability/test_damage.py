"""Damaged segments: whatever happens to their bytes, whole records come out and the rest is counted."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import KILLS, LONG
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inside import Inside
from test_nth_fault import QUICK, make

from outrider.journal.line import encode
from outrider.journal.reader import RunFolder
from outrider.journal.record import Damaged, Record
from outrider.streamer.loop import deliver
from outrider_server.ingest import read_batch

pytestmark = pytest.mark.reliability

ROWS = 100


def row(step: int) -> bytes:
    return encode(
        {"t": 1_763_860_000.5 + step, "s": step, "p": {"n": step, "loss": 1 / (step + 1)}}
    )


def segment(rows: int = ROWS, writer: str = "main") -> bytes:
    head = {"t": 1_763_860_000.0, "k": "head", "v": 1, "run": "r1", "w": writer, "n": 1, "a": 1,
            "host": "elsewhere", "pid": 7, "role": "trainer", "primary": writer == "main"}  # fmt: skip
    return encode(head) + b"".join(map(row, range(rows)))


WHOLE = segment()
LINES = frozenset(WHOLE.split(b"\n")[:-1])


class Journal:
    """A folder whose one segment is damaged again and again."""

    def __init__(self, place: Path) -> None:
        self.path = make(place)
        self.reader = RunFolder(self.path)
        self.file = Path(self.reader.segment_path("main", 1))

    def check(self, data: bytes) -> None:
        """Every line that is as it was written is read, in its place; every other one is either
        a record by itself or counted; and the server reads exactly the same."""
        self.file.write_bytes(data)
        found = [record for *_, record in self.reader.records()]
        read = [r.body for r in found if isinstance(r, Record)]
        torn = sum(r.torn for r in found if isinstance(r, Record))
        damaged = sum(isinstance(r, Damaged) for r in found)
        lines = [line for line in data.split(b"\n")[:-1] if line]
        assert len(read) + damaged == len(lines)
        for line, record in zip(lines, found, strict=True):
            if line in LINES:
                assert isinstance(record, Record)
                assert not record.torn
        whole = data[: data.rfind(b"\n") + 1]
        if whole:
            stretches = read_batch(whole)
            assert sum(stretch.torn for stretch in stretches) == torn
            assert sum(len(stretch.damaged) for stretch in stretches) == damaged
            steps = [
                s for one in stretches for table in one.tables for s in table.steps if table.keys
            ]
            kept = [r["s"] for r in read if "k" not in r and r["p"].keys() - {""} and any(
                isinstance(v, (int, float)) or v in ("NaN", "Infinity", "-Infinity")
                for k, v in r["p"].items() if k)]  # fmt: skip
            assert sorted(steps) == sorted(kept)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A run's folder."""
    return Journal(tmp_path)


def test_a_segment_may_be_cut_at_every_byte_of_its_last_three_records(journal: Journal) -> None:
    """What is whole is read; the cut one is a torn tail, which is no record and no gap."""
    last = len(segment(ROWS - 3))
    for cut in range(last, len(WHOLE)):
        journal.check(WHOLE[:cut])
        rows = sum(getattr(r, "kind", "") == "points" for *_, r in journal.reader.records())
        assert rows == WHOLE[:cut].count(b"\n") - 1
        assert journal.reader.whole_size("main", 1) == WHOLE.rfind(b"\n", 0, cut) + 1


def test_every_byte_of_a_segment_of_a_hundred_records_may_be_flipped(journal: Journal) -> None:
    """One line is lost and counted; where it was the line's end, the next is salvaged."""
    for at in range(0, len(WHOLE), 1 if LONG else 61):
        for flip in (0x01, 0x20, 0x80, 0xFF, WHOLE[at] ^ 0x0A) if LONG else (0x01, 0x80):
            broken = bytearray(WHOLE)
            broken[at] ^= flip
            journal.check(bytes(broken))
            rows = [r for *_, r in journal.reader.records() if getattr(r, "kind", "") == "points"]
            assert len(rows) >= ROWS - 1


TAILS = {
    "nothing": b"",
    "zeros": b"\0" * 4096,
    "zeros and a line break": b"\0" * 4096 + b"\n",
    "garbage": random.Random(1).randbytes(3000),
    "garbage and a line break": random.Random(2).randbytes(3000).replace(b"\n", b"x") + b"\n",
    "line breaks": b"\n" * 500,
    "half a record": row(7)[:-9],
    "half a record, then a whole one": row(7)[:-9] + row(8),
    "a megabyte without end": b"x" * (1 << 20),
    "braces": b"{" * 5000 + b"\n",
    "brackets": b"[" * 5000 + b"]" * 5000 + b"\n",
    "a huge number": b'{"t":1,"s":1,"p":{"n":' + b"9" * 5000 + b"}}\n",
}


@pytest.mark.parametrize("tail", TAILS)
def test_any_tail_leaves_what_stands_before_it(tail: str, journal: Journal) -> None:
    """Zeros are what a file system leaves that had written a length, and not yet the bytes."""
    for before in (WHOLE, b""):
        journal.check(before + TAILS[tail])
        journal.check(before + TAILS[tail] + b"\n" + row(200))


places = st.integers(0, len(WHOLE))
damages = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), places, st.integers(1, 255)),
        st.tuples(st.just("cut out"), places, st.integers(1, 400)),
        st.tuples(st.just("zero"), places, st.integers(1, 400)),
        st.tuples(st.just("insert"), places, st.binary(max_size=60)),
        st.tuples(st.just("again"), places, st.integers(1, 400)),
        st.tuples(st.just("end"), places, st.just(0)),
    ),
    min_size=1,
    max_size=6,
)


def damaged(data: bytes, what: str, at: int, how: object) -> bytes:
    if what == "insert":
        assert isinstance(how, bytes)
        return data[:at] + how + data[at:]
    assert isinstance(how, int)
    if what == "flip":
        return data[:at] + bytes(b ^ how for b in data[at : at + 1]) + data[at + 1 :]
    if what == "cut out":
        return data[:at] + data[at + how :]
    if what == "zero":
        return data[:at] + bytes(len(data[at : at + how])) + data[at + how :]
    return data[: at + how] + data[at:] if what == "again" else data[:at]


@settings(
    max_examples=20 * KILLS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(damages)
def test_random_damages_cost_only_what_they_touch(
    journal: Journal, steps: list[tuple[str, int, object]]
) -> None:
    """10,000 in the long form: bytes flipped, cut out, zeroed, inserted, doubled, or cut off."""
    data = WHOLE
    for what, at, how in steps:
        data = damaged(data, what, at, how)
    journal.check(data)


def broken_writers() -> Iterator[tuple[str, bytes, int, int]]:
    """Writers' ids and segments, and how many rows and gaps a server must make of each."""
    rng = random.Random(5)
    rows = 6
    for less in range(len(b"".join(map(row, range(rows - 3, rows)))), 0, -1 if LONG else -9):
        whole = segment(rows, f"cut-{less}")[:-less]
        yield f"cut-{less}", whole, whole.count(b"\n") - 1, 0
    for number in range(KILLS):
        at = rng.randrange(rows)
        lines = [row(step) for step in range(rows)]
        lines[at] = (
            rng.choice([b"\0" * 90, b"garbage", lines[at][:-8], b"\xff" * 40, b"[]"]) + b"\n"
        )
        yield f"line-{number}", segment(0, f"line-{number}") + b"".join(lines), rows - 1, 1
        glued = [row(step) for step in range(rows)]
        glued[at] = glued[at][: rng.randrange(1, len(glued[at]) - 2)]
        data = segment(0, f"glued-{number}") + b"".join(glued)
        yield f"glued-{number}", data, rows - 1, int(at < rows - 1)
    for name, tail in TAILS.items():
        if tail.endswith(b"\n") and name not in ("line breaks", "half a record, then a whole one",
                                                 "a huge number"):  # fmt: skip
            writer = "tail-" + name.replace(" ", "-")
            yield writer, segment(rows, writer) + tail, rows, 1


def test_damage_arrives_as_counted_gaps(tmp_path: Path) -> None:
    """Through the streamer into the store: each writer's whole rows, and a gap for each damage."""
    server = Inside(tmp_path / "server")
    journal = Journal(tmp_path)
    made = list(broken_writers())
    for writer, data, _, _ in made:
        Path(journal.reader.segment_path(writer, 1)).write_bytes(data)
    outcome = deliver(journal.path, transport=server, clock=QUICK)
    assert outcome.delivered, outcome
    assert len(server.points("p", "r1", "n")) == sum(rows for _, _, rows, _ in made)
    assert server.store.run("p", "r1")["gaps"] == sum(gaps for *_, gaps in made)
    again = deliver(journal.path, transport=server, clock=QUICK)
    assert (again.delivered, again.sent) == (True, 0)
    server.close()
