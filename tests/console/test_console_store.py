"""The console's store: lines folded once, however they arrive; pages and searches stay bounded."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from outrider.errors import UsageError
from outrider.reading.terminal import Console
from outrider_server.store import Store
from outrider_server.store.console import CHUNK

RUN = {"project": "p", "id": "r1", "writer": "w1"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(place: Path) -> Iterator[Store]:
    with Store.open(place) as opened:
        opened.create_run(RUN)
        yield opened


def printed(text: str, t: float = 1.0, stream: str = "out", **more: Any) -> bytes:
    body = {"t": t, "k": "console", "o": stream, **(more or {"b": text})}
    return orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)


def send(store: Store, raw: bytes, *, offset: int = 0, writer: str = "w1") -> int:
    return asyncio.run(store.ingest("p", "r1", writer, 1, offset, raw)).offset


def everything(store: Store) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    at: int | None = 0
    while at is not None:
        page = store.console("p", "r1", line=at, limit=10_000)
        found += page["lines"]
        at = page["next"]
    assert [line["n"] for line in found] == list(range(page["total"]))
    return found


def texts(store: Store) -> list[str]:
    return [line["b"] for line in everything(store)]


def session(seed: int, count: int) -> list[bytes]:
    """What two writers print: lines, bars, colours, pieces of lines and of sequences."""
    chance = random.Random(seed)
    pieces = [
        "step {i}\n", "\rbar {i}%", "\n", "\x1b[3{c}mred{i}\x1b[0m ", "part ", "\x1b[A\rup {i}\x1b[K",
        "\x1b[2K\r", "\x1b[1", "m", "é漢 {i}\n", "\b\b", "a\nb\nc\n", "\x1b[2A", "\x1b[J", "\t{i}\n",
    ]  # fmt: skip
    return [
        printed(
            chance.choice(pieces).format(i=i, c=chance.randrange(8)),
            float(i),
            chance.choice(["out", "err"]),
        )
        for i in range(count)
    ]


def expected(records: list[bytes]) -> list[str]:
    console, lines = Console(), {}
    for record in records:
        body = orjson.loads(record)
        console.take("w1", body["t"], body)
        lines.update(console.changed)
    return [lines[n].shown() for n in sorted(lines)]


@pytest.mark.parametrize("seed", range(3))
def test_lines_are_the_same_however_the_journal_is_cut_and_sent_again(
    place: Path, seed: int
) -> None:
    """Batches of any size, each sent twice, with the store opened anew in between."""
    records = session(seed, 3000)
    chance = random.Random(seed)
    whole = b"".join(records)
    offset, at = 0, 0
    store = Store.open(place)
    store.create_run(RUN)
    while at < len(records):
        count = chance.choice([1, 3, 40, 500])
        batch = b"".join(records[at : at + count])
        at += count
        end = send(store, batch, offset=offset)
        assert end == offset + len(batch)
        assert send(store, batch, offset=offset) == end
        offset = end
        if chance.random() < 0.1:
            store.close()
            store = Store.open(place)
    assert offset == len(whole)
    assert texts(store) == expected(records)
    store.close()


def test_a_line_that_began_long_ago_goes_on(store: Store, place: Path) -> None:
    """A bar stays one line, also when thousands of lines were folded away behind it."""
    offset = send(store, printed("\rbar 0%", stream="err"))
    for part in range(5):
        raw = b"".join(printed(f"line {part} {i}\n", t=2.0) for i in range(CHUNK))
        offset = send(store, raw, offset=offset)
        offset = send(store, printed(f"\rbar {part + 1}0%", stream="err"), offset=offset)
    found = everything(store)
    assert found[0]["b"] == "bar 50%"
    assert (found[0]["o"], found[0]["t"]) == ("err", 1.0)
    assert len(found) == 5 * CHUNK + 1
    assert store.console("p", "r1", line=-1)["lines"][0]["b"] == f"line 4 {CHUNK - 1}"


def test_pages_follow_each_other_and_streams_can_be_chosen(store: Store) -> None:
    raw = b"".join(
        printed(f"{i}\n", stream="err" if i % 10 == 0 else "out") for i in range(3 * CHUNK)
    )
    send(store, raw)
    page = store.console("p", "r1", line=CHUNK - 5, limit=10)
    assert [line["b"] for line in page["lines"]] == [str(i) for i in range(CHUNK - 5, CHUNK + 5)]
    assert (page["total"], page["next"], page["open"]) == (3 * CHUNK, CHUNK + 5, True)
    errors = store.console("p", "r1", line=5, limit=3, stream="err")
    assert [line["b"] for line in errors["lines"]] == ["10", "20", "30"]
    assert store.console("p", "r1", line=10**9)["lines"] == []
    assert store.console("p", "r1", line=-(10**9), limit=1)["first"] == 0


def test_a_page_is_bounded_in_bytes(store: Store) -> None:
    send(store, b"".join(printed("x" * 30_000 + "\n") for _ in range(300)))
    page = store.console("p", "r1", limit=10_000)
    assert 100 < len(page["lines"]) < 200
    assert page["next"] == len(page["lines"])


def test_a_gap_is_a_line_of_its_own(store: Store) -> None:
    """Bytes that were left out show where they were, and neighbouring gaps are one."""
    send(
        store,
        printed("before ") + printed("", n=1000) + printed("", n=234) + printed("after\n")
        + printed("", n=5),
    )  # fmt: skip
    found = everything(store)
    assert [line["b"] for line in found] == [
        "before ", "[1234 bytes left out]", "after", "[5 bytes left out]"
    ]  # fmt: skip
    assert [line.get("gap") for line in found] == [None, 1234, None, 5]


def test_bytes_that_are_no_text_are_replaced(store: Store) -> None:
    send(store, printed("", x="/w==") + printed("ok\n") + printed("", x="no base64!"))
    assert texts(store) == ["�ok"]


def test_odd_records_harm_nothing(store: Store) -> None:
    """A console record of any shape is stored, and the run goes on."""
    odd = [{"b": 5}, {"n": -1}, {"n": True}, {"n": 1 << 61}, {"o": 7, "b": "x\n"}, {"b": None}, {}]
    raw = b"".join(
        orjson.dumps({"t": 1.0, "k": "console", **body}, option=orjson.OPT_APPEND_NEWLINE)
        for body in odd
    )
    raw += b'{"t":1e999,"k":"console","b":"late\\n"}\n'
    end = send(store, raw + raw)
    send(store, printed("on\n"), offset=end)
    assert [text for text in texts(store) if "left out" not in text][-1] == "on"


def test_a_search_finds_lines_by_their_text_without_colours(store: Store) -> None:
    raw = b"".join(printed(f"\x1b[31mstep\x1b[0m {i}\n") for i in range(3 * CHUNK))
    send(store, raw)
    found = store.search_console("p", "r1", expression=r"^step \d*99$", limit=1000)
    assert [match["n"] for match in found["matches"]] == list(range(99, 3 * CHUNK, 100))
    assert found["matches"][0]["b"] == "\x1b[31mstep\x1b[0m 99"
    assert found["next"] is None
    first = store.search_console("p", "r1", expression="step", limit=2)
    assert [match["n"] for match in first["matches"]] == [0, 1]
    more = store.search_console("p", "r1", expression="step", start=first["next"], limit=2)
    assert [match["n"] for match in more["matches"]] == [2, 3]
    assert store.search_console("p", "r1", expression="nothing")["matches"] == []


@pytest.mark.parametrize("expression", ["(", "a" * 600, "(a+)+$", r"(?:a|a)*\d", "(x+x+)+y|(a*)*b"])
def test_an_expression_that_is_wrong_or_takes_too_long_is_refused(
    store: Store, expression: str
) -> None:
    send(store, printed("a" * 5000 + "!\n"))
    with pytest.raises(UsageError):
        store.search_console("p", "r1", expression=expression)


def test_a_long_search_goes_on_where_it_stopped(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time is bounded: it answers what it found so far and where to go on."""
    send(store, b"".join(printed(f"{i}\n") for i in range(5 * CHUNK)))
    monkeypatch.setattr("outrider_server.store.console_reading.SEARCH_SECONDS", 0.0)
    found, at, rounds = [], 0, 0
    while at is not None:
        page = store.search_console("p", "r1", expression="7$", start=at, limit=1000)
        found += [match["n"] for match in page["matches"]]
        at, rounds = page["next"], rounds + 1
    assert found == list(range(7, 5 * CHUNK, 10))
    assert rounds > 3


def test_a_deleted_run_takes_its_console_along(store: Store) -> None:
    send(store, printed("secret\n"))
    assert store.delete_run("p", "r1")
    store.create_run(RUN)
    assert texts(store) == []


def test_a_run_says_whether_it_has_a_console(store: Store) -> None:
    assert store.run("p", "r1")["has"]["console"] is False
    send(store, printed("hello\n"))
    assert store.run("p", "r1")["has"]["console"] is True
