"""Batches of lines that carry the same metrics: read faster, and never otherwise than any batch."""

from __future__ import annotations

import gc
import json
import random
import weakref
from typing import Any

import numpy as np
import pytest

from outrider_server import repeating
from outrider_server.ingest import Stretch, read_batch
from outrider_server.repeating import Repeating

KEYS = ("loss", "val/acc", "größe 1")


def line(step: int, **more: Any) -> bytes:
    """A record of points."""
    values = {key: step / (3 + place) for place, key in enumerate(KEYS)} | more
    return json.dumps({"t": 1e9 + step / 7, "s": step, "p": values}).encode() + b"\n"


def batch(first: int, count: int = 5) -> bytes:
    """Some of them, one after the other."""
    return b"".join(line(step) for step in range(first, first + count))


def told(stretches: list[Stretch]) -> list[Any]:
    """What stretches say, whatever tables their points lie in."""
    found: list[Any] = []
    for stretch in stretches:
        points = sorted(
            (int(row), int(step), float(time), key, repr(table.exact.get((at, column), value)))
            for table in stretch.tables
            for at, (row, step, time) in enumerate(
                zip(table.rows, table.steps, table.times, strict=True)
            )
            for column, (key, value) in enumerate(
                zip(table.keys, table.values[at].tolist(), strict=True)
            )
        )
        rest = (stretch.opening, stretch.others, stretch.torn, stretch.damaged, stretch.latest)
        found.append((points, *map(repr, rest)))
    return found


def read(reader: Repeating, writer: Any, data: bytes) -> list[Stretch]:
    """One batch that came alone."""
    (found,) = reader.read([(writer, data)])
    return found


def knowing() -> Repeating:
    """A reader that has seen what the writer "w" logs."""
    reader = Repeating()
    for first in (0, 5):
        read(reader, "w", batch(first))
    return reader


def test_a_third_batch_of_the_same_metrics_needs_no_dictionaries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second shows that they come again; from then on nobody asks the careful reader."""
    reader = knowing()
    monkeypatch.setattr(repeating, "read_batch", None)
    data = batch(10)
    found = read(reader, "w", data)
    assert told(found) == told(read_batch(data))
    (table,) = found[0].tables
    assert (table.rows.dtype, table.steps.dtype) == (np.int32, np.int64)
    assert (table.times.dtype, table.values.dtype, table.system) == (np.float64, np.float64, False)


def test_another_writer_of_the_same_metrics_is_read_so_from_its_second_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ranks log what the first one logs."""
    reader = knowing()
    read(reader, "another", batch(0))
    monkeypatch.setattr(repeating, "read_batch", None)
    assert told(read(reader, "another", batch(5))) == told(read_batch(batch(5)))


ODD = {
    "a metric more": line(10, more=1.5),
    "a metric less": b'{"t":1.0,"s":10,"p":{"loss":1.0}}\n',
    "none at all": b'{"t":1.0,"s":10,"p":{}}\n',
    "another order": b'{"s":10,"p":{"val/acc":2,"gr\xc3\xb6\xc3\x9fe 1":3,"loss":1},"t":1}\n',
    "a name twice": b'{"t":1,"s":10,"p":{"loss":1,"loss":2,"val/acc":2,"gr\xc3\xb6\xc3\x9fe 1":3}}\n',
    "a name in escapes": line(10),
    "a word": line(10, loss="NaN"),
    "a word that is none": line(10, loss="nan"),
    "a truth value": line(10, loss=True),
    "nothing": line(10, loss=None),
    "an integer": line(10, loss=3),
    "an integer that no double holds": line(10, loss=2**53 + 1),
    "an integer beyond 64 bits": line(10, loss=2**70),
    "a large double": line(10, loss=1e300),
    "a tiny one": line(10, loss=5e-324),
    "minus nothing": line(10, loss=-0.0),
    "a step that is no integer": b'{"t":1.0,"s":1.0,"p":{"loss":1.0}}\n',
    "a step beyond 64 bits": line(2**63),
    "a time that is none": line(10).replace(b'"t": 1', b'"t": "1"', 1),
    "another kind": b'{"t":1.0,"k":"config","c":{"lr":0.1}}\n',
    "the machine": b'{"t":1.0,"k":"sys","p":{"cpu":3.5}}\n',
    "a head": b'{"t":1.0,"k":"head","v":1,"run":"r","w":"w","n":1,"a":2}\n',
    "damage": line(10)[:30] + b"\n",
    "a torn line with a whole one behind it": line(9)[:30] + line(10).replace(b" ", b""),
    "an empty line": b"\n",
    "a line on two": line(10).replace(b', "p"', b',\n"p"'),
    "two on one": line(10)[:-1] + line(11),
    "bytes that are no text": line(10).replace(b"loss", b"l\xffss"),
    "a mark of byte order": b"\xef\xbb\xbf" + line(10),
    "a word of JavaScript": line(10).replace(b'"loss": ', b'"loss": NaN, "x": ', 1),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("place", ["first", "in the middle", "last", "alone"])
def test_whatever_else_comes_is_read_as_if_nothing_were_known(odd: bytes, place: str) -> None:
    """And what comes behind it, too."""
    before, after = batch(20, 2), batch(30, 2)
    data = {
        "first": odd + after, "in the middle": before + odd + after, "last": before + odd, "alone": odd
    }[place]  # fmt: skip
    reader = knowing()
    assert told(read(reader, "w", data)) == told(read_batch(data))
    for first in (40, 50, 60):
        assert told(read(reader, "w", batch(first))) == told(read_batch(batch(first)))


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_batches_that_come_together_are_read_as_if_each_came_alone(odd: bytes) -> None:
    """Whatever stands between them, and whosever it is."""
    reader = knowing()
    read(reader, "v", batch(0))
    together = [
        ("w", batch(10)),
        ("v", batch(10, 1)),
        ("w", batch(15, 2) + odd),
        ("new", batch(3)),
        ("w", odd),
        ("w", batch(20)),
        ("v", line(-5) + line(-(2**63)) + line(2**63 - 1)),
        ("v", batch(11, 40)),
    ]
    for found, (_, data) in zip(reader.read(together), together, strict=True):
        assert told(found) == told(read_batch(data))
    assert reader.read([]) == []


@pytest.mark.parametrize("seed", range(4))
def test_mutated_batches_are_read_as_if_nothing_were_known(seed: int) -> None:
    """Bytes turned, cut out, doubled and put in."""
    chance = random.Random(seed)
    words = [b"\n", b"{", b"}", b'"', b",", b"0", b"-", b"e9", b"NaN", b'"k":"x",', b" ", b"\xff"]
    reader = knowing()
    for _ in range(500):
        data = batch(10)
        for _ in range(chance.randint(1, 3)):
            at, length = chance.randrange(len(data)), chance.randint(0, 40)
            middle = chance.choice([bytes([data[at] ^ 1 << chance.randrange(8)]), b"", *words])
            data = data[:at] + middle + data[at + chance.choice((0, 1, length)) :]
        data += b"\n"
        assert told(read(reader, "w", data)) == told(read_batch(data)), data
        read(reader, "w", batch(20))


def test_numbers_come_out_to_the_last_bit() -> None:
    """Both readers take the nearest double."""
    chance = np.random.default_rng(7)
    bits = chance.integers(0, 2**63, 20_000, dtype=np.int64)
    doubles = bits.view(np.float64)
    small = doubles[np.isfinite(doubles) & (np.abs(doubles) < 2.0**53)]
    reader = Repeating()
    for part in np.array_split(small, 200):
        data = b"".join(
            json.dumps({"t": 1.5, "s": step, "p": {"x": value}}).encode() + b"\n"
            for step, value in enumerate(part.tolist())
        )
        (stretch,) = read(reader, "w", data)
        assert stretch.tables[0].values[:, 0].tobytes() == part.tobytes()


@pytest.mark.parametrize("name", ['a "quoted" one', "a\\b", "tab\t", "", "x" * 3000])
def test_names_that_cannot_be_known_beforehand_are_read_all_the_same(name: str) -> None:
    """Every time the careful way."""
    reader = Repeating()
    for step in range(4):
        data = json.dumps({"t": 1.0, "s": step, "p": {name: 1.5, "b": 2.5}}).encode() + b"\n"
        assert told(read(reader, "w", data)) == told(read_batch(data))


def test_of_many_sets_of_metrics_few_readers_are_kept() -> None:
    """A reader of hundreds of metrics is large: writers do not keep theirs alive."""
    made: list[weakref.ref[Any]] = []
    reader = Repeating()
    for number in range(150):
        for step in range(3):
            line = {"t": 1.0, "s": step, "p": {f"m{number}": 1.0}}
            read(reader, number, json.dumps(line).encode() + b"\n")
        (keys,) = [keys for keys in reader._sets if keys == (f"m{number}",)]
        known = reader._sets[keys]
        assert known is not None
        made.append(weakref.ref(known.decode.__self__.type))  # type: ignore[attr-defined]
        del known
    gc.collect()
    assert sum(kind() is not None for kind in made) <= 64


def test_metrics_that_change_all_the_time_are_read_all_the_same() -> None:
    """Thousands of sets of them; what is kept of them is bounded."""
    reader = Repeating()
    for number in range(300):
        for _ in range(3):
            data = json.dumps({"t": 1.0, "s": 1, "p": {f"m{number}": 1.0}}).encode() + b"\n"
            assert told(read(reader, number % 7, data)) == told(read_batch(data))
