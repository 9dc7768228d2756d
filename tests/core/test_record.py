"""Records and lines: what goes in comes out, and damage never raises anything but ``Damaged``."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.journal.line import encode
from outrider.journal.record import Damaged, Record, decode, lines, numbers
from outrider.journal.segment import parse_segment_name, segment_name

values = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.integers(-(2**63), 2**63 - 1))


@given(
    st.floats(0, 4e9),
    st.integers(-(2**63), 2**63 - 1),
    st.dictionaries(st.text(min_size=1).filter(lambda s: s.isprintable()), values, max_size=8),
)
def test_points_come_out_as_they_went_in(t: float, step: int, points: dict[str, float]) -> None:
    line = encode({"s": step, "p": points, "t": t})
    assert line.startswith(b'{"t":')
    assert line.count(b"\n") == 1
    record = decode(line)
    assert (record.t, record.kind, record.body["s"]) == (t, "points", step)
    back = numbers(record.body["p"])
    assert list(back) == list(points)
    for key, value in points.items():
        assert back[key] == value or (math.isnan(value) and math.isnan(back[key]))
        assert type(back[key]) is type(value)


def read(data: bytes) -> list[Record | str]:
    """Every line of ``data`` as a record, or as the reason why it is damaged."""
    found: list[Record | str] = []
    for line in lines(data):
        try:
            found.append(decode(line))
        except Damaged as damage:
            found.append(str(damage))
    return found


@given(st.binary(max_size=200))
def test_any_bytes_are_records_or_damaged_with_a_reason(data: bytes) -> None:
    found = read(data + b"\n")
    assert len(found) == sum(1 for line in data.split(b"\n") if line)
    assert all(found)


whole = encode({"t": 2.5, "s": 3, "p": {"a": 1.0, "b": 2.0}})


@given(st.integers(1, len(whole) - 2))
def test_whatever_is_torn_in_front_the_whole_record_behind_is_kept(cut: int) -> None:
    record = decode(whole[:cut] + whole)
    assert (record.body["s"], record.torn) == (3, True)


@given(st.integers(0, len(whole) - 2), st.integers(1, 255))
def test_a_flipped_byte_never_raises_anything_else(at: int, by: int) -> None:
    broken = bytearray(whole)
    broken[at] ^= by
    assert len(read(bytes(broken))) in (1, 2)  # two where the byte became a newline


@pytest.mark.parametrize(
    "line",
    [
        b"", b"null", b"[]", b"3", b'{"s":1,"p":{}}', b'{"t":"x","s":1,"p":{}}',
        b'{"t":1,"p":{}}', b'{"t":1,"s":1.5,"p":{}}', b'{"t":1,"s":1}', b'{"t":1,"s":1,"p":[]}',
        b'{"t":1,"k":3}', b'{"t":1,"k":""}', b'{"t":1,"s":true,"p":{}}', b"\x00\x00", b"\xff",
        b'{"t":1,"s":9223372036854775808,"p":{}}', b'{"t":1,"k":"sys"}', b'{"t":NaN,"s":1,"p":{}}',
    ],
)  # fmt: skip
def test_a_line_of_the_wrong_shape_is_damaged(line: bytes) -> None:
    with pytest.raises(Damaged):
        decode(line)


def test_values_that_are_no_numbers_are_left_out_of_a_row() -> None:
    assert numbers({"a": True, "b": "NaNa", "c": None, "d": [1], "e": 2}) == {"a": 1, "e": 2}


@given(st.from_regex(r"[a-z0-9_-]{1,64}", fullmatch=True), st.integers(1, 10**9))
def test_segment_names_are_read_back(writer: str, number: int) -> None:
    assert parse_segment_name(segment_name(writer, number)) == (writer, number)


@pytest.mark.parametrize(
    "name",
    ["a-1.jsonl", "a-000000.jsonl", "-000001.jsonl", "A-000001.jsonl", "a-000001.json",
     "a-0000001.jsonl", "a-00000x.jsonl", "../a-000001.jsonl", "a-٠٠٠٠٠١.jsonl"],
)  # fmt: skip
def test_other_files_are_no_segments(name: str) -> None:
    assert parse_segment_name(name) is None
