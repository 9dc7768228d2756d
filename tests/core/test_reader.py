"""Reading a folder back: torn tails wait, damage is skipped and counted, long lines are whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from outrider.errors import JournalError, NotFound
from outrider.journal.line import encode
from outrider.journal.reader import RunFolder, find_folders, locate
from outrider.journal.record import Damaged, Record


def lay(folder: Path, data: bytes, name: str = "w-000001.jsonl", run_id: str = "r") -> RunFolder:
    (folder / "journal").mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(f'{{"format":1,"id":"{run_id}","name":"n","project":"p"}}')
    (folder / "journal" / name).write_bytes(data)
    return RunFolder(folder)


def point(step: int, size: int = 1) -> bytes:
    return encode({"t": 1.0, "s": step, "p": {"a" * size: 1.0}})


def test_a_torn_tail_is_not_a_record_until_its_newline_comes(tmp_path: Path) -> None:
    whole = point(0) + point(1)
    for cut in range(1, len(point(1))):
        piece = lay(tmp_path / str(cut), whole[:-cut]).read("w", 1, 0)
        assert piece.data == point(0)
        assert piece.torn_tail == len(point(1)) - cut
    assert lay(tmp_path / "w", whole).read("w", 1, 0).data == whole


def test_reading_goes_on_where_it_ended(tmp_path: Path) -> None:
    folder = lay(tmp_path, b"".join(point(step) for step in range(100)))
    offset, data = 0, b""
    while (piece := folder.read("w", 1, offset, 150)).data:
        assert piece.offset == offset
        offset, data = piece.end, data + piece.data
    assert data == b"".join(point(step) for step in range(100))


def test_a_line_longer_than_the_limit_is_read_whole(tmp_path: Path) -> None:
    folder = lay(tmp_path, point(0, 3_000_000) + point(1))
    piece = folder.read("w", 1, 0, 1000)
    assert piece.data == point(0, 3_000_000)
    assert folder.read("w", 1, piece.end, 1000).data == point(1)


def test_a_long_line_without_an_end_is_a_torn_tail(tmp_path: Path) -> None:
    folder = lay(tmp_path, b"x" * 5000)
    piece = folder.read("w", 1, 0, 1000)
    assert (piece.data, piece.torn_tail) == (b"", 5000)


@pytest.mark.parametrize("damage", [b"\0" * 50, b"garbage", b'{"t":', b"\xff\xfe", b'{"t":1}'])
def test_damage_in_the_middle_costs_its_line_only(tmp_path: Path, damage: bytes) -> None:
    folder = lay(tmp_path, point(0) + damage + b"\n" + point(1))
    found = [record for *_, record in folder.records()]
    assert [type(record) for record in found] == [Record, Damaged, Record]


def test_every_byte_of_a_segment_may_be_flipped(tmp_path: Path) -> None:
    data = b"".join(point(step) for step in range(12))
    for at in range(len(data)):
        broken = bytearray(data)
        broken[at] ^= 0x15
        folder = lay(tmp_path, bytes(broken))
        found = [record for *_, record in folder.records()]
        right = [
            r for r in found if isinstance(r, Record) and r.kind == "points" and "a" in r.body["p"]
        ]
        assert len(right) >= 10


def test_offsets_are_the_bytes_where_records_stand(tmp_path: Path) -> None:
    folder = lay(tmp_path, point(0) + b"\n" + point(1))
    offsets = [offset for _, _, offset, _ in folder.records()]
    assert offsets == [0, len(point(0)) + 1]


def test_other_files_in_the_journal_are_left_alone(tmp_path: Path) -> None:
    folder = lay(tmp_path, point(0))
    (tmp_path / "journal" / "notes.txt").write_text("x")
    (tmp_path / "journal" / "w-000002.jsonl.tmp").write_text("x")
    assert folder.all_segments() == {"w": [1]}


def test_a_folder_is_found_by_path_id_project_and_name(tmp_path: Path) -> None:
    runs = tmp_path / ".outrider" / "runs"
    lay(runs / "20260101T000000Z-one", point(0), run_id="one")
    lay(runs / "20260102T000000Z-two", point(0), run_id="two")
    assert [folder.meta()["id"] for folder in find_folders(tmp_path)] == ["one", "two"]
    for name in ("one", "p/one", str(runs / "20260101T000000Z-one")):
        assert locate(name, tmp_path).meta()["id"] == "one"
    with pytest.raises(NotFound, match="2 runs are called"):
        locate("n", tmp_path)
    with pytest.raises(NotFound, match="three"):
        locate("three", tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"id":3}'])
def test_a_run_json_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(JournalError, match=r"run\.json"):
        RunFolder(tmp_path).meta()


def test_a_folder_without_run_json_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="not a run's folder"):
        RunFolder(tmp_path).meta()
