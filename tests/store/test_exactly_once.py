"""What was acknowledged is stored once, whatever is sent again, cut off or killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from feeding import START, Feeder, head, lines, point

from outrider_server.store import NotWhole, OffsetAhead, Store, UnknownRun


def test_a_batch_is_acknowledged_with_the_offset_behind_it(feeder: Feeder) -> None:
    data = lines(point(0, loss=1.0))
    ack = feeder.send(data)
    assert (ack.offset, ack.duplicate) == (len(data), False)
    assert ack.changes.kinds >= {"points"}
    assert ack.changes.keys == {"loss"}
    assert feeder.store.offsets("p", "r1") == {"w": {"1": len(data)}}


def test_a_batch_that_was_stored_is_not_stored_again(feeder: Feeder) -> None:
    data = lines(point(0, loss=1.0), point(1, loss=2.0))
    feeder.send(data)
    again = feeder.send_at(0, data)
    assert (again.offset, again.duplicate) == (len(data), True)
    assert again.changes.kinds == set()
    assert list(feeder.points("loss")["steps"]) == [0, 1]


def test_a_batch_that_overlaps_is_told_where_to_go_on(feeder: Feeder) -> None:
    """Nothing of it is stored: the client sends the rest again from the offset."""
    first = lines(point(0, loss=1.0))
    feeder.send(first)
    ack = feeder.send_at(0, first + lines(point(1, loss=2.0)))
    assert (ack.offset, ack.duplicate) == (len(first), True)
    assert list(feeder.points("loss")["steps"]) == [0]


def test_a_batch_ahead_of_what_is_stored_is_refused_with_the_offset(feeder: Feeder) -> None:
    data = lines(point(0, loss=1.0))
    feeder.send(data)
    with pytest.raises(OffsetAhead) as caught:
        feeder.send_at(len(data) + 1, data)
    assert caught.value.offset == len(data)


def test_a_batch_for_a_run_that_is_not_there_is_refused(store: Store, feeder: Feeder) -> None:
    feeder.run = "nobody"
    with pytest.raises(UnknownRun):
        feeder.log(point(0, loss=1.0))


def test_segments_may_come_in_any_order_and_a_sealed_one_may_grow(feeder: Feeder) -> None:
    feeder.send(lines(point(5, loss=5.0)), segment=2)
    feeder.send(lines(point(0, loss=0.0)), segment=1)
    feeder.send(lines(point(6, loss=6.0)), segment=2)
    feeder.send(lines(point(1, loss=1.0)), segment=1)
    assert list(feeder.line("loss")["last"]) == [0.0, 1.0, 5.0, 6.0]
    assert list(feeder.points("loss")["steps"]) == [5, 0, 6, 1]


def test_writers_have_offsets_of_their_own(feeder: Feeder) -> None:
    one, two = lines(point(0, a=1)), lines(point(0, bb=1))
    feeder.send(one, "w1")
    feeder.send(two, "w2")
    assert feeder.store.offsets("p", "r1") == {"w1": {"1": len(one)}, "w2": {"1": len(two)}}


def test_a_torn_last_line_is_left_for_the_next_batch(feeder: Feeder) -> None:
    whole, torn = lines(point(0, loss=1.0)), b'{"t":1,"s":1,"p":{"lo'
    assert feeder.send(whole + torn).offset == len(whole)
    feeder.send(torn + b'ss":2.0}}\n')
    assert list(feeder.points("loss")["values"]) == [1.0, 2.0]


def test_a_batch_without_a_whole_line_is_refused(feeder: Feeder) -> None:
    with pytest.raises(NotWhole):
        feeder.send(b'{"t":1')


@pytest.mark.parametrize(
    "damage",
    [
        b"garbage\n",
        b"[1,2]\n",
        b"17\n",
        b'{"t":"late","s":1,"p":{"loss":1}}\n',
        b'{"t":1,"s":1.5,"p":{"loss":1}}\n',
        b'{"t":1,"s":99999999999999999999,"p":{"loss":1}}\n',
        b'{"t":1,"p":{"loss":1}}\n',
        b'{"t":1,"s":1,"p":[1]}\n',
        b'{"t":1,"k":7}\n',
        b'\x00\xff\xfe{"t\n',
        b'{"t":1,"s":1,"p":{"loss":1}} {"t":2,"s":2,"p":{"loss":1}}\n'[:-3] + b"\n",
    ],
)
def test_a_line_that_cannot_be_read_is_a_counted_gap(feeder: Feeder, damage: bytes) -> None:
    """What lies beside it is kept, and the batch is acknowledged: nothing blocks a run for ever."""
    data = lines(point(0, loss=1.0)) + damage + lines(point(2, loss=3.0))
    assert feeder.send(data).offset == len(data)
    assert feeder.row()["gaps"] == 1
    assert {0, 2} <= set(feeder.points("loss")["steps"])
    (gap,) = feeder.store.records("p", "r1", kind="gap")["records"]
    assert gap["n"] == 1
    assert gap["why"]


def test_a_record_glued_behind_a_torn_one_is_kept(feeder: Feeder) -> None:
    feeder.send(b'{"t":1,"s":0,"p":{"lo' + lines(point(1, loss=2.0)))
    assert list(feeder.points("loss")["values"]) == [2.0]
    assert feeder.row()["gaps"] == 1


def test_values_that_are_no_numbers_are_left_out_and_the_rest_is_kept(feeder: Feeder) -> None:
    feeder.send(b'{"t":1,"s":0,"p":{"loss":1.0,"why":"words","list":[1],"none":null,"":2}}\n')
    assert [item["key"] for item in feeder.row()["metrics"]] == ["loss"]


def test_gaps_that_the_journal_tells_are_counted(feeder: Feeder) -> None:
    feeder.log({"t": START, "k": "gap", "n": 12, "why": "disk full"})
    assert feeder.row()["gaps"] == 12


def test_kinds_that_nobody_knows_yet_are_kept_as_they_came(feeder: Feeder) -> None:
    record = {"t": START, "k": "hologram", "deep": {"a": [1, None, "ü"]}}
    feeder.log(record)
    assert feeder.store.records("p", "r1", kind="hologram")["records"] == [record]


def test_a_batch_that_cannot_be_stored_harms_no_other(
    feeder: Feeder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault in the middle of a batch leaves neither its points nor its offset."""
    feeder.log(point(0, loss=1.0))
    before = dict(feeder.offsets)
    with monkeypatch.context() as patch:
        patch.setattr("outrider_server.store.batches.pack_blocks", _fails)
        with pytest.raises(MemoryError):
            feeder.log({"t": START, "k": "config", "c": {"lr": 1}}, point(1, new=2.0))
    assert feeder.offsets == before
    assert feeder.row()["config"] == {}
    feeder.log({"t": START, "k": "config", "c": {"lr": 1}}, point(1, new=2.0))
    assert list(feeder.points("new")["values"]) == [2.0]
    assert feeder.row()["config"] == {"lr": 1}


def _fails(*_: object) -> bytes:
    raise MemoryError("no room for this batch")


def test_a_fold_that_fails_loses_nothing_and_is_tried_later(
    feeder: Feeder, folds_early: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("outrider_server.store.flush.write_all", _fails)
        for step in range(30):
            feeder.log(point(step, loss=step))
        assert list(feeder.line("loss")["step"]) == list(range(30))
        assert feeder.row()["summary"] == {"loss": 29}
    monkeypatch.setattr("outrider_server.store.writer.monotonic", lambda: 1e12)
    feeder.log(point(30, loss=30))
    assert list(feeder.line("loss")["step"]) == list(range(31))


FEEDING = """
    import asyncio, json, sys
    from outrider_server.store import Store
    sys.path.insert(0, sys.argv[2])
    import outrider_server.store.checkpoints as checkpoints
    import outrider_server.store.track as track
    track.FOLD_STEPS, checkpoints.PAGES = 30, 100
    from feeding import START, lines, point, head
    store = Store.open(sys.argv[1])
    store.create_run({"project": "p", "id": "r1", "created": START, "writer": "w0"})
    async def one(writer):
        offset = store.offsets("p", "r1").get(writer, {}).get("1", 0)
        step = STEP(offset)
        while True:
            data = lines(*({"t": START, "s": step + n, "p": {writer: step + n, "x": 0.5}}
                           for n in range(7)))
            ack = await store.ingest("p", "r1", writer, 1, offset, data)
            offset, step = ack.offset, step + 7
            print(json.dumps([writer, offset, step]), flush=True)
    def STEP(offset):
        size, step = 0, 0
        while size < offset:
            size += len(lines({"t": START, "s": step, "p": {"w0": step, "x": 0.5}}))
            step += 1
        assert size == offset, "the offset is not at a line's end"
        return step
    async def main():
        await asyncio.gather(*(one(f"w{n}") for n in range(3)))
    asyncio.run(main())
"""


def test_a_kill_at_any_instant_leaves_offsets_and_points_consistent(tmp_path: Path) -> None:
    """After each ``kill -9`` a new process goes on from the stored offsets; in the end every point
    that was acknowledged is there once, and none that the offset does not count."""
    script = tmp_path / "feeds.py"
    script.write_text(dedent(FEEDING))
    acked: dict[str, list[int]] = {}
    for kill in range(4):
        process = subprocess.Popen(
            [sys.executable, str(script), str(tmp_path / "data.db"), str(Path(__file__).parent)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        for _ in range(9 + 13 * kill):
            line = process.stdout.readline()
            assert line, "the feeding process ended by itself"
        process.send_signal(signal.SIGKILL)
        for rest in [line, *process.stdout]:
            if rest.endswith("\n"):
                writer, offset, step = json.loads(rest)
                acked[writer] = [offset, step]
        process.wait()
        process.stdout.close()
    with Store.open(tmp_path / "data.db") as store:
        offsets = store.offsets("p", "r1")
        for writer, (offset, step) in acked.items():
            steps = list(store.points("p", "r1", writer)["steps"])
            assert steps == list(range(len(steps)))
            assert len(steps) >= step
            told = [{"t": START, "s": at, "p": {writer: at, "x": 0.5}} for at in range(len(steps))]
            assert offsets[writer]["1"] == len(lines(*told)) >= offset
        by_key = {item["key"]: item for item in store.run("p", "r1")["metrics"]}
        assert by_key["x"]["points"] == sum(by_key[w]["points"] for w in acked)
        assert by_key["w0"]["last"] == by_key["w0"]["points"] - 1


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        feeder = Feeder(store, writer="w")
        feeder.log(head("w"), *(point(step, loss=step / 7) for step in range(3000)))
        feeder.log({"t": START, "k": "config", "c": {"lr": 0.1}}, point(3000, loss=1.0))
        before = feeder.row(), feeder.line("loss"), store.offsets("p", "r1")
    with Store.open(tmp_path) as store:
        feeder.store = store
        row, line, offsets = feeder.row(), feeder.line("loss"), store.offsets("p", "r1")
        assert row == before[0]
        assert offsets == before[2]
        assert list(line["last"]) == list(before[1]["last"])
        feeder.log(point(3001, loss=2.0))
        assert feeder.row()["summary"] == {"loss": 2.0}
