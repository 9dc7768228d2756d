"""What ``log()`` of media leaves behind in the training process: one small record, and copies."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

import outrider
from outrider import api, core
from outrider.mediatypes import recording, spool, table

Media = Callable[[], list[dict[str, Any]]]
PICTURE = (np.arange(4 * 6 * 3) % 255).astype(np.uint8).reshape(4, 6, 3)


def spooled(folder: str, name: str) -> bytes:
    return Path(folder, "files", "spool", name).read_bytes()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> core.Run:  # type: ignore[name-defined]
    """A run whose streamer never starts, so that what the trainer wrote stays to be looked at."""
    monkeypatch.setattr("outrider.streamer.spawn.start", lambda *_, **__: True)
    return core.init(project="media")


def test_an_image_is_one_record_and_one_raw_file(run: core.Run, media: Media) -> None:
    core.log({"seen": outrider.Image(PICTURE, caption="a gradient"), "loss": 0.5}, step=7)
    (record,) = media()
    (part,) = record["parts"]
    assert (record["key"], record["type"], record["s"]) == ("seen", "image", 7)
    assert part["caption"] == "a gradient"
    assert (part["width"], part["height"]) == (6, 4)
    raw = spooled(run.folder, part["spool"])
    assert raw.startswith(b"\x93NUMPY")
    assert raw.endswith(PICTURE.tobytes())
    assert api.open(run.folder).history().rows()[0]["loss"] == 0.5


def test_files_of_the_spool_are_the_users_alone(run: core.Run, media: Media) -> None:
    before = os.umask(0)
    try:
        core.log({"seen": outrider.Image(PICTURE)})
    finally:
        os.umask(before)
    place = Path(run.folder, "files", "spool")
    assert place.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in place.iterdir()] == [0o600]


def test_what_is_logged_is_what_it_was_when_it_was_made(run: core.Run, media: Media) -> None:
    frame = PICTURE.copy()
    image = outrider.Image(frame)
    frame[:] = 0
    core.log({"seen": image})
    assert spooled(run.folder, media()[0]["parts"][0]["spool"]).endswith(PICTURE.tobytes())


def test_lists_keep_their_order_and_their_captions(run: core.Run, media: Media) -> None:
    images = [outrider.Image(PICTURE, caption=str(at)) for at in range(5)]
    core.log({"seen": images, "nested": {"deep": images[0]}})
    seen, nested = media()
    assert [part["caption"] for part in seen["parts"]] == list("01234")
    assert nested["key"] == "nested.deep"
    names = [part["spool"] for record in (seen, nested) for part in record["parts"]]
    assert len(set(names)) == 6


def test_masks_and_boxes_stand_with_their_image(run: core.Run, media: Media) -> None:
    mask = np.zeros((4, 6), int)
    mask[1, 1] = 3
    box = {
        "position": {"middle": [3, 2], "width": 2, "height": 2},
        "domain": "pixel",
        "class_id": 3,
        "box_caption": "cat 0.9",
        "scores": {"sure": 0.9},
    }
    core.log(
        {
            "seen": outrider.Image(
                PICTURE,
                masks={"truth": {"mask_data": mask, "class_labels": {3: "cat"}}},
                boxes={"found": {"box_data": [box], "class_labels": {3: "cat"}}},
            )
        }
    )
    (part,) = media()[0]["parts"]
    assert part["masks"]["truth"]["labels"] == {"3": "cat"}
    assert spooled(run.folder, part["masks"]["truth"]["spool"]).count(3) >= 1
    (found,) = part["boxes"]["found"]["boxes"]
    assert found["position"] == {"minX": 2 / 6, "maxX": 4 / 6, "minY": 1 / 4, "maxY": 3 / 4}
    assert (found["class_id"], found["caption"], found["scores"]) == (3, "cat 0.9", {"sure": 0.9})


@pytest.mark.parametrize(
    ("shape", "size"),
    [((4, 6), (6, 4)), ((4, 6, 1), (6, 4)), ((4, 6, 4), (6, 4)), ((3, 4, 6), (6, 4))],
)
def test_shapes_of_images(
    run: core.Run, media: Media, shape: tuple[int, ...], size: tuple[int, int]
) -> None:
    core.log({"seen": outrider.Image(np.zeros(shape, np.uint8))})
    part = media()[0]["parts"][0]
    assert (part["width"], part["height"]) == size


def test_a_histogram_is_numpys(run: core.Run, media: Media) -> None:
    values = np.random.default_rng(0).normal(size=1000)
    counts, edges = np.histogram(values, bins=64)
    given = np.histogram(values, bins=8)
    core.log(
        {
            "made": outrider.Histogram(values),
            "listed": outrider.Histogram(values.tolist()),
            "given": outrider.Histogram(np_histogram=given),
            "holes": outrider.Histogram([1.0, float("nan"), 2.0, float("inf")], num_bins=2),
            "alike": outrider.Histogram([5, 5, 5], num_bins=2),
        }
    )
    found = {record["key"]: record["v"] for record in media()}
    assert found["made"] == {"counts": counts.tolist(), "edges": edges.tolist()}
    assert found["listed"]["counts"] == counts.tolist()
    assert found["listed"]["edges"] == pytest.approx(edges.tolist())
    assert found["given"] == {"counts": given[0].tolist(), "edges": given[1].tolist()}
    assert found["holes"] == {"counts": [1, 1], "edges": [1.0, 1.5, 2.0], "nonfinite": 2}
    assert found["alike"]["counts"] == [0, 3]


def test_texts_stand_in_the_record_until_they_are_long(run: core.Run, media: Media) -> None:
    long = "é" * 20_000
    core.log({"short": outrider.Text("hello \ud800"), "long": outrider.Text(long)})
    short, other = media()
    assert short["v"] == {"text": "hello ?"}
    assert short["parts"] == []
    assert spooled(run.folder, other["parts"][0]["spool"]).decode() == long


def test_a_tables_columns_get_types(run: core.Run, media: Media) -> None:
    rows = outrider.Table(columns=["n", "t", "b", "m", "j", "none"])
    rows.add_data(1, "a", True, outrider.Image(PICTURE), {"x": [1, 2]}, None)
    rows.add_data(np.float32(0.5), "b", np.bool_(False), None, [1], None)
    rows.add_data(float("nan"), None, None, outrider.Text("why"), "text", None)
    rows.add_column("late", [1, 2, 3])
    core.log({"examples": rows})
    (record,) = media()
    types = {column["name"]: column["type"] for column in record["v"]["columns"]}
    assert types == {
        "n": "number", "t": "text", "b": "boolean", "m": "media", "j": "json", "none": "text",
        "late": "number",
    }  # fmt: skip
    first, second, third = record["v"]["data"]
    assert first[:3] == [1, "a", True]
    assert first[4:] == [{"x": [1, 2]}, None, 1]
    assert first[3] == {"type": "image", "part": 0}
    assert third[3] == {"type": "text", "part": 1}
    assert second[:3] == [0.5, "b", False]
    assert third[0] == "NaN"
    assert [cell["type"] for cell in record["cells"]] == ["image", "text"]


def test_a_table_of_ten_million_rows_is_bounded_and_says_so(
    run: core.Run, media: Media, capfd: pytest.CaptureFixture[str]
) -> None:
    core.log({"all": outrider.Table(columns=["at"], data=np.zeros((10_000_000, 1))), "loss": 1.0})
    (record,) = media()
    assert record["v"]["rows"] == table.MAX_ROWS
    assert record["v"]["left_out"] == 10_000_000 - table.MAX_ROWS
    said = [line for line in capfd.readouterr().err.splitlines() if "rows" in line]
    assert len(said) == 1
    assert "9,800,000 are left out" in said[0]
    assert len(orjson.dumps(record)) < 1000
    assert api.open(run.folder).history().rows()[0]["loss"] == 1.0


BAD: list[tuple[str, Callable[[], Any], str]] = [
    ("shape", lambda: outrider.Image(np.zeros((2, 3, 4, 5))), "not shape (2, 3, 4, 5)"),
    ("two channels", lambda: outrider.Image(np.zeros((5, 5, 2))), "(height, width)"),
    ("no pixel", lambda: outrider.Image(np.zeros((0, 5))), "without a pixel"),
    ("dtype", lambda: outrider.Image(np.array([["a", "b"]])), "<U1"),
    ("complex", lambda: outrider.Image(np.zeros((2, 2), complex)), "complex128"),
    ("ragged", lambda: outrider.Image([[1, 2], [3]]), "gives no array"),
    ("no image", lambda: outrider.Image(object()), "cannot be made of object"),
    ("no file", lambda: outrider.Image("nowhere.png"), "there is no file nowhere.png"),
    ("no ending", lambda: outrider.Image(__file__), "no image file"),
    ("mode", lambda: outrider.Image(PICTURE, mode="L"), "needs 1 channels"),
    ("mask", lambda: outrider.Image(PICTURE, masks={"m": {"mask_data": PICTURE}}), "the mask 'm'"),
    ("classes", lambda: outrider.Image(PICTURE, masks={"m": {"mask_data": [[300]]}}), "0 to 255"),
    ("box", lambda: outrider.Image(PICTURE, boxes={"b": {"box_data": [{}]}}), "needs a position"),
    ("rate", lambda: outrider.Audio(np.zeros(5)), "sample_rate"),
    ("sound", lambda: outrider.Audio(np.zeros((2, 3, 4)), sample_rate=8), "(samples, channels)"),
    ("video", lambda: outrider.Video(np.zeros((5, 5, 5))), "(time, channels, height, width)"),
    ("format", lambda: outrider.Video(np.zeros((1, 3, 5, 5)), format="avi"), "'avi' is not known"),
    ("fps", lambda: outrider.Video(np.zeros((1, 3, 5, 5)), fps=0), "fps=0"),
    ("html", lambda: outrider.Html(5), "HTML cannot be made of int"),
    ("gone", lambda: outrider.Html("gone.html"), "gone.html"),
    ("counts", lambda: outrider.Histogram(np_histogram=([1, 2], [1, 2])), "one edge more"),
    ("nothing", lambda: outrider.Histogram(), "needs values"),
    ("text values", lambda: outrider.Histogram(["a"]), "could not convert"),
    ("columns", lambda: outrider.Table(columns=["a", "a"]), "one name"),
    ("row", lambda: outrider.Table(columns=["a"], data=[[1, 2]]), "does not fit"),
    ("rows", lambda: outrider.Table(columns=["a"], data="abc"), "are rows, not str"),
    ("mixed", lambda: [outrider.Image(PICTURE), 5], "mixes media"),
    ("kinds", lambda: [outrider.Image(PICTURE), outrider.Text("a")], "of one kind"),
    ("tables", lambda: [outrider.Table(), outrider.Table()], "a name of its own"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "says"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_bad_media_are_one_line_on_stderr_and_the_row_is_kept(
    run: core.Run, media: Media, capfd: pytest.CaptureFixture[str], make: Any, says: str
) -> None:
    for _ in range(3):
        core.log({"bad": make(), "loss": 0.25, "good": outrider.Text("kept")})
    said = [line for line in capfd.readouterr().err.splitlines() if "'bad'" in line]
    assert len(said) == 1
    assert says in said[0]
    assert [record["key"] for record in media()] == ["good"] * 3
    assert [row["loss"] for row in api.open(run.folder).history()] == [0.25] * 3
    left = Path(run.folder, "files", "spool")
    assert not left.exists() or not list(left.iterdir())


def test_nothing_large_stands_in_the_journal(
    run: core.Run, media: Media, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MAX_BYTES", 200_000)
    box = {"position": {"minX": 0.1, "maxX": 0.2, "minY": 0.1, "maxY": 0.2}}
    many = {"b": {"box_data": [box] * 1000}}
    core.log({"seen": [outrider.Image(PICTURE, boxes=many) for _ in range(5)]})
    core.log({"texts": [outrider.Text("x" * 16_000) for _ in range(20)], "loss": 1.0})
    (record,) = media()
    assert len(record["parts"]) == 5
    assert not any("boxes" in part for part in record["parts"])
    said = capfd.readouterr().err
    assert "boxes" in said
    assert "too large for one record" in said


def test_a_disk_without_room_costs_the_image_and_nothing_else(
    run: core.Run, media: Media, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numpy.lib.format.write_array", full)
    core.log({"seen": outrider.Image(PICTURE), "loss": 1.0})
    assert media() == []
    assert "No space left" in capfd.readouterr().err
    assert not list(Path(run.folder, "files", "spool").iterdir())
    assert api.open(run.folder).history().rows()[0]["loss"] == 1.0


def test_more_than_can_be_copied_is_refused(
    run: core.Run, media: Media, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "MAX_BYTES", 50)
    core.log({"seen": outrider.Image(PICTURE)})
    assert media() == []
    assert "save() keeps files of any size" in capfd.readouterr().err


def test_a_forked_child_has_names_of_its_own(run: core.Run, media: Media) -> None:
    core.log({"seen": outrider.Image(PICTURE)})
    pid = os.fork()
    if not pid:
        core.log({"seen": outrider.Image(PICTURE)})
        os._exit(0)
    os.waitpid(pid, 0)
    core.log({"seen": outrider.Image(PICTURE)})
    names = [record["parts"][0]["spool"] for record in media()]
    assert len(set(names)) == 3
    assert len({name.partition("-")[0] for name in names}) == 2


def test_logging_arrays_imports_neither_pillow_nor_plugins(training: Path) -> None:
    script = """
import sys, numpy, outrider
outrider.init(project="lean")
outrider.log({"a": outrider.Image(numpy.zeros((4, 4))), "b": outrider.Histogram([1, 2])})
heavy = {"PIL", "pluggy", "matplotlib", "pandas", "logging", "sqlite3"} & set(sys.modules)
assert not heavy, heavy
outrider.finish()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_data_frame_is_a_table_and_a_series_is_a_row(run: core.Run, media: Media) -> None:
    import pandas as pd

    frame = pd.DataFrame({"n": [1, 2], "t": ["a", None], "b": [True, False]})
    core.log({"frame": frame, "row": pd.Series({"a": 1.5, "b": 2.5})})
    (record,) = media()
    assert [column["type"] for column in record["v"]["columns"]] == ["number", "text", "boolean"]
    assert [row[0] for row in record["v"]["data"]] == [1, 2]
    assert api.open(run.folder).history().rows()[0]["row.a"] == 1.5


def test_disabled_runs_take_media_and_keep_nothing(
    training: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with core.init(project="off", mode="disabled"):
        core.log({"seen": outrider.Image(PICTURE), "bad": outrider.Image("nowhere.png")})
    assert not (training / ".outrider").exists()
    assert "cannot be kept" not in capfd.readouterr().err
