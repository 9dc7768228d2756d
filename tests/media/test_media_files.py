"""What the streamer makes of what the trainer copied: files that other programs read the same."""

from __future__ import annotations

import io
import os
import stat
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from media_parts import made
from PIL import Image as Pillow

import outrider
from outrider import api, core
from outrider.journal.reader import RunFolder
from outrider.journal.record import Record
from outrider.mediatypes import encoders, png
from outrider.mediatypes.making import pixels
from outrider.streamer import encoding
from outrider.streamer.errands import ErrandContext
from outrider.streamer.files import Files, Source
from outrider.streamer.own import OwnJournal

RANDOM = np.random.default_rng(0)


def only(run: api.Run, key: str) -> api.Part:
    (item,) = run.media(key)
    (part,) = item.parts
    return part


def opened(part: api.Part) -> Pillow.Image:
    return Pillow.open(io.BytesIO(part.read()))


def logged(row: dict[str, Any]) -> api.Run:
    run = core.init(project="media")
    core.log(row)
    core.finish()
    assert run.folder is not None
    return made(run.folder)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((5, 7), np.uint8),
        ((5, 7, 3), np.uint8),
        ((5, 7, 4), np.uint8),
        ((1, 1), np.uint8),
        ((300, 2000, 3), np.uint8),  # longer than one piece
        ((5, 7), np.uint16),
    ],
)
def test_our_png_is_read_by_others_pixel_for_pixel(shape: tuple[int, ...], dtype: Any) -> None:
    array = RANDOM.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)
    file = io.BytesIO()
    png.write(file, array)
    assert (np.asarray(Pillow.open(file)) == array).all()


def test_numbers_become_pixels_as_people_expect() -> None:
    assert pixels(np.array([[0.0, 0.5, 1.0]])).tolist() == [[0, 127, 255]]
    assert pixels(np.array([[-1.0, 0.0, 1.0]])).tolist() == [[0, 127, 255]]
    assert pixels(np.array([[0.0, 100.0, 300.0]])).tolist() == [[0, 100, 255]]
    assert pixels(np.array([[0, 1, 2]], np.uint8)).tolist() == [[0, 1, 2]]
    assert pixels(np.array([[False, True]])).tolist() == [[0, 255]]
    assert pixels(np.array([[0.0, np.nan, np.inf]])).tolist() == [[0, 0, 0]]
    assert pixels(np.array([[0.0, 1.0]]), normalize=False).tolist() == [[0, 1]]
    assert pixels(np.array([[7, 7]], np.int64)).tolist() == [[7, 7]]


def test_pictures_come_out_as_they_were(tmp_path: Path) -> None:
    array = RANDOM.integers(0, 255, (8, 9, 3), dtype=np.uint8)
    Pillow.fromarray(array).save(tmp_path / "given.jpg")
    mask = (array[:, :, 0] > 100).astype(int)
    run = logged(
        {
            "array": outrider.Image(array, masks={"m": {"mask_data": mask}}),
            "pillow": Pillow.fromarray(array),
            "palette": outrider.Image(Pillow.fromarray(array).convert("P")),
            "file": outrider.Image(str(tmp_path / "given.jpg")),
            "grey": outrider.Image(array[:, :, 0]),
        }
    )
    assert (np.asarray(opened(only(run, "array"))) == array).all()
    assert (np.asarray(opened(only(run, "pillow"))) == array).all()
    assert (np.asarray(opened(only(run, "array").masks["m"])) == mask).all()
    assert opened(only(run, "palette")).mode == "RGBA"
    assert only(run, "file").read() == (tmp_path / "given.jpg").read_bytes()
    assert only(run, "file").type == "image/jpeg"
    assert np.asarray(opened(only(run, "grey"))).shape == (8, 9)
    folder = Path(run.overview.origin)
    assert not list((folder / "files" / "spool").iterdir())
    assert {f.role for f in run.files()} == {"media"}
    contents = [path for path in (folder / "files").rglob("*") if path.is_file()]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in contents)


def test_sounds_are_wav() -> None:
    tone = np.sin(np.arange(800) / 10)
    stereo = RANDOM.integers(-1000, 1000, (100, 2), dtype=np.int16)
    run = logged(
        {
            "tone": outrider.Audio(tone, sample_rate=8000, caption="a tone"),
            "stereo": outrider.Audio(stereo, sample_rate=44_100),
            "turned": outrider.Audio(stereo.T, sample_rate=44_100),
        }
    )
    with wave.open(io.BytesIO(only(run, "tone").read())) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (1, 8000, 800)
        samples = np.frombuffer(file.readframes(800), "<i2")
    assert np.abs(samples / 32767 - tone).max() < 1e-4
    assert only(run, "tone").about["seconds"] == 0.1
    assert only(run, "tone").caption == "a tone"
    for key in ("stereo", "turned"):
        with wave.open(io.BytesIO(only(run, key).read())) as file:
            assert (np.frombuffer(file.readframes(100), "<i2").reshape(-1, 2) == stereo).all()


def test_videos_move() -> None:
    frames = RANDOM.integers(0, 255, (5, 3, 10, 12), dtype=np.uint8)
    run = logged(
        {
            "gif": outrider.Video(frames, fps=10),
            "png": outrider.Video(frames, fps=10, format="png"),
            "webp": outrider.Video(frames, fps=10, format="webp"),
            "batch": outrider.Video(np.stack([frames] * 3), format="png"),
        }
    )
    for key, mime in (("gif", "image/gif"), ("png", "image/png"), ("webp", "image/webp")):
        part = only(run, key)
        assert part.type == mime
        assert getattr(opened(part), "n_frames", 1) == 5, key
    moving = opened(only(run, "png"))
    for at in range(5):
        moving.seek(at)
        assert (np.asarray(moving.convert("RGB")) == frames[at].transpose(1, 2, 0)).all()
    assert opened(only(run, "gif")).info["duration"] == 100
    assert opened(only(run, "batch")).size == (24, 20)


def test_a_video_without_an_encoder_is_kept_and_said(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("outrider.mediatypes.video.ffmpeg", lambda: None)
    monkeypatch.setattr("outrider.mediatypes.video.animated", lambda: False)
    frames = np.zeros((3, 3, 4, 4), np.uint8)
    run = logged({f"v{at}": outrider.Video(frames, format="mp4") for at in range(3)})
    assert opened(only(run, "v0")).format == "PNG"
    said = [line for line in capfd.readouterr().err.splitlines() if "mp4" in line]
    assert len(said) == 1
    assert "ffmpeg" in said[0]


def test_frames_go_to_ffmpeg_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program gets raw frames on its standard input, and its file is kept as it is."""
    program = tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport sys\n"
        "data = sys.stdin.buffer.read()\n"
        "open(sys.argv[-1], 'wb').write(repr(sys.argv[1:-1]).encode() + data)\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    encoders.ffmpeg.cache_clear()
    frames = RANDOM.integers(0, 255, (2, 10, 6, 3), dtype=np.uint8)
    try:
        run = logged({"film": outrider.Video(frames, fps=8, format="mp4")})
    finally:
        encoders.ffmpeg.cache_clear()
    part = only(run, "film")
    assert part.type == "video/mp4"
    assert part.read().endswith(frames.tobytes())
    assert b"'-s', '6x10', '-r', '8'" in part.read()


def test_documents_and_figures(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([1, 2, 3])
    (tmp_path / "page.html").write_text("<style></style>from a file")
    run = logged(
        {
            "figure": figure,
            "axes": figure.axes[0],
            "as image": outrider.Image(figure, caption="drawn"),
            "page": outrider.Html("<b>bold</b>"),
            "path": outrider.Html(str(tmp_path / "page.html")),
            "open": outrider.Html(io.StringIO("<i>it</i>"), inject=False),
            "long": outrider.Text("é" * 20_000),
        }
    )
    assert run.media("figure")[0].type == "figure"
    assert opened(only(run, "figure")).size == (200, 100)
    assert only(run, "axes").sha256 == only(run, "figure").sha256
    assert opened(only(run, "as image")).size == (200, 100)
    assert only(run, "page").read().endswith(b"<b>bold</b>")
    assert only(run, "page").type == "text/html"
    assert only(run, "path").read() == b"<style></style>from a file"
    assert only(run, "open").read() == b"<i>it</i>"
    assert only(run, "long").read().decode() == "é" * 20_000


class Bench:
    """The errand by itself, on a run whose trainer is gone and whose streamer never came."""

    def __init__(self, folder: str) -> None:
        self.folder = RunFolder(folder)
        self.again()

    def again(self) -> None:
        """As a streamer that starts anew."""
        self.files = Files(self.folder, OwnJournal(self.folder))
        self.context = ErrandContext(self.folder, self.files, {}, Source("w", 1, 0))

    def encode(self) -> None:
        """Answer every ``media`` record."""
        for *_, record in self.folder.records():
            if isinstance(record, Record) and record.kind == "media":
                encoding.encode(record, self.context)

    def told(self) -> list[dict[str, Any]]:
        """The ``file`` records."""
        found = [record for *_, record in self.folder.records()]
        return [one.body for one in found if isinstance(one, Record) and one.kind == "file"]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Bench]:
    monkeypatch.setattr("outrider.streamer.spawn.start", lambda *_, **__: True)

    def log(**row: Any) -> Bench:
        run = core.init(project="media")
        core.log(row)
        assert run.folder is not None
        return Bench(run.folder)

    return log


def test_a_record_that_is_seen_again_makes_nothing_twice(bench: Callable[..., Bench]) -> None:
    work = bench(seen=[outrider.Image(np.full((4, 4), at, np.uint8)) for at in range(3)])
    work.encode()
    first = work.told()
    work.encode()
    work.again()
    work.encode()
    assert work.told() == first
    assert len(first) == 3


def test_a_kill_between_making_and_telling_loses_nothing(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    work = bench(seen=outrider.Image(np.zeros((4, 4), np.uint8)))

    class Killed(BaseException):
        pass

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Files, "add", killed)
        with pytest.raises(Killed):
            work.encode()
    work.again()
    work.encode()
    (told,) = work.told()
    assert told["state"] == "ok"
    assert not list(Path(work.folder.path, "files", "spool").iterdir())


def test_what_cannot_be_made_is_told_with_its_reason(bench: Callable[..., Bench]) -> None:
    work = bench(seen=outrider.Image(np.zeros((4, 4), np.uint8)), gone=outrider.Html("<p>"))
    for path in Path(work.folder.path, "files", "spool").iterdir():
        if path.suffix == ".npy":
            path.write_bytes(b"damaged")
        else:
            path.unlink()
    work.encode()
    states = {told["path"].split("/")[1]: told["state"] for told in work.told()}
    assert states == {"seen": "unreadable", "gone": "vanished"}
    run = api.open(work.folder.path)
    assert only(run, "seen").state == "unreadable"
    assert only(run, "seen").about["why"]
    with pytest.raises(outrider.OutriderError):
        only(run, "seen").read()


def test_records_of_other_writers_harm_nothing(bench: Callable[..., Bench]) -> None:
    work = bench(seen=outrider.Image(np.zeros((4, 4), np.uint8)))
    part = {"spool": "x.npy", "as": "png", "encoding": "npy", "masks": {"m": 5, "n": {"spool": 7}}}
    for body in (
        {"k": "media"},
        {"k": "media", "parts": 5, "cells": [1, None, {}]},
        {"k": "media", "key": "../../..\x00/etc", "s": 0, "type": "image", "parts": [part]},
    ):
        encoding.encode(Record(0.0, "media", body), work.context)
    (told,) = work.told()
    assert told["path"] == "media/_/_/_/etc/0-x.png" or ".." not in told["path"].split("/")
    with pytest.raises(ValueError, match="cannot be the name"):
        encoding.encode(
            Record(0.0, "media", {"key": "k", "s": 0, "parts": [{"spool": "../x"}]}), work.context
        )


def test_paths_are_shown_under_their_key() -> None:
    body = {"key": "val/examples", "s": 12}
    shown = encoding.shown_path(body, {"spool": "w-3.npy", "as": "png"})
    assert shown == "media/val/examples/12-w-3.png"
