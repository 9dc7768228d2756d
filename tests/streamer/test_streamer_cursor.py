from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.journal.record import decode
from outrider.streamer import cursor
from outrider.streamer.cursor import PIECE_BYTES, Place


def test_offsets_survive_json_and_ignore_nonsense() -> None:
    """What the server says is read back as it was; what is no offset is left out."""
    offsets = {Place("a", 1): 5, Place("a", 12): 0, Place("b", 2): 7}
    assert cursor.offsets_from_json(cursor.offsets_to_json(offsets)) == offsets
    assert cursor.offsets_from_json({"a": {"x": 1, "1": -1, "2": True, "3": "4"}, "b": 3}) == {}
    assert cursor.offsets_from_json([1]) == {}


def test_what_waits_is_what_grew_beyond_its_ack() -> None:
    """A segment with only the beginning of a record behind its cursor does not wait."""
    sizes = {Place("a", 1): 10, Place("a", 2): 5, Place("b", 1): 8}
    acked = {Place("a", 1): 10, Place("b", 1): 3}
    assert cursor.behind(sizes, acked) == 10
    assert cursor.waiting(sizes, acked, {}) == [Place("a", 2), Place("b", 1)]
    assert cursor.waiting(sizes, acked, {Place("b", 1): 8}) == [Place("a", 2)]
    assert cursor.waiting(sizes, acked, {Place("b", 1): 7}) == [Place("a", 2), Place("b", 1)]


def test_no_writer_starves_behind_a_fast_one() -> None:
    """Turns go round the writers, and to a writer's earliest segment."""
    places = [Place("a", 1), Place("a", 2), Place("b", 4), Place("c", 1)]
    turns, last = [], None
    for _ in range(4):
        last = cursor.next_place(places, last)
        turns.append(last)
    assert turns == [Place("a", 1), Place("b", 4), Place("c", 1), Place("a", 1)]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.integers(1, 200))
def test_a_cut_is_whole_lines_and_one_at_least(lengths: list[int], limit: int) -> None:
    """Never a part of a record, never nothing, never more than asked for unless one is longer."""
    data = b"".join(b"x" * length + b"\n" for length in lengths)
    piece = cursor.cut(data, limit)
    assert data.startswith(piece)
    assert piece.endswith(b"\n")
    assert len(piece) <= limit or piece.count(b"\n") == 1


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20))
def test_halving_ends_at_a_single_record(lengths: list[int]) -> None:
    """Each half is shorter, so that splitting comes to an end."""
    data: bytes | None = b"".join(b"x" * length + b"\n" for length in lengths)
    while data is not None:
        half = cursor.halve(data)
        if half is None:
            assert data.count(b"\n") == 1
        else:
            assert len(half) < len(data)
            assert data.startswith(half)
        data = half


@pytest.mark.parametrize("length", [5000, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES + 300])
def test_a_stand_in_is_as_long_as_what_it_stands_for(length: int) -> None:
    """So that every offset stays true; it counts one record, whatever pieces it has."""
    lines = cursor.stand_in(length, 1.5, 'too "long"\n\u00e9')
    assert sum(map(len, lines)) == length
    assert all(line.count(b"\n") == 1 and line.endswith(b"\n") for line in lines)
    records = [decode(line) for line in lines]
    assert {record.kind for record in records} == {"gap"}
    assert sum(record.body["n"] for record in records) == 1


def test_what_is_gone_here_and_lacking_there_is_named() -> None:
    """Acked once, cleaned here, then lost by the server: a gap. Everything else is none."""
    known = {Place("a", 1): 10, Place("a", 2): 10, Place("a", 3): 10}
    offered = {Place("a", 2): 10, Place("a", 3): 4}
    here = [Place("a", 3)]
    assert cursor.vanished(known, offered, here) == [Place("a", 1)]
    assert cursor.missing([Place("b", 3)], {Place("b", 1): 0}) == [Place("b", 2)]
